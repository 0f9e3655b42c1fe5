import type { MigrationStatusReason } from '../api/reasons.ts'
import type { MigrationReason } from '../api/volume-migration.ts'
import { thrashing } from './thrashing.ts'

/** One move as the limits see it; sizes GiB, times ms since the epoch. */
export type Move = {
  readonly policy: string
  readonly namespace: string
  readonly from: string
  readonly to: string
  readonly sizeGiB: number
  readonly reason: MigrationReason
  readonly volumeId?: string
  readonly startedAt?: number
}

export type EndedMove = Move & {
  readonly endedAt: number
  readonly ended: 'Succeeded' | 'Failed' | 'Unexplained'
}

export type Limits = {
  readonly stopped: boolean
  readonly policyPaused: boolean
  /** undefined = no schedule; `opensAt` in ms when it is closed. */
  readonly schedule:
    | { readonly open: boolean; readonly slotStartedAt: number; readonly opensAt?: number }
    | undefined
  readonly maxConcurrent: number
  readonly policyMaxConcurrent: number
  readonly perNamespace: ReadonlyMap<string, number>
  readonly perPool: ReadonlyMap<string, number>
  readonly maxGiBPerSlot: number | undefined
  /** Room on the target tier for volumes of this policy, as counted at `countedAt`; undefined = no limit given. */
  readonly targetRoomGiB: number | undefined
  /** Volumes of the policy, as counted at `countedAt`. */
  readonly volumes: number
  /** When volumes and their GiB were last counted, ms; moves that ended later are in no count yet. */
  readonly countedAt: number
  /** undefined = no budget, or no prices. */
  readonly budget: Budget | undefined
}

/** Money per month in the unit of the prices. */
export type Budget = {
  readonly maxMonthlyCost: number
  /** By the tiers the volumes were on at `countedAt`. */
  readonly monthlyCost: number
  readonly pricePerGiBMonth: ReadonlyMap<string, number>
}

export type AdmissionInput = {
  readonly move: Move
  /** Moves that may be running in Cinder now, stuck ones among them, whatever asked for them. */
  readonly inFlight: readonly Move[]
  readonly ended: readonly EndedMove[]
  readonly limits: Limits
  readonly now: number
}

export type Refusal = { readonly reason: MigrationStatusReason; readonly message: string }

type Gate = (input: AdmissionInput) => Refusal | undefined

/** What does not pass by itself comes first: it is the answer worth hearing, and the planner asks for it. */
const GATES: readonly Gate[] = [
  stopped,
  paused,
  forPolicyMoves(halted),
  forPolicyMoves(breaker),
  forPolicyMoves(thrash),
  capacity,
  budget,
  slotLimit,
  forPolicyMoves(schedule),
  forPolicyMoves(ramp),
  concurrency,
  policyConcurrency,
  namespaceLimit,
  poolLimit,
]

/** Who asks for a move himself walks past this gate. */
function forPolicyMoves(gate: Gate): Gate {
  return (input) => (input.move.reason === 'Policy' ? gate(input) : undefined)
}

/** The one step in front of the intent where every limit is counted. undefined = go. */
export function refuse(input: AdmissionInput): Refusal | undefined {
  for (const gate of GATES) {
    const refusal = gate(input)
    if (refusal) return refusal
  }
  return undefined
}

function stopped({ limits }: AdmissionInput): Refusal | undefined {
  return limits.stopped
    ? { reason: 'Stopped', message: 'migration.paused in config.yaml stops every move' }
    : undefined
}

function paused({ limits, move }: AdmissionInput): Refusal | undefined {
  return limits.policyPaused
    ? { reason: 'PolicyPaused', message: `policy ${move.policy} is paused` }
    : undefined
}

function halted({ ended }: AdmissionInput): Refusal | undefined {
  const strange = ended.find((e) => e.ended === 'Unexplained')
  return strange
    ? {
        reason: 'Halted',
        message:
          `a move from ${strange.from} to ${strange.to} in namespace ${strange.namespace} ended in a way nothing explains; ` +
          'look at it, then delete that VolumeMigration to go on',
      }
    : undefined
}

function schedule({ limits }: AdmissionInput): Refusal | undefined {
  const s = limits.schedule
  if (s === undefined || s.open) return undefined
  const opens = s.opensAt === undefined ? '' : `; it opens at ${new Date(s.opensAt).toISOString()}`
  return { reason: 'OutsideSchedule', message: `the schedule is closed${opens}` }
}

const FAILURES_TO_OPEN = 3
const HOUR = 3_600_000
const BREAKER_OPEN_MS = 6 * HOUR

/** Three failures in a row between two tiers: the cause is not the volume. One try after six hours. */
export function breakerOpenUntil(
  ended: readonly EndedMove[],
  policy: string,
  from: string,
  to: string,
): number | undefined {
  const pair = ended
    .filter((e) => e.policy === policy && e.from === from && e.to === to)
    .sort((a, b) => b.endedAt - a.endedAt)
  const latest = pair.slice(0, FAILURES_TO_OPEN)
  if (latest.length < FAILURES_TO_OPEN || latest.some((e) => e.ended === 'Succeeded'))
    return undefined
  return latest[0]!.endedAt + BREAKER_OPEN_MS
}

function breaker({ ended, move, now }: AdmissionInput): Refusal | undefined {
  const until = breakerOpenUntil(ended, move.policy, move.from, move.to)
  if (until === undefined || now >= until) return undefined
  return {
    reason: 'BreakerOpen',
    message: `the last ${FAILURES_TO_OPEN} moves from ${move.from} to ${move.to} failed; held back until ${new Date(until).toISOString()}`,
  }
}

/** A new installation shows on one volume that it works, then on two, then on four. */
function ramp({ ended, inFlight, move }: AdmissionInput): Refusal | undefined {
  const succeeded = ended.filter((e) => e.policy === move.policy && e.ended === 'Succeeded').length
  const allowed = 2 ** Math.min(succeeded, 10)
  const running = inFlight.filter((m) => m.policy === move.policy).length
  return running < allowed
    ? undefined
    : {
        reason: 'Ramp',
        message: `${succeeded} moves of this policy have succeeded so far, so at most ${allowed} run at once`,
      }
}

function concurrency({ inFlight, limits }: AdmissionInput): Refusal | undefined {
  return atMost(
    inFlight.length,
    limits.maxConcurrent,
    'ConcurrencyLimit',
    'migration.concurrent_migrations in config.yaml',
  )
}

function policyConcurrency({ inFlight, limits, move }: AdmissionInput): Refusal | undefined {
  const running = inFlight.filter((m) => m.policy === move.policy).length
  return atMost(
    running,
    limits.policyMaxConcurrent,
    'ConcurrencyLimit',
    `migration.maxConcurrent of policy ${move.policy}`,
  )
}

function namespaceLimit({ inFlight, limits, move }: AdmissionInput): Refusal | undefined {
  const limit = limits.perNamespace.get(move.namespace)
  if (limit === undefined) return undefined
  const running = inFlight.filter((m) => m.namespace === move.namespace).length
  return atMost(running, limit, 'NamespaceLimit', `limits.perNamespace for ${move.namespace}`)
}

/** A move reads from one pool and writes to another, and loads both. */
function poolLimit({ inFlight, limits, move }: AdmissionInput): Refusal | undefined {
  for (const pool of [move.from, move.to]) {
    const limit = limits.perPool.get(pool)
    if (limit === undefined) continue
    const running = inFlight.filter((m) => m.from === pool || m.to === pool).length
    const refusal = atMost(running, limit, 'PoolLimit', `limits.perPool for ${pool}`)
    if (refusal) return refusal
  }
  return undefined
}

function atMost(
  running: number,
  limit: number,
  reason: MigrationStatusReason,
  name: string,
): Refusal | undefined {
  return running < limit
    ? undefined
    : { reason, message: `${running} moves run; ${name} allows ${limit}` }
}

function slotLimit({ ended, inFlight, limits, move }: AdmissionInput): Refusal | undefined {
  if (limits.maxGiBPerSlot === undefined) return undefined
  const since = limits.schedule?.slotStartedAt ?? 0
  const started = [...inFlight, ...ended].filter(
    (m) => m.policy === move.policy && (m.startedAt ?? 0) >= since,
  )
  const used = started.reduce((sum, m) => sum + m.sizeGiB, 0)
  if (used + move.sizeGiB <= limits.maxGiBPerSlot) return undefined
  return {
    reason: 'SlotLimit',
    message: `${used} of ${limits.maxGiBPerSlot} GiB of this slot are used; the volume has ${move.sizeGiB} GiB`,
  }
}

/** Both tiers hold the volume while it is copied: it counts on the new one at once, on the old one until its end. */
function capacity(input: AdmissionInput): Refusal | undefined {
  const { limits, move } = input
  if (limits.targetRoomGiB === undefined) return undefined
  const arriving = uncounted(input)
    .filter((m) => m.to === move.to)
    .reduce((sum, m) => sum + m.sizeGiB, 0)
  const room = limits.targetRoomGiB - arriving
  if (move.sizeGiB <= room) return undefined
  return {
    reason: 'CapacityLimit',
    message: `tier ${move.to} has room for ${Math.max(0, Math.floor(room))} GiB; the volume has ${move.sizeGiB} GiB`,
  }
}

/** Moves of the same policy whose volume is not yet counted on its new tier. */
function uncounted({ inFlight, ended, limits, move }: AdmissionInput): readonly Move[] {
  const arrived = ended.filter((e) => e.ended === 'Succeeded' && e.endedAt >= limits.countedAt)
  return [...inFlight, ...arrived].filter((m) => m.policy === move.policy)
}

/** What makes the fleet cheaper is never held back, and what a demotion will save is not spent before its end. */
function budget(input: AdmissionInput): Refusal | undefined {
  const { limits, move } = input
  if (limits.budget === undefined) return undefined
  const { maxMonthlyCost, monthlyCost, pricePerGiBMonth } = limits.budget
  const price = (tier: string) => pricePerGiBMonth.get(tier) ?? 0
  const dearer = (m: Move) => Math.max(0, (price(m.to) - price(m.from)) * m.sizeGiB)
  const more = dearer(move)
  if (more === 0) return undefined
  const committed = uncounted(input).reduce((sum, m) => sum + dearer(m), monthlyCost)
  if (committed + more <= maxMonthlyCost) return undefined
  return {
    reason: 'BudgetLimit',
    message: `${move.to} costs ${more.toFixed(2)} a month more; ${committed.toFixed(2)} of ${maxMonthlyCost.toFixed(2)} (budget.maxMonthlyCost) are used`,
  }
}

function thrash({ ended, move, limits, now }: AdmissionInput): Refusal | undefined {
  const held = thrashing(ended, move.policy, limits.volumes, now)
  if (held === undefined) return undefined
  return {
    reason: 'ThrashBreaker',
    message: `${held.reversals} of ${limits.volumes} volumes were moved and moved back within a day; held back until ${new Date(held.until).toISOString()}`,
  }
}
