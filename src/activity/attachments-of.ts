import type { CinderVolume } from '../openstack/types.ts'
import type { VolumeAttachment } from './types.ts'

/** Where a volume is attached, as a source of usage numbers wants it. */
export function attachmentsOf(volume: CinderVolume): VolumeAttachment[] {
  return volume.attachments.map(({ serverId, device, attachedAt }) => ({
    volumeId: volume.id,
    serverId,
    device,
    ...(attachedAt === undefined ? {} : { attachedAtSeconds: Date.parse(attachedAt) / 1000 }),
  }))
}
