import { describe, expect, it } from 'vitest'
import { intervalCosts, moveCost, premiumPerHour, throttledShare } from './cost.ts'

const TIERS = [
  { pricePerGiBMonth: 0.125, limitIops: () => Infinity },
  { pricePerGiBMonth: 0.08, limitIops: () => 1000 },
  { pricePerGiBMonth: 0.045, limitIops: () => 250 },
]

describe('cost', () => {
  it('takes the premium from the most expensive and the cheapest tier, over 730 hours', () => {
    expect(premiumPerHour(TIERS, 730)).toBeCloseTo(0.08, 12)
    expect(premiumPerHour(TIERS, 0)).toBe(0)
  })

  it.each([
    ['nothing is throttled below the limit', 250, 200, 0],
    ['nothing is throttled at the limit', 250, 250, 0],
    ['three quarters are held back at four times the limit', 250, 1000, 0.75],
    ['no demand is never throttled, whatever the limit', 0, 0, 0],
    ['all demand is held back by a limit of zero', 0, 10, 1],
    ['no limit holds nothing back', Infinity, 1e9, 0],
  ])('%s', (_, limit, demand, share) => {
    expect(throttledShare(limit, demand)).toBe(share)
  })

  it('charges storage on each tier and twenty premiums per fully throttled hour', () => {
    const size = 730
    const [hot, warm, cold] = intervalCosts(TIERS, 2000, size, 0.5, { rho: 20 })

    expect(hot).toBeCloseTo(0.125 * 0.5, 12)
    expect(warm).toBeCloseTo(0.08 * 0.5 + 20 * 0.08 * 0.5 * 0.5, 12)
    expect(cold).toBeCloseTo(0.045 * 0.5 + 20 * 0.08 * 0.5 * 0.875, 12)
  })

  it('prices a move in hours of premium and, if configured, per GiB', () => {
    expect(moveCost(TIERS, 730, { muHours: 24, moveCostPerGiB: 0 })).toBeCloseTo(24 * 0.08, 12)
    expect(moveCost(TIERS, 730, { muHours: 24, moveCostPerGiB: 0.01 })).toBeCloseTo(9.22, 12)
  })
})
