import type { Condition, ObjectMeta } from './object.ts'
import type { AttachedRule, Strategy, Via } from './storage-policy.ts'

export type MigrationReason = 'Policy' | 'Forced' | 'Manual'

export type VolumeMigrationSpec = {
  readonly claim: { readonly name: string; readonly uid?: string }
  /** What the mover verifies against claim, PV and Cinder; never an address by itself. */
  readonly volume?: { readonly pv?: string; readonly id?: string; readonly sizeGiB?: number }
  readonly from?: string
  readonly to: string
  readonly strategy?: Strategy
  /** With `snapshot-restore` only. */
  readonly via?: Via
  readonly reason?: MigrationReason
  readonly policy: string
  /** Mutable until the call: approval and cancellation by a person. */
  readonly approved?: boolean
  readonly cancel?: boolean
  /** A person wants the former volume back, as long as it is kept. */
  readonly rollback?: boolean
}

/** Steps of a move that gives the claim another volume, in their order; GivingBack and Abandoning are its ways back. */
export const REPLACEMENT_STEPS = [
  'Holding',
  'Copying',
  'Switching',
  'Soaking',
  'GivingBack',
  'CleaningUp',
  'Abandoning',
] as const
export type ReplacementStep = (typeof REPLACEMENT_STEPS)[number]

/**
 * Steps of the machines. Waiting -> Requested -> Retyping -> Verifying -> Succeeded | Failed, or by way of the steps of a
 * replacement; Stuck is left only by what Cinder shows later.
 */
export const STEPS = [
  'Waiting',
  'Requested',
  'Retyping',
  'Verifying',
  ...REPLACEMENT_STEPS,
  'Stuck',
  'Succeeded',
  'Failed',
] as const
export type Step = (typeof STEPS)[number]

/** Saved by compare-and-swap before the one call that performs an act. */
export type Intent = {
  /** Absent in objects of 0.1.0, which knew no act but `retype`. */
  readonly act?: string
  /** What the move is done by, whatever policy and spec say later. Absent in objects of 0.1.0: `cinder-retype`. */
  readonly strategy?: Strategy
  readonly attempt: number
  /** `X-OpenStack-Request-ID` that is sent with the call. */
  readonly requestId: string
  readonly clusterId: string
  /** Project that Cinder showed the volume to. Absent in objects of 0.1.0. */
  readonly projectId?: string
  /** The object's own uid: an intent copied into another object is not ours. */
  readonly objectUid: string
  /** `leaseTransitions` of the leader that holds this migration now. */
  readonly epoch: number
  readonly at: string
  readonly deadline: string
  readonly fromTypeId: string
  readonly toTypeId: string
  /** Cinder's `updated_at` before the call: unchanged later = the call never reached the volume. */
  readonly volumeUpdatedAt: string
  readonly availabilityZone: string
  readonly attached: boolean
  /** What the policy allowed when the move began: every act goes by it. Absent in objects of 0.1.0. */
  readonly migration?: {
    readonly attached: AttachedRule
    readonly migrationPolicy: 'on-demand' | 'never'
  }
}

/** What became of the call. Absent after a crash between the call and the saving of its answer. */
export type CallOutcome = {
  readonly kind: 'Accepted' | 'Rejected' | 'NotSent' | 'Unknown'
  readonly at: string
  readonly httpStatus?: number
  /** A refusal for lack of quota, which no repeat cures at once. */
  readonly quota?: boolean
  /** Not sent because the audit could not be written. */
  readonly unaudited?: boolean
  readonly message?: string
  readonly cinderRequestId?: string
}

/** What people need to know of a move that gives the claim another volume. All else is in its record. */
export type ReplacementStatus = {
  /** Name of the TieringCheckpoint that the move goes by. */
  readonly record: string
  readonly formerVolumeId: string
  readonly copyVolumeId?: string
  /** Until then at the latest both volumes are kept, and `spec.rollback` has an effect. */
  readonly rollbackUntil?: string
}

export type VolumeMigrationStatus = {
  readonly observedGeneration?: number
  readonly step?: Step
  /** Why it waits, failed or is stuck; one of the constants in reasons.ts. */
  readonly reason?: string
  readonly message?: string
  readonly conditions?: readonly Condition[]
  readonly intent?: Intent
  readonly call?: CallOutcome
  /** First of the two equal reads that verify the end. */
  readonly verifiedOnceAt?: string
  readonly startedAt?: string
  readonly completedAt?: string
  /** For people: `12m30s`. Kept up to date while it runs. */
  readonly elapsed?: string
  /** An estimate from earlier moves; Cinder reports no progress. */
  readonly estimatedEnd?: string
  readonly expiresAt?: string
  /** Money per month that the move saves, two decimals; negative when speed is bought. */
  readonly monthlySaving?: string
  readonly volumeId?: string
  readonly replacement?: ReplacementStatus
  /** The uid that the claim had when the move was accepted, where the spec names none. */
  readonly claimUid?: string
  readonly sizeGiB?: number
}

export type VolumeMigration = {
  readonly apiVersion: string
  readonly kind: 'VolumeMigration'
  readonly metadata: ObjectMeta
  readonly spec: VolumeMigrationSpec
  readonly status?: VolumeMigrationStatus
}

/** A call to Cinder may be running or may have run: counts against every limit, blocks the volume. */
export function isInFlight(m: VolumeMigration): boolean {
  return IN_FLIGHT.has(m.status?.step ?? 'Waiting')
}

/**
 * The copy that soaks, what is given back, and what is cleared away, take nobody's place: Pods decide how long that takes.
 * What Cinder still copies meanwhile is in the ledger.
 */
const IN_FLIGHT: ReadonlySet<Step> = new Set<Step>([
  'Requested',
  'Retyping',
  'Verifying',
  'Holding',
  'Copying',
  'Switching',
  'Stuck',
])

/** Nothing has begun. */
export function isWaiting(m: VolumeMigration): boolean {
  return (m.status?.step ?? 'Waiting') === 'Waiting'
}

/** Goes by a record of its own. */
export function isReplacing(m: VolumeMigration): boolean {
  return isReplacementStep(m.status?.step ?? 'Waiting')
}

export function isReplacementStep(step: Step): step is ReplacementStep {
  return (REPLACEMENT_STEPS as readonly Step[]).includes(step)
}

export function isFinished(m: VolumeMigration): boolean {
  return m.status?.step === 'Succeeded' || m.status?.step === 'Failed'
}

/** For a sentence: a move made by hand mostly names no tier that it comes from. */
export function routeOf({
  from,
  to,
}: {
  readonly from?: string | undefined
  readonly to: string
}): string {
  return from === undefined ? `to ${to}` : `${from} to ${to}`
}

/** Made by a person: the reason that an object has unless it names another. */
export function isManual(m: VolumeMigration): boolean {
  return (m.spec.reason ?? 'Manual') === 'Manual'
}
