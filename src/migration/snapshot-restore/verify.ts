import type { Origin, Saved } from './saved.ts'
import type { SnapshotSeen, VolumeSeen } from './sight.ts'

/** In what a volume differs that must not differ. */
export function whyUnlike(
  { volume }: Pick<Origin, 'volume'>,
  copy: VolumeSeen,
): string | undefined {
  if (copy.sizeGiB !== volume.sizeGiB) return `${copy.sizeGiB} GiB instead of ${volume.sizeGiB}`
  if (copy.availabilityZone !== volume.availabilityZone)
    return `availability zone ${copy.availabilityZone} instead of ${volume.availabilityZone}`
  if (copy.bootable !== volume.bootable) return 'bootable'
  if (copy.encrypted !== volume.encrypted) return 'encrypted'
  return copy.attached ? 'attached' : undefined
}

/** The same of the clone, which must be made of the snapshot. */
export function whyNoClone(
  { origin }: Saved,
  clone: VolumeSeen,
  snapshot: SnapshotSeen,
): string | undefined {
  const unlike = whyUnlike(origin, clone)
  if (unlike !== undefined) return unlike
  return clone.snapshotId === snapshot.id && snapshot.volumeId === origin.volume.id
    ? undefined
    : `made from snapshot ${clone.snapshotId ?? '(none)'} instead of ${snapshot.id}`
}
