import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DiskMeasures } from './answer.ts'
import { DISK_QUANTITIES } from './metric-names.ts'
import { pollingIntervalOf } from './polling-interval.ts'
import type { Sample } from './usage.ts'
import { samplesOf, usageOf } from './usage.ts'

const sample = (startSeconds: number, total: number): Sample => ({
  startSeconds,
  readRequests: total,
  writeRequests: 2 * total,
  readBytes: 4096 * total,
  writeBytes: 0,
})
const every300 = (...totals: number[]) => totals.map((total, i) => sample(300 * i, total))
const window = { startSeconds: 300, endSeconds: 1800, notBeforeSeconds: 0, intervalSeconds: 300 }

describe('usageOf', () => {
  it('divides what the counters rose by the time they took, whatever the period', () => {
    expect(usageOf(every300(0, 300, 600, 900, 1200, 1500), window)).toEqual({
      operationsPerSecond: 3,
      bytesPerSecond: 4096,
      steps: 5,
    })
  })

  it('bridges one lost poll: the counters went on', () => {
    const samples = [0, 300, 900, 1200, 1500].map((at) => sample(at, at))
    expect(usageOf(samples, window)).toMatchObject({ operationsPerSecond: 3, steps: 4 })
  })

  it('knows nothing of a longer gap, and calls it neither zero nor its mean', () => {
    const samples = [sample(0, 0), sample(300, 300), sample(1500, 900_000)]
    expect(usageOf(samples, window)).toMatchObject({ operationsPerSecond: 3, steps: 1 })
  })

  it('leaves out the step in which a server was restarted, also when only one counter shows it', () => {
    const reset = { ...sample(900, 1200), writeBytes: 0, readBytes: 5 }
    const samples = [sample(0, 0), sample(300, 300), sample(600, 600), reset]
    expect(usageOf(samples, window)).toMatchObject({ operationsPerSecond: 3, steps: 2 })
  })

  it('does not charge a volume with what the one before it did at the same device', () => {
    const samples = every300(900_000, 1_000_000, 1_000_300, 1_000_600)
    const attached = { ...window, notBeforeSeconds: 290 }
    expect(usageOf(samples, attached)).toMatchObject({ operationsPerSecond: 3, steps: 2 })
  })

  it.each([
    ['no samples', []],
    ['one sample', every300(5)],
    ['samples before the window only', [sample(-600, 1), sample(-300, 2)]],
    ['samples after the window only', [sample(1800, 1), sample(2100, 2)]],
  ])('is unknown, not zero, with %s', (_, samples) => {
    expect(usageOf(samples, window)).toBeUndefined()
  })

  it('is never negative, never more than the steepest step, and counts at most the periods there are', () => {
    const totals = fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 12 })
    fc.assert(
      fc.property(totals, (values) => {
        const usage = usageOf(every300(...values), { ...window, startSeconds: 0, endSeconds: 9e9 })
        if (usage === undefined) return
        const steepest = Math.max(...values.slice(1).map((v, i) => (3 * (v - values[i]!)) / 300))
        expect(usage.operationsPerSecond).toBeGreaterThanOrEqual(0)
        expect(usage.operationsPerSecond).toBeLessThanOrEqual(steepest + 1e-9)
        expect(usage.steps).toBeLessThan(values.length)
      }),
    )
  })
})

describe('samplesOf', () => {
  const measures = (...starts: number[]) =>
    starts.map((startSeconds) => ({ startSeconds, granularitySeconds: 300, value: 7 }))
  const all = (of: ReturnType<typeof measures>) =>
    Object.fromEntries(DISK_QUANTITIES.map((q) => [q, of])) as DiskMeasures['measures']

  it('takes periods in which all four counters were seen', () => {
    const samples = samplesOf({ ...all(measures(0, 300, 600)), writeBytes: measures(0, 600) })
    expect(samples.map((s) => s.startSeconds)).toEqual([0, 600])
  })

  it('has none of a disk that lacks a metric', () => {
    const { writeBytes: _, ...three } = all(measures(0, 300))
    expect(samplesOf(three)).toEqual([])
  })

  it.each([Number.NaN, Infinity, -1])('leaves out a period whose counter is %d', (value) => {
    const bad = [{ startSeconds: 0, granularitySeconds: 300, value }, ...measures(300)]
    expect(samplesOf({ ...all(measures(0, 300)), readBytes: bad })).toHaveLength(1)
  })
})

describe('pollingIntervalOf', () => {
  it('is what most polls are apart, although many were lost', () => {
    const disk = [0, 300, 600, 1500, 1800, 3000].map((at) => sample(at, 0))
    expect(pollingIntervalOf([disk])).toBe(300)
  })

  it('is that of the fleet, so that one sparse disk does not pass for complete', () => {
    const sparse = [0, 900, 1800].map((at) => sample(at, 0))
    const usual = [0, 300, 600, 900, 1200, 1500, 1800].map((at) => sample(at, 0))
    expect(pollingIntervalOf([sparse, usual])).toBe(300)
  })

  it('is unknown with fewer than three spacings', () => {
    expect(pollingIntervalOf([every300(1, 2, 3), []])).toBeUndefined()
  })
})
