/** What the kernel counted since the disk appeared: operations after merging, and bytes. */
export type DiskCounters = {
  readonly reads: number
  readonly writes: number
  readonly readBytes: number
  readonly writtenBytes: number
}

/** The unit of /proc/diskstats, whatever the disk's own sector is. */
const SECTOR_BYTES = 512
/** Major, minor, name; the statistics follow. */
const DEVICE = /^\s*\d+\s+\d+\s+(\S+)\s+/
/** A row of a whole disk has at least these; 15 since Linux 4.18, and 17 with flushes. */
const LEAST_STATISTICS = 11

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
    const [start = '', device = ''] = DEVICE.exec(line) ?? []
    if (device === '' || !wanted(device)) continue
    const counters = countersOf(line.slice(start.length))
    rows.set(device, rows.has(device) ? 'Unreadable' : (counters ?? 'Unreadable'))
  }
  return rows
}

function countersOf(statistics: string): DiskCounters | undefined {
  const columns = statistics.split(/\s+/, LEAST_STATISTICS)
  if (columns.length < LEAST_STATISTICS) return undefined
  const [reads, readSectors, writes, writtenSectors] = [0, 2, 4, 6].map((at) => whole(columns[at]))
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
