import type { RuleConstants, Tier } from './types.ts'

export const HOURS_PER_MONTH = 730

/** What the cost formulas need of a tier. */
export type PricedTier = Pick<Tier, 'pricePerGiBMonth' | 'limitIops'>

/**
 * Full price premium of a volume of `sizeGiB`, money per hour: what the most expensive tier costs more than the cheapest.
 * 0 when there is no price difference.
 */
export function premiumPerHour(tiers: readonly PricedTier[], sizeGiB: number): number {
  let highest = -Infinity
  let cheapest = Infinity
  for (const { pricePerGiBMonth } of tiers) {
    highest = Math.max(highest, pricePerGiBMonth)
    cheapest = Math.min(cheapest, pricePerGiBMonth)
  }
  return ((highest - cheapest) * sizeGiB) / HOURS_PER_MONTH
}

/** Share of the demand that a tier with this limit holds back, 0 to 1. Both in I/O operations per second. */
export function throttledShare(limitIops: number, demand: number): number {
  return demand > 0 ? Math.max(0, 1 - limitIops / demand) : 0
}

/** What one interval of `hours` with this demand costs on each tier: storage, and the worth of what is throttled. */
export function intervalCosts(
  tiers: readonly PricedTier[],
  demand: number,
  sizeGiB: number,
  hours: number,
  constants: Pick<RuleConstants, 'rho'>,
): readonly number[] {
  const premium = premiumPerHour(tiers, sizeGiB)
  return tiers.map((tier) => {
    const storage = (tier.pricePerGiBMonth * sizeGiB * hours) / HOURS_PER_MONTH
    const throttled = throttledShare(tier.limitIops(sizeGiB), demand)
    return storage + constants.rho * premium * hours * throttled
  })
}

/** Price of one move, whatever the tiers. */
export function moveCost(
  tiers: readonly PricedTier[],
  sizeGiB: number,
  constants: Pick<RuleConstants, 'muHours' | 'moveCostPerGiB'>,
): number {
  return constants.muHours * premiumPerHour(tiers, sizeGiB) + constants.moveCostPerGiB * sizeGiB
}
