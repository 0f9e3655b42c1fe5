import { describe, expect, it } from 'vitest'
import type { Sample } from '../activity/gnocchi/usage.ts'
import { newestPoint, reachSeconds } from './newest-point.ts'

const T = 1_800_000_000 // a multiple of 300
const sample = (startSeconds: number, reads: number): Sample => ({
  startSeconds,
  readRequests: reads,
  writeRequests: 2,
  readBytes: 3,
  writeBytes: 4,
})
const point = (atSeconds: number, reads: number) => ({
  atSeconds,
  readRequests: reads,
  writeRequests: 2,
  readBytes: 3,
  writeBytes: 4,
})
const wish = (nowSeconds: number, attachedAtSeconds?: number) => ({
  nowSeconds,
  granularitySeconds: 300,
  intervalSeconds: 300,
  attachedAtSeconds,
})

describe('the newest point of a disk', () => {
  const two = [sample(T, 100), sample(T + 300, 130)]

  it.each([
    ['is not shown while its period lasts', T + 599, point(T + 300, 100)],
    ['is not shown before it has settled', T + 659, point(T + 300, 100)],
    ['is shown at the end of its period', T + 660, point(T + 600, 130)],
    ['stays until three intervals brought none', T + 1560, point(T + 600, 130)],
    ['is gone then', T + 1561, 'stale'],
  ])('%s', (_, now, expected) => expect(newestPoint(two, wish(now))).toEqual(expected))

  it('has not come yet while the only period lasts', () =>
    expect(newestPoint([sample(T, 5)], wish(T + 200))).toBe('young'))

  it('is missing without measures', () => expect(newestPoint([], wish(T))).toBe('no_measures'))

  it('is the lower one after a reset, as it stands', () =>
    expect(newestPoint([sample(T, 100), sample(T + 300, 3)], wish(T + 660))).toEqual(
      point(T + 600, 3),
    ))

  it.each([
    ['before the period began', T + 300, point(T + 600, 130)],
    ['within the period, which may show the volume before', T + 301, 'young'],
  ])('of a volume attached %s', (_, attached, expected) =>
    expect(newestPoint(two, wish(T + 660, attached))).toEqual(expected),
  )

  it('is within reach as long as it can be shown', () => {
    const now = T + 1560
    expect(newestPoint(two, wish(now))).not.toBe('stale')
    expect(now - reachSeconds(wish(now))).toBeLessThanOrEqual(T + 300)
  })
})
