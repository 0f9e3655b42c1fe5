import { renderFamilies, renderLabels } from '../exposition.ts'
import type { Family, Sample } from '../exposition.ts'
import type { DiskCounters } from './disk-counters.ts'
import { SKIP_REASONS } from './snapshot.ts'
import type { CountedDisk, SkipReason, SkippedDisk, Snapshot } from './snapshot.ts'

export type Scrape = {
  readonly node: string
  /** Undefined when /proc/diskstats or /sys/block could not be read. */
  readonly snapshot: Snapshot | undefined
  readonly durationSeconds: number
  readonly failures: number
  readonly process: ProcessFigures
}

/** What the agent itself takes. */
export type ProcessFigures = {
  readonly residentBytes: number
  readonly cpuSeconds: number
  readonly startSeconds: number
}

const VOLUME_FAMILIES = {
  reads: ['couchestor_volume_reads_completed_total', 'Reads of the volume that the node completed'],
  writes: [
    'couchestor_volume_writes_completed_total',
    'Writes of the volume that the node completed',
  ],
  readBytes: ['couchestor_volume_read_bytes_total', 'Bytes that the node read from the volume'],
  writtenBytes: [
    'couchestor_volume_written_bytes_total',
    'Bytes that the node wrote to the volume',
  ],
} as const satisfies Record<keyof DiskCounters, readonly [string, string]>

/** Labels as written before, by device: they change only with the volume. The caller keeps it from scrape to scrape. */
export type WrittenLabels = Map<string, { readonly volumeId: string; readonly labels: string }>

/** One scrape in Prometheus' text format. */
export function renderScrape(scrape: Scrape, written: WrittenLabels = new Map()): string {
  const { node, snapshot } = scrape
  const families = [
    ...(snapshot === undefined
      ? []
      : [...volumeFamilies(node, snapshot.counted, written), ...diskFamilies(node, snapshot)]),
    ...healthFamilies(scrape),
    ...processFamilies(scrape.process),
  ]
  return renderFamilies(families)
}

function volumeFamilies(
  node: string,
  counted: readonly CountedDisk[],
  written: WrittenLabels,
): Family[] {
  // devices that are gone
  if (written.size > 2 * counted.length) written.clear()
  const labelled = counted.map((disk) => [labelsOf(node, disk, written), disk.counters] as const)
  return keysOf(VOLUME_FAMILIES).map((key) => ({
    name: VOLUME_FAMILIES[key][0],
    type: 'counter',
    help: `${VOLUME_FAMILIES[key][1]} since the disk was attached.`,
    samples: labelled.map(([labels, counters]) => [labels, counters[key]] as const),
  }))
}

function labelsOf(node: string, { device, volumeId }: CountedDisk, written: WrittenLabels): string {
  const before = written.get(device)
  if (before?.volumeId === volumeId) return before.labels
  const labels = renderLabels({ volume_id: volumeId, node, device })
  written.set(device, { volumeId, labels })
  return labels
}

function diskFamilies(node: string, { counted, skipped, hangingReads }: Snapshot): Family[] {
  const states: [string, number][] = [
    ['counted', counted.length],
    ...keysOf(SKIP_REASONS).map((r): [string, number] => [r, numberOf(skipped, r)]),
  ]
  return [
    {
      name: 'couchestor_agent_disks',
      type: 'gauge',
      help: 'Whole disks of the node by state: counted, or the reason why not.',
      samples: states.map(([state, n]) => [renderLabels({ node, state }), n]),
    },
    {
      name: 'couchestor_agent_disk_skipped_info',
      type: 'gauge',
      help: 'Always 1, for each disk without counters of a volume, with the reason.',
      samples: skipped.map(({ device, reason }) => [renderLabels({ node, device, reason }), 1]),
    },
    {
      name: 'couchestor_agent_hanging_reads',
      type: 'gauge',
      help: 'Reads of device attributes that were begun and have not returned.',
      samples: [[renderLabels({ node }), hangingReads]],
    },
  ]
}

function numberOf(skipped: readonly SkippedDisk[], reason: SkipReason): number {
  return skipped.filter((d) => d.reason === reason).length
}

function healthFamilies({ node, snapshot, durationSeconds, failures }: Scrape): Family[] {
  const one = (value: number): Sample[] => [[renderLabels({ node }), value]]
  return [
    {
      name: 'couchestor_agent_scrape_success',
      type: 'gauge',
      help: '1 when /proc/diskstats and /sys/block could be read for this scrape, else 0.',
      samples: one(snapshot === undefined ? 0 : 1),
    },
    {
      name: 'couchestor_agent_scrape_failures_total',
      type: 'counter',
      help: 'Scrapes for which /proc/diskstats or /sys/block could not be read.',
      samples: one(failures),
    },
    {
      name: 'couchestor_agent_scrape_duration_seconds',
      type: 'gauge',
      help: 'Time that reading the disks for this scrape took.',
      samples: one(durationSeconds),
    },
  ]
}

function processFamilies(p: ProcessFigures): Family[] {
  const family = (name: string, type: Family['type'], help: string, value: number): Family => ({
    name,
    type,
    help,
    samples: [['', value]],
  })
  return [
    family(
      'process_resident_memory_bytes',
      'gauge',
      'Resident memory of the agent.',
      p.residentBytes,
    ),
    family('process_cpu_seconds_total', 'counter', 'CPU time of the agent.', p.cpuSeconds),
    family(
      'process_start_time_seconds',
      'gauge',
      'Start of the agent in Unix time.',
      p.startSeconds,
    ),
  ]
}

function keysOf<T extends object>(object: T): (keyof T & string)[] {
  return Object.keys(object) as (keyof T & string)[]
}
