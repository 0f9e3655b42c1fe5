import type { DiskCounters } from './disk-counters.ts'
import { parseDiskstats } from './disk-counters.ts'
import type { Disk, DiskList } from './disk-list.ts'
import type { NodeFiles } from './node-files.ts'
import { isWhole } from './serial-text.ts'
import { pathOf, sameDisk } from './paths.ts'

/** Why a disk has no counters of a volume. */
export const SKIP_REASONS = {
  no_serial: 'has no serial number, as a root disk made from an image does',
  foreign_serial: 'has a serial number that is no Cinder volume id',
  shared_serial: 'shares its serial number with another disk that is no path to the same volume',
  accounting_off: 'has queue/iostats at 0, so the kernel does not count its I/O',
  other_path: 'is a path of a volume of which another path cannot be counted',
  replaced: 'was replaced by another disk while it was read; the next scrape has it',
  no_answer:
    'has not answered yet: a read of its serial number or accounting hangs, or waits behind one',
  unreadable: 'answers with an error, or its row in diskstats cannot be understood',
} as const
export type SkipReason = keyof typeof SKIP_REASONS

export type CountedDisk = {
  readonly device: string
  /** 36 characters, or the 20 that the disk reports. */
  readonly volumeId: string
  readonly counters: DiskCounters
}
export type SkippedDisk = { readonly device: string; readonly reason: SkipReason }

/** All disks of one moment. */
export type Snapshot = {
  readonly counted: readonly CountedDisk[]
  readonly skipped: readonly SkippedDisk[]
  /** Reads of device attributes that have not returned, of this scrape and earlier ones. */
  readonly hangingReads: number
}

/**
 * Counts each volume at the bottom disks that bear its id: partitions are in their disk's row already, and whatever is
 * stacked above (multipath, LVM, encryption) would count the same I/O again. Identities are read before the counters
 * and checked after them, so that a row is never taken for the disk that had its name before. A volume of which one
 * path cannot be counted is left out: half of its I/O would look like little use. Rejects when /sys/block or
 * /proc/diskstats cannot be read.
 */
export async function takeSnapshot(
  files: NodeFiles,
  proc: string,
  list: DiskList,
): Promise<Snapshot> {
  const disks = await list.read()
  const devices = new Set(disks.map((d) => d.device))
  const rows = parseDiskstats(files.text(`${proc}/diskstats`), (d) => devices.has(d))
  const present = withoutHeads(disks.filter((d) => rows.has(d.device)))
  const replaced = await list.replaced(present.filter((d) => d.identity.kind === 'Volume'))
  const reasons = new Map(
    present.map((d) => [d, ownReason(d, rows.get(d.device), replaced.has(d.name))]),
  )
  for (const group of groups(present)) judgeGroup(group, reasons)
  return { ...split(present, rows, reasons), hangingReads: list.hanging }
}

/** The head of a native NVMe multipath device is the sum of its paths (and stays at 0 before Linux 6.4). */
function withoutHeads(disks: readonly Disk[]): readonly Disk[] {
  const heads = new Set(disks.map((d) => pathOf(d.name)))
  return disks.filter((d) => !heads.has(d.name))
}

function ownReason(
  disk: Disk,
  row: DiskCounters | 'Unreadable' | undefined,
  replaced: boolean,
): SkipReason | undefined {
  if (!disk.answered) return 'no_answer'
  switch (disk.identity.kind) {
    case 'NoSerial':
      return 'no_serial'
    case 'ForeignSerial':
      return 'foreign_serial'
    case 'Unreadable':
      return 'unreadable'
    case 'Volume':
  }
  if (replaced) return 'replaced'
  if (row === 'Unreadable') return 'unreadable'
  return disk.accounting ? undefined : 'accounting_off'
}

/** Disks that report the same volume, wherever there are several. */
function groups(disks: readonly Disk[]): Disk[][] {
  const byId = Map.groupBy(disks, volumeIdOf)
  byId.delete('')
  return [...byId.values()].filter((group) => group.length > 1)
}

function volumeIdOf({ identity }: Disk): string {
  return identity.kind === 'Volume' ? identity.id : ''
}

function judgeGroup(group: readonly Disk[], reasons: Map<Disk, SkipReason | undefined>): void {
  const shared = !sameDisk(group, isWhole(volumeIdOf(group[0]!)))
  const partial = group.some((d) => reasons.get(d) !== undefined)
  for (const disk of group) {
    const reason = reasons.get(disk)
    if (shared) reasons.set(disk, reason ?? 'shared_serial')
    else if (partial) reasons.set(disk, reason ?? 'other_path')
  }
}

function split(
  disks: readonly Disk[],
  rows: ReadonlyMap<string, DiskCounters | 'Unreadable'>,
  reasons: ReadonlyMap<Disk, SkipReason | undefined>,
): Pick<Snapshot, 'counted' | 'skipped'> {
  const counted: CountedDisk[] = []
  const skipped: SkippedDisk[] = []
  for (const disk of disks) {
    const { device } = disk
    const counters = rows.get(device)
    const reason = reasons.get(disk)
    if (reason !== undefined || counters === undefined || counters === 'Unreadable')
      skipped.push({ device, reason: reason ?? 'unreadable' })
    else counted.push({ device, volumeId: volumeIdOf(disk), counters })
  }
  return { counted, skipped }
}
