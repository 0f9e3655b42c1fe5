import type { StayReason } from '../../api/reasons.ts'

/** What keeps a wanted move from starting until a person, or the end of an attachment or snapshot, clears the way. */
export const BLOCKING_REASONS: ReadonlySet<StayReason> = new Set<StayReason>([
  'SharedVolume',
  'Snapshots',
  'CopyTooExpensive',
  'Group',
  'Multiattach',
  'Encrypted',
  'SizeLimit',
  'OtherProject',
  'TypeNotAccessible',
  'ZoneUnavailable',
  'QuotaTooSmall',
  'QuotaExhausted',
  'QuotaExceeded',
  'Attached',
  'ForeignFinalizer',
])
