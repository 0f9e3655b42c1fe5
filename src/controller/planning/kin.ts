import { isReplacing } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Migrations } from '../view/migrations.ts'

/**
 * Ids of the volumes that a claim had before that one, or beside it, by moves that gave it a copy; the latest first. Their
 * usage is that of the claim.
 */
export function kinOf(
  migrations: Pick<Migrations, 'ofVolume'>,
  volumeId: string,
): readonly string[] {
  const known = new Set([volumeId])
  // it grows while it is walked through
  for (const id of known)
    for (const m of migrations.ofVolume(id)) for (const other of idsOf(m)) known.add(other)
  known.delete(volumeId)
  return [...known]
}

/** Volumes whose claim may have them again at any moment: what is known of them is kept although no claim is bound to them. */
export function idsInReplacement(moves: readonly VolumeMigration[]): ReadonlySet<string> {
  return new Set(moves.filter(isReplacing).flatMap(idsOf))
}

function idsOf({ status }: VolumeMigration): readonly string[] {
  const { formerVolumeId, copyVolumeId } = status?.replacement ?? {}
  return [copyVolumeId, formerVolumeId].filter((id) => id !== undefined)
}
