import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assumedDemand, classify, demandFrom, demandOf } from './demand.ts'
import type { WindowFacts } from './demand.ts'
import { DEFAULT_CONSTANTS } from './rule.ts'

const RULES = { minCoveragePercent: 80, ioUnitKiB: 256, detachedGraceSeconds: 3600 }
const END = 100_000
const ATTACHED = { detachedSinceByKubernetes: undefined, detachedSinceByCinder: undefined }
const LONG_DETACHED = { detachedSinceByKubernetes: 0, detachedSinceByCinder: 10 }

function facts(
  activity: { ops?: number; bytes?: number; coverage?: number } | undefined,
  attachment: WindowFacts['attachment'] = ATTACHED,
): WindowFacts {
  const full = activity && {
    operationsPerSecond: activity.ops ?? 0,
    bytesPerSecond: activity.bytes ?? 0,
    coveragePercent: activity.coverage ?? 100,
  }
  return {
    answer: { kind: 'Answer', activity: full },
    attachment,
    windowEnd: END,
    windowSeconds: 1800,
  }
}

describe('demand', () => {
  it('counts large sequential reads as the operations they keep a disk busy for', () => {
    expect(demandOf({ operationsPerSecond: 10, bytesPerSecond: 100 * 2 ** 20 }, 256)).toBe(400)
    expect(demandOf({ operationsPerSecond: 900, bytesPerSecond: 900 * 4096 }, 256)).toBe(900)
  })
})

describe('an observation', () => {
  it('is measured when enough samples arrived, and zero counts', () => {
    expect(classify(facts({ ops: 42, coverage: 80 }), RULES)).toEqual({
      kind: 'Measured',
      iops: 42,
      coveragePercent: 80,
    })
    expect(classify(facts({ ops: 0 }), RULES)).toMatchObject({ kind: 'Measured', iops: 0 })
  })

  it.each([
    ['too few samples', facts({ ops: 42, coverage: 60 }), 'coverage 60 % of 80 %'],
    ['a coverage just below', facts({ ops: 42, coverage: 79.99 }), 'coverage 79 % of 80 %'],
    ['a coverage that is no number', facts({ ops: 42, coverage: NaN }), 'coverage NaN %'],
    ['too few samples of a detached volume', facts({ coverage: 10 }, LONG_DETACHED), 'coverage 10'],
    ['no series while attached', facts(undefined), 'no usage numbers'],
    ['a rate that is no number', facts({ ops: NaN }), 'cannot be right'],
    ['a negative rate', facts({ ops: -1, bytes: 5 }), 'cannot be right'],
    ['an impossible rate', facts({ ops: 1e300 }), 'cannot be right'],
  ])('is no data, never zero, with %s', (_, given, why) => {
    const observation = classify(given, RULES)

    expect(observation.kind).toBe('NoData')
    expect(observation).toHaveProperty('why', expect.stringContaining(why))
  })

  it.each([
    ['both say so for the window and the grace before it', 94_600, 94_600, 'Detached'],
    ['the grace was not over when the window began', 94_601, 0, 'NoData'],
    ['Cinder has seen it go too late', 0, 94_601, 'NoData'],
    ['only Kubernetes says so', 0, undefined, 'NoData'],
    ['only Cinder says so', undefined, 0, 'NoData'],
  ])('when %s: %s and %s make it %s', (_, kubernetes, cinder, kind) => {
    const attachment = {
      detachedSinceByKubernetes: kubernetes,
      detachedSinceByCinder: cinder,
    }
    expect(classify(facts(undefined, attachment), RULES).kind).toBe(kind)
  })

  it('says that the source is down rather than that there is no data', () => {
    const down = { ...facts(undefined), answer: { kind: 'Down', why: 'timeout' } } as const

    expect(classify(down, RULES)).toEqual({ kind: 'SourceDown', why: 'timeout' })
    expect(classify({ ...down, attachment: LONG_DETACHED }, RULES).kind).toBe('Detached')
  })

  it('never turns missing or partial numbers into something to learn from', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.double({ max: 79.9 }), (ops, bytes, coverage) => {
        const observation = classify(facts({ ops, bytes, coverage }), RULES)
        expect(demandFrom(observation, undefined, 10, DEFAULT_CONSTANTS)).toBeUndefined()
      }),
    )
  })
})

describe('saturation', () => {
  it.each([
    ['just below 95 % it is what it shows', 949, 1000, 949],
    ['from 95 % on it wants five thirds of the limit', 950, 1000, (5 / 3) * 1000],
    ['what is above that stays', 2000, 1000, 2000],
    ['without a known limit it is what it shows', 950, undefined, 950],
    ['an unlimited tier caps nothing', 950, Infinity, 950],
  ])('%s', (_, observed, cap, demand) => {
    expect(assumedDemand(observed, cap, DEFAULT_CONSTANTS)).toBe(demand)
  })

  it('is judged by the limit of the tier that served the window', () => {
    const tier = { capIops: (size: number) => 3 * size }
    const seen = { kind: 'Measured', iops: 300, coveragePercent: 100 } as const

    expect(demandFrom(seen, tier, 100, DEFAULT_CONSTANTS)).toBe((5 / 3) * 300)
    expect(demandFrom(seen, {}, 100, DEFAULT_CONSTANTS)).toBe(300)
    expect(demandFrom({ kind: 'Detached' }, tier, 100, DEFAULT_CONSTANTS)).toBe(0)
    expect(demandFrom({ kind: 'SourceDown', why: '' }, tier, 100, DEFAULT_CONSTANTS)).toBe(
      undefined,
    )
  })
})
