/** Costs per tier are money per month, as the discounted history has them. */
export type PlacedVolume = { readonly sizeGiB: number; readonly costs: readonly number[] }

export type CapacityBound = {
  /** No placement within the capacities costs less, money per month. */
  readonly bound: number
  /** What one more GiB of room on each tier would save, money per month. */
  readonly pricePerGiB: readonly number[]
}

const ITERATIONS = 300
const PATIENCE = 15

/**
 * Lagrangian bound on the monthly cost of placing the volumes on tiers of limited size (GiB, Infinity = no limit):
 * room is given a price, each volume takes what is then cheapest for it, and the price follows the demand for room.
 * `achieved`: cost of any placement that fits, which sets the step.
 */
export function capacityBound(
  volumes: readonly PlacedVolume[],
  roomGiB: readonly number[],
  achieved: number,
): CapacityBound {
  let prices = roomGiB.map(() => 0)
  let best: CapacityBound = { bound: -Infinity, pricePerGiB: prices }
  let pace = 1
  let idle = 0
  for (let i = 0; i < ITERATIONS; i++) {
    const { value, over } = relaxed(volumes, roomGiB, prices)
    if (value > best.bound + 1e-9 * Math.abs(value)) {
      best = { bound: value, pricePerGiB: prices }
      idle = 0
    } else if (++idle >= PATIENCE) {
      pace /= 2
      idle = 0
    }
    const steepness = over.reduce((sum, o, k) => sum + (o > 0 || prices[k]! > 0 ? o * o : 0), 0)
    if (steepness === 0) break
    const step = (pace * Math.max(achieved - value, 1e-6 * Math.abs(achieved))) / steepness
    prices = prices.map((p, k) => Math.max(0, p + step * over[k]!))
  }
  return { bound: Math.min(best.bound, achieved), pricePerGiB: best.pricePerGiB }
}

function relaxed(
  volumes: readonly PlacedVolume[],
  roomGiB: readonly number[],
  prices: readonly number[],
): { value: number; over: readonly number[] } {
  const used = roomGiB.map(() => 0)
  let value = 0
  for (const { sizeGiB, costs } of volumes) {
    let tier = 0
    let least = Infinity
    for (const [k, cost] of costs.entries()) {
      const priced = cost + prices[k]! * sizeGiB
      if (priced < least) {
        least = priced
        tier = k
      }
    }
    value += least
    used[tier]! += sizeGiB
  }
  const limited = (k: number) => Number.isFinite(roomGiB[k]!)
  const rent = prices.reduce((sum, p, k) => sum + (limited(k) ? p * roomGiB[k]! : 0), 0)
  return { value: value - rent, over: used.map((u, k) => (limited(k) ? u - roomGiB[k]! : 0)) }
}
