import { expect, it } from 'vitest'
import { capacityBound } from './capacity-bound.ts'

/** Two tiers; room on the first is scarce. */
const volumes = [
  { sizeGiB: 10, costs: [1, 9] },
  { sizeGiB: 10, costs: [1, 5] },
  { sizeGiB: 10, costs: [1, 3] },
]

function cheapest(roomGiB: number): number {
  const placements = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) =>
    volumes.map((v, i) => ({ v, tier: (bits >> i) & 1 })),
  )
  const fits = placements.filter(
    (p) => p.reduce((sum, { v, tier }) => sum + (tier === 0 ? v.sizeGiB : 0), 0) <= roomGiB,
  )
  return Math.min(...fits.map((p) => p.reduce((sum, { v, tier }) => sum + v.costs[tier]!, 0)))
}

it.each([0, 10, 20, 30])(
  'with %i GiB of room no placement costs less than the bound, and the best one costs no more',
  (room) => {
    const { bound } = capacityBound(volumes, [room, Infinity], 17)
    expect(bound).toBeLessThanOrEqual(cheapest(room) + 1e-6)
    expect(bound).toBeGreaterThan(cheapest(room) - 0.05)
  },
)

it('prices room by what the next volume would save with it', () => {
  const { pricePerGiB } = capacityBound(volumes, [10, Infinity], 17)
  expect(pricePerGiB[0]).toBeGreaterThanOrEqual(0.39)
  expect(pricePerGiB[0]).toBeLessThanOrEqual(0.81)
  expect(pricePerGiB[1]).toBe(0)
})

it('is the plain optimum where there is room for all', () => {
  expect(capacityBound(volumes, [1000, Infinity], 3)).toEqual({ bound: 3, pricePerGiB: [0, 0] })
})
