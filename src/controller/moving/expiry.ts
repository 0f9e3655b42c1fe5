import type { Schedule } from '../../api/schedule.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { isRetryable } from '../../migration/retryable.ts'
import type { Target } from '../view/targets.ts'

/** A move whose schedule opens only after this waits no longer for it. */
const LONGEST_SLOT_WAIT_MS = 400 * 86_400_000

/** Only moves of policies keep to the schedule. */
export function scheduleFor(m: VolumeMigration, target: Target): Schedule | undefined {
  return m.spec.reason === 'Policy' ? target.policy.effective.migration.schedule : undefined
}

/** End of a wait that began at `from` (ms): counted from the opening of the first slot in which the move can start. */
export function expiry(schedule: Schedule | undefined, from: number, expireMs: number): number {
  const opens = schedule === undefined ? from : schedule.nextOpen(new Date(from))?.getTime()
  return (opens ?? from + LONGEST_SLOT_WAIT_MS) + expireMs
}

/** A person has just approved: from then on the approval has its own time. */
export function isJustApproved({ spec, status }: VolumeMigration): boolean {
  return spec.approved === true && status?.reason === 'AwaitingApproval'
}

/** Only a call that may have been lost uses up attempts: no refusal, no server that was not there, no full audit. */
export function isCountedAttempt({ status }: VolumeMigration): boolean {
  const call = status?.call
  return call?.kind !== 'Rejected' && call?.unaudited !== true && !isRetryable(call ?? {})
}
