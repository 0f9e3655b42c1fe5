import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { silentLog } from '../../log.ts'
import type { VolumeAttachment } from '../types.ts'
import type { DiskMeasures, Measure } from './answer.ts'
import type { AggregatesQuery, GnocchiClient } from './client.ts'
import { diskKey } from './disk.ts'
import { DISK_QUANTITIES } from './metric-names.ts'
import { createGnocchiSource } from './source.ts'

const NOW = 1_900_000_800
const SERVER = '11111111-2222-4333-8444-555555555555'
const OTHER = '11111111-2222-4333-8444-666666666666'
const END = NOW - 1200

type Counter = (at: number) => number | undefined

/** A Gnocchi that has disks by `server-device`, polled every 300 s. */
function polled(counters: Readonly<Record<string, Counter>>) {
  const asked: AggregatesQuery[] = []
  const aggregates: GnocchiClient['aggregates'] = (query) => {
    asked.push(query)
    const found = query.disks.flatMap((disk): DiskMeasures[] => {
      const counter = counters[diskKey(disk)]
      if (counter === undefined) return []
      const measures: Measure[] = []
      for (let at = Math.ceil(query.startSeconds / 300) * 300; at < query.stopSeconds; at += 300) {
        const value = counter(at)
        if (value !== undefined) measures.push({ startSeconds: at, granularitySeconds: 300, value })
      }
      const of = Object.fromEntries(DISK_QUANTITIES.map((q) => [q, measures]))
      return [{ ...disk, resourceId: diskKey(disk), metrics: new Map(), measures: of }]
    })
    return Promise.resolve(
      found.length === 0 ? { kind: 'NoneMatch' } : { kind: 'Measures', disks: found },
    )
  }
  return { asked, aggregates }
}

function sourceOf(
  aggregates: GnocchiClient['aggregates'],
  attachments: readonly VolumeAttachment[],
) {
  return createGnocchiSource({
    client: { aggregates, disks: () => Promise.reject(new Error('not asked')) },
    config: { granularitySeconds: 300, lagSeconds: 1200, questionMs: 60_000 },
    fleet: { attachments: () => attachments },
    clock: createVirtualClock(NOW * 1000),
    log: silentLog,
  })
}

const at = (volumeId: string, device = '/dev/vdb', serverId = SERVER): VolumeAttachment => ({
  volumeId,
  serverId,
  device,
  attachedAtSeconds: 0,
})

const NEVER_SAID: VolumeAttachment = { volumeId: 'v1', serverId: SERVER, device: '/dev/vdb' }

async function answer(source: ReturnType<typeof sourceOf>, endSeconds = END, windowSeconds = 1800) {
  const found = await source.window({ endSeconds, windowSeconds })
  if (found.kind === 'Down') throw new Error(found.why)
  return found
}

describe('the Gnocchi source', () => {
  it('finds a volume by its server and device, and reports operations and bytes per second', async () => {
    const { aggregates, asked } = polled({ [`${SERVER}-vdb`]: (t) => 3 * t })
    const { volumes, warnings } = await answer(sourceOf(aggregates, [at('v1')]))
    expect(volumes.get('v1')).toEqual({
      operationsPerSecond: 6,
      bytesPerSecond: 6,
      coveragePercent: 100,
    })
    expect(warnings).toEqual([])
    // what came before the window is asked too: its first step begins there
    expect(asked[0]?.startSeconds).toBeLessThanOrEqual(END - 1800 - 300)
    expect(asked[0]?.stopSeconds).toBe(END)
  })

  it('asks for nothing but attached volumes of the fleet', async () => {
    const { aggregates, asked } = polled({ [`${SERVER}-vda`]: () => 1, [`${SERVER}-vdb`]: () => 1 })
    await answer(sourceOf(aggregates, [at('v1')]))
    expect(asked.flatMap((q) => q.disks.map(diskKey))).toEqual([`${SERVER}-vdb`])
    asked.length = 0
    expect((await answer(sourceOf(aggregates, []))).volumes.size).toBe(0)
    expect(asked).toEqual([])
  })

  it('adds up the servers a volume is attached to, with the least coverage of them', async () => {
    const { aggregates } = polled({
      [`${SERVER}-vdb`]: (t) => t,
      [`${OTHER}-vdc`]: (t) => (t % 1800 === 0 ? undefined : 2 * t),
    })
    const both = [at('v1'), at('v1', '/dev/vdc', OTHER)]
    const { volumes } = await answer(sourceOf(aggregates, both))
    expect(volumes.get('v1')?.operationsPerSecond).toBeCloseTo(6, 9)
    expect(volumes.get('v1')?.coveragePercent).toBeCloseTo((100 * 5) / 6, 9)
  })

  it('counts a disk once that Cinder lists twice, since the later of the two attachments', async () => {
    const { aggregates } = polled({ [`${SERVER}-vdb`]: (t) => t })
    const moved = { ...at('v1'), attachedAtSeconds: END - 900 }
    for (const twice of [
      [at('v1'), moved],
      [moved, at('v1')],
    ]) {
      const { volumes } = await answer(sourceOf(aggregates, twice))
      expect(volumes.get('v1')?.operationsPerSecond).toBeCloseTo(2, 9)
      expect(volumes.get('v1')?.coveragePercent).toBeLessThan(50)
    }
  })

  it('knows nothing of a volume when one of its servers is not seen', async () => {
    const { aggregates } = polled({ [`${SERVER}-vdb`]: (t) => t })
    const both = [at('v1'), at('v1', '/dev/vdc', OTHER)]
    const { volumes, missing } = await answer(sourceOf(aggregates, both))
    expect(volumes.size).toBe(0)
    expect(missing?.get('v1')).toContain(`Gnocchi, disk ${OTHER}-vdc: it has none of that name`)
  })

  it.each<[string, readonly VolumeAttachment[], RegExp]>([
    ['Cinder names no device', [at('v1', '')], /does not name server, device and time/],
    ['the server is no server', [at('v1', '/dev/vdb', 'host-1')], /does not name server/],
    // the disk may have been another volume all the time
    ['Cinder does not say since when it is attached', [NEVER_SAID], /does not name server/],
    [
      'the device of one of its attachments is not known',
      [at('v1'), at('v1', '', OTHER)],
      /does not name server/,
    ],
    ['another volume is at its device', [at('v1'), at('v2')], /could be either's/],
    [
      'it was attached after the window',
      [{ ...at('v1'), attachedAtSeconds: END + 5 }],
      /attached after the window/,
    ],
  ])('says why there are no numbers when %s', async (_, attachments, why) => {
    const { aggregates } = polled({ [`${SERVER}-vdb`]: (t) => t })
    const { volumes, missing } = await answer(sourceOf(aggregates, attachments))
    expect(volumes.size).toBe(0)
    expect(missing?.get('v1')).toMatch(why)
  })

  it('covers only the time since the attachment', async () => {
    const { aggregates } = polled({ [`${SERVER}-vdb`]: (t) => t })
    const attachments = [{ ...at('v1'), attachedAtSeconds: END - 900 }]
    const { volumes } = await answer(sourceOf(aggregates, attachments))
    expect(volumes.get('v1')?.coveragePercent).toBeLessThan(50)
    expect(volumes.get('v1')?.operationsPerSecond).toBeCloseTo(2, 9)
  })

  it('is down when Gnocchi is, in its own words', async () => {
    const source = sourceOf(
      () => Promise.resolve({ kind: 'Failed', why: 'Gnocchi: 503' }),
      [at('v1')],
    )
    expect(await source.window({ endSeconds: END, windowSeconds: 1800 })).toEqual({
      kind: 'Down',
      why: 'Gnocchi: 503',
    })
  })

  it('is down, not wrong, when something throws', async () => {
    const source = sourceOf(() => Promise.reject(new Error('a bug')), [at('v1')])
    const found = await source.window({ endSeconds: END, windowSeconds: 1800 })
    expect(found).toEqual({ kind: 'Down', why: 'a bug' })
  })

  it('reads a day of history by one question, with the same numbers as window by window', async () => {
    const counter: Counter = (t) => t * 2 + (t % 7200 < 3600 ? 0 : 100_000)
    const slow = polled({ [`${SERVER}-vdb`]: counter })
    const quick = polled({ [`${SERVER}-vdb`]: counter })
    const history = sourceOf(quick.aggregates, [at('v1')])
    const from = END - 86_400
    for (let end = from; end < END - 7200; end += 1800) {
      // a source of its own each time remembers nothing
      const alone = await answer(sourceOf(slow.aggregates, [at('v1')]), end)
      expect((await answer(history, end)).volumes).toEqual(alone.volumes)
    }
    expect(slow.asked.length).toBeGreaterThan(40)
    expect(quick.asked).toHaveLength(1)
  })

  it('reads history again for a volume that came in between', async () => {
    const { aggregates } = polled({ [`${SERVER}-vdb`]: (t) => t, [`${SERVER}-vdc`]: (t) => t })
    const attachments = [at('v1')]
    const source = sourceOf(aggregates, attachments)
    await answer(source, END - 86_400)
    attachments.push(at('v2', '/dev/vdc'))
    const { volumes } = await answer(source, END - 86_400 + 1800)
    expect([...volumes.keys()]).toEqual(['v1', 'v2'])
  })
})
