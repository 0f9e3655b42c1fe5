import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { Outcome } from '../../migration/strategy.ts'

/** Ends that a claim's owner brings about by deleting it. */
const OWNERS_DOING = new Set<MigrationStatusReason>([
  'Rejected',
  'Reverted',
  'OutcomeUnknown',
  'StaleIntent',
  'AttemptsExhausted',
])

/** Who deletes a claim takes the volume away under the move; that says nothing about the tiers. */
export function ofOwner<O extends Outcome>(outcome: O, isOwnerGone: () => boolean): O {
  if (outcome.kind !== 'goto' || outcome.step !== 'Failed') return outcome
  if (!OWNERS_DOING.has(outcome.reason) || !isOwnerGone()) return outcome
  return {
    ...outcome,
    reason: 'Terminating',
    message: `the claim or its volume was deleted meanwhile: ${outcome.message}`,
  }
}
