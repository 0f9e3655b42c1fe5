import type { ActivitySources } from '../../activity/types.ts'
import { sleep } from '../../clock.ts'
import { carriedOver } from '../../policy/carry-over.ts'
import { initialState, moved } from '../../policy/rule.ts'
import type { ShadowMove, ShadowSample } from '../../policy/shadow.ts'
import type { Tier, VolumeState } from '../../policy/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Detachments } from '../view/detachments.ts'
import type { BoundManagedClaim as Bound } from '../view/managed.ts'
import type { CheckpointStore, PolicyMemory } from './checkpoint-store.ts'
import { leadPerHour } from './drift.ts'
import { idsInReplacement, kinOf } from './kin.ts'
import type { Migrations } from '../view/migrations.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { PartedVolumes } from './parted-volumes.ts'
import { Coverage } from './coverage.ts'
import { WindowAnswers } from './window-answers.ts'
import { WindowFeed } from './window-feed.ts'
import { WindowWalk } from './window-walk.ts'
import type { Walk } from './window-walk.ts'

export type UsageReaderParts = {
  readonly deps: ControllerDeps
  readonly sources: ActivitySources
  readonly checkpoints: CheckpointStore
  readonly health: PolicyHealth
  readonly detachments: Detachments
  readonly migrations: Pick<Migrations, 'ofVolume' | 'open'>
  /** Called when volumes came that a source may not have been notified of yet. */
  readonly onNewcomers?: () => void
  /** Called for each window once it is in the engine's memory; not for the history of newcomers. */
  readonly onWindow?: (
    policy: ResolvedPolicy,
    samples: readonly ShadowSample[],
    windowEnd: number,
  ) => void
  /** A claim goes on with another volume, on another tier. */
  readonly onMoved?: (policy: ResolvedPolicy, move: ShadowMove) => void
}

/** History read so far for claims whose history is not complete yet. */
type HalfRead = {
  readonly memory: PolicyMemory
  readonly states: Map<string, VolumeState>
  /** Of volumes whose state is that of another one: the tier of that. */
  readonly former: ReadonlyMap<string, number>
  through: number
}

/** Other volumes that the claim had, and may have again. */
type Kin = (volumeId: string) => readonly string[]

const HISTORY_SECONDS = 14 * 86_400
/** Pause between two windows of history, so that reading it does not crowd out dashboards. */
const HISTORY_PAUSE_MS = 20

/** Asks for usage window by window, each once and in order, and lets the engine remember it. */
export class UsageReader {
  readonly #parts: UsageReaderParts
  readonly #answers: WindowAnswers
  readonly #walk: WindowWalk
  readonly #halfRead = new Map<string, HalfRead>()
  readonly #parted: PartedVolumes
  readonly #feed: WindowFeed
  readonly #coverage: Coverage

  constructor(parts: UsageReaderParts) {
    this.#parts = parts
    this.#answers = new WindowAnswers(parts.deps, parts.sources)
    this.#walk = new WindowWalk(parts.deps.processClock)
    this.#parted = new PartedVolumes(parts.deps.processClock)
    this.#feed = new WindowFeed(parts)
    this.#coverage = new Coverage(parts)
  }

  forget(isKept: (policy: string) => boolean): void {
    for (const names of [this.#halfRead, this.#heard])
      for (const name of names.keys()) if (!isKept(name)) names.delete(name)
  }

  /** How long after its end a window of that policy is complete, seconds. */
  lagSeconds(policy: ResolvedPolicy): number {
    return this.#answers.lagSeconds(policy)
  }

  /** Milliseconds until the next window of that policy can be asked. */
  msToNext(policy: ResolvedPolicy): number {
    const window = policy.effective.metrics.windowMs / 1000
    const next = this.#answers.latestEnd(policy) + window + this.lagSeconds(policy)
    return Math.max(0, next * 1000 - this.#parts.deps.clock.now())
  }

  /** Reads what is missing up to now: history of volumes not known yet, then the windows since the last one. */
  async advance(
    policy: ResolvedPolicy,
    bound: readonly Bound[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { checkpoints, health } = this.#parts
    const { tiers } = policy
    if (tiers === undefined) return false
    if (health.readsFrom(policy.name, policy.effective.metrics.source))
      this.#heard.delete(policy.name)
    const remembered = checkpoints.of(policy)
    const kept = idsInReplacement(this.#parts.migrations.open())
    this.#parted.part(policy.name, remembered, bound, kept)
    resumeBehind(remembered, bound, kept)
    // numbers of other prices or limits are no numbers: as after a start, nothing goes down before they are read again
    if (remembered.askedUntil === undefined) health.catchingUp(policy.name, true)
    const newcomers = bound.filter(
      ({ bound: { row, volume } }) =>
        row !== undefined &&
        (!remembered.states.has(volume.handle) ||
          this.#parted.of(policy.name, remembered, volume.handle) !== undefined),
    )
    if (newcomers.length > 0) {
      this.#parts.onNewcomers?.()
      this.#answers.newcomers(policy)
    }
    const ids = new Set(bound.map((b) => b.bound.volume.handle))
    // somebody may have made another claim of a former volume
    const kin = (id: string) => kinOf(this.#parts.migrations, id).filter((of) => !ids.has(of))
    const history = await this.#history(policy, tiers, remembered, newcomers, kin, signal)
    if (history.kind === 'Aborted') return false
    if (history.kind === 'Down') return this.#sourceDown(policy, bound, history.why)
    const windows = await this.#windows(policy, tiers, remembered, bound, signal)
    if (windows.kind === 'Aborted') return false
    if (windows.kind === 'Down') return this.#sourceDown(policy, bound, windows.why)
    if (windows.kind === 'Unread') return this.#unread(policy, bound, windows)
    health.catchingUp(policy.name, false)
    // the trouble of these claims alone: all others have their numbers
    return history.kind === 'Done' || this.#unread(policy, newcomers, history)
  }

  async #history(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    newcomers: readonly Bound[],
    kin: Kin,
    signal: AbortSignal,
  ): Promise<Walk> {
    if (newcomers.length === 0) return { kind: 'Done' }
    const window = policy.effective.metrics.windowMs / 1000
    const latest = this.#answers.latestEnd(policy)
    const live = await this.#answers.ask(policy, latest, signal)
    if (live.kind === 'Down') return signal.aborted ? { kind: 'Aborted' } : live
    const until = remembered.askedUntil ?? latest
    const half = this.#halfOf(policy, tiers, remembered, newcomers, kin, until)
    const volumeIds = [...new Set([...half.states.keys()].flatMap((id) => [id, ...kin(id)]))]
    volumeIds.sort()
    const walk = await this.#walk.run({
      key: `${policy.name}/history`,
      from: half.through,
      to: until,
      window,
      latest,
      signal,
      ask: (end) => this.#answers.ask(policy, end, signal, { volumeIds, throughSeconds: until }),
      onAnswer: async (answer, end) => {
        await this.#feed.feed(policy, tiers, half.states, newcomers, answer, end)
        half.through = end
        await sleep(this.#parts.deps.processClock, HISTORY_PAUSE_MS, signal)
      },
    })
    // half a history would be taken for a whole one
    if (walk.kind !== 'Done') return walk
    this.#halfRead.delete(policy.name)
    for (const { bound } of newcomers) {
      const id = bound.volume.handle
      const ids = [id, ...kin(id)]
      const earlier = ids.flatMap((of) => remembered.earlier.get(of) ?? [])[0]
      const read = half.states.get(id)!
      const state = earlier === undefined ? read : carriedOver(read, earlier, remembered, until)
      // it goes on under the new id, and comes back from there after a rollback
      for (const of of ids)
        for (const kept of [remembered.states, remembered.earlier]) kept.delete(of)
      remembered.states.set(id, this.#movedFrom(policy, bound, state, half.former.get(id)))
    }
    this.#parted.back(policy.name, half.states.keys())
    remembered.askedUntil ??= until
    return walk
  }

  /** Goes on where an earlier pass could not; from the beginning for other claims. */
  #halfOf(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    memory: PolicyMemory,
    newcomers: readonly Bound[],
    kin: Kin,
    until: number,
  ): HalfRead {
    const window = policy.effective.metrics.windowMs / 1000
    const ids = newcomers.map((n) => n.bound.volume.handle)
    const before = this.#halfRead.get(policy.name)
    if (before?.memory === memory && before.states.size === ids.length)
      if (ids.every((id) => before.states.has(id))) return before
    const earlier = (id: string) => this.#before(policy, memory, [id, ...kin(id)])
    const oldest = newcomers.reduce((least, n) => {
      const known = earlier(n.bound.volume.handle)
      return Math.min(least, known === undefined ? bornAt(n) : known.through)
    }, Infinity)
    const from = Math.max(until - HISTORY_SECONDS, oldest)
    const begin = Math.ceil(from / window) * window
    const known = new Map(ids.map((id) => [id, earlier(id)]))
    const states = new Map(
      ids.map((id) => [id, known.get(id)?.state ?? initialState(tiers.length, begin)]),
    )
    const former = new Map(
      ids.flatMap((id) => {
        const of = known.get(id)
        return of === undefined || of.id === id ? [] : [[id, of.state.tier]]
      }),
    )
    const half: HalfRead = { memory, states, former, through: from }
    this.#halfRead.set(policy.name, half)
    return half
  }

  /** What is known of the volume, or of the one that its claim had before it, up to which window. */
  #before(
    policy: ResolvedPolicy,
    memory: PolicyMemory,
    ids: readonly string[],
  ): { readonly id: string; readonly state: VolumeState; readonly through: number } | undefined {
    const known = ids.flatMap((id) => {
      const parted = this.#parted.of(policy.name, memory, id)
      if (parted !== undefined) return [{ ...parted, id }]
      const state = memory.states.get(id)
      return state === undefined || memory.askedUntil === undefined
        ? []
        : [{ id, state, through: memory.askedUntil }]
    })
    return known.toSorted((a, b) => b.through - a.through)[0]
  }

  /** A claim that has another volume now has moved, when that is on another tier. */
  #movedFrom(
    policy: ResolvedPolicy,
    { volume, row }: Bound['bound'],
    state: VolumeState,
    from: number | undefined,
  ): VolumeState {
    const to = (policy.tiers ?? []).findIndex((t) => t.typeId === row?.typeId)
    if (from === undefined || from < 0 || to < 0 || from === to) return state
    const at = Math.floor(this.#parts.deps.clock.now() / 1000)
    const move = { id: volume.handle, from, to, sizeGiB: row?.sizeGiB ?? 0, at }
    this.#parts.onMoved?.(policy, { ...move, perHour: leadPerHour(state, from, to) })
    return moved(state, from, at, to)
  }

  async #windows(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    bound: readonly Bound[],
    signal: AbortSignal,
  ): Promise<Walk> {
    const window = policy.effective.metrics.windowMs / 1000
    const latest = this.#answers.latestEnd(policy)
    const asked = this.#askedUntil(policy, remembered, latest)
    const walk = await this.#walk.run({
      key: `${policy.name}/windows`,
      from: Math.max(asked, latest - HISTORY_SECONDS),
      to: latest,
      window,
      latest,
      signal,
      ask: (end) => this.#answers.ask(policy, end, signal),
      onAnswer: async (answer, end) => {
        const { states } = remembered
        const samples = await this.#feed.feed(policy, tiers, states, bound, answer, end)
        if (end === latest) this.#coverage.count(policy, states, bound, end, answer)
        this.#parts.onWindow?.(policy, samples, end)
        remembered.askedUntil = Math.max(end, remembered.askedUntil ?? end)
      },
    })
    if (walk.kind === 'Done') this.#heard.add(policy.name)
    return walk
  }

  /**
   * A new process, or a policy with another source, asks the newest window again: the checkpoint holds the sums, but not
   * how each volume does now. What is counted already is not counted twice.
   */
  #askedUntil(policy: ResolvedPolicy, remembered: PolicyMemory, latest: number): number {
    const before = latest - policy.effective.metrics.windowMs / 1000
    const asked = remembered.askedUntil ?? before
    return this.#heard.has(policy.name) ? asked : Math.min(asked, before)
  }
  /** Policies whose newest window came from the source that they have now. */
  readonly #heard = new Set<string>()

  #sourceDown(policy: ResolvedPolicy, bound: readonly Bound[], why: string): false {
    const { health } = this.#parts
    health.down(policy.name, why)
    for (const b of bound) health.note(b.bound.volume.handle, { kind: 'SourceDown', why })
    return false
  }

  /** The source answers, but not for the time that these claims need. */
  #unread(policy: ResolvedPolicy, bound: readonly Bound[], { why }: { why: string }): false {
    const { health } = this.#parts
    health.down(policy.name, undefined)
    const text = `its earlier usage cannot be read: ${why}`
    for (const b of bound) health.note(b.bound.volume.handle, { kind: 'NoData', why: text })
    return false
  }
}

/** Volumes whose shard is older than the others' have windows to catch up with; the others count none of them twice. */
function resumeBehind(
  memory: PolicyMemory,
  bound: readonly Bound[],
  kept: ReadonlySet<string>,
): void {
  if (memory.behind.size === 0 && memory.earlier.size === 0) return
  const known = new Set(bound.map((b) => b.bound.volume.handle))
  for (const id of memory.earlier.keys())
    if (!known.has(id) && !kept.has(id)) memory.earlier.delete(id)
  for (const [id, end] of memory.behind)
    if (known.has(id)) memory.askedUntil = Math.min(end, memory.askedUntil ?? end)
  memory.behind.clear()
}

/** Seconds; 0 when unknown. A claim may be newer than its volume: re-created over a kept one, or restored. */
function bornAt({ claim, bound }: Bound): number {
  const times = [claim.createdAt, bound.row?.createdAt ?? ''].map((t) => Date.parse(t) / 1000)
  const known = times.filter((t) => !Number.isNaN(t))
  return known.length === 0 ? 0 : Math.min(...known)
}
