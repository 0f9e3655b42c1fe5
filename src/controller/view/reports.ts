import type { EventReason } from '../../api/event-reasons.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { ResolvedPolicy } from './policies.ts'
import type { Claim } from './projections.ts'

/**
 * Where every room reports what happened. Called after the save, so that nothing is reported that is not so. What becomes
 * of it (events, metrics, log) is decided in reporting/.
 */
export interface Reports {
  /** `before` undefined = the first intent of the move has just been saved. */
  stepTaken(before: VolumeMigration | undefined, after: VolumeMigration): void
  /** On the claim of a move. */
  onClaim(m: VolumeMigration, reason: EventReason, message: string): void
  claim(claim: Claim, reason: EventReason, message: string): void
  policy(policy: Pick<ResolvedPolicy, 'name' | 'uid'>, reason: EventReason, message: string): void
}
