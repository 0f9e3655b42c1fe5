import type { MoveReason } from '../api/reasons.ts'
import type { Intent } from '../api/volume-migration.ts'

export const FOREIGN_REASONS = {
  ForeignIntent:
    'Failed: the intent was made by another cluster or for another object (a restored backup).',
} as const satisfies Partial<Record<MoveReason, string>>

export const FOREIGN_INTENT =
  'this object was restored from a backup or copied from another cluster; its call is not repeated. ' +
  'Delete it, and let the policy decide again'

/** True when the intent was saved for another cluster or in another object. */
export function isForeign(
  intent: Pick<Intent, 'clusterId' | 'objectUid'>,
  clusterId: string,
  objectUid: string,
): boolean {
  return intent.clusterId !== clusterId || intent.objectUid !== objectUid
}
