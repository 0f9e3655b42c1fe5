import { RATE } from '../promql.ts'
import { CLUSTER } from '../variables.ts'

/** What a disk counts. */
export type Counter = 'reads' | 'writes' | 'readBytes' | 'writtenBytes' | 'readTime' | 'writeTime'

/** The names of the counters of one kind of exporter, and how a series is found to be the volume's. */
type Exporter = {
  readonly name: string
  readonly counters: Readonly<Partial<Record<Counter, string>>>
  /** Labels that distinguish two disks, regardless of the scraper. */
  readonly disk: string
  /** The series with the volume's id; undefined when the counters bear it themselves. */
  readonly info?: string
  /** Window that holds two samples where they come at longer intervals than scrapes. */
  readonly least?: string
}

/** Volumes by their id, or the 20 characters to which some disks cut it. An empty choice finds nothing. */
const idIn = (label: string) => `${CLUSTER}, ${label}!="", ${label}=~"$volume_id|$serial"`

/** In the order of preference, as the presets of the same names. */
export const EXPORTERS: readonly Exporter[] = [
  {
    name: 'agent',
    counters: {
      reads: 'couchestor_volume_reads_completed_total',
      writes: 'couchestor_volume_writes_completed_total',
      readBytes: 'couchestor_volume_read_bytes_total',
      writtenBytes: 'couchestor_volume_written_bytes_total',
    },
    disk: 'volume_id, node, device',
  },
  {
    name: 'libvirt',
    counters: {
      reads: 'libvirt_domain_block_stats_read_requests_total',
      writes: 'libvirt_domain_block_stats_write_requests_total',
      readBytes: 'libvirt_domain_block_stats_read_bytes_total',
      writtenBytes: 'libvirt_domain_block_stats_write_bytes_total',
      readTime: 'libvirt_domain_block_stats_read_time_seconds_total',
      writeTime: 'libvirt_domain_block_stats_write_time_seconds_total',
    },
    disk: 'instance, domain, target_device',
    info: 'libvirt_domain_block_stats_info',
  },
  {
    name: 'node_exporter',
    counters: {
      reads: 'node_disk_reads_completed_total',
      writes: 'node_disk_writes_completed_total',
      readBytes: 'node_disk_read_bytes_total',
      writtenBytes: 'node_disk_written_bytes_total',
      readTime: 'node_disk_read_time_seconds_total',
      writeTime: 'node_disk_write_time_seconds_total',
    },
    disk: 'instance, device',
    info: 'node_disk_info',
  },
  {
    name: 'Gnocchi',
    counters: {
      reads: 'couchestor_gnocchi_volume_reads_completed_total',
      writes: 'couchestor_gnocchi_volume_writes_completed_total',
      readBytes: 'couchestor_gnocchi_volume_read_bytes_total',
      writtenBytes: 'couchestor_gnocchi_volume_written_bytes_total',
    },
    disk: 'volume_id, server_id, device',
    least: '15m',
  },
]

/**
 * The rate of the volume's counter over `window`, from the first exporter that has it. Several copies of a series
 * (two Prometheus servers, say) count once; several disks (paths, nodes) add up.
 */
export function volumeRate(counter: Counter, window: string): string {
  return EXPORTERS.flatMap((exporter) => rateFrom(exporter, counter, window) ?? []).join('\n  or\n')
}

/**
 * The growth of one counter by that of another, from the first exporter that has both: of two exporters each would count
 * at its own moments. Nothing, not infinity, while nothing happens.
 */
export function volumeRatio(counter: Counter, by: Counter, window: string): string {
  return EXPORTERS.flatMap((exporter) => {
    const above = rateFrom(exporter, counter, window)
    const below = rateFrom(exporter, by, window)
    return above === undefined || below === undefined ? [] : `${above} / (${below} > 0)`
  }).join('\n  or\n')
}

function rateFrom(exporter: Exporter, counter: Counter, asked: string): string | undefined {
  const { counters, disk, info, least } = exporter
  const window = asked === RATE ? (least ?? asked) : asked
  const name = counters[counter]
  if (name === undefined) return undefined
  if (info === undefined)
    return `sum(max by (${disk}) (rate(${name}{${idIn('volume_id')}}[${window}])))`
  return `sum(max by (${disk}) (rate(${name}{${CLUSTER}}[${window}])) * on (${disk}) max by (${disk}) (${info}{${idIn('serial')}}))`
}

/** One series per disk of the volume that the exporter shows now. */
export function disksOf({ counters, disk, info }: Exporter): string {
  return info === undefined
    ? `max by (${disk}) (${counters.reads}{${idIn('volume_id')}} >= bool 0)`
    : `max by (${disk}, serial) (${info}{${idIn('serial')}})`
}
