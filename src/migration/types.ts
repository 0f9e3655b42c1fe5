import type { MachineReason } from '../api/reasons.ts'
import type { Step, VolumeMigrationStatus } from '../api/volume-migration.ts'

/** What one look at Cinder showed. `Unreadable` = we could not look: no conclusion of any kind. */
export type VolumeSight =
  | {
      readonly kind: 'Seen'
      readonly status: string
      readonly typeId: string
      readonly updatedAt: string
      readonly availabilityZone: string
      readonly attached: boolean
      readonly sizeGiB: number
    }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'Unreadable'; readonly why: string }

/** Everything the machine may know. Times in ms since the epoch. */
export type MachineInput = {
  readonly status: VolumeMigrationStatus
  readonly sight: VolumeSight
  readonly now: number
  /** Our identity: an intent with another cluster id or object uid is watched, never repeated. */
  readonly clusterId: string
  readonly objectUid: string
  /** Until then a call of an earlier leader (or our own unanswered one) may still be on its way. */
  readonly quietUntil: number
  readonly timing: MachineTiming
}

export type MachineTiming = {
  readonly firstPollMs: number
  readonly longestPollMs: number
  /** Least time between the two verifying reads. */
  readonly verifyMs: number
  /** Calls that provably never reached Cinder are repeated this often at most. */
  readonly mostAttempts: number
}

/** The closed list of what can come next; the mover carries it out and is the only one who writes the step. */
export type Outcome =
  /** Finished. */
  | { readonly kind: 'rest' }
  /** Look again later; `why` is shown to people. */
  | { readonly kind: 'wait'; readonly ms: number; readonly why?: string }
  /** Save this, then go on from there. */
  | {
      readonly kind: 'goto'
      readonly step: Step
      readonly reason: MachineReason
      readonly message: string
      readonly seenAt?: number
    }
  /** Nothing has reached Cinder: admission, a fresh intent and the one call come next. */
  | { readonly kind: 'start'; readonly why: string }
