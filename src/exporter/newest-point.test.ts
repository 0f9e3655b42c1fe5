import { describe, expect, it } from 'vitest'
import type { Measure } from '../activity/gnocchi/answer.ts'
import { newestPoint } from './newest-point.ts'

const T = 1_800_000_000 // a multiple of 300
const measure = (startSeconds: number, value: number, granularitySeconds = 300): Measure => ({
  startSeconds,
  granularitySeconds,
  value,
})
const at = (nowSeconds: number, attachedAtSeconds?: number) => ({
  nowSeconds,
  periodSeconds: 300,
  attachedAtSeconds,
})

describe('the newest point of a metric', () => {
  const two = [measure(T, 100), measure(T + 300, 130)]

  it.each([
    ['is not shown while its period lasts', T + 599, { value: 100, atSeconds: T + 300 }],
    ['is not shown before it has settled', T + 659, { value: 100, atSeconds: T + 300 }],
    ['is shown at the end of its period', T + 660, { value: 130, atSeconds: T + 600 }],
    ['stays until three periods brought none', T + 1560, { value: 130, atSeconds: T + 600 }],
    ['is gone then', T + 1561, 'stale'],
  ])('%s', (_, now, expected) => expect(newestPoint(two, at(now))).toEqual(expected))

  it('has not come yet while the only period lasts', () =>
    expect(newestPoint([measure(T, 5)], at(T + 200))).toBe('young'))

  it('is missing without measures', () => expect(newestPoint([], at(T))).toBe('no_measures'))

  it('is of the finest granularity, whose time is nearest to that of the measure', () => {
    const both = [measure(T + 300, 115), measure(T + 540, 130, 60), measure(T + 480, 124, 60)]
    expect(newestPoint(both, at(T + 700))).toEqual({ value: 130, atSeconds: T + 600 })
  })

  it('is the lower one after a reset, as it stands', () =>
    expect(newestPoint([measure(T, 100), measure(T + 300, 3)], at(T + 660))).toEqual({
      value: 3,
      atSeconds: T + 600,
    }))

  it.each([
    ['before the period began', T + 300, { value: 130, atSeconds: T + 600 }],
    ['within the period, which may show the volume before', T + 301, 'young'],
  ])('of a volume attached %s', (_, attached, expected) =>
    expect(newestPoint(two, at(T + 660, attached))).toEqual(expected),
  )

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('is never %d', (value) =>
    expect(newestPoint([measure(T, 7), measure(T + 300, value)], at(T + 660))).toEqual({
      value: 7,
      atSeconds: T + 300,
    }),
  )
})
