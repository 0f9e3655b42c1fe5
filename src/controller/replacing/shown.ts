import type { MigrationStatusReason } from '../../api/reasons.ts'
import { replacementRecord } from '../../api/tiering-checkpoint.ts'
import type { ReplacementStatus, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { copyIdOf } from '../../migration/snapshot-restore/saved.ts'
import type { Phase, Saved } from '../../migration/snapshot-restore/saved.ts'
import type { Goto } from '../../migration/strategy.ts'

/** What the move itself says of where its replacement is, and what that means. */
export const REPLACEMENT_REASONS = {
  Holding:
    'Holding: the PersistentVolume gives way to a held one, so that no Pod can attach the volume while it is copied.',
  Copying: 'Copying: the copy is made in Cinder; a Pod that needs the claim gets it back at once.',
  Switching: 'Switching: the held PersistentVolume gives way to that of the verified copy.',
  Soaking:
    'Soaking: the claim has the copy. The former volume is kept for a while, and `spec.rollback` brings it back.',
  CleaningUp:
    'CleaningUp: what is not needed any more is deleted, once nothing uses it and two reads agree.',
  ClaimNeeded: 'A Pod needed the claim before the copy was finished: it has its volume back.',
  CopyVoid:
    'The copy was given up: it could not be made, or the volume was changed while it was copied. The claim keeps its volume.',
  Unverified: 'The copy is not what it should be. The claim keeps its volume.',
  HeldVolumeGone:
    'Somebody deleted the held PersistentVolume. The claim has its former volume back.',
  RolledBack: 'A person wanted the former volume back; what was written to the copy is gone.',
  ClaimDeleted: 'The claim was deleted meanwhile; its reclaim policy was applied to every copy.',
  RecordMissing:
    'Stuck: the TieringCheckpoint that the move goes by is gone or cannot be read. Nothing more is done; an administrator must check the claim.',
} as const satisfies Partial<Record<MigrationStatusReason, string>>

/** What the object says of that phase. `gone`: the move is not to be undone any more. */
export function shownOf(saved: Saved): Goto {
  const { phase, reason, message } = saved
  if (phase === 'Succeeded' || phase === 'Failed')
    return { kind: 'goto', step: phase, reason: reason ?? 'Verified', message: message ?? '' }
  const meaning = MESSAGES[phase](saved)
  // said before what Kubernetes says of the gap
  const why = phase === 'GivingBack' && message !== undefined ? `${message}: ${meaning}` : message
  return { kind: 'goto', step: phase, reason: reason ?? REASONS[phase], message: why ?? meaning }
}

type Going = Exclude<Phase, 'Succeeded' | 'Failed'>

const REASONS: Readonly<Record<Going, MigrationStatusReason>> = {
  Holding: 'Holding',
  Copying: 'Copying',
  Switching: 'Switching',
  Soaking: 'Soaking',
  GivingBack: 'CopyVoid',
  CleaningUp: 'CleaningUp',
  Abandoning: 'ClaimDeleted',
}

const MESSAGES: Readonly<Record<Going, (saved: Saved) => string>> = {
  Holding: () =>
    'holding the volume while it is copied; Kubernetes may report ClaimLost for up to 15 s, and no data is lost',
  Copying: () => 'the volume is held and copied; a Pod that needs the claim gets it back',
  Switching: () =>
    'the copy is verified, and takes the place of the volume; Kubernetes may report ClaimLost for up to 15 s, and no data is lost',
  Soaking: ({ origin }) =>
    `the claim has the copy; volume ${origin.volume.id} is kept for a while, and \`couchestor rollback\` brings it back`,
  GivingBack: () =>
    'the claim gets its former volume back; Kubernetes may report ClaimLost for up to 15 s',
  CleaningUp: () => 'deleting what is not needed any more',
  Abandoning: () => 'the claim was deleted; its reclaim policy is applied to every copy',
}

/** The fields of the status that a replacement fills in. `maxSoakMs`: the longest that both volumes are kept. */
export function fieldsOf(
  saved: Saved,
  maxSoakMs: number,
): Pick<VolumeMigrationStatus, 'volumeId' | 'replacement'> {
  const { origin, phase, soak } = saved
  const copy = copyIdOf(saved)
  const replacement: ReplacementStatus = {
    record: replacementRecord(origin.moveUid),
    formerVolumeId: origin.volume.id,
    ...(copy === undefined ? {} : { copyVolumeId: copy }),
    ...(phase === 'Soaking' && soak !== undefined
      ? { rollbackUntil: new Date(soak.since + maxSoakMs).toISOString() }
      : {}),
  }
  return { volumeId: hasCopy(saved) && copy !== undefined ? copy : origin.volume.id, replacement }
}

/** The claim has the copy, or may have it at any moment: other moves of the claim are about that volume. */
function hasCopy({ phase, keeps }: Saved): boolean {
  if (keeps !== undefined) return keeps === 'copy'
  return phase === 'Switching' || phase === 'Soaking'
}
