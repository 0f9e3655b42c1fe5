import type { Intent, VolumeMigration, VolumeMigrationSpec } from '../../api/volume-migration.ts'
import type { Initiator } from '../../audit/change.ts'
import type { Saved } from '../../migration/snapshot-restore/saved.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import type { Target } from '../view/targets.ts'
import type { Checked } from './adapter.ts'

/**
 * All that a move goes by that gives a claim another volume. It belongs to no namespace, and so outlives its
 * VolumeMigration, which only shows it.
 */
export type ReplacementRecord = {
  readonly move: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly spec: VolumeMigrationSpec
    /** Who is behind it, for the audit. */
    readonly initiator: Initiator
  }
  /** As it was when the move was let through. */
  readonly intent: Intent
  /** `leaseTransitions` of the leader that follows it now. */
  readonly epoch: number
  readonly saved: Saved
}

/** A strategy whose moves go by a record of their own, which a follower brings to its end. */
export interface RecordedStrategy extends Checked {
  readonly kind: 'recorded'
  /** All that the move will go by. Throws when it cannot be read, or is not what `target` says. */
  open(
    m: VolumeMigration,
    target: Target,
    volume: CinderVolume,
    terms: Pick<Intent, 'clusterId' | 'projectId' | 'deadline'>,
  ): Promise<Saved>
}

/** The records, as far as the start of a move needs them. */
export interface RecordBook {
  /** Until then it is not known which moves have one. */
  readonly loaded: boolean
  of(moveUid: string): ReplacementRecord | undefined
  /** Of the claim with that uid: what is left of a former one of its name is none of it. */
  ofClaim(uid: string): ReplacementRecord | undefined
  /** Resolves when it is saved as it was meant. */
  open(record: ReplacementRecord): Promise<void>
  /** From then on it is followed. */
  follow(moveUid: string): void
}
