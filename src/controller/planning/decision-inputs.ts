import { unsupportedOf } from '../../migration/unsupported.ts'
import { parseForceUntil } from '../../api/force-until.ts'
import { ANNOTATION } from '../../api/names.ts'
import type { Schedule } from '../../api/schedule.ts'
import type { Strategy } from '../../api/storage-policy.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { activeForce } from '../../policy/candidate.ts'
import type { Block } from '../../blockers/blocker.ts'
import type { Candidate, Force, VolumeFacts } from '../../policy/candidate.ts'
import type { Kept } from '../../policy/kept-copies.ts'
import { judge } from '../../policy/judge.ts'
import type { Verdict } from '../../policy/judge.ts'
import { deciderOf } from '../../policy/algorithm.ts'
import { initialState } from '../../policy/rule.ts'
import type { Observation, Tier, VolumeState, Wish } from '../../policy/types.ts'
import type { ApprovalGuard } from '../view/approval-guard.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Inventory } from '../view/inventory.ts'
import type { ManagedClaim } from '../view/managed.ts'
import { Choices, keptBy } from './choices.ts'
import type { CheckpointStore } from './checkpoint-store.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import { pausedOf } from '../view/projections.ts'
import type { Claim } from '../view/projections.ts'
import { rfc3339 } from '../../time.ts'
import { whyUnreadable } from '../view/read-migration.ts'
import { sharedText } from '../view/targets.ts'
import { keyOf } from '../view/watches.ts'
import type { Watches } from '../view/watches.ts'
import { supportedBy } from '../moving/registered.ts'

export type Judged = {
  readonly managed: ManagedClaim
  readonly policy: ResolvedPolicy
  readonly tiers: readonly Tier[]
  readonly tier: number
  readonly verdict: Verdict
  /** What it moves by, if it moves. */
  readonly strategy: Strategy
  /** Why, where the policy leaves that open. */
  readonly because?: string
  /** What the wanted move would leave behind for a while. */
  readonly kept?: Kept
  /** A window has been asked since the volume is known. */
  readonly asked: boolean
  /** `couchestor.io/force-tier` has a say now: the policy allows it, and it has not ended. */
  readonly forced: boolean
}

export type DecisionInputsParts = {
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly inventory: Inventory
  readonly checkpoints: CheckpointStore
  readonly migrations: Migrations
  readonly health: PolicyHealth
  readonly times: MoveTimes
  readonly approvals: ApprovalGuard
}

/** Gathers what is known about a claim and asks the rule and its guards. Reads caches only. */
export class DecisionInputs {
  readonly #parts: DecisionInputsParts
  readonly #choices: Choices
  constructor(parts: DecisionInputsParts) {
    this.#parts = parts
    this.#choices = new Choices(parts)
  }

  /** undefined when no policy with resolved tiers manages the claim. `except`: that open move is not counted as one. */
  judge(managed: ManagedClaim, except?: VolumeMigration): Judged | undefined {
    const { policy } = managed.match
    const candidate = this.candidate(managed, except)
    if (policy?.tiers === undefined || candidate === undefined) return undefined
    const { tiers, tier } = candidate
    const asked = this.#parts.health.observation(managed.bound?.volume.handle ?? '') !== undefined
    const forced = activeForce(candidate) !== undefined && candidate.policy.unguarded === undefined
    const verdict = judge(candidate)
    const to = verdict.kind === 'move' ? verdict.to : verdict.wants
    const choice = this.#choices.of(policy, managed, tiers[to ?? -1])
    const kept = keptBy(candidate, to)
    return {
      managed,
      policy,
      tiers,
      tier,
      verdict,
      ...choice,
      ...(kept === undefined ? {} : { kept }),
      asked,
      forced,
    }
  }

  /** All that the rule and its guards are asked with; undefined as for `judge`. */
  candidate(managed: ManagedClaim, except?: VolumeMigration): Candidate | undefined {
    const { policy } = managed.match
    if (policy?.tiers === undefined) return undefined
    const { tiers } = policy
    const tier = tiers.findIndex((t) => t.typeId === managed.bound?.row?.typeId)
    return this.#candidate(managed, policy, tiers, tier, except)
  }

  /** Whether the wanted move would keep Pods from their volume. `strategy`: of a move that is open already. */
  isDisruptive({ managed, policy, tiers, strategy }: Judged, to: string, open?: Strategy): boolean {
    const tier = tiers.find((t) => t.name === to)
    return this.#choices.isDisruptive(policy, managed, tier, open ?? strategy)
  }

  /** Why nothing can be said yet about what the policy wants: its history is still being read. */
  catchingUp(policy: string): Block | undefined {
    const freeze = this.#parts.health.freeze(policy)
    return freeze?.reason === 'CatchingUp' ? freeze : undefined
  }

  #candidate(
    managed: ManagedClaim,
    policy: ResolvedPolicy,
    tiers: readonly Tier[],
    tier: number,
    except?: VolumeMigration,
  ): Candidate {
    const { deps, checkpoints, health } = this.#parts
    const now = Math.floor(deps.clock.now() / 1000)
    const id = managed.bound?.volume.handle ?? ''
    const sizeGiB = managed.bound?.row?.sizeGiB ?? 0
    const state = checkpoints.of(policy).states.get(id) ?? initialState(tiers.length, now)
    const freeze = health.freeze(policy.name)
    const moves = this.#parts.migrations.ofVolume(id, managed.claim)
    const history = historyOf(moves, this.#parts.times)
    return {
      now,
      claim: claimFacts(managed),
      policy: this.#policyFacts(policy, deps.config().migration.paused),
      ...strategyProblem(policy, deps),
      // a policy that denies it decides as if nothing were written there
      ...(policy.effective.forceTier === 'Allow' ? forceOf(managed.claim, now) : {}),
      tiers,
      tier,
      sizeGiB,
      observation: health.observation(id) ?? NOT_YET,
      state,
      wish: wishOf(policy, state, tier, sizeGiB, health.medianSizeGiB(policy.name), tiers),
      volume: this.#volume(policy, managed),
      ...history.lastMove(state, now, this.#parts.times),
      ...history.backOff(deps.timing.backOffMs),
      ...inFlight(moves, except),
      ...(freeze === undefined ? {} : { freeze }),
      schedule: this.#schedule(policy, now),
      attachedSafety: (to) => this.#choices.attachedSafety(policy, managed, tiers[to]),
      copied: (to) => this.#choices.copied(policy, managed, tiers[to]),
    }
  }

  /** The same for all claims of a policy. */
  #policyFacts(policy: ResolvedPolicy, stopped: boolean): Candidate['policy'] {
    const known = this.#facts.get(policy)
    const unguarded = this.#parts.approvals.refusal
    if (known?.stopped === stopped && known.unguarded === unguarded) return known
    const facts = policyFacts(policy, stopped, unguarded)
    this.#facts.set(policy, facts)
    return facts
  }
  readonly #facts = new WeakMap<ResolvedPolicy, Candidate['policy']>()

  #volume(policy: ResolvedPolicy, managed: ManagedClaim): VolumeFacts | undefined {
    const { bound } = managed
    if (bound?.row === undefined) return undefined
    const { row } = bound
    return {
      status: row.status,
      typeId: row.typeId,
      typeName: row.typeName,
      attached: this.#choices.isAttached(managed),
      multiattach: row.multiattach,
      encrypted: row.encrypted,
      snapshots: { count: this.#choices.isPinned(policy, managed) ? 1 : 0 },
      ...(row.groupId === undefined ? {} : { groupId: row.groupId }),
    }
  }

  /**
   * Looked up once per schedule and second: a pass asks for each of thousands of claims. What a person has to approve is
   * asked for while the schedule is closed, so that a yes by day counts in the night; admission starts it in its slot.
   */
  #schedule(policy: ResolvedPolicy, now: number): Candidate['schedule'] {
    const { schedule } = policy.effective.migration
    if (schedule === undefined || policy.effective.mode === 'Approve') return OPEN
    const known = this.#openings.get(schedule)
    if (known?.now === now) return known.answer
    const answer = openingOf(schedule, new Date(now * 1000))
    this.#openings.set(schedule, { now, answer })
    return answer
  }
  readonly #openings = new WeakMap<
    Schedule,
    { readonly now: number; readonly answer: Candidate['schedule'] }
  >()
}

function inFlight(
  moves: readonly VolumeMigration[],
  except: VolumeMigration | undefined,
): { inFlight?: string } {
  const open = moves.find((m) => !isFinished(m) && m.metadata.uid !== except?.metadata.uid)
  if (open === undefined) return {}
  const why = whyUnreadable(open)
  const state =
    why === undefined ? `is ${open.status?.step ?? 'Waiting'}` : `cannot be read: ${why}`
  return { inFlight: `VolumeMigration ${keyOf(open)} ${state}` }
}

const NO_MOVES = {
  lastMove: ({ movedAt }: VolumeState, now: number, times: MoveTimes) =>
    movedAt > 0 ? { lastMoveEnd: Math.min(times.pastSeconds(movedAt), now) } : {},
  backOff: () => ({}),
}

function historyOf(moves: readonly VolumeMigration[], times: MoveTimes) {
  if (moves.length === 0) return NO_MOVES
  const finished = moves.filter((m) => isFinished(m) && m.status?.startedAt !== undefined)
  const ends = finished.map((m) => times.past(m.status?.completedAt) / 1000)
  const end = (m: VolumeMigration) => rfc3339(m.status?.completedAt ?? '') ?? 0
  const latest = finished.toSorted((a, b) => end(b) - end(a))
  const streak = latest.findIndex((m) => m.status?.step === 'Succeeded')
  const failures = streak < 0 ? latest.length : streak
  return {
    lastMove: (state: VolumeState, now: number) => {
      const succeeded = finished.flatMap((m, i) =>
        m.status?.step === 'Succeeded' ? [ends[i]!] : [],
      )
      const last = Math.max(times.pastSeconds(state.movedAt), ...succeeded)
      // an end that cannot be read is no proof that the cooldown is over
      if (Number.isNaN(last)) return { lastMoveEnd: NaN }
      return last > 0 ? { lastMoveEnd: Math.min(last, now) } : {}
    },
    /** Doubles per failure in a row, up to a day. */
    backOff: (firstMs: number) => {
      if (failures === 0) return {}
      const reason = latest[0]?.status?.reason ?? 'unknown'
      const isRolledBack = reason === 'RolledBack'
      const pause = isRolledBack
        ? AFTER_ROLLBACK_S
        : Math.min(firstMs * 2 ** (failures - 1), 86_400_000) / 1000
      const why = isRolledBack
        ? 'a person wanted the former volume back (RolledBack)'
        : `the last attempt failed (${reason})`
      return { backOff: { until: Math.max(...ends) + pause, why } }
    },
  }
}

/** For a person to change the policy or the claim, before the next attempt undoes what they wanted. */
const AFTER_ROLLBACK_S = 7 * 86_400

function openingOf(schedule: Schedule, now: Date): Candidate['schedule'] {
  if (schedule.isOpen(now)) return { open: true }
  const next = schedule.nextOpen(now)
  return {
    open: false,
    ...(next === undefined ? {} : { opensAt: Math.floor(next.getTime() / 1000) }),
  }
}

/** A strategy that there is no machine for is never replaced by another one in silence. */
function strategyProblem(
  { effective }: ResolvedPolicy,
  deps: Pick<ControllerDeps, 'strategies'>,
): Pick<Candidate, 'unmatched'> {
  const message = unsupportedOf(effective.migration.strategy, supportedBy(deps))
  return message === undefined ? {} : { unmatched: { reason: 'StrategyUnsupported', message } }
}

const OPEN: Candidate['schedule'] = { open: true }
const NOT_YET: Observation = { kind: 'NoData', why: 'no window has been measured yet' }

function wishOf(
  policy: ResolvedPolicy,
  state: VolumeState,
  tier: number,
  sizeGiB: number,
  median: number,
  tiers: readonly Tier[],
): Wish {
  const rule = deciderOf(policy.effective.decision.algorithm)
  return rule(state, tier, sizeGiB, median, tiers, policy.constants)
}

function claimFacts({ claim, bound }: ManagedClaim): Candidate['claim'] {
  return {
    optedOut: false,
    bound: bound !== undefined,
    ...(bound?.sharedWith === undefined
      ? {}
      : { shared: sharedText(bound.volume.handle, bound.sharedWith) }),
    otherDriver: bound === undefined && claim.bound && claim.volumeName !== '',
    terminating: bound?.terminating ?? claim.terminating,
    resizing: claim.resizing,
    paused: pausedOf(claim.annotations[ANNOTATION.paused]),
  }
}

function policyFacts(
  { name, effective }: ResolvedPolicy,
  stopped: boolean,
  unguarded: string | undefined,
): Candidate['policy'] {
  return {
    ...(unguarded === undefined ? {} : { unguarded }),
    name,
    mode: effective.mode,
    paused: effective.paused,
    stopped,
    minHistorySeconds: effective.metrics.minHistoryMs / 1000,
    maxStalenessSeconds: effective.metrics.maxStalenessMs / 1000,
    windowSeconds: effective.metrics.windowMs / 1000,
    promoteCooldownSeconds: effective.migration.cooldown.promoteMs / 1000,
    demoteCooldownSeconds: effective.migration.cooldown.demoteMs / 1000,
  }
}

function forceOf(claim: Claim, now: number): { force?: Force } {
  const tier = claim.annotations[ANNOTATION.forceTier]
  if (tier === undefined || tier === '') return {}
  const until = claim.annotations[ANNOTATION.forceUntil]
  if (until === undefined) return { force: { tier } }
  const end = parseForceUntil(until, now * 1000)
  if (end.ok) return { force: { tier, until: end.at / 1000 } }
  return { force: { tier, until: Number.NaN, problem: end.problem } }
}
