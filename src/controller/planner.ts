import { ANNOTATION } from '../api/names.ts'
import type { StayReason } from '../api/reasons.ts'
import { nextTurn } from '../clock.ts'
import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Refusal } from './admission.ts'
import { BLOCKING_REASONS } from './blocking-reasons.ts'
import type { ControllerDeps } from './deps.ts'
import type { Judged, Judgement } from './judgement.ts'
import type { Managed, ManagedClaim } from './managed.ts'
import type { Migrations } from './migrations.ts'
import { migrationFor } from './plan-writer.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import { rankedMoves } from './ranked-moves.ts'
import type { Target } from './targets.ts'
import type { Teller } from './teller.ts'
import { unmanagedReason, VerdictTeller } from './verdict-teller.ts'
import type { Watches } from './watches.ts'

export type PlannerParts = {
  /** What the limits have against that move now. */
  readonly limits: (m: VolumeMigration) => Refusal | undefined
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly managed: Managed
  readonly policies: Policies
  readonly judgement: Judgement
  readonly migrations: Migrations
  readonly teller: Teller
}

/** A forced move that meets these waits in an object of its own, where people can see what it waits for. */
const FORCED_WAITS = new Set<StayReason>([...BLOCKING_REASONS, 'Busy', 'Resizing'])

/**
 * Limits that do not pass with the next free place. A move that meets one gets no object and takes nobody's place:
 * promotions that wait for room or money would else keep out the demotions that make it.
 */
const LASTING_LIMITS = new Set<string>([
  'BudgetLimit',
  'CapacityLimit',
  'SlotLimit',
  'BreakerOpen',
  'ThrashBreaker',
  'Halted',
] satisfies StayReason[])

/** Share by which another move must be worth more, so that two of about the same worth do not take turns. */
const CLEARLY_MORE = 0.1

/** Most moves of one policy that wait for their turn or for approval. */
const MOST_OPEN = 50
const SLICE = 500

/** Turns verdicts into VolumeMigrations: forced ones at once, the policy's in the order of what they are worth. */
export class Planner {
  readonly #parts: PlannerParts
  readonly #verdicts = new Map<string, Judged>()
  /** Volumes whose move is being made at this moment. */
  readonly #making = new Set<string>()
  readonly #tell: VerdictTeller

  constructor(parts: PlannerParts) {
    this.#parts = parts
    this.#tell = new VerdictTeller(parts.teller)
  }

  /** The last verdicts by claim key, for status and explanation. */
  get verdicts(): ReadonlyMap<string, Judged> {
    return this.#verdicts
  }

  /** Claims that no usable policy manages, as of the last look at all of them. */
  get unmanaged(): ReadonlyMap<StayReason, number> {
    return this.#unmanaged
  }
  #unmanaged: ReadonlyMap<StayReason, number> = new Map()

  /** Judges one claim now and acts on it: what a person or a detach asks for does not wait for the next window. */
  async claim(key: string): Promise<void> {
    const managed = this.#parts.managed.claim(key)
    if (managed === undefined) return this.#forget(key)
    const judged = this.#judge(key, managed)
    if (judged === undefined) return
    await this.#supersede(judged)
    const { verdict } = judged
    if (verdict.kind === 'move' && verdict.why === 'Policy') return this.fill(judged.policy)
    const to = forcedTo(judged)
    if (to !== undefined) await this.#create(judged, to, 'Forced')
  }

  /** Judges all claims, tells what changed, and starts what there is room for. */
  async all(): Promise<void> {
    let seen = 0
    const present = new Set<string>()
    const unmanaged = new Map<StayReason, number>()
    for (const managed of this.#parts.managed.all()) {
      const key = `${managed.claim.namespace}/${managed.claim.name}`
      present.add(key)
      if (this.#judge(key, managed) === undefined) {
        const reason = unmanagedReason(managed)
        unmanaged.set(reason, (unmanaged.get(reason) ?? 0) + 1)
      }
      if (++seen % SLICE === 0) await nextTurn()
    }
    this.#unmanaged = unmanaged
    for (const key of this.#verdicts.keys()) if (!present.has(key)) this.#forget(key)
    for (const policy of this.#parts.policies.all()) await this.fill(policy)
    for (const [key, old] of this.#verdicts) {
      const judged = forcedTo(old) === undefined ? undefined : this.#again(key)
      if (judged === undefined) continue
      const to = forcedTo(judged)
      if (to !== undefined) await this.#create(judged, to, 'Forced')
    }
  }

  /** Creates the best moves of a policy, as many as can start now (mode Approve: as many as a person can look through). */
  async fill(policy: ResolvedPolicy): Promise<void> {
    const { migrations, deps } = this.#parts
    const open = migrations.open().filter((m) => m.spec.policy === policy.name)
    const turn = open.filter((m) => !isBlockedWait(m)).length
    const places =
      policy.effective.mode === 'Approve'
        ? MOST_OPEN
        : Math.min(
            deps.config().migration.concurrentMigrations,
            policy.effective.migration.maxConcurrent,
          )
    let room = Math.min(places - turn, MOST_OPEN - open.length)
    if (policy.effective.mode === 'Approve' && room <= 0) room = await this.#displace(policy, open)
    // ranking looks at the whole fleet, and many claims may ask one after the other
    if (room <= 0) return
    for (const { key } of rankedMoves(this.#verdicts, policy.name)) {
      if (room <= 0) return
      const judged = this.#again(key)
      if (judged?.verdict.kind !== 'move' || judged.verdict.why !== 'Policy') continue
      if (await this.#create(judged, judged.verdict.to, 'Policy')) room--
    }
  }

  /** Mode Approve: what nobody has said yes to gives way to what is worth clearly more by now. Returns the places. */
  async #displace(policy: ResolvedPolicy, open: readonly VolumeMigration[]): Promise<number> {
    const worth = (key: string) => this.#verdicts.get(key)?.verdict.numbers.worthPerMonth ?? 0
    const asked = open
      .filter((m) => m.status?.reason === 'AwaitingApproval' && m.spec.approved !== true)
      .map((m) => ({ m, worth: worth(`${m.metadata.namespace}/${m.spec.claim.name}`) }))
      .toSorted((a, b) => a.worth - b.worth)
    const better = rankedMoves(this.#verdicts, policy.name)
    let places = 0
    for (const [i, { m, worth: old }] of asked.entries()) {
      const wish = better[i]
      if (wish === undefined || worth(wish.key) <= old + Math.abs(old) * CLEARLY_MORE) break
      if (await this.#parts.migrations.remove(m, { unchanged: true })) places++
    }
    return places
  }

  /** The verdict taken again right before a move starts. */
  stillWanted(m: VolumeMigration, target: Target): Refusal | undefined {
    const { reason } = m.spec
    if (reason !== 'Policy' && reason !== 'Forced') return undefined
    const managed = this.#parts.managed.claim(`${target.claim.namespace}/${target.claim.name}`)
    const judged = managed && this.#parts.judgement.judge(managed, m)
    if (judged === undefined)
      return {
        reason: 'NoLongerWanted',
        message: `no usable policy manages claim ${target.claim.name} any more`,
      }
    const { verdict } = judged
    const to = verdict.kind === 'move' ? verdict.to : verdict.wants
    const wanted = to !== undefined && judged.tiers[to]?.name === m.spec.to
    const unknown =
      reason === 'Policy' ? this.#parts.judgement.catchingUp(judged.policy.name) : undefined
    if (!wanted && unknown !== undefined) return unknown
    if (!wanted)
      return {
        reason: 'NoLongerWanted',
        message: `${m.spec.to} is not wanted any more: ${verdict.message}`,
      }
    // what Cinder says against it is asked anew by preflight
    if (verdict.kind === 'move' || (FORCED_WAITS.has(verdict.reason) && !this.#isHeld(judged)))
      return undefined
    return { reason: verdict.reason, message: verdict.message }
  }

  /** Kubernetes itself shows the attachment that stands in the way: no need to ask Cinder again and again. */
  #isHeld({ verdict, managed }: Judged): boolean {
    const { attachments } = this.#parts.watches
    const pv = managed.bound?.volume.name ?? ''
    return (
      verdict.kind === 'stay' &&
      verdict.reason === 'Attached' &&
      attachments.store.byIndex('volumeName', pv).length > 0
    )
  }

  /** The verdict as of now: a move of the same volume may have ended since the last one, and its claim be looked at later. */
  #again(key: string): Judged | undefined {
    const managed = this.#parts.managed.claim(key)
    return managed && this.#judge(key, managed)
  }

  #judge(key: string, managed: ManagedClaim): Judged | undefined {
    const judged = this.#parts.judgement.judge(managed)
    if (judged === undefined) {
      this.#verdicts.delete(key)
      this.#tell.unmatched(key, managed)
      return undefined
    }
    this.#verdicts.set(key, judged)
    this.#tell.verdict(key, judged, Math.floor(this.#parts.deps.clock.now() / 1000))
    return judged
  }

  #forget(key: string): void {
    this.#verdicts.delete(key)
    this.#tell.forget(key)
  }

  /** A force beats what the policy has planned but not begun; the end of a force takes back what it asked for. */
  async #supersede(judged: Judged): Promise<void> {
    const id = judged.managed.bound?.volume.handle
    if (id === undefined) return
    const goal = forcedGoal(judged) ?? this.#goalOf(judged)
    for (const m of this.#parts.migrations.ofVolume(id)) {
      const waits =
        !isFinished(m) && (m.status?.step ?? 'Waiting') === 'Waiting' && m.spec.cancel !== true
      if (waits && m.spec.reason !== 'Manual' && goal !== undefined && m.spec.to !== goal)
        await this.#parts.migrations.cancel(m)
    }
  }

  /** Name of the tier that is wanted now, whatever stands in the way; undefined when that cannot be told. */
  #goalOf({ verdict, tiers, tier, policy }: Judged): string | undefined {
    if (verdict.kind === 'move') return tiers[verdict.to]?.name
    if (verdict.wants !== undefined) return tiers[verdict.wants]?.name
    return this.#parts.judgement.catchingUp(policy.name) ? undefined : tiers[tier]?.name
  }

  /** True when a new object takes a place now. */
  async #create(judged: Judged, to: number, reason: 'Policy' | 'Forced'): Promise<boolean> {
    const { deps, migrations, teller } = this.#parts
    const id = judged.managed.bound?.volume.handle
    const { namespace, name } = judged.managed.claim
    const known = id === undefined ? [] : migrations.ofVolume(id, `${namespace}/${name}`)
    if (id === undefined || known.some((m) => !isFinished(m))) return false
    const window = judged.policy.effective.metrics.windowMs
    const end = Math.floor(deps.clock.now() / window) * window
    const proposal = migrationFor(judged, to, reason, end, lastEnd(known))
    if (reason === 'Policy' && LASTING_LIMITS.has(this.#parts.limits(proposal)?.reason ?? ''))
      return false
    // two looks may come to the same end at the same time: one of them makes the move, and tells it
    if (this.#making.has(id)) return true
    this.#making.add(id)
    const created = await migrations.create(proposal).finally(() => this.#making.delete(id))
    if (isFinished(created)) return false
    teller.claim(
      judged.managed.claim,
      'MigrationPlanned',
      `${created.spec.from ?? 'its type'} to ${created.spec.to}: ${judged.verdict.message}`,
    )
    return true
  }
}

/** When the last move that may have reached Cinder ended; one taken back before is not asked for again at once. */
function lastEnd(known: readonly VolumeMigration[]): string | undefined {
  return known
    .flatMap(({ status }) => (status?.startedAt === undefined ? [] : (status.completedAt ?? [])))
    .toSorted()
    .at(-1)
}

function forcedTo({ verdict, managed }: Judged): number | undefined {
  if (managed.claim.annotations[ANNOTATION.forceTier] === undefined) return undefined
  if (verdict.kind === 'move') return verdict.why === 'Forced' ? verdict.to : undefined
  return FORCED_WAITS.has(verdict.reason) ? verdict.wants : undefined
}

function forcedGoal({ tiers, managed }: Judged): string | undefined {
  const forced = managed.claim.annotations[ANNOTATION.forceTier]
  return tiers.find((t) => t.name === forced)?.name
}

/** Blocked moves wait beside the others and take nobody's place. */
function isBlockedWait(m: VolumeMigration): boolean {
  const reason = m.status?.reason ?? ''
  return (
    (m.status?.step ?? 'Waiting') === 'Waiting' &&
    (FORCED_WAITS.has(reason as StayReason) || LASTING_LIMITS.has(reason))
  )
}
