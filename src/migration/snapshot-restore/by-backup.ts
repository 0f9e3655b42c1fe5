import { beingCopied, made } from './made.ts'
import type { Reading } from './made.ts'
import { isMarked, RESTORED_FROM } from './names.ts'
import { giveBack, perform } from './outcome.ts'
import type { ReplaceOutcome } from './outcome.ts'
import { entryOf } from './saved.ts'
import type { Saved } from './saved.ts'
import type { BackupSeen, SnapshotSeen, VolumeSeen } from './sight.ts'
import { whyNoClone, whyUnlike } from './verify.ts'

/** From the clone to a volume of the target type, by way of a backup: no retype is needed, so that none has to be possible. */
export function restored(
  seen: Reading,
  clone: VolumeSeen,
  snapshot: SnapshotSeen,
): ReplaceOutcome | 'whole' {
  const { input, saved, cinder } = seen
  const { origin } = saved
  const wrongClone = whyNoClone(saved, clone, snapshot) ?? otherType(clone, origin.volume.typeId)
  if (wrongClone !== undefined) return unverified(saved, 'clone', wrongClone)
  const asked = entryOf(saved, 'createBackup')
  const isAsked = asked !== undefined && asked.state !== 'None'
  if (clone.status !== 'available' && !isAsked) return beingCopied(input, clone)
  const backup = made(seen, 'createBackup', cinder.backups ?? [])
  if ('kind' in backup) return backup
  const wrongBackup = whyNoBackup(saved, backup.row, clone)
  if (wrongBackup !== undefined) return unverified(saved, 'backup', wrongBackup)
  // Cinder says so a second before the clone is free again
  if (clone.status !== 'available') return beingCopied(input, clone, asked)
  const volume = made(seen, 'restoreBackup', cinder.copies)
  if ('kind' in volume) return volume
  const { row } = volume
  const wrong =
    whyUnlike(origin, row) ??
    otherType(row, origin.toTypeId) ??
    (row.metadata[RESTORED_FROM] === backup.row.id
      ? undefined
      : `restored from backup ${row.metadata[RESTORED_FROM] ?? '(none)'} instead of ${backup.row.id}`)
  if (wrong !== undefined) return unverified(saved, 'copy', wrong)
  if (isMarked(origin, 'restoreBackup', row)) return 'whole'
  return perform(seen, { act: 'markVolume', id: row.id })
}

function whyNoBackup({ origin }: Saved, backup: BackupSeen, clone: VolumeSeen): string | undefined {
  if (backup.volumeId !== clone.id) return `of volume ${backup.volumeId} instead of ${clone.id}`
  if (backup.sizeGiB !== origin.volume.sizeGiB)
    return `${backup.sizeGiB} GiB instead of ${origin.volume.sizeGiB}`
  return backup.incremental ? 'incremental' : undefined
}

function otherType({ typeId }: VolumeSeen, wanted: string): string | undefined {
  return typeId === wanted ? undefined : `on type ${typeId} instead of ${wanted}`
}

function unverified(saved: Saved, what: string, wrong: string): ReplaceOutcome {
  return giveBack(saved, 'Unverified', `the ${what} is not like the volume: ${wrong}`)
}
