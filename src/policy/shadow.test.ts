import { describe, expect, it } from 'vitest'
import { intervalCosts, moveCost } from './cost.ts'
import { DEFAULT_CONSTANTS } from './rule.ts'
import {
  lastWeek,
  lostTo,
  NO_SHADOW,
  packShadow,
  shadowMove,
  shadowWindow,
  unpackShadow,
} from './shadow.ts'
import type { Shadow } from './shadow.ts'

const tiers = [
  { pricePerGiBMonth: 0.125, limitIops: () => Infinity },
  { pricePerGiBMonth: 0.045, limitIops: () => 100 },
]
const HOUR = 3600
const START = 20_000 * 86_400
const move = (from: number, to: number, at: number, perHour = 0) => ({
  id: 'v',
  from,
  to,
  sizeGiB: 10,
  perHour,
  at,
})

/** Hours of the same demand on the same tier. */
function hours(shadow: Shadow, tier: number, demand: number, count: number) {
  let next = shadow
  const errors: number[] = []
  const begin = Math.max(shadow.windowEnd, START)
  for (let h = 1; h <= count; h++) {
    const sample = [{ id: 'v', tier, demand, sizeGiB: 10 }]
    const step = shadowWindow(next, sample, tiers, DEFAULT_CONSTANTS, 1, begin + h * HOUR)
    next = step.shadow
    errors.push(...step.errors)
  }
  return { shadow: next, errors }
}

function moved(shadow: Shadow, from: number, to: number, perHour = 0) {
  return shadowMove(shadow, move(from, to, shadow.windowEnd, perHour), tiers, DEFAULT_CONSTANTS)
}

describe('the shadow of a policy', () => {
  it('costs the same as staying until the first move', () => {
    const { shadow } = hours(NO_SHADOW, 1, 50, 24)
    const [hot = 0, cold = 0] = intervalCosts(tiers, 50, 10, 24, DEFAULT_CONSTANTS)
    expect(shadow.total.policy).toBeCloseTo(cold, 9)
    expect(shadow.total.stay).toBeCloseTo(cold, 9)
    expect(shadow.total.allHot).toBeCloseTo(hot, 9)
  })

  it('goes on where the volume was, and counts the price of the move', () => {
    const before = hours(NO_SHADOW, 0, 1, 24).shadow
    const { shadow } = hours(moved(before, 0, 1).shadow, 1, 1, 24)
    const [hot = 0, cold = 0] = intervalCosts(tiers, 1, 10, 24, DEFAULT_CONSTANTS)
    expect(shadow.total.stay).toBeCloseTo(2 * hot, 9)
    expect(shadow.total.allHot).toBeCloseTo(2 * hot, 9)
    expect(shadow.total.policy).toBeCloseTo(hot + cold + moveCost(tiers, 10, DEFAULT_CONSTANTS), 9)
  })

  it('forgets a volume that is back where it began', () => {
    const there = moved(hours(NO_SHADOW, 0, 1, 2).shadow, 0, 1).shadow
    expect(there.origins.get('v')).toBe(0)
    expect(moved(there, 1, 0).shadow.origins.size).toBe(0)
  })

  it('counts no window twice', () => {
    const { shadow } = hours(NO_SHADOW, 0, 1, 3)
    const again = shadowWindow(
      shadow,
      [{ id: 'v', tier: 0, demand: 1, sizeGiB: 10 }],
      tiers,
      DEFAULT_CONSTANTS,
      1,
      shadow.windowEnd,
    )
    expect(again.shadow).toBe(shadow)
  })

  it('survives a checkpoint to the last bit, and a damaged one is none', () => {
    const there = moved(hours(NO_SHADOW, 0, 1, 30).shadow, 0, 1, 0.5).shadow
    const { shadow } = hours(there, 1, 1, 30)
    expect(unpackShadow(packShadow(shadow))).toEqual(shadow)
    expect(unpackShadow('bm9uc2Vuc2U=')).toBe(undefined)
    expect(unpackShadow('')).toBe(undefined)
  })

  it('stays small however much is moved', () => {
    let shadow: Shadow = NO_SHADOW
    for (let i = 0; i < 4000; i++)
      shadow = shadowMove(
        shadow,
        { ...move(0, 1, START), id: `6f9619ff-8b86-d011-b42d-00c04fc9${i}` },
        tiers,
        DEFAULT_CONSTANTS,
      ).shadow
    expect(packShadow(shadow).length).toBeLessThan(256 * 1024)
  })
})

describe('whether a policy is worth while', () => {
  it('is not asked before a week is over', () => {
    const { shadow } = hours(NO_SHADOW, 0, 1, 6 * 24)
    expect(lastWeek(shadow).days).toBeLessThan(7)
    expect(lostTo(lastWeek(shadow))).toBe(undefined)
  })

  it('is lost to staying by moves that never pay', () => {
    let { shadow } = hours(NO_SHADOW, 0, 5000, 24)
    for (let day = 0; day < 8; day++) {
      shadow = hours(moved(shadow, 0, 1).shadow, 1, 5000, 12).shadow
      shadow = hours(moved(shadow, 1, 0).shadow, 0, 5000, 12).shadow
    }
    expect(lastWeek(shadow).days).toBe(7)
    expect(lostTo(lastWeek(shadow))).toBe('stay')
  })

  it('is lost to all hot by leaving busy volumes on a slow tier', () => {
    expect(lostTo(lastWeek(hours(NO_SHADOW, 1, 5000, 9 * 24).shadow))).toBe('allHot')
  })

  it('is not lost by a demotion that pays', () => {
    const there = moved(hours(NO_SHADOW, 0, 1, 24).shadow, 0, 1).shadow
    expect(lostTo(lastWeek(hours(there, 1, 1, 9 * 24).shadow))).toBe(undefined)
  })
})

describe('the error of a prediction', () => {
  const [hot = 0, cold = 0] = intervalCosts(tiers, 1, 10, 1, DEFAULT_CONSTANTS)
  const promise = hot - cold

  it('is nothing when a week goes on as the history did', () => {
    const there = moved(hours(NO_SHADOW, 0, 1, 24).shadow, 0, 1, promise).shadow
    const { errors } = hours(there, 1, 1, 200)
    expect(errors).toHaveLength(1)
    expect(errors[0]).toBeCloseTo(0, 9)
  })

  it('is one less when nothing was saved at all, reported as soon as the volume moves on', () => {
    const there = moved(hours(NO_SHADOW, 0, 1, 24).shadow, 0, 1, promise).shadow
    const busy = hours(there, 1, 5000, 5)
    expect(busy.errors).toEqual([])
    const [error] = moved(busy.shadow, 1, 0).errors
    expect(error).toBeLessThan(-1)
  })
})
