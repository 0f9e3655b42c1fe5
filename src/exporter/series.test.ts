import { describe, expect, it } from 'vitest'
import type { FleetCounters, VolumeDisk } from './fleet-counters.ts'
import { renderScrape } from './series.ts'
import type { Scrape } from './series.ts'

const NOW = 1_800_000_700
const ID = '0b0fd3a3-5b0c-4d80-8a3e-1e0f6a5f4c11'
const SERVER = '5f4c1100-0000-4000-8000-000000000001'

const disk = (device: string, atSeconds: number): VolumeDisk => ({
  volumeId: ID,
  serverId: SERVER,
  device,
  point: { readRequests: 10, writeRequests: 20, readBytes: 4096, writeBytes: 8192, atSeconds },
})

const fleet: FleetCounters = {
  disks: [disk('vdb', NOW - 100), disk('vdc', NOW - 400)],
  skipped: new Map([
    ['7d1f0000-0000-4000-8000-000000000002', 'stale'],
    ['7d1f0000-0000-4000-8000-000000000003', 'no_resource'],
  ]),
  measured: 1,
  detached: 3,
  unmappedDisks: 2,
}

function page(over: Partial<Scrape> = {}): string {
  return renderScrape({
    fleet,
    nowSeconds: NOW,
    readAgeSeconds: 0.5,
    readDurationSeconds: 0.25,
    failures: 0,
    newestSeconds: NOW - 100,
    ...over,
  })
}

describe('a scrape', () => {
  it('shows each counter of each disk, at the time at which it stood so', () => {
    const labels = `{volume_id="${ID}",server_id="${SERVER}",device="vdb"}`
    const at = (NOW - 100) * 1000
    const lines = page().split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        `couchestor_gnocchi_volume_reads_completed_total${labels} 10 ${at}`,
        `couchestor_gnocchi_volume_writes_completed_total${labels} 20 ${at}`,
        `couchestor_gnocchi_volume_read_bytes_total${labels} 4096 ${at}`,
        `couchestor_gnocchi_volume_written_bytes_total${labels} 8192 ${at}`,
      ]),
    )
    expect(lines.filter((l) => l.includes('device="vdc"'))).toHaveLength(4)
  })

  it.each([
    'couchestor_exporter_up 1',
    'couchestor_exporter_volumes{state="measured"} 1',
    'couchestor_exporter_volumes{state="detached"} 3',
    'couchestor_exporter_volumes{state="stale"} 1',
    'couchestor_exporter_volumes{state="young"} 0',
    'couchestor_exporter_volume_skipped_info{volume_id="7d1f0000-0000-4000-8000-000000000003",reason="no_resource"} 1',
    'couchestor_exporter_unmapped_disks 2',
    'couchestor_exporter_newest_measure_age_seconds 100',
    'couchestor_exporter_oldest_measure_age_seconds 400',
    'couchestor_exporter_read_age_seconds 0.5',
    'couchestor_exporter_read_duration_seconds 0.25',
  ])('has %s', (line) => expect(page().split('\n')).toContain(line))

  it('invents nothing when nothing could be read', () => {
    const down = page({ fleet: undefined, failures: 7 })
    const samples = down.split('\n').filter((l) => l !== '' && !l.startsWith('#'))
    expect(samples).toEqual([
      'couchestor_exporter_newest_measure_age_seconds 100',
      'couchestor_exporter_up 0',
      'couchestor_exporter_read_age_seconds 0.5',
      'couchestor_exporter_read_duration_seconds 0.25',
      'couchestor_exporter_read_failures_total 7',
    ])
  })

  it('reports no age of measures where there are none', () =>
    expect(page({ fleet: { ...fleet, disks: [] }, newestSeconds: undefined })).not.toContain(
      'measure_age',
    ))

  it('shares no name with what the agent counts, since both may be scraped', () =>
    expect(page()).not.toMatch(/^couchestor_volume_/m))
})
