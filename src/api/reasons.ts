/**
 * Every reason that a condition, an event, a status count or a verdict can carry. What a reason to stay, or of a move,
 * means stands with the check that gives it (src/blockers, src/policy, src/migration, src/controller), all others have
 * their meaning here.
 * Names are API: scripts and alerts match on them, so one is added, never renamed.
 * `docs/reference-reasons.md` is generated from all of these.
 */

/** Why a claim stays, in the order in which the guards are asked; the first that holds is reported. */
export const STAY_REASONS = [
  'OptedOut',
  'NoPolicy',
  'PolicyNotFound',
  'PolicyConflict',
  'PolicyInvalid',
  'StrategyUnsupported',
  'TiersUnresolved',
  'Unbound',
  'NotCinder',
  'SharedVolume',
  'Terminating',
  'VolumeGone',
  'Stopped',
  'PolicyPaused',
  'Paused',
  'InFlight',
  'Forced',
  'ForceTierUnknown',
  'ForceTierDenied',
  'NoAdmissionPolicy',
  'UnmanagedType',
  'SourceDown',
  'NoData',
  'LowCoverage',
  'CatchingUp',
  'DemotionFrozen',
  'OnBestTier',
  'Young',
  'Retention',
  'CoolingDown',
  'BackingOff',
  'Busy',
  'Resizing',
  'Snapshots',
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
  'PodPending',
  'OutsideSchedule',
  'AwaitingApproval',
  'Observe',
  'Halted',
  'BreakerOpen',
  'ThrashBreaker',
  'BatchLimit',
  'Ramp',
  'ConcurrencyLimit',
  'NamespaceLimit',
  'PoolLimit',
  'SlotLimit',
  'CapacityLimit',
  'PoolLow',
  'BudgetLimit',
  'MissingPermission',
  'WriteRefused',
  'CinderDown',
] as const
export type StayReason = (typeof STAY_REASONS)[number]

/** Stay reasons of earlier versions, which nothing gives any more. */
export const FORMER_STAY_REASONS = {
  ForceTierDenied:
    'No longer keeps a claim: a couchestor.io/force-tier that the policy denies has no effect, and the event of this name says so.',
} as const satisfies Partial<Record<StayReason, string>>

/** `status.reason` of a VolumeMigration, beside the stay reasons while it waits. */
export const MOVE_REASONS = [
  'Planned',
  'IntentSaved',
  'NotSent',
  'WatchStale',
  'AuditUnavailable',
  'Accepted',
  'Adopted',
  'OutcomeUnknown',
  'Verifying',
  'VerifyingRevert',
  'VerifiedInOtherZone',
  'Verified',
  'AlreadyThere',
  'DeadlinePassed',
  'VolumeError',
  'Reverted',
  'Rejected',
  'MovedElsewhere',
  'Unexplained',
  'Disappeared',
  'ForeignIntent',
  'StaleIntent',
  'ClaimMismatch',
  'UnknownTier',
  'AttemptsExhausted',
  'Cancelled',
  'Expired',
  'Superseded',
  'NoLongerWanted',
] as const
export type MoveReason = (typeof MOVE_REASONS)[number]
/** Everything `status.reason` of a VolumeMigration may hold. */
export type MigrationStatusReason = MoveReason | StayReason
