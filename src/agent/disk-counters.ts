/** What the kernel counted since the disk appeared: operations after merging, and bytes. */
export type DiskCounters = {
  readonly reads: number
  readonly writes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** The unit of /proc/diskstats, whatever the disk's own sector is. */
const SECTOR_BYTES = 512
/** Major, minor and name stand before the statistics, of which every kernel since 2.6 has at least 11. */
const NAME_AT = 2
const LEAST_COLUMNS = 3 + 11

/**
 * The rows of /proc/diskstats by device name, of `wanted` devices only. `Unreadable` marks a row that cannot be
 * understood, or a name that stands twice, which happens while a disk is being replaced.
 */
export function parseDiskstats(
  text: string,
  wanted: (device: string) => boolean,
): Map<string, DiskCounters | 'Unreadable'> {
  const rows = new Map<string, DiskCounters | 'Unreadable'>()
  for (const line of text.split('\n')) {
    const columns = line.trim().split(/\s+/)
    const device = columns[NAME_AT]
    if (device === undefined || !wanted(device)) continue
    rows.set(device, rows.has(device) ? 'Unreadable' : (countersOf(columns) ?? 'Unreadable'))
  }
  return rows
}

function countersOf(columns: readonly string[]): DiskCounters | undefined {
  if (columns.length < LEAST_COLUMNS) return undefined
  const [reads, readSectors, writes, writtenSectors] = [3, 5, 7, 9].map((at) => whole(columns[at]))
  if (reads === undefined || readSectors === undefined) return undefined
  if (writes === undefined || writtenSectors === undefined) return undefined
  return {
    reads,
    writes,
    readBytes: readSectors * SECTOR_BYTES,
    writtenBytes: writtenSectors * SECTOR_BYTES,
  }
}

function whole(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}
