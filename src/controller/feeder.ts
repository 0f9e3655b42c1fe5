import { lastWindowEnd, windowEnds } from '../activity/window.ts'
import type { ActivitySource, ActivitySources, WindowAnswer } from '../activity/types.ts'
import { nextTurn, sleep } from '../clock.ts'
import { classify, demandFrom } from '../policy/demand.ts'
import { initialState, observe } from '../policy/rule.ts'
import type { ShadowSample } from '../policy/shadow.ts'
import type { Tier } from '../policy/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Detachments } from './detachments.ts'
import type { BoundManagedClaim as Bound } from './managed.ts'
import type { Memory, PolicyMemory } from './memory.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { ResolvedPolicy } from './policies.ts'

export type FeederParts = {
  readonly deps: ControllerDeps
  readonly sources: ActivitySources
  readonly memory: Memory
  readonly health: PolicyHealth
  readonly detachments: Detachments
  /** Called when volumes came that a source may not have been told of yet. */
  readonly onNewcomers?: () => void
  /** Told of each window once it is in the engine's memory; history of newcomers is not. */
  readonly onWindow?: (
    policy: ResolvedPolicy,
    samples: readonly ShadowSample[],
    windowEnd: number,
  ) => void
}

type Answer = Extract<WindowAnswer, { kind: 'Answer' }>

const HISTORY_SECONDS = 14 * 86_400
/** Volumes worked through before others get a turn: the lease must be renewed in between. */
const SLICE = 500
/** Pause between two windows of history, so that reading it does not crowd out anybody's dashboards. */
const HISTORY_PAUSE_MS = 20

/** Asks for usage window by window, each once and in order, and lets the engine remember it. */
export class Feeder {
  readonly #parts: FeederParts
  constructor(parts: FeederParts) {
    this.#parts = parts
  }

  /** End (seconds) of the newest window that is complete by now. */
  latestEnd(policy: ResolvedPolicy): number {
    const window = policy.effective.metrics.windowMs / 1000
    return lastWindowEnd(this.#parts.deps.clock.now() / 1000, window, this.lagSeconds(policy))
  }

  /** How long after its end a window of that policy is complete, seconds. */
  lagSeconds(policy: ResolvedPolicy): number {
    return this.#sourceOf(policy).lagSeconds
  }

  /** Milliseconds until the next window of that policy can be asked. */
  msToNext(policy: ResolvedPolicy): number {
    const window = policy.effective.metrics.windowMs / 1000
    const next = this.latestEnd(policy) + window + this.lagSeconds(policy)
    return Math.max(0, next * 1000 - this.#parts.deps.clock.now())
  }

  /** Reads what is missing up to now: history of volumes not known yet, then the windows since the last one. */
  async advance(
    policy: ResolvedPolicy,
    bound: readonly Bound[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const { memory, health } = this.#parts
    const { tiers } = policy
    if (tiers === undefined) return false
    if (health.readsFrom(policy.name, policy.effective.metrics.source))
      this.#heard.delete(policy.name)
    const remembered = memory.of(policy)
    this.#forget(remembered, bound)
    const newcomers = bound.filter(
      (b) => b.bound.row !== undefined && !remembered.states.has(b.bound.volume.handle),
    )
    if (newcomers.length > 0) this.#parts.onNewcomers?.()
    const complete =
      (await this.#history(policy, tiers, remembered, newcomers, signal)) &&
      (await this.#windows(policy, tiers, remembered, bound, signal))
    if (complete) health.catchingUp(policy.name, false)
    return complete
  }

  #forget(remembered: PolicyMemory, bound: readonly Bound[]): void {
    const known = new Set(bound.map((b) => b.bound.volume.handle))
    for (const id of remembered.states.keys()) if (!known.has(id)) remembered.states.delete(id)
  }

  async #history(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    newcomers: readonly Bound[],
    signal: AbortSignal,
  ): Promise<boolean> {
    if (newcomers.length === 0) return true
    const window = policy.effective.metrics.windowMs / 1000
    const until = remembered.askedUntil ?? this.latestEnd(policy)
    const oldest = newcomers.reduce((least, n) => Math.min(least, bornAt(n)), Infinity)
    const from = Math.max(until - HISTORY_SECONDS, oldest)
    const begin = Math.ceil(from / window) * window
    for (const n of newcomers)
      remembered.states.set(n.bound.volume.handle, initialState(tiers.length, begin))
    for (const end of windowEnds(from, until, window)) {
      if (signal.aborted) return this.#unlearn(remembered, newcomers)
      const answer = await this.#ask(policy, end, window, signal)
      if (answer.kind === 'Down') {
        this.#sourceDown(policy, newcomers, answer.why)
        return this.#unlearn(remembered, newcomers)
      }
      await this.#feed(policy, tiers, remembered, newcomers, answer, end, false)
      await sleep(this.#parts.deps.processClock, HISTORY_PAUSE_MS, signal)
    }
    remembered.askedUntil ??= until
    this.#noteCoverage(policy, remembered, until)
    return true
  }

  /** Half a history would be taken for a whole one. */
  #unlearn(remembered: PolicyMemory, newcomers: readonly Bound[]): false {
    for (const n of newcomers) remembered.states.delete(n.bound.volume.handle)
    return false
  }

  async #windows(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    bound: readonly Bound[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const window = policy.effective.metrics.windowMs / 1000
    const latest = this.latestEnd(policy)
    const asked = this.#askedUntil(policy, remembered, latest)
    for (const end of windowEnds(Math.max(asked, latest - HISTORY_SECONDS), latest, window)) {
      if (signal.aborted) return false
      const answer = await this.#ask(policy, end, window, signal)
      if (answer.kind === 'Down') {
        this.#sourceDown(policy, bound, answer.why)
        return false
      }
      const samples = await this.#feed(
        policy,
        tiers,
        remembered,
        bound,
        answer,
        end,
        end === latest,
      )
      this.#parts.onWindow?.(policy, samples, end)
      remembered.askedUntil = Math.max(end, remembered.askedUntil ?? end)
    }
    this.#heard.add(policy.name)
    return true
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

  #sourceOf({ effective }: ResolvedPolicy): ActivitySource {
    return this.#parts.sources[effective.metrics.source]
  }

  /** Policies with the same source and window share one answer, so that the number of queries does not grow with them. */
  async #ask(
    policy: ResolvedPolicy,
    endSeconds: number,
    windowSeconds: number,
    signal: AbortSignal,
  ): Promise<WindowAnswer> {
    const key = `${policy.effective.metrics.source}/${windowSeconds}`
    const last = this.#last.get(key)
    if (last?.endSeconds === endSeconds) return last.answer
    const source = this.#sourceOf(policy)
    const { processClock, timing } = this.#parts.deps
    const down = this.#down.get(source.name)
    if (down !== undefined && processClock.monotonic() - down.at < timing.recheckMs / 2)
      return down.answer
    const answer = await source.window({ endSeconds, windowSeconds, signal })
    if (answer.kind === 'Answer') this.#last.set(key, { endSeconds, answer })
    else if (!signal.aborted) this.#down.set(source.name, { at: processClock.monotonic(), answer })
    return answer
  }
  /** A source that is down is not waited for once per policy, only once per pass. */
  readonly #down = new Map<string, { readonly at: number; readonly answer: WindowAnswer }>()
  /** The newest answer by source and length of window. */
  readonly #last = new Map<string, { readonly endSeconds: number; readonly answer: WindowAnswer }>()

  #sourceDown(policy: ResolvedPolicy, bound: readonly Bound[], why: string): void {
    const { health } = this.#parts
    health.down(policy.name, why)
    for (const b of bound) health.note(b.bound.volume.handle, { kind: 'SourceDown', why })
  }

  async #feed(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    bound: readonly Bound[],
    answer: Answer,
    end: number,
    newest: boolean,
  ): Promise<readonly ShadowSample[]> {
    const samples: ShadowSample[] = []
    for (const [i, b] of bound.entries()) {
      if (i > 0 && i % SLICE === 0) await nextTurn()
      const sample = this.#feedOne(policy, tiers, remembered, b, answer, end)
      if (sample !== undefined) samples.push(sample)
    }
    if (newest) this.#countCoverage(policy, bound, end, answer)
    return samples
  }

  #feedOne(
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    remembered: PolicyMemory,
    { bound }: Bound,
    { volumes, missing }: Answer,
    end: number,
  ): ShadowSample | undefined {
    const { deps, health, detachments } = this.#parts
    const id = bound.volume.handle
    const { metrics } = policy.effective
    const windowSeconds = metrics.windowMs / 1000
    const observation = classify(
      {
        answer: { kind: 'Answer', activity: volumes.get(id), missing: missing?.get(id) },
        attachment: detachments.of(id),
        windowEnd: end,
        windowSeconds,
      },
      {
        minCoveragePercent: metrics.minCoveragePercent,
        ioUnitKiB: metrics.ioUnitKiB,
        detachedGraceSeconds: deps.timing.detachGraceMs / 1000,
      },
    )
    health.note(id, observation)
    const state = remembered.states.get(id)
    const size = bound.row?.sizeGiB
    if (state === undefined || size === undefined) return undefined
    const tier = tiers.findIndex((t) => t.typeId === bound.row?.typeId)
    const demand = demandFrom(observation, tiers[tier], size, policy.constants)
    if (demand === undefined) return undefined
    remembered.states.set(
      id,
      observe(state, tier, demand, size, tiers, policy.constants, windowSeconds / 3600, end),
    )
    return { id, tier, demand, sizeGiB: size }
  }

  #countCoverage(
    policy: ResolvedPolicy,
    bound: readonly Bound[],
    end: number,
    { missing, warnings }: Answer,
  ): void {
    const { health } = this.#parts
    const kinds = bound.map((b) => health.observation(b.bound.volume.handle)?.kind)
    const covered = kinds.filter((k) => k === 'Measured').length
    const detached = kinds.filter((k) => k === 'Detached').length
    health.window(policy.name, end, covered, bound.length - detached)
    const reasons = bound.flatMap((b) => missing?.get(b.bound.volume.handle) ?? [])
    health.warn(policy.name, [...summed(reasons), ...warnings])
  }

  /** After a restart the checkpoint tells how many volumes used to have numbers. */
  #noteCoverage(policy: ResolvedPolicy, remembered: PolicyMemory, end: number): void {
    const covered = [...remembered.states.values()].filter((s) => s.lastWindowEnd === end).length
    this.#parts.health.window(policy.name, end, covered, remembered.states.size)
  }
}

/** One of them, and how many more there are: a status is no list of volumes. */
function summed(reasons: readonly string[]): readonly string[] {
  const [first, ...others] = reasons
  if (first === undefined) return []
  return [others.length === 0 ? first : `${first} (and ${others.length} more)`]
}

/** Seconds; 0 when unknown. A claim may be newer than its volume: re-created over a kept one, or restored. */
function bornAt({ claim, bound }: Bound): number {
  const times = [claim.createdAt, bound.row?.createdAt ?? ''].map((t) => Date.parse(t) / 1000)
  const known = times.filter((t) => !Number.isNaN(t))
  return known.length === 0 ? 0 : Math.min(...known)
}
