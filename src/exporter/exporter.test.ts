import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createLog } from '../log.ts'
import { createExporter } from './exporter.ts'
import type { FleetCounters } from './fleet-counters.ts'

const fleet = (detached: number): FleetCounters => ({
  disks: [],
  skipped: new Map(),
  measured: 0,
  detached,
  unmappedDisks: 0,
})

/** An exporter whose readings the test ends itself. */
function setUp() {
  const clock = createVirtualClock(1_800_000_000_000)
  const lines: { level: string; error?: string; msg: string }[] = []
  const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line) as never) })
  const readings: {
    resolve: (f: FleetCounters) => void
    reject: (e: Error) => void
    signal: AbortSignal
  }[] = []
  const stop = new AbortController()
  const exporter = createExporter({
    read: (signal) =>
      new Promise((resolve, reject) => void readings.push({ resolve, reject, signal })),
    periodSeconds: 300,
    clock,
    log,
    signal: stop.signal,
  })
  return { exporter, clock, readings, lines, stop }
}

const up = (page: string) => /^couchestor_exporter_up (\d)$/m.exec(page)?.[1]
const detached = (page: string) => /state="detached"} (\d+)$/m.exec(page)?.[1]

describe('a scrape', () => {
  it('reads when it is asked, and two at once share one reading', async () => {
    const { exporter, readings } = setUp()
    const both = [exporter.scrape(9500), exporter.scrape(9500)]
    expect(readings).toHaveLength(1)
    readings[0]!.resolve(fleet(4))
    expect((await Promise.all(both)).map(detached)).toEqual(['4', '4'])
  })

  it.each([
    ['is read again after a tenth of the period', 30_000, 2],
    ['serves a pair of Prometheus servers that ask in turn', 29_999, 1],
  ])('%s', async (_, later, expected) => {
    const { exporter, readings, clock } = setUp()
    const first = exporter.scrape(9500)
    readings[0]!.resolve(fleet(1))
    await first
    await clock.advance(later)
    void exporter.scrape(9500)
    expect(readings).toHaveLength(expected)
  })

  it('answers in time when Gnocchi does not, and the next one has what came late', async () => {
    const { exporter, readings, clock } = setUp()
    const first = exporter.scrape(9500)
    await clock.advance(9500)
    expect(up(await first)).toBe('0')
    await clock.advance(2000)
    readings[0]!.resolve(fleet(5))
    await clock.advance(0)
    const second = await exporter.scrape(9500)
    expect([up(second), detached(second)]).toEqual(['1', '5'])
    expect(second).toContain('couchestor_exporter_read_age_seconds 11.5\n')
    expect(second).toContain('couchestor_exporter_read_duration_seconds 11.5\n')
    expect(readings).toHaveLength(1)
  })

  it.each([
    ['shows the reading before while the next one takes too long', 60_000, '1'],
    ['shows nothing then when that is older than a period', 300_000, '0'],
  ])('%s', async (_, later, expected) => {
    const { exporter, readings, clock } = setUp()
    const first = exporter.scrape(9500)
    readings[0]!.resolve(fleet(3))
    await first
    await clock.advance(later)
    const second = exporter.scrape(9500)
    await clock.advance(9500)
    expect(up(await second)).toBe(expected)
    expect(readings).toHaveLength(2)
  })

  it('ends a reading that takes a minute', async () => {
    const { exporter, readings, clock } = setUp()
    void exporter.scrape(9500)
    await clock.advance(59_999)
    expect(readings[0]!.signal.aborted).toBe(false)
    await clock.advance(1)
    expect(readings[0]!.signal.aborted).toBe(true)
  })
})

describe('when Cinder or Gnocchi cannot be read', () => {
  async function fail(over: ReturnType<typeof setUp>, message: string): Promise<string> {
    const page = over.exporter.scrape(9500)
    over.readings.at(-1)!.reject(new Error(message))
    return page
  }

  it('shows no volume, counts the failure, and goes on at the next scrape', async () => {
    const parts = setUp()
    const page = await fail(parts, 'Gnocchi is away')
    expect(up(page)).toBe('0')
    expect(page).toContain('couchestor_exporter_read_failures_total 1\n')
    expect(page).not.toContain('couchestor_exporter_volumes')
    const next = parts.exporter.scrape(9500)
    parts.readings.at(-1)!.resolve(fleet(1))
    expect(up(await next)).toBe('1')
  })

  it('shows nothing of an earlier reading, also while the next one takes long', async () => {
    const parts = setUp()
    const first = parts.exporter.scrape(9500)
    parts.readings[0]!.resolve(fleet(3))
    await first
    await parts.clock.advance(30_000)
    expect(detached(await fail(parts, 'away'))).toBeUndefined()
    const slow = parts.exporter.scrape(9500)
    await parts.clock.advance(9500)
    expect(up(await slow)).toBe('0')
  })

  it('says so once, again when the reason changes, and when it is over', async () => {
    const parts = setUp()
    await fail(parts, 'Cinder answered 503, request req-11111111-aa')
    await fail(parts, 'Cinder answered 503, request req-22222222-bb')
    await fail(parts, 'Gnocchi: dns')
    const last = parts.exporter.scrape(9500)
    parts.readings.at(-1)!.resolve(fleet(1))
    await last
    expect(parts.lines.map((l) => [l.level, l.error])).toEqual([
      ['error', 'Cinder answered 503, request req-11111111-aa'],
      ['error', 'Gnocchi: dns'],
      ['info', undefined],
    ])
  })

  it('says nothing of readings that the end of the process breaks off', async () => {
    const parts = setUp()
    const page = parts.exporter.scrape(9500)
    parts.stop.abort()
    expect(parts.readings[0]!.signal.aborted).toBe(true)
    parts.readings[0]!.reject(new Error('aborted'))
    await page
    expect(parts.lines).toEqual([])
  })
})
