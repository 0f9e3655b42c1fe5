import { describe, expect, it } from 'vitest'
import { DEFAULT_CONSTANTS, initialState, observe } from './rule.ts'
import { decideByThreshold } from './threshold.ts'

const TIERS = [
  { pricePerGiBMonth: 3, limitIops: () => Infinity },
  { pricePerGiBMonth: 2, limitIops: () => 1000 },
  { pricePerGiBMonth: 1, limitIops: () => 250 },
]

function wishAt(mean: number, tier: number) {
  const state = observe(initialState(3, 0), tier, mean, 10, TIERS, DEFAULT_CONSTANTS, 0.5, 1800)
  return decideByThreshold(state, tier, 10, 10, TIERS, DEFAULT_CONSTANTS)
}

describe('the algorithm Threshold', () => {
  it.each([
    ['stays inside the band above its limit', 1149, 1, 1],
    ['leaves upwards beyond the band', 1151, 1, 0],
    ['goes up only as far as needed', 900, 2, 1],
    ['goes up two tiers at once', 1001, 2, 0],
    ['stays inside the band below the limit of the next tier', 213, 1, 1],
    ['leaves downwards below the band', 212, 1, 2],
    ['goes down two tiers at once', 100, 0, 2],
    ['goes down only as far as it may', 700, 0, 1],
    ['stays where it is unmanaged', 100, -1, -1],
  ])('%s: mean %d on tier %d wants %d', (_, mean, tier, to) => {
    expect(wishAt(mean, tier).to).toBe(to)
  })

  it('explains itself with the mean and the limit it was compared with', () => {
    expect(wishAt(100, 1)).toMatchObject({ meanIops: 100, limitIops: 250, other: 2, needed: 0 })
    expect(wishAt(5000, 1)).toMatchObject({ meanIops: 5000, limitIops: 1000, other: 0 })
  })

  it('wants nothing without history', () => {
    const wish = decideByThreshold(initialState(3, 0), 1, 10, 10, TIERS, DEFAULT_CONSTANTS)

    expect(wish.to).toBe(1)
  })
})
