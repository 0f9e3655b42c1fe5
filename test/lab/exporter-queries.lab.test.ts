import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import type { VolumeActivity } from '../../src/activity/types.ts'
import { createHttpClient } from '../../src/http.ts'
import { silentLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { documentedSection } from '../exporter/documented-section.ts'
import { describeLab } from './describe-lab.ts'
import { PROMETHEUS, startPrometheus } from './prometheus-server.ts'
import type { PrometheusServer } from './prometheus-server.ts'
import type { History } from './prometheus.ts'

const POLL = 300
const POLLS = 24
/** Half of the operations are reads; 4 KiB each. */
const COUNTERS: Readonly<Record<string, number>> = {
  couchestor_gnocchi_volume_reads_completed_total: 0.5,
  couchestor_gnocchi_volume_writes_completed_total: 0.5,
  couchestor_gnocchi_volume_read_bytes_total: 2048,
  couchestor_gnocchi_volume_written_bytes_total: 2048,
}
const START = Math.floor(Date.now() / 1000 / 3600) * 3600 - 6 * 3600
const WINDOW = 1800
/** The last poll of a window that ends on a poll. */
const END = START + 20 * POLL

const idOf = (n: number) => `e4907e40-0000-4000-8000-00000000000${n}`
const STEADY = idOf(1)
const LOSSY = idOf(2)
const SHARED = idOf(3)
const REPLACED = idOf(4)

type Disk = {
  readonly volumeId: string
  readonly serverId?: string
  readonly iops: number
  readonly lost?: (poll: number) => boolean
  readonly resetAt?: number
}

const DISKS: readonly Disk[] = [
  { volumeId: STEADY, iops: 40 },
  { volumeId: LOSSY, iops: 40, lost: (poll) => poll === 17 || poll === 18 },
  { volumeId: SHARED, iops: 30, serverId: 'one' },
  { volumeId: SHARED, iops: 12, serverId: 'two' },
  { volumeId: REPLACED, iops: 40, resetAt: 17 },
]

/** What Prometheus has of the exporter: one sample per poll, at the end of its period. */
function historyOf({ volumeId, serverId = 'one', iops, lost, resetAt = 0 }: Disk): History[] {
  const polls = Array.from({ length: POLLS }, (_, poll) => poll).filter((p) => lost?.(p) !== true)
  return Object.entries(COUNTERS).map(([name, share]) => ({
    name,
    labels: { volume_id: volumeId, server_id: serverId, device: 'vdb' },
    samples: polls.map((poll) => ({
      at: START + poll * POLL,
      value: (poll < resetAt ? poll : poll - resetAt) * POLL * iops * share,
    })),
  }))
}

describeLab('the queries that docs/exporter.md gives the controller', () => {
  describe.each(PROMETHEUS)('on Prometheus $version', (programs) => {
    let server: PrometheusServer
    const activity = async (endSeconds: number): Promise<ReadonlyMap<string, VolumeActivity>> => {
      const { queries, scrapeIntervalMs } = documentedSection()
      const source = createPrometheusSource({
        http: createHttpClient(),
        config: {
          endpoint: server.url,
          queryTimeoutMs: 10_000,
          preset: 'custom',
          custom: queries!,
          scrapeIntervalSeconds: scrapeIntervalMs! / 1000,
        },
        clock: systemClock,
        random: Math.random,
        log: silentLog,
      })
      const answer = await source.window({ endSeconds, windowSeconds: WINDOW })
      if (answer.kind === 'Down') throw new Error(answer.why)
      expect(answer.warnings).toEqual([])
      return answer.volumes
    }

    beforeAll(async () => {
      server = await startPrometheus(programs, DISKS.flatMap(historyOf))
    })
    afterAll(() => server.stop())

    it.each([
      ['ends on a poll', END],
      ['ends between two', END + POLL / 2],
    ])('give the whole demand of a window that %s', async (_, end) => {
      const steady = (await activity(end)).get(STEADY)
      expect(steady?.operationsPerSecond).toBeCloseTo(40, 3)
      expect(steady?.bytesPerSecond).toBeCloseTo(40 * 4096, 0)
      expect(steady?.coveragePercent).toBe(100)
    })

    it('count lost polls as not covered, and lose no operation by them', async () => {
      const lossy = (await activity(END + POLL / 2)).get(LOSSY)
      expect(lossy?.coveragePercent).toBeCloseTo((100 * 4) / 6, 3)
      expect(lossy?.operationsPerSecond).toBeCloseTo(40, 3)
    })

    it('add up the servers of a volume', async () => {
      expect((await activity(END)).get(SHARED)?.operationsPerSecond).toBeCloseTo(42, 3)
    })

    it('take a counter that began again for what it is', async () => {
      const again = (await activity(END)).get(REPLACED)?.operationsPerSecond
      // the step in which it began again is lost
      expect(again).toBeGreaterThan(30)
      expect(again).toBeLessThanOrEqual(40)
    })
  })
})
