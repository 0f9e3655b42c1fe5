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
  'Ramp',
  'ConcurrencyLimit',
  'NamespaceLimit',
  'PoolLimit',
  'SlotLimit',
  'CapacityLimit',
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

type EventMeaning = { readonly type: 'Normal' | 'Warning'; readonly meaning: string }

/** Reasons of the events that the controller writes, on claims unless the meaning says otherwise. */
export const EVENT_REASONS = {
  MigrationPlanned: { type: 'Normal', meaning: 'A move is wanted and waits for its turn.' },
  MigrationAwaitingApproval: {
    type: 'Normal',
    meaning: 'A move is wanted and waits for approval.',
  },
  MigrationApproved: {
    type: 'Normal',
    meaning: 'A person approved the move; the message says who, and why where a reason was given.',
  },
  Paused: {
    type: 'Normal',
    meaning: 'A person paused the claim, or on a StoragePolicy: the policy. The message says who.',
  },
  Resumed: {
    type: 'Normal',
    meaning: 'A person resumed the claim, or on a StoragePolicy: the policy. The message says who.',
  },
  MigrationStarted: { type: 'Normal', meaning: 'Cinder was asked to move the volume.' },
  MigrationAdopted: { type: 'Normal', meaning: 'A new leader goes on with a move that runs.' },
  MigrationSucceeded: {
    type: 'Normal',
    meaning: 'The volume is on its new tier; two reads agree.',
  },
  MigrationReverted: {
    type: 'Warning',
    meaning:
      'Cinder accepted the move, then left the volume on its old type. It is tried again after hours.',
  },
  MigrationFailed: {
    type: 'Warning',
    meaning: 'The move ended without success; the message says why.',
  },
  MigrationBlocked: {
    type: 'Warning',
    meaning: 'A wanted move cannot start; the message says what to do.',
  },
  MigrationStuck: {
    type: 'Warning',
    meaning:
      'Cinder works past the deadline. The controller does nothing more; an administrator must check it.',
  },
  MigrationUnknown: {
    type: 'Warning',
    meaning: 'The call to Cinder got no answer; the volume is observed, nothing is repeated.',
  },
  MigrationCancelled: { type: 'Normal', meaning: 'A person cancelled the move before the call.' },
  MigrationExpired: {
    type: 'Normal',
    meaning: 'Neither the approval nor the turn of the move came in time.',
  },
  WriteRefused: {
    type: 'Warning',
    meaning:
      'The API server refuses to save an object that the move needs; the message says which and why. It is tried again.',
  },
  Unreadable: {
    type: 'Warning',
    meaning:
      'On a VolumeMigration: it cannot be read as it stands, so nothing is done with it; the message lists what is wrong.',
  },
  WouldMigrate: { type: 'Normal', meaning: 'Mode Observe: this move would have been made.' },
  ForceTierUnknown: {
    type: 'Warning',
    meaning: 'couchestor.io/force-tier names a tier that the policy does not have.',
  },
  ForceTierDenied: {
    type: 'Warning',
    meaning:
      'The policy does not allow couchestor.io/force-tier (spec.overrides.forceTier): it has no effect.',
  },
  NoAdmissionPolicy: {
    type: 'Warning',
    meaning:
      'Approvals, on a StoragePolicy, or couchestor.io/force-tier, on a claim, do not count: the API server offers no ValidatingAdmissionPolicy that checks who gives them.',
  },
  ForceTierObserved: {
    type: 'Normal',
    meaning: 'Mode Observe: the forced tier is noted, nothing moves.',
  },
  ForceTierNoPolicy: {
    type: 'Warning',
    meaning: 'couchestor.io/force-tier is set, but no policy manages the claim.',
  },
  ForceTierExpired: {
    type: 'Normal',
    meaning: 'couchestor.io/force-until has passed; the policy decides again.',
  },
  InvalidAnnotation: {
    type: 'Warning',
    meaning: 'An annotation of ours has a value that cannot be read.',
  },
  VolumeAttributesClassIgnored: {
    type: 'Warning',
    meaning:
      'The claim names a VolumeAttributesClass, which the Cinder CSI driver does not implement; the tier does not follow it.',
  },
  PolicyNotFound: {
    type: 'Warning',
    meaning: 'The claim is annotated with a StoragePolicy that does not exist.',
  },
  PolicyConflict: {
    type: 'Warning',
    meaning: 'More than one policy selects the claim, or the one it names does not cover it.',
  },
  PolicyInvalid: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: it cannot be used as it stands.',
  },
  TiersUnresolved: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: a tier has no volume type that Cinder knows.',
  },
  UnmanagedType: {
    type: 'Warning',
    meaning: 'The volume type of the volume belongs to no tier of the policy.',
  },
  TierChangedOutside: {
    type: 'Normal',
    meaning: 'The volume type was changed outside of CoucheStor; it counts as a move.',
  },
  RestoreNeedsClass: {
    type: 'Warning',
    meaning:
      'After its first move the volume has another type than its StorageClass: restore and clone with an untyped StorageClass.',
  },
  NoData: { type: 'Warning', meaning: 'There are no usage numbers for the attached volume.' },
  MetricsDown: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: the source of usage numbers does not answer.',
  },
  DemotionFrozen: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: too few volumes have usage numbers; demotion is frozen.',
  },
  DemotionThawed: {
    type: 'Normal',
    meaning: 'On a StoragePolicy: usage numbers are back; demotion goes on.',
  },
  BreakerOpened: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: moves between two tiers fail again and again and are held back.',
  },
  NotWorthwhile: {
    type: 'Warning',
    meaning:
      'On a StoragePolicy: for a week it has cost more than leaving things alone would have.',
  },
  Thrashing: {
    type: 'Warning',
    meaning:
      'On a StoragePolicy: too many volumes were moved and moved back within a day; its moves are held back.',
  },
  BreakerClosed: {
    type: 'Normal',
    meaning: 'On a StoragePolicy: moves between the two tiers work again.',
  },
  Halted: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: an outcome that nothing explains halts all moves.',
  },
  MissingPermission: {
    type: 'Warning',
    meaning: 'On a StoragePolicy: the role of the controller lacks a rule.',
  },
} as const satisfies Record<string, EventMeaning>
export type EventReason = keyof typeof EVENT_REASONS

type ConditionMeaning = {
  readonly meaning: string
  readonly reasons: Readonly<Record<string, string>>
}

/** Conditions of a StoragePolicy with their reasons. */
export const POLICY_CONDITIONS = {
  Ready: {
    meaning: 'True when the policy is acted on as it stands.',
    reasons: {
      Ready: 'True: nothing is in the way.',
      Invalid: 'False: the spec has mistakes; the message lists them.',
      StrategyUnsupported:
        'False: this version has no such spec.migration.strategy; the message says which it has.',
      TiersUnresolved: 'False: see TiersResolved.',
      MetricsDown: 'False: see MetricsHealthy. Nothing moves without usage numbers.',
      Paused: 'False: spec.paused is true.',
      Stopped: 'False: the global stop switch is on.',
      Halted: 'False: an outcome that nothing explains; a person must check it.',
      MissingPermission:
        'False: a move waits because the OpenStack credential lacks a right that it needs. A rule that the role lacks is named in the message of Ready=True.',
      BreakerOpen: 'False: moves between two tiers fail again and again and are held back.',
      NoAdmissionPolicy:
        'False: mode Approve, and the API server offers no ValidatingAdmissionPolicy that checks who approves.',
      Thrashing:
        'False: too many volumes were moved and moved back within a day; moves are held back.',
      CinderDown: 'False: Cinder or Keystone does not answer.',
      AuditUnavailable: 'False: no line can be written to the audit, so that no move starts.',
      Starting:
        'False: a new leader cannot read all that it needs; it follows running moves and starts none.',
      CatchingUp: 'Unknown: the controller has just started and reads history.',
    },
  },
  TiersResolved: {
    meaning: 'True when each tier has a volume type that Cinder knows, and prices make sense.',
    reasons: {
      Resolved: 'True: each tier has its volume type.',
      NoVolumeType: 'False: a tier has no volume type in policy, config.yaml or StorageClass.',
      VolumeTypeNotFound:
        'False: Cinder does not know the volume type, or the project may not use it.',
      VolumeTypeAmbiguous: 'False: more than one volume type has the name.',
      SameVolumeType: 'False: two tiers have the same volume type.',
      TiersInvalid:
        'False: two tiers have one name, a tier has no limit, or they are not listed fastest first.',
      PricesInvalid:
        'False: prices are given for some tiers only, or do not fall from tier to tier.',
      CinderDown: 'Unknown: Cinder does not answer.',
    },
  },
  MetricsHealthy: {
    meaning: 'True when usage numbers arrive for the volumes of the policy.',
    reasons: {
      Healthy: 'True: usage numbers arrive.',
      NoWindowYet: 'Unknown: no window has been read from the source yet.',
      SourceDown: 'False: the source does not answer; the message says what it said.',
      NoSeries: 'False: the source answers, but has no series for any volume.',
      CoverageDropped: 'False: the number of covered volumes dropped; demotion is frozen.',
    },
  },
  WithinBudget: {
    meaning: 'True when the monthly cost is within budget.maxMonthlyCost.',
    reasons: {
      NoBudget: 'True: no budget is set.',
      WithinBudget: 'True: the cost is within the budget.',
      OverBudget: 'False: the cost is over the budget.',
      NotPriced: 'Unknown: tiers have no prices, so that there is nothing to compare.',
    },
  },
  Worthwhile: {
    meaning:
      'True when the policy, moves included, has cost no more over the last seven days than leaving things alone.',
    reasons: {
      Cheaper:
        'True: it cost no more than all volumes on the fastest tier would have, nor than moving none.',
      TooEarly: 'Unknown: there are not yet seven whole days to compare.',
      Observing: 'Unknown: mode Observe moves nothing, so that there is nothing to judge.',
      DearerThanAllHot: 'False: all volumes on the fastest tier would have cost less.',
      DearerThanStaying: 'False: it would have cost less had no volume been moved.',
    },
  },
} as const satisfies Record<string, ConditionMeaning>
export type PolicyCondition = keyof typeof POLICY_CONDITIONS

/** Conditions of a VolumeMigration; their reason is `status.reason`. */
export const MIGRATION_CONDITIONS = {
  Validated: {
    meaning:
      'True when claim, volume, policy and tiers of the object belong together and preflight found no block.',
    reasons: {},
  },
  Progressing: {
    meaning:
      'True while a call to Cinder may be running; False while it waits and when it is over.',
    reasons: {},
  },
  Succeeded: {
    meaning: 'True or False when the move is over, Unknown until then.',
    reasons: {},
  },
} as const satisfies Record<string, ConditionMeaning>
export type MigrationCondition = keyof typeof MIGRATION_CONDITIONS
