/** A disk as Gnocchi knows it: the server's id and the device's name without its directory, such as `vdb`. */
export type DiskId = { readonly serverId: string; readonly device: string }

/** The id that Ceilometer gives the resource: `<server id>-<device>`. Also the key of a disk in maps. */
export function diskKey({ serverId, device }: DiskId): string {
  return `${serverId}-${device}`
}

const KEY = /^([0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})-(.+)$/

/** The disk a resource id stands for; undefined when it is none of Ceilometer's. */
export function diskOf(originalResourceId: string): DiskId | undefined {
  const match = KEY.exec(originalResourceId)
  return match === null ? undefined : { serverId: match[1]!, device: match[2]! }
}

/**
 * The disk that a Cinder attachment is, `device` being its mountpoint (`/dev/vdb`). Undefined when the attachment
 * names no device, or something else than a server: Gnocchi breaks off the connection at ids it cannot read.
 */
export function diskOfAttachment(attachment: DiskId): DiskId | undefined {
  return diskOf(`${attachment.serverId.toLowerCase()}-${attachment.device.replace(/^.*\//, '')}`)
}
