/**
 * The node's /proc and /sys, read only. Every call may fail with what the kernel answers (`code` ENOENT, EIO, …).
 * What `text` and `list` read is the kernel's own memory, which no device holds up. An attribute of a device may ask
 * the device, or wait for a lock behind it, and then answers late or never.
 */
export type NodeFiles = {
  text(path: string): string
  list(path: string): readonly string[]
  attribute(path: string): Promise<Uint8Array>
}

/** What the kernel answers for an attribute that this device does not have. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'ENODATA', 'EOPNOTSUPP'])

/** The attribute, or undefined where the kernel has no such attribute; any other error is thrown. */
export async function attributeIfPresent(
  files: NodeFiles,
  path: string,
): Promise<Uint8Array | undefined> {
  try {
    return await files.attribute(path)
  } catch (e) {
    if (ABSENT.has(codeOf(e))) return undefined
    throw e
  }
}

/** The same as text; undefined also for any error. */
export async function textIfReadable(files: NodeFiles, path: string): Promise<string | undefined> {
  try {
    return textOf(await files.attribute(path))
  } catch {
    return undefined
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

function codeOf(e: unknown): string {
  return e instanceof Error && 'code' in e ? String(e.code) : ''
}
