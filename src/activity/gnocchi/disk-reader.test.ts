import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { DiskMeasures } from './answer.ts'
import type { AggregatesAnswer, AggregatesQuery, GnocchiClient } from './client.ts'
import type { DiskId } from './disk.ts'
import { DiskReader } from './disk-reader.ts'
import { DISK_QUANTITIES } from './metric-names.ts'

const SERVER = '11111111-2222-4333-8444-555555555555'
const SPAN = { startSeconds: 0, stopSeconds: 1800 }
const disks = (count: number): DiskId[] =>
  Array.from({ length: count }, (_, i) => ({ serverId: SERVER, device: `vd${i}` }))

function measured(disk: DiskId, starts = [0, 300], resourceId = disk.device): DiskMeasures {
  const measures = starts.map((s) => ({ startSeconds: s, granularitySeconds: 300, value: s }))
  return {
    ...disk,
    resourceId,
    metrics: new Map(),
    measures: Object.fromEntries(DISK_QUANTITIES.map((q) => [q, measures])),
  }
}

/** A Gnocchi that refuses any question which holds one of `bad`, as the real one does. */
function refusing(bad: readonly string[], kind: 'UnknownAggregation' | 'GranularityMissing') {
  const asked: AggregatesQuery[] = []
  const aggregates = (query: AggregatesQuery): Promise<AggregatesAnswer> => {
    asked.push(query)
    if (query.disks.some((d) => bad.includes(d.device)))
      return Promise.resolve(kind === 'GranularityMissing' ? { kind } : { kind, metricId: 'm' })
    return Promise.resolve({ kind: 'Measures', disks: query.disks.map((d) => measured(d)) })
  }
  return { asked, aggregates }
}

function readerOf(aggregates: GnocchiClient['aggregates'], clock = createVirtualClock()) {
  const disksOf = () => Promise.reject(new Error('not asked'))
  return new DiskReader({
    client: { aggregates, disks: disksOf },
    clock,
    granularitySeconds: 300,
  })
}

async function samplesOf(reading: ReturnType<DiskReader['read']>) {
  const read = await reading
  if (read.kind === 'Failed') throw new Error(read.why)
  return read
}

describe('DiskReader', () => {
  it('asks for a hundred disks at a time', async () => {
    const { asked, aggregates } = refusing([], 'GranularityMissing')
    const read = await samplesOf(readerOf(aggregates).read(disks(250), SPAN))
    expect(asked.map((q) => q.disks.length)).toEqual([100, 100, 50])
    expect(asked[0]).toMatchObject({ aggregation: 'mean', granularitySeconds: 300, ...SPAN })
    expect(read.samples.size).toBe(250)
  })

  it('asks for fewer of them the longer the time is, so that no answer is large', async () => {
    const { asked, aggregates } = refusing([], 'GranularityMissing')
    await readerOf(aggregates).read(disks(100), { startSeconds: 0, stopSeconds: 86_400 })
    const measures = asked.map((q) => q.disks.length * 4 * 288)
    expect(Math.max(...measures)).toBeLessThanOrEqual(20_000)
    expect(asked.flatMap((q) => q.disks)).toHaveLength(100)
  })

  it.each([
    ['UnknownAggregation', 'NoMean'],
    ['GranularityMissing', 'NoGranularity'],
  ] as const)(
    'finds the disks that spoil a question (%s), keeps the others',
    async (kind, lack) => {
      const { asked, aggregates } = refusing(['vd17', 'vd80'], kind)
      const read = await samplesOf(readerOf(aggregates).read(disks(100), SPAN))
      expect(read.samples.size).toBe(98)
      expect([...read.lacking]).toEqual([
        [`${SERVER}-vd17`, lack],
        [`${SERVER}-vd80`, lack],
      ])
      expect(asked.length).toBeLessThan(30)
    },
  )

  it('does not ask for them again within the hour, and then does', async () => {
    const clock = createVirtualClock()
    const { asked, aggregates } = refusing(['vd3'], 'UnknownAggregation')
    const reader = readerOf(aggregates, clock)
    await reader.read(disks(10), SPAN)
    asked.length = 0
    const again = await samplesOf(reader.read(disks(10), SPAN))
    expect(asked).toHaveLength(1)
    expect(again.samples.size).toBe(9)
    expect(again.lacking.size).toBe(1)
    await clock.advance(3_600_001)
    await reader.read(disks(10), SPAN)
    expect(asked.length).toBeGreaterThan(2)
  })

  it('does not ask a thousand times when nothing fits, and knows nothing then', async () => {
    const all = disks(1000)
    const spoilt = refusing(
      all.map((d) => d.device),
      'GranularityMissing',
    )
    const read = await samplesOf(readerOf(spoilt.aggregates).read(all, SPAN))
    expect(spoilt.asked.length).toBeLessThan(150)
    expect(read.samples.size).toBe(0)
    expect(read.lacking.size).toBe(1000)
  })

  it('is a failure as a whole when one question fails', async () => {
    let n = 0
    const read = await readerOf((query) => {
      n += 1
      return n === 2
        ? Promise.resolve({ kind: 'Failed', why: 'no answer' })
        : Promise.resolve({ kind: 'Measures', disks: query.disks.map((d) => measured(d)) })
    }).read(disks(300), SPAN)
    expect(read).toEqual({ kind: 'Failed', why: 'no answer' })
  })

  it('gives up a Gnocchi that takes the question and never answers', async () => {
    const clock = createVirtualClock()
    const hanging: GnocchiClient['aggregates'] = ({ signal }) =>
      new Promise((resolve) =>
        signal?.addEventListener('abort', () => resolve({ kind: 'Failed', why: 'given up' })),
      )
    const client = { aggregates: hanging, disks: () => Promise.reject(new Error('not asked')) }
    const reader = new DiskReader({ client, clock, granularitySeconds: 300, questionMs: 60_000 })
    const read = reader.read(disks(1), SPAN)
    await clock.advance(60_000)
    expect(await read).toEqual({ kind: 'Failed', why: 'Gnocchi: no answer within 60 s' })
  })

  it('takes the newer of two resources of one disk, and never adds them up', async () => {
    const [disk] = disks(1)
    const read = await samplesOf(
      readerOf(() =>
        Promise.resolve({
          kind: 'Measures',
          disks: [measured(disk!, [0, 300, 600], 'new'), measured(disk!, [0, 300], 'old')],
        }),
      ).read([disk!], SPAN),
    )
    expect(read.samples.get(`${SERVER}-vd0`)?.map((s) => s.startSeconds)).toEqual([0, 300, 600])
    expect(read.doubled).toEqual([`${SERVER}-vd0`])
  })

  it('takes the one with whole samples, though the other has newer parts of some', async () => {
    const [disk] = disks(1)
    const part = measured(disk!, [0, 300, 600], 'part')
    const requestsOnly = { readRequests: part.measures.readRequests! }
    const found = [{ ...part, measures: requestsOnly }, measured(disk!, [0, 300], 'whole')]
    const read = await samplesOf(
      readerOf(() => Promise.resolve({ kind: 'Measures', disks: found })).read([disk!], SPAN),
    )
    expect(read.samples.get(`${SERVER}-vd0`)?.map((s) => s.startSeconds)).toEqual([0, 300])
  })

  it('has no numbers of a disk whose two resources contradict each other, in whatever order', async () => {
    const [disk] = disks(1)
    const own = measured(disk!, [0, 300, 600, 900], 'own')
    const idle = [0, 300, 600, 900, 1200].map((startSeconds) => ({
      startSeconds,
      granularitySeconds: 300,
      value: 7,
    }))
    const forged = {
      ...own,
      resourceId: 'forged',
      measures: Object.fromEntries(DISK_QUANTITIES.map((q) => [q, idle])),
    }
    for (const both of [
      [own, forged],
      [forged, own],
    ]) {
      const read = await samplesOf(
        readerOf(() => Promise.resolve({ kind: 'Measures', disks: both })).read([disk!], SPAN),
      )
      expect(read.samples.size).toBe(0)
      expect([...read.lacking]).toEqual([[`${SERVER}-vd0`, 'Contradicted']])
    }
  })

  it('says which disks Gnocchi does not have', async () => {
    const [known, unknown] = disks(2)
    const read = await samplesOf(
      readerOf(() => Promise.resolve({ kind: 'Measures', disks: [measured(known!)] })).read(
        [known!, unknown!],
        SPAN,
      ),
    )
    expect([...read.lacking]).toEqual([[`${SERVER}-vd1`, 'NoDisk']])
  })
})
