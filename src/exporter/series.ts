import type { DiskQuantity } from '../activity/gnocchi/metric-names.ts'
import { renderFamilies, renderLabels } from '../exposition.ts'
import type { Family, Sample } from '../exposition.ts'
import { SKIP_REASONS } from './fleet-counters.ts'
import type { FleetCounters, SkipReason, VolumeDisk } from './fleet-counters.ts'

export type Scrape = {
  /** Undefined when Cinder or Gnocchi could not be read in time: then nothing is reported about volumes. */
  readonly fleet: FleetCounters | undefined
  /** Seconds since the epoch. */
  readonly nowSeconds: number
  /** How long ago the fleet was read. */
  readonly readAgeSeconds: number
  readonly readDurationSeconds: number
  readonly failures: number
  /** Time of the newest counter since the start, whether it is still shown or not. */
  readonly newestSeconds: number | undefined
}

/** Other names than the agent's: where both are scraped, a sum over one name would count twice. */
const COUNTERS = {
  readRequests: ['couchestor_gnocchi_volume_reads_completed_total', 'Reads of the volume'],
  writeRequests: ['couchestor_gnocchi_volume_writes_completed_total', 'Writes of the volume'],
  readBytes: ['couchestor_gnocchi_volume_read_bytes_total', 'Bytes read from the volume'],
  writeBytes: ['couchestor_gnocchi_volume_written_bytes_total', 'Bytes written to the volume'],
} as const satisfies Record<DiskQuantity, readonly [string, string]>

const QUANTITIES = Object.keys(COUNTERS) as readonly DiskQuantity[]

/** One scrape in Prometheus' text format. Counters bear the time at which they stood so; all else is of now. */
export function renderScrape(scrape: Scrape): string {
  const { fleet, nowSeconds } = scrape
  const reported = fleet === undefined ? [] : [...counters(fleet), ...states(fleet, nowSeconds)]
  return renderFamilies([...reported, ...health(scrape)])
}

function counters({ disks }: FleetCounters): Family[] {
  const labelled = disks.map((disk) => [labelsOf(disk), disk.point] as const)
  return QUANTITIES.map((quantity) => ({
    name: COUNTERS[quantity][0],
    type: 'counter',
    help: `${COUNTERS[quantity][1]} since the disk was attached, as Gnocchi has them, at the time of their measure.`,
    samples: labelled.map(([labels, p]) => [labels, p[quantity], p.atSeconds * 1000]),
  }))
}

function labelsOf({ volumeId, serverId, device }: VolumeDisk): string {
  return renderLabels({ volume_id: volumeId, server_id: serverId, device })
}

function states(fleet: FleetCounters, nowSeconds: number): Family[] {
  const reasons = Object.keys(SKIP_REASONS) as SkipReason[]
  const skipped = Map.groupBy(fleet.skipped.values(), (reason) => reason)
  const volumes: [string, number][] = [
    ['measured', fleet.measured],
    ['detached', fleet.detached],
    ...reasons.map((r): [string, number] => [r, skipped.get(r)?.length ?? 0]),
  ]
  const ages = fleet.disks.map((d) => nowSeconds - d.point.atSeconds)
  return [
    gauge(
      'couchestor_exporter_volumes',
      'Volumes of the project by state: measured, detached, or the reason why an attached one has no counters.',
      volumes.map(([state, n]) => [renderLabels({ state }), n]),
    ),
    gauge(
      'couchestor_exporter_volume_skipped_info',
      'Always 1, for each attached volume without counters, with the reason.',
      [...fleet.skipped].map(([volumeId, reason]) => [
        renderLabels({ volume_id: volumeId, reason }),
        1,
      ]),
    ),
    gauge(
      'couchestor_exporter_unmapped_disks',
      'Disks in Gnocchi that are no attached volume of the project, such as root disks and detached ones.',
      [['', fleet.unmappedDisks]],
    ),
    gauge(
      'couchestor_exporter_oldest_measure_age_seconds',
      'Age of the oldest counter of this scrape.',
      ages.length === 0 ? [] : [['', ages.reduce((a, b) => Math.max(a, b))]],
    ),
  ]
}

function health(scrape: Scrape): Family[] {
  const { fleet, failures, readDurationSeconds, readAgeSeconds, newestSeconds } = scrape
  const age = newestSeconds === undefined ? [] : [scrape.nowSeconds - newestSeconds]
  return [
    gauge(
      'couchestor_exporter_newest_measure_age_seconds',
      'Age of the newest counter that was shown since the start; it grows while Gnocchi gets no measures.',
      age.map((seconds) => ['', seconds]),
    ),
    gauge(
      'couchestor_exporter_up',
      '1 when what Cinder and Gnocchi have answered is shown, 0 when reading them failed or takes too long.',
      [['', fleet === undefined ? 0 : 1]],
    ),
    gauge('couchestor_exporter_read_age_seconds', 'How long before this scrape they were read.', [
      ['', readAgeSeconds],
    ]),
    gauge(
      'couchestor_exporter_read_duration_seconds',
      'Time that the last reading of Cinder and Gnocchi took.',
      [['', readDurationSeconds]],
    ),
    {
      name: 'couchestor_exporter_read_failures_total',
      type: 'counter',
      help: 'Readings of Cinder and Gnocchi that failed.',
      samples: [['', failures]],
    },
  ]
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}
