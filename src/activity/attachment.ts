import type { VolumeAttachment } from './types.ts'

/** An attachment as Cinder's volume shows it, as the sources want it. */
export function attachmentOf(
  volumeId: string,
  at: { readonly serverId: string; readonly device: string; readonly attachedAt?: string },
): VolumeAttachment {
  const { serverId, device, attachedAt } = at
  if (attachedAt === undefined) return { volumeId, serverId, device }
  return { volumeId, serverId, device, attachedAtSeconds: Date.parse(attachedAt) / 1000 }
}
