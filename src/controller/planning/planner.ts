import { ANNOTATION } from '../../api/names.ts'
import type { StayReason } from '../../api/reasons.ts'
import { yieldToEventLoop, sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { isFinished, isInFlight, isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Refusal } from '../moving/admission.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Judged, DecisionInputs } from './decision-inputs.ts'
import { unmanagedReason } from '../view/managed.ts'
import type { Managed } from '../view/managed.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Judgements } from './judgements.ts'
import type { MoveMaker } from './move-maker.ts'
import { FORCED_WAITS, LASTING_LIMITS, mayGiveWay } from '../moving/places.ts'
import { migrationFor } from './plan-writer.ts'
import type { Policies, ResolvedPolicy } from '../view/policies.ts'
import type { Quotas } from '../view/quotas.ts'
import { quotaNeeds, rankedMoves } from './ranked-moves.ts'
import { withdraw } from './withdraw.ts'

export type PlannerParts = {
  /** A claim has another answer than before. */
  readonly onChange: () => void
  /** What the limits have against that move now. */
  readonly limits: (m: VolumeMigration) => Refusal | undefined
  /** The limits of its namespace and of its two tiers, with `planned` counted as if they ran. */
  readonly crowded: (m: VolumeMigration, planned: readonly VolumeMigration[]) => Refusal | undefined
  readonly holdsPlace: (m: VolumeMigration) => boolean
  readonly maker: MoveMaker
  readonly deps: ControllerDeps
  readonly managed: Managed
  readonly policies: Policies
  readonly decisionInputs: DecisionInputs
  readonly migrations: Migrations
  readonly quotas: Quotas
  readonly judgements: Judgements
}

/** Reasons of a move that is not approved, or whose approval does not count. */
const ASKS_A_PERSON = new Set<string>([
  'AwaitingApproval',
  'NoAdmissionPolicy',
] satisfies StayReason[])

/** Share by which another move must be worth more, so that two of about the same worth do not take turns. */
const CLEARLY_MORE = 0.1

/** Most moves of one policy that wait for their turn or for approval. */
const MOST_OPEN = 50
const SLICE = 500
/** How long the plan waits for quotas, which only change its order. */
const QUOTA_PATIENCE_MS = 2_000
/** Places that become free in a bunch are filled together. */
const FILL_MS = 200

/** Turns verdicts into VolumeMigrations: forced ones at once, the policy's in the order of what they are worth. */
export class Planner {
  readonly #parts: PlannerParts

  constructor(parts: PlannerParts) {
    this.#parts = parts
  }

  /** The last verdicts by claim key, for status and explanation. */
  get verdicts(): ReadonlyMap<string, Judged> {
    return this.#parts.judgements.all
  }

  /** Claims that no usable policy manages, as of the last pass over all of them. */
  get unmanaged(): ReadonlyMap<StayReason, number> {
    return this.#unmanaged
  }
  #unmanaged: ReadonlyMap<StayReason, number> = new Map()

  /** Judges one claim now and acts on it: what a person or a detach asks for does not wait for the next window. */
  async claim(key: string): Promise<void> {
    const before = this.verdicts.get(key)
    const managed = this.#parts.managed.claim(key)
    if (managed === undefined) this.#parts.judgements.forget(key)
    const judged = managed && this.#parts.judgements.judge(key, managed)
    if (answerOf(before) !== answerOf(judged)) this.#parts.onChange()
    if (judged === undefined) return
    await this.#supersede(judged)
    const { verdict } = judged
    if (verdict.kind === 'move' && verdict.why === 'Policy')
      return this.fillSoon(judged.policy.name)
    const to = forcedTo(judged)
    if (to !== undefined) await this.#create(judged, to, 'Forced')
  }

  /** Judges all claims, reports what changed, and starts what there is room for. */
  async all(): Promise<void> {
    let seen = 0
    const present = new Set<string>()
    const unmanaged = new Map<StayReason, number>()
    for (const managed of this.#parts.managed.all()) {
      const { key } = managed
      present.add(key)
      if (this.#parts.judgements.judge(key, managed) === undefined) {
        const reason = unmanagedReason(managed)
        unmanaged.set(reason, (unmanaged.get(reason) ?? 0) + 1)
      }
      if (++seen % SLICE === 0) await yieldToEventLoop()
    }
    this.#unmanaged = unmanaged
    for (const key of this.verdicts.keys())
      if (!present.has(key)) this.#parts.judgements.forget(key)
    for (const policy of this.#parts.policies.all()) await this.#tryFill(policy)
    for (const [key, old] of this.verdicts) {
      const judged = forcedTo(old) === undefined ? undefined : this.#parts.judgements.again(key)
      if (judged === undefined) continue
      const to = forcedTo(judged)
      if (to !== undefined) await this.#create(judged, to, 'Forced')
    }
  }

  /** Ranking reads the whole fleet, and thousands of claims may ask one after the other: they are served at once. */
  fillSoon(name: string): void {
    if (this.#filling.has(name)) return
    this.#filling.add(name)
    const { deps, policies } = this.#parts
    void sleep(deps.processClock, FILL_MS)
      .then(() => {
        this.#filling.delete(name)
        const policy = policies.get(name)
        return policy && this.fill(policy)
      })
      .catch((e: unknown) =>
        deps.log.warn(
          { policy: name, err: messageOf(e) },
          'the next moves could not be planned; the next pass does',
        ),
      )
  }
  readonly #filling = new Set<string>()

  /** What cannot be planned for one policy is its own affair. */
  async #tryFill(policy: ResolvedPolicy): Promise<void> {
    try {
      await this.fill(policy)
    } catch (e) {
      this.#parts.deps.log.error(
        { policy: policy.name, err: messageOf(e) },
        'the moves of a policy could not be planned; the next pass does',
      )
    }
  }

  /** Creates the best moves of a policy, as many as can start now (mode Approve: as many as a person can review). */
  async fill(policy: ResolvedPolicy): Promise<void> {
    const { migrations, deps, maker, holdsPlace, quotas } = this.#parts
    // first: places are counted without a pause in between
    await this.#readQuotas()
    const approve = policy.effective.mode === 'Approve'
    const open = migrations.open().filter((m) => m.spec.policy === policy.name)
    const places = approve
      ? MOST_OPEN
      : Math.min(
          deps.config().migration.concurrentMigrations,
          policy.effective.migration.maxConcurrent,
        )
    // what owners force waits for approval beside the plan: it takes no place in it, and is not taken back for it
    const planned = approve ? open.filter((m) => m.spec.reason !== 'Forced') : open
    let room = places - planned.filter(holdsPlace).length - maker.making(policy.name)
    if (approve && room <= 0) room += await this.#displace(policy, planned)
    // ranking reads the whole fleet, and many claims may ask one after the other
    if (room <= 0) return
    // in mode Approve nothing gets past a person's word, so that few are ever blocked
    let spare = approve ? room : MOST_OPEN - open.filter((m) => m.spec.reason === 'Policy').length
    const blocked = open.filter(mayGiveWay)
    const scarce = quotas.shortOf(quotaNeeds(this.verdicts.values()))
    for (const { key } of rankedMoves(this.verdicts, policy.name, { scarce })) {
      if (room <= 0) return
      const judged = this.#parts.judgements.again(key)
      if (judged?.verdict.kind !== 'move' || judged.verdict.why !== 'Policy') continue
      while (spare <= 0) {
        const first = blocked.shift()
        if (first === undefined) return
        if (await this.#giveWay(first)) spare++
      }
      if (!(await this.#create(judged, judged.verdict.to, 'Policy'))) continue
      room--
      spare--
    }
  }

  /** For the order alone: each move asks again before its call. */
  async #readQuotas(): Promise<void> {
    const { quotas, deps } = this.#parts
    const read = quotas
      .read(deps.timing.recheckMs)
      .catch((e: unknown) =>
        deps.log.debug({ err: messageOf(e) }, 'quotas could not be read for the order of moves'),
      )
    const enough = new AbortController()
    await Promise.race([read, sleep(deps.processClock, QUOTA_PATIENCE_MS, enough.signal)])
    enough.abort()
  }

  /** A planned move that waits for something other than its turn makes room in the list; it is planned again later. */
  async #giveWay(m: VolumeMigration): Promise<boolean> {
    const end = await withdraw(this.#parts, m)
    // one that may not be deleted stays in the list, and nobody else waits for that
    if (end !== 'gone') return end === 'refused'
    this.#parts.judgements.setAside(m)
    return true
  }

  /** Mode Approve: moves that are not approved give way to moves that are worth clearly more by now. Returns the places. */
  async #displace(policy: ResolvedPolicy, open: readonly VolumeMigration[]): Promise<number> {
    const worth = (key: string) => this.verdicts.get(key)?.verdict.numbers.worthPerMonth ?? 0
    const asked = open
      .filter((m) => ASKS_A_PERSON.has(m.status?.reason ?? '') && m.spec.approved !== true)
      .map((m) => ({ m, worth: worth(`${m.metadata.namespace}/${m.spec.claim.name}`) }))
      .toSorted((a, b) => a.worth - b.worth)
    const better = rankedMoves(this.verdicts, policy.name)
    let places = 0
    for (const [i, { m, worth: old }] of asked.entries()) {
      const wish = better[i]
      if (wish === undefined || worth(wish.key) <= old + Math.abs(old) * CLEARLY_MORE) break
      if ((await withdraw(this.#parts, m)) === 'gone') places++
    }
    return places
  }

  /** A force beats what the policy has planned but not begun; the end of a force takes back what it asked for. */
  async #supersede(judged: Judged): Promise<void> {
    const id = judged.managed.bound?.volume.handle
    if (id === undefined) return
    const goal = forcedGoal(judged) ?? this.#goalOf(judged)
    for (const m of this.#parts.migrations.ofVolume(id, judged.managed.claim)) {
      const waits =
        !isFinished(m) && (m.status?.step ?? 'Waiting') === 'Waiting' && m.spec.cancel !== true
      if (waits && !isManual(m) && goal !== undefined && m.spec.to !== goal)
        await this.#parts.migrations.cancel(m)
    }
  }

  /** Name of the tier that is wanted now, whatever stands in the way; undefined when that cannot be determined. */
  #goalOf({ verdict, tiers, tier, policy }: Judged): string | undefined {
    if (verdict.kind === 'move') return tiers[verdict.to]?.name
    if (verdict.wants !== undefined) return tiers[verdict.wants]?.name
    return this.#parts.decisionInputs.catchingUp(policy.name) ? undefined : tiers[tier]?.name
  }

  /** True when a new object takes a place now. */
  async #create(judged: Judged, to: number, reason: 'Policy' | 'Forced'): Promise<boolean> {
    const { deps, migrations, maker, limits, crowded, holdsPlace } = this.#parts
    const id = judged.managed.bound?.volume.handle
    const known = id === undefined ? [] : migrations.ofVolume(id, judged.managed.claim)
    if (id === undefined || known.some((m) => !isFinished(m))) return false
    const window = judged.policy.effective.metrics.windowMs
    const end = Math.floor(deps.clock.now() / window) * window
    const proposal = migrationFor(judged, to, reason, end, lastEnd(known))
    if (reason === 'Policy') {
      if (LASTING_LIMITS.has(limits(proposal)?.reason ?? '')) return false
      const planned = migrations.open().filter((m) => !isInFlight(m) && holdsPlace(m))
      if (crowded(proposal, planned) !== undefined) return false
    }
    return maker.make(judged, proposal)
  }
}

/** When the last move that may have reached Cinder ended; one taken back before is not asked for again at once. */
function lastEnd(known: readonly VolumeMigration[]): string | undefined {
  return known
    .flatMap(({ status }) => (status?.startedAt === undefined ? [] : (status.completedAt ?? [])))
    .toSorted()
    .at(-1)
}

/** What a policy counts of a claim. */
function answerOf(judged: Judged | undefined): string {
  if (judged === undefined) return ''
  const { policy, tier, verdict } = judged
  const answer = verdict.kind === 'move' ? `to ${verdict.to}` : `${verdict.reason} ${verdict.wants}`
  return `${policy.name} ${tier} ${answer}`
}

function forcedTo({ verdict, forced }: Judged): number | undefined {
  if (!forced) return undefined
  if (verdict.kind === 'move') return verdict.why === 'Forced' ? verdict.to : undefined
  return FORCED_WAITS.has(verdict.reason) ? verdict.wants : undefined
}

function forcedGoal({ tiers, managed, forced: isForced }: Judged): string | undefined {
  if (!isForced) return undefined
  const forced = managed.claim.annotations[ANNOTATION.forceTier]
  return tiers.find((t) => t.name === forced)?.name
}
