import type { VolumeAttachment } from './types.ts'

/** A Cinder volume as far as it says where it is attached; `attachedAt` is RFC 3339. */
type Attached = {
  readonly id: string
  readonly attachments: readonly {
    readonly serverId: string
    readonly device: string
    readonly attachedAt?: string
  }[]
}

/** Where a volume is attached, as a source of usage numbers wants it. */
export function attachmentsOf({ id, attachments }: Attached): VolumeAttachment[] {
  return attachments.map(({ serverId, device, attachedAt }) => ({
    volumeId: id,
    serverId,
    device,
    ...(attachedAt === undefined ? {} : { attachedAtSeconds: Date.parse(attachedAt) / 1000 }),
  }))
}
