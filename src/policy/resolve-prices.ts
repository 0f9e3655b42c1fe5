import type { Problem } from '../errors.ts'
import type { TierSpec } from '../api/storage-policy.ts'
import type { TierProblem } from './tier-source.ts'

export type ResolvedPrices = {
  readonly prices: readonly number[]
  /** True = nobody gave prices; the ratios are an assumption and must be shown as one. */
  readonly assumed: boolean
  readonly problems: readonly TierProblem[]
}

/** Price of the fastest tier in units of the slowest, when nobody gave prices: a usual ratio of public clouds. */
const ASSUMED_RATIO = 2.8

/** Prices per GiB and month, fastest first: given for all tiers and falling, or for none (then geometric from 2.8 to 1). */
export function resolvePrices(tiers: readonly TierSpec[]): ResolvedPrices {
  const given = tiers.map((t) => t.costPerGiBMonth)
  if (given.every((p) => p === undefined))
    return { prices: assumedPrices(tiers.length), assumed: true, problems: [] }
  const problems = tiers.flatMap((tier, i) => {
    const problem = priceProblem(tiers, tier, i)
    return problem === undefined ? [] : [{ reason: 'PricesInvalid' as const, ...problem }]
  })
  return { prices: given.map((p) => p ?? NaN), assumed: false, problems }
}

function assumedPrices(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) =>
    count === 1 ? ASSUMED_RATIO : ASSUMED_RATIO ** (1 - i / (count - 1)),
  )
}

function priceProblem(tiers: readonly TierSpec[], tier: TierSpec, i: number): Problem | undefined {
  const field = `spec.tiers[${i}].costPerGiBMonth`
  const price = tier.costPerGiBMonth
  if (price === undefined)
    return {
      what: `${field}: is missing, while other tiers have a price`,
      fix: 'price all tiers or none',
    }
  if (!(price >= 0) || !Number.isFinite(price))
    return { what: `${field}: ${price} is no price`, fix: 'give a number from 0 up' }
  const faster = tiers[i - 1]
  if (faster?.costPerGiBMonth === undefined || price < faster.costPerGiBMonth) return undefined
  return {
    what: `${field}: ${price} is not below the ${faster.costPerGiBMonth} of ${faster.name}, so nothing is ever gained by using it`,
    fix: 'give the slower tier a lower price',
  }
}
