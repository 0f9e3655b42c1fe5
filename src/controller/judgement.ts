import { ANNOTATION } from '../api/names.ts'
import type { Schedule } from '../api/schedule.ts'
import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { attachedSafe } from '../policy/attached-safety.ts'
import type { Block, Candidate, Force, VolumeFacts } from '../policy/candidate.ts'
import { judge } from '../policy/judge.ts'
import type { Verdict } from '../policy/judge.ts'
import { deciderOf } from '../policy/algorithm.ts'
import { initialState } from '../policy/rule.ts'
import type { Observation, Tier, VolumeState, Wish } from '../policy/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { ManagedClaim } from './managed.ts'
import type { Memory } from './memory.ts'
import type { Migrations } from './migrations.ts'
import type { PolicyHealth } from './policy-health.ts'
import type { ResolvedPolicy } from './policies.ts'
import type { Claim } from './projections.ts'
import { keyOf } from './watches.ts'
import type { Watches } from './watches.ts'

export type Judged = {
  readonly managed: ManagedClaim
  readonly policy: ResolvedPolicy
  readonly tiers: readonly Tier[]
  readonly tier: number
  readonly verdict: Verdict
  /** A window has been asked since the volume is known. */
  readonly asked: boolean
}

export type JudgementParts = {
  readonly deps: ControllerDeps
  readonly watches: Watches
  readonly inventory: Inventory
  readonly memory: Memory
  readonly migrations: Migrations
  readonly health: PolicyHealth
}

/** Gathers what is known about a claim and asks the rule and its guards. Reads caches only. */
export class Judgement {
  readonly #parts: JudgementParts
  constructor(parts: JudgementParts) {
    this.#parts = parts
  }

  /** undefined when no policy with resolved tiers manages the claim. `except`: that open move is not counted as one. */
  judge(managed: ManagedClaim, except?: VolumeMigration): Judged | undefined {
    const { policy } = managed.match
    const candidate = this.candidate(managed, except)
    if (policy?.tiers === undefined || candidate === undefined) return undefined
    const { tiers, tier } = candidate
    const asked = this.#parts.health.observation(managed.bound?.volume.handle ?? '') !== undefined
    return { managed, policy, tiers, tier, verdict: judge(candidate), asked }
  }

  /** All that the rule and its guards are asked with; undefined as for `judge`. */
  candidate(managed: ManagedClaim, except?: VolumeMigration): Candidate | undefined {
    const { policy } = managed.match
    if (policy?.tiers === undefined) return undefined
    const { tiers } = policy
    const tier = tiers.findIndex((t) => t.typeId === managed.bound?.row?.typeId)
    return this.#candidate(managed, policy, tiers, tier, except)
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
    const { deps, memory, health } = this.#parts
    const now = Math.floor(deps.clock.now() / 1000)
    const id = managed.bound?.volume.handle ?? ''
    const sizeGiB = managed.bound?.row?.sizeGiB ?? 0
    const state = memory.of(policy).states.get(id) ?? initialState(tiers.length, now)
    const freeze = health.freeze(policy.name)
    const moves = this.#parts.migrations.ofVolume(id)
    const history = historyOf(moves, now)
    return {
      now,
      claim: claimFacts(managed),
      policy: policyFacts(policy, deps.config().migration.paused),
      ...notYet(policy),
      ...forceOf(managed.claim),
      tiers,
      tier,
      sizeGiB,
      observation: health.observation(id) ?? NOT_YET,
      state,
      wish: wishOf(policy, state, tier, sizeGiB, health.medianSizeGiB(policy.name), tiers),
      volume: this.#volume(managed),
      ...history.lastMove(state),
      ...history.backOff(deps.timing.backOffMs),
      ...inFlight(moves, except),
      ...(freeze === undefined ? {} : { freeze }),
      schedule: this.#schedule(policy, now),
      attachedSafety: (to) => this.#attachedSafety(policy, tiers[tier], tiers[to]),
      blocks: () => [],
      limits: () => undefined,
    }
  }

  #volume(managed: ManagedClaim): VolumeFacts | undefined {
    const { bound } = managed
    if (bound?.row === undefined) return undefined
    const { row, volume } = bound
    const attachments = this.#parts.watches.attachments.store.byIndex('volumeName', volume.name)
    return {
      status: row.status,
      typeName: row.typeName,
      attached: row.attached || attachments.length > 0,
      multiattach: row.multiattach,
      encrypted: row.encrypted,
      snapshots: this.#parts.inventory.hasSnapshots(row.id) ? 1 : 0,
      ...(row.groupId === undefined ? {} : { groupId: row.groupId }),
    }
  }

  #attachedSafety(policy: ResolvedPolicy, from: Tier | undefined, to: Tier | undefined) {
    const { inventory } = this.#parts
    const specs = (t: Tier | undefined) =>
      inventory.types.find((type) => type.id === t?.typeId)?.extraSpecs ?? {}
    return attachedSafe({
      maxMicroversion: inventory.microversion,
      fromExtraSpecs: specs(from),
      toExtraSpecs: specs(to),
      rule: policy.effective.migration.attached,
      migrationPolicy: policy.effective.migration.migrationPolicy,
    })
  }

  /** Looked up once per policy and second: a pass asks for each of thousands of claims. */
  #schedule(policy: ResolvedPolicy, now: number): Candidate['schedule'] {
    const { schedule } = policy.effective.migration
    if (schedule === undefined) return { open: true }
    const known = this.#opening
    if (known?.schedule === schedule && known.now === now) return known.answer
    const answer = openingOf(schedule, new Date(now * 1000))
    this.#opening = { schedule, now, answer }
    return answer
  }
  #opening:
    | {
        readonly schedule: Schedule
        readonly now: number
        readonly answer: Candidate['schedule']
      }
    | undefined
}

function inFlight(
  moves: readonly VolumeMigration[],
  except: VolumeMigration | undefined,
): { inFlight?: string } {
  const open = moves.find((m) => !isFinished(m) && m.metadata.uid !== except?.metadata.uid)
  return open === undefined
    ? {}
    : { inFlight: `VolumeMigration ${keyOf(open)} is ${open.status?.step ?? 'Waiting'}` }
}

function historyOf(moves: readonly VolumeMigration[], now: number) {
  const finished = moves.filter((m) => isFinished(m) && m.status?.startedAt !== undefined)
  const ends = finished.map((m) => Date.parse(m.status?.completedAt ?? '') / 1000)
  const latest = finished.toSorted(
    (a, b) => Date.parse(b.status?.completedAt ?? '') - Date.parse(a.status?.completedAt ?? ''),
  )
  const streak = latest.findIndex((m) => m.status?.step === 'Succeeded')
  const failures = streak < 0 ? latest.length : streak
  return {
    lastMove: (state: VolumeState) => {
      const succeeded = finished.flatMap((m, i) =>
        m.status?.step === 'Succeeded' ? [ends[i]!] : [],
      )
      const last = Math.max(state.movedAt, ...succeeded)
      return last > 0 ? { lastMoveEnd: Math.min(last, now) } : {}
    },
    /** Doubles per failure in a row, up to a day. */
    backOff: (firstMs: number) => {
      if (failures === 0) return {}
      const pause = Math.min(firstMs * 2 ** (failures - 1), 86_400_000) / 1000
      const why = `the last attempt failed (${latest[0]?.status?.reason ?? 'unknown'})`
      return { backOff: { until: Math.max(...ends) + pause, why } }
    },
  }
}

function openingOf(schedule: Schedule, now: Date): Candidate['schedule'] {
  if (schedule.isOpen(now)) return { open: true }
  const next = schedule.nextOpen(now)
  return {
    open: false,
    ...(next === undefined ? {} : { opensAt: Math.floor(next.getTime() / 1000) }),
  }
}

/** What is accepted but not acted on must never be replaced by something else in silence. */
function notYet({ effective }: ResolvedPolicy): { unmatched?: Block } {
  const { strategy } = effective.migration
  if (strategy !== 'cinder-retype')
    return {
      unmatched: {
        reason: 'PolicyInvalid',
        message: `migration.strategy ${strategy} is not acted on yet; use cinder-retype`,
      },
    }
  return {}
}

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
    terminating: claim.terminating || bound?.volume.terminating === true,
    resizing: claim.resizing,
    paused: pausedOf(claim.annotations[ANNOTATION.paused]),
  }
}

/** What cannot be read pauses: a person meant to stop something. */
function pausedOf(value: string | undefined): Candidate['claim']['paused'] {
  if (value === undefined || value === 'false') return 'no'
  return value === 'promotion' || value === 'demotion' ? value : 'all'
}

function policyFacts({ name, effective }: ResolvedPolicy, stopped: boolean): Candidate['policy'] {
  return {
    name,
    mode: effective.mode,
    paused: effective.paused,
    stopped,
    forceAllowed: effective.forceTier === 'Allow',
    minHistorySeconds: effective.metrics.minHistoryMs / 1000,
    maxStalenessSeconds: effective.metrics.maxStalenessMs / 1000,
    windowSeconds: effective.metrics.windowMs / 1000,
    promoteCooldownSeconds: effective.migration.cooldown.promoteMs / 1000,
    demoteCooldownSeconds: effective.migration.cooldown.demoteMs / 1000,
  }
}

function forceOf(claim: Claim): { force?: Force } {
  const tier = claim.annotations[ANNOTATION.forceTier]
  if (tier === undefined || tier === '') return {}
  const until = claim.annotations[ANNOTATION.forceUntil]
  return { force: { tier, ...(until === undefined ? {} : { until: Date.parse(until) / 1000 }) } }
}
