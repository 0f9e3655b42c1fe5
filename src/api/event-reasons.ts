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
  MigrationStarted: { type: 'Normal', meaning: 'The move of the volume has begun.' },
  VolumeHeld: {
    type: 'Normal',
    meaning: 'The volume is held while it is copied; a Pod that needs the claim gets it back.',
  },
  VolumeSwitching: {
    type: 'Normal',
    meaning:
      'The verified copy takes the place of the volume. Kubernetes may report ClaimLost for up to 15 s; no data is lost.',
  },
  VolumeReplaced: {
    type: 'Normal',
    meaning:
      'The claim has the copy on its new tier. The former volume is kept for a while, and a rollback brings it back.',
  },
  VolumeGivenBack: {
    type: 'Warning',
    meaning: 'The claim gets its former volume back; the message says why.',
  },
  ClaimDeletedMeanwhile: {
    type: 'Normal',
    meaning:
      'The claim was deleted while its volume was replaced; its reclaim policy is applied to every copy.',
  },
  WorkloadStopping: {
    type: 'Normal',
    meaning:
      'On a workload and its claims: it is scaled down for a move; the message says which Pods will stop.',
  },
  WorkloadStopped: {
    type: 'Normal',
    meaning: 'On a workload and its claims: its Pods are gone, and the move can begin.',
  },
  WorkloadRestoring: {
    type: 'Normal',
    meaning: 'On a workload and its claims: the move does not need it down any more.',
  },
  WorkloadRestored: {
    type: 'Normal',
    meaning: 'On a workload and its claims: it is back to the replicas that it had.',
  },
  WorkloadNotStopped: {
    type: 'Normal',
    meaning:
      'On a workload and its claims: the stop that was announced is off, and nothing was done; the message says why.',
  },
  WorkloadGone: {
    type: 'Warning',
    meaning: 'On the claims of a workload: it was deleted while it was stopped for a move.',
  },
  WorkloadFoughtBack: {
    type: 'Warning',
    meaning:
      'On a workload and its claims: something else changed its replicas while it was stopped for a move. It is left as it is, and a copy is given up.',
  },
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
