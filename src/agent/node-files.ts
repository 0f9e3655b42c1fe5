/** The node's /proc and /sys, read only. Every call may throw what the kernel answers (`code` ENOENT, EIO, …). */
export type NodeFiles = {
  text(path: string): string
  bytes(path: string): Uint8Array
  list(path: string): readonly string[]
}

/** What the kernel answers for an attribute that this device does not have. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EINVAL', 'ENODATA', 'EOPNOTSUPP'])

/** The value of `read`, or undefined where the kernel has no such attribute; any other error is thrown. */
export function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (e) {
    if (ABSENT.has(codeOf(e))) return undefined
    throw e
  }
}

function codeOf(e: unknown): string {
  return e instanceof Error && 'code' in e ? String(e.code) : ''
}
