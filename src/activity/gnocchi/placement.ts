import type { VolumeAttachment } from '../types.ts'
import { diskKey, diskOfAttachment } from './disk.ts'
import type { DiskId } from './disk.ts'

export type Placed = {
  /** `diskKey` of the disk. */
  readonly key: string
  readonly attachment: VolumeAttachment
  readonly disk: DiskId
}

export type Placement = {
  readonly placed: readonly Placed[]
  /** Volumes of which Cinder names no server and device for an attachment. */
  readonly unplaced: ReadonlySet<string>
  /** Volumes that claim the same device of the same server: its numbers could be either's. */
  readonly ambiguous: ReadonlySet<string>
}

/** The disk of each attachment. */
export function place(attachments: Iterable<VolumeAttachment>): Placement {
  const placed: Placed[] = []
  const unplaced = new Set<string>()
  const owner = new Map<string, string>()
  const ambiguous = new Set<string>()
  for (const attachment of attachments) {
    const { volumeId } = attachment
    const disk = diskOfAttachment(attachment)
    if (disk === undefined) {
      unplaced.add(volumeId)
      continue
    }
    const key = diskKey(disk)
    const other = owner.get(key)
    if (other !== undefined && other !== volumeId) ambiguous.add(other).add(volumeId)
    owner.set(key, volumeId)
    placed.push({ key, attachment, disk })
  }
  return { placed, unplaced, ambiguous }
}

/** Each disk once, as Gnocchi wants to be asked. */
export function distinctDisks(placed: readonly Placed[]): DiskId[] {
  return [...new Map(placed.map((p) => [p.key, p.disk])).values()]
}
