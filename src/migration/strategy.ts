import type { MigrationStatusReason } from '../api/reasons.ts'
import type { Strategy as StrategyName } from '../api/storage-policy.ts'
import type { Step, VolumeMigrationStatus } from '../api/volume-migration.ts'
import type { Block } from '../blockers/blocker.ts'

/**
 * One way to bring a volume to another tier. Pure: what is saved and what one read showed go in, what to do next comes
 * out. Cinder and Kubernetes are reached by its adapter, and every step is written by the runner.
 */
export interface Strategy<Facts, Sight extends Looked> {
  readonly name: StrategyName
  /** The one list of blockers: empty = the first act may be made now. In the order a person would want to hear them. */
  preflight(facts: Facts): readonly Block[]
  /** What comes next, from every step and after every answer. */
  next(input: MachineInput<Sight>): Outcome
}

/** Every side effect that a move may have. Each is one call, never repeated. */
export type Act =
  | 'retype'
  | 'createSnapshot'
  | 'deleteSnapshot'
  | 'cloneVolume'
  | 'deleteVolume'
  | 'offerTransfer'
  | 'acceptTransfer'
  | 'cancelTransfer'
  | 'setReclaimPolicy'
  | 'deletePersistentVolume'
  | 'releasePersistentVolume'
  | 'createPersistentVolume'

/** What an adapter's `look` returns. `Unreadable` = the read failed: no conclusion of any kind. */
export type Looked = { readonly kind: string }

/** What a second read, some seconds after the first, has to confirm before it is acted on. */
export type Confirmation = 'verifying' | 'unchanged'

/** Everything the machine may know. Times in ms since the epoch. */
export type MachineInput<Sight extends Looked> = {
  readonly status: VolumeMigrationStatus
  /** undefined = not read yet; the machine asks for it with `look`. */
  readonly sight: Sight | undefined
  /** Time of the move: real time since its intent, whatever is done to the wall clock. */
  readonly now: number
  /** Our identity: an intent with another cluster id or object uid is watched, never repeated. */
  readonly clusterId: string
  readonly objectUid: string
  /** Until then a call of an earlier leader (or our own unanswered one) may still be on its way. */
  readonly quietUntil: number
  /** Ms since the first of an unbroken series of reads that agree; undefined when this process has made none. */
  readonly confirming?: { readonly what: Confirmation; readonly ms: number } | undefined
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

/** The closed list of what can come next. */
export type Outcome =
  /** Finished. */
  | { readonly kind: 'rest' }
  /** The saved status is not enough; the next call brings a sight. */
  | { readonly kind: 'look' }
  /** Read again later; `why` is shown to people, `confirm` is what the next read has to confirm. */
  | {
      readonly kind: 'wait'
      readonly ms: number
      readonly why?: string
      readonly confirm?: Confirmation
    }
  /** Save this, then go on from there. `Waiting` = nothing has started: everything is asked again before the next try. */
  | {
      readonly kind: 'goto'
      readonly step: Step
      readonly reason: MigrationStatusReason
      readonly message: string
      readonly seenAt?: number
      readonly confirm?: Confirmation
    }
  /** Save the intent of that act, perform it, save the answer. The first act of a move passes admission before. */
  | { readonly kind: 'act'; readonly act: Act }

/** A step to be saved. */
export type Goto = Extract<Outcome, { kind: 'goto' }>
