import type { VolumeAttachment } from '../types.ts'
import { diskKey, diskOfAttachment } from './disk.ts'
import type { DiskId } from './disk.ts'

export type Placed = {
  /** `diskKey` of the disk. */
  readonly key: string
  readonly disk: DiskId
  readonly volumeId: string
  readonly attachedAtSeconds: number
}

export type Placement = {
  readonly placed: readonly Placed[]
  /** Volumes of which Cinder does not name server, device and time of an attachment. */
  readonly unplaced: ReadonlySet<string>
  /** Volumes that claim the same device of the same server: its numbers could be either's. */
  readonly ambiguous: ReadonlySet<string>
}

/** The disk of each attachment, once for each volume, since the latest attachment of it there. */
export function place(attachments: Iterable<VolumeAttachment>): Placement {
  const placed = new Map<string, Placed>()
  const unplaced = new Set<string>()
  const owner = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const attachment of attachments) {
    const { volumeId, attachedAtSeconds } = attachment
    const disk = diskOfAttachment(attachment)
    // without a time all numbers of the device could be those of the volume that had its name before
    if (disk === undefined || attachedAtSeconds === undefined) {
      unplaced.add(volumeId)
      continue
    }
    const key = diskKey(disk)
    const other = owner.get(key)
    if (other !== undefined && other !== volumeId) ambiguous.add(other).add(volumeId)
    owner.set(key, volumeId)
    const mine = `${key} ${volumeId}`
    const since = Math.max(placed.get(mine)?.attachedAtSeconds ?? 0, attachedAtSeconds)
    placed.set(mine, { key, disk, volumeId, attachedAtSeconds: since })
  }
  return { placed: [...placed.values()], unplaced, ambiguous }
}

/** Each disk once, as Gnocchi wants to be asked. */
export function distinctDisks(placed: readonly Placed[]): DiskId[] {
  return [...new Map(placed.map((p) => [p.key, p.disk])).values()]
}
