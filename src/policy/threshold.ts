import { decide } from './rule.ts'
import type { RuleTier } from './rule.ts'
import type { RuleConstants, VolumeState, Wish } from './types.ts'

/** A mean this close to a limit moves nothing. */
const BAND = 0.15

/**
 * The algorithm `Threshold`: the mean demand against the limits of the tiers, with a band of 15 % around each.
 * Upwards to the slowest tier that serves the mean, downwards to the slowest whose limit it is well below.
 * Same arguments and answer as `decide` of rule.ts; `needed` is 0, because money is not what decides.
 */
export function decideByThreshold(
  state: VolumeState,
  tier: number,
  sizeGiB: number,
  medianSizeGiB: number,
  tiers: readonly RuleTier[],
  constants: RuleConstants,
): Wish {
  const wish = decide(state, tier, sizeGiB, medianSizeGiB, tiers, constants)
  const limitHere = tiers[tier]?.limitIops(sizeGiB)
  if (limitHere === undefined || !(state.hours > 0) || state.cost.length !== tiers.length)
    return { ...wish, to: tier, needed: 0 }
  const limits = tiers.map((t) => t.limitIops(sizeGiB))
  const to = target(wish.meanIops, tier, limits)
  const other = to === tier ? neighbour(wish.meanIops, tier, limits) : to
  const limitIops = limits[Math.max(tier, other)] ?? limitHere
  return { ...wish, to, other, lead: leadOf(state, tier, other), needed: 0, limitIops }
}

function target(mean: number, tier: number, limits: readonly number[]): number {
  const here = limits[tier] ?? Infinity
  if (mean > (1 + BAND) * here)
    return Math.max(
      0,
      limits.findLastIndex((q) => mean <= q),
    )
  return Math.max(
    tier,
    limits.findLastIndex((q) => mean < (1 - BAND) * q),
  )
}

/** The tier next in line, for the explanation: the slower one unless there is none. */
function neighbour(mean: number, tier: number, limits: readonly number[]): number {
  const slower = tier + 1 < limits.length ? tier + 1 : -1
  return mean > (limits[tier] ?? Infinity) || slower < 0 ? tier - 1 : slower
}

function leadOf(state: VolumeState, tier: number, other: number): number {
  const cost = state.cost[other]
  return cost === undefined ? 0 : (state.cost[tier] ?? 0) - cost
}
