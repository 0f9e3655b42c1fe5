/** What the kernel counted since the disk appeared: operations after merging, and bytes. */
export type DiskCounters = {
  readonly reads: number
  readonly writes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** The unit of /proc/diskstats, whatever the disk's own sector is. */
const SECTOR_BYTES = 512
/**
 * Major, minor, name; then reads, merged, sectors, time, and the same of writes, and at least three more: a row of a
 * whole disk has 11 statistics, 15 since Linux 4.18, and 17 with flushes. One expression for the whole file, since this
 * runs where nothing is compiled: matching is native code, taking lines apart is not.
 */
const ROW =
  /^[ \t]*\d+[ \t]+\d+[ \t]+(\S+)(?:[ \t]+(\d+)[ \t]+\S+[ \t]+(\d+)[ \t]+\S+[ \t]+(\d+)[ \t]+\S+[ \t]+(\d+)(?:[ \t]+\S+){4})?/gm

/**
 * The rows of /proc/diskstats by device name, of `wanted` devices only. `Unreadable` marks a row that cannot be
 * understood, or a name that stands twice, which happens while a disk is being replaced.
 */
export function parseDiskstats(
  text: string,
  wanted: (device: string) => boolean,
): Map<string, DiskCounters | 'Unreadable'> {
  const rows = new Map<string, DiskCounters | 'Unreadable'>()
  for (const row of text.matchAll(ROW)) {
    const device = row[1]!
    if (!wanted(device)) continue
    rows.set(device, rows.has(device) ? 'Unreadable' : countersOf(row))
  }
  return rows
}

function countersOf(row: RegExpExecArray): DiskCounters | 'Unreadable' {
  if (row[2] === undefined) return 'Unreadable'
  return {
    reads: Number(row[2]),
    writes: Number(row[4]),
    readBytes: Number(row[3]) * SECTOR_BYTES,
    writtenBytes: Number(row[5]) * SECTOR_BYTES,
  }
}
