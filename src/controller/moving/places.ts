import type { MigrationStatusReason, StayReason } from '../../api/reasons.ts'
import { isInFlight, isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { BLOCKING_REASONS } from './blocking-reasons.ts'

/**
 * Limits that do not pass with the next free place. A move that meets one gets no object and takes nobody's place:
 * promotions that wait for room or money would else keep out the demotions that make it.
 */
export const LASTING_LIMITS: ReadonlySet<string> = new Set<string>([
  'BudgetLimit',
  'CapacityLimit',
  'PoolLow',
  'SlotLimit',
  'BreakerOpen',
  'ThrashBreaker',
  'Halted',
] satisfies StayReason[])

/** A forced move that meets these waits in an object of its own, where people can see what it waits for. */
export const FORCED_WAITS: ReadonlySet<StayReason> = new Set<StayReason>([
  ...BLOCKING_REASONS,
  'Busy',
  'Resizing',
])

/** What a waiting move may say while the next free place would start it. Everything else waits for something else. */
const NEXT_IN_TURN: ReadonlySet<string> = new Set<string>([
  'Planned',
  'AwaitingApproval',
  'NotSent',
  'WatchStale',
  'AuditUnavailable',
  'WorkloadStopping',
  'OutsideSchedule',
  'BatchLimit',
  'Ramp',
  'ConcurrencyLimit',
] satisfies MigrationStatusReason[])

/**
 * A move holds one of its policy's places while it runs, or while a free place is all that it waits for. A manual one
 * comes beside the plan, and only takes a place once it runs. `cinderDown`: nothing can start, so that a move that
 * says so is no less in turn than the others.
 */
export function holdsPlace(m: VolumeMigration, cinderDown: boolean): boolean {
  if (isInFlight(m)) return m.status?.step !== 'Stuck'
  if (isManual(m) || m.spec.cancel === true) return false
  if (m.metadata.deletionTimestamp !== undefined) return false
  const reason = m.status?.reason ?? 'Planned'
  return NEXT_IN_TURN.has(reason) || (cinderDown && reason === 'CinderDown')
}

/** Planned by the policy, waiting for something other than its turn, and not approved yet. */
export function mayGiveWay(m: VolumeMigration): boolean {
  return (
    m.spec.reason === 'Policy' &&
    m.spec.approved !== true &&
    m.metadata.deletionTimestamp === undefined &&
    (m.status?.step ?? 'Waiting') === 'Waiting' &&
    m.status?.reason !== undefined &&
    !holdsPlace(m, false)
  )
}
