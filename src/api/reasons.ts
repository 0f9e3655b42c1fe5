/**
 * Every reason that a condition, an event, a status count or a verdict can carry, with its meaning.
 * Names are API: scripts and alerts match on them, so one is added, never renamed.
 * `docs/reference-reasons.md` is generated from this file.
 */

/** Why a claim stays, in the order in which the guards are asked; the first that holds is told. */
export const STAY_REASONS = {
  OptedOut: 'The claim is annotated couchestor.io/policy=none.',
  NoPolicy: 'No StoragePolicy names or selects the claim.',
  PolicyNotFound: 'The claim is annotated with a StoragePolicy that does not exist.',
  PolicyConflict: 'The policy that the claim names does not cover the namespace of the claim.',
  PolicyInvalid: 'The policy cannot be used as it stands; its Ready condition says why.',
  TiersUnresolved: 'A tier of the policy has no volume type that Cinder knows.',
  Unbound: 'The claim has no bound PersistentVolume yet.',
  NotCinder: 'The volume of the claim is not served by cinder.csi.openstack.org.',
  Terminating: 'The claim or its PersistentVolume is being deleted.',
  VolumeGone: 'Cinder does not know the volume of the PersistentVolume.',
  Stopped: 'The global stop switch (migration.paused in config.yaml) is on.',
  PolicyPaused: 'The policy is paused (spec.paused).',
  Paused: 'The claim is annotated couchestor.io/paused for this direction.',
  InFlight: 'A move of this volume is under way or waits already.',
  Forced: 'The claim is held on its tier by couchestor.io/force-tier.',
  ForceTierUnknown: 'couchestor.io/force-tier names a tier that the policy does not have.',
  ForceTierDenied: 'The policy does not allow couchestor.io/force-tier (spec.overrides.forceTier).',
  UnmanagedType: 'The Cinder volume type of the volume belongs to no tier of the policy.',
  SourceDown: 'The source of usage numbers does not answer; nothing is decided without numbers.',
  NoData: 'The volume is attached, but there are no usage numbers for it. That is never zero.',
  LowCoverage: 'Fewer samples arrived than metrics.minCoveragePercent asks for.',
  CatchingUp:
    'History is still being read again after a start; demotion waits until it is complete.',
  DemotionFrozen:
    'The number of volumes with usage numbers dropped; demotion is frozen until it recovers.',
  OnBestTier: 'The volume is on the tier that is worth its money.',
  Young: 'The volume has less history than metrics.minHistory.',
  Retention: 'The volume exceeded the next tier within the retentionDays of its tier.',
  CoolingDown: 'The last move is younger than the cooldown.',
  BackingOff: 'An earlier attempt failed or was reverted; the next one waits for hours.',
  Busy: 'Cinder works on the volume already (status other than available or in-use).',
  Resizing: 'The claim is being resized.',
  Snapshots: 'The volume has snapshots, and the target type may lie on another backend.',
  Group: 'The volume belongs to a Cinder group or consistency group.',
  Replicated: 'The volume is replicated by Cinder.',
  Multiattach: 'The volume is multiattach, and the retype would change that.',
  Encrypted: 'The source or the target type is encrypted, and they differ.',
  SizeLimit: 'The target type does not allow a volume of this size.',
  TypeNotAccessible: 'The project has no access to the target volume type.',
  ZoneUnavailable: 'The target type is not offered in the availability zone of the volume.',
  QuotaExceeded: 'The quota of the project does not allow the volume on the target type.',
  Attached:
    'The volume is attached, and a live retype is not proven safe; it moves at its next detach.',
  TooLargeForDetach: 'The volume is too large to be moved in the gap between two pods.',
  PodPending: 'A pod waits for the claim, or its node is being drained; a move would delay it.',
  OutsideSchedule: 'The schedule of the policy is closed now.',
  AwaitingApproval:
    'The policy asks for approval (mode Approve), and nobody has approved the move yet.',
  Observe: 'The policy only observes (mode Observe).',
  Halted:
    'An earlier move ended in a way that nothing explains; all moves halt until a person looks.',
  BreakerOpen: 'Moves between these two tiers failed again and again; the pair is held back.',
  ThrashBreaker:
    'Too many volumes of the policy were moved and moved back within a day; its moves are held back.',
  Ramp: 'The first day after the installation allows only a few moves.',
  ConcurrencyLimit: 'As many moves run as the config or the policy allows.',
  NamespaceLimit: 'As many moves run as limits.perNamespace allows for the namespace.',
  PoolLimit: 'As many moves run as limits.perPool allows for one of the two tiers.',
  SlotLimit: 'limits.maxGiBPerSlot is used up for this slot.',
  CapacityLimit: 'The target tier has no room left (capacity.maxGiB less headroomPercent).',
  BudgetLimit: 'The move would exceed budget.maxMonthlyCost.',
  MissingPermission: 'The role of the controller lacks a rule that is needed to look or to act.',
  CinderDown: 'Cinder or Keystone does not answer; nothing is started blindly.',
} as const
export type StayReason = keyof typeof STAY_REASONS

/** `status.reason` of a VolumeMigration, beside the stay reasons while it waits. */
export const MIGRATION_REASONS = {
  Planned: 'Waiting: the move is wanted and waits for its turn.',
  Approved: 'Waiting: a person approved the move.',
  IntentSaved: 'Requested: the intent is saved, the call to Cinder comes next.',
  NotSent:
    'Waiting: the call provably never reached Cinder and is repeated after a fresh admission.',
  Accepted: 'Retyping: Cinder accepted the call. That alone means nothing yet.',
  Adopted: 'Retyping: an earlier leader made the call, this one watches its end.',
  OutcomeUnknown:
    'The call got no answer; Cinder is observed, nothing is repeated. Failed: the volume rests on its old type, and whether the call ran cannot be told.',
  Copying: 'Retyping: Cinder copies the data.',
  Verifying: 'Verifying: a first read shows the target type; a second one must agree.',
  VerifyingRevert: 'Verifying: a first read shows the old type again; a second one must agree.',
  VerifiedInOtherZone:
    'Succeeded: two reads show the target type, but the availability zone of the volume changed.',
  Verified: 'Succeeded: two reads show the target type, and the volume is usable.',
  AlreadyThere: 'Succeeded: the volume was on the target type before any call.',
  DeadlinePassed:
    'Stuck: Cinder still works past the deadline. Nothing more is done; an administrator must look.',
  VolumeError:
    'Stuck: the volume ended in an error status. Nothing more is done; an administrator must look.',
  Reverted: 'Failed: Cinder accepted the move, then silently left the volume on its old type.',
  Rejected: 'Failed: Cinder refused the call.',
  MovedElsewhere: 'Failed: the volume is on a third type; somebody else moved it.',
  Unexplained: 'Failed: what Cinder shows fits nothing that was asked for. All moves halt.',
  Disappeared: 'Failed: the volume is gone from Cinder.',
  ForeignIntent:
    'Failed: the intent was made by another cluster or for another object (a restored backup).',
  StaleIntent: 'Failed: the intent is too old to be acted on (a restored backup).',
  ClaimMismatch:
    'Failed: claim, PersistentVolume and volume do not belong together as the object says.',
  UnknownTier: 'Failed: the policy does not have the tier named in from or to.',
  ForgedRequest: 'Failed: the object claims to come from the controller, but it did not make it.',
  AttemptsExhausted: 'Failed: the call was repeated as often as is allowed.',
  Cancelled: 'Failed: a person cancelled the move before the call.',
  Expired: 'Failed: nobody approved the move in time.',
  Superseded: 'Failed: an older active migration of the same volume goes first.',
  NoLongerWanted: 'Failed: the verdict changed before the move could start.',
} as const
/** Reasons of the machine's own steps. */
export type MachineReason = keyof typeof MIGRATION_REASONS
/** Everything `status.reason` of a VolumeMigration may hold. */
export type MigrationStatusReason = MachineReason | StayReason

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
    meaning: 'A person approved the move; the message says who, and why if he said so.',
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
      'Cinder works past the deadline. The controller keeps its hands off; an administrator must look.',
  },
  MigrationUnknown: {
    type: 'Warning',
    meaning: 'The call to Cinder got no answer; the volume is observed, nothing is repeated.',
  },
  MigrationCancelled: { type: 'Normal', meaning: 'A person cancelled the move before the call.' },
  MigrationExpired: { type: 'Normal', meaning: 'Nobody approved the move in time.' },
  MigrationRefused: {
    type: 'Warning',
    meaning: 'On a VolumeMigration: the object cannot be acted on.',
  },
  WouldMigrate: { type: 'Normal', meaning: 'Mode Observe: this move would have been made.' },
  ForceTierUnknown: {
    type: 'Warning',
    meaning: 'couchestor.io/force-tier names a tier that the policy does not have.',
  },
  ForceTierDenied: {
    type: 'Warning',
    meaning: 'The policy does not allow couchestor.io/force-tier.',
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
    meaning: 'Somebody else changed the volume type; it counts as a move.',
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
      TiersUnresolved: 'False: see TiersResolved.',
      MetricsDown: 'False: see MetricsHealthy. Nothing moves without usage numbers.',
      Paused: 'False: spec.paused is true.',
      Stopped: 'False: the global stop switch is on.',
      Halted: 'False: an outcome that nothing explains; a person must look.',
      MissingPermission: 'False: the role of the controller lacks a rule.',
      BreakerOpen: 'False: moves between two tiers fail again and again and are held back.',
      Thrashing:
        'False: too many volumes were moved and moved back within a day; moves are held back.',
      CinderDown: 'False: Cinder or Keystone does not answer.',
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
      PartialAnswer: 'False: the source marks its answer as partial.',
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
      Cheaper: 'True: it was not dearer than all volumes on the fastest tier, nor than none moved.',
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
