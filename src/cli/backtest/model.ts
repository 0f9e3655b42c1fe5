import { HOURS_PER_MONTH, moveCost, premiumPerHour, throttledShare } from '../../policy/cost.ts'
import type { Setting } from './types.ts'

/** The prices of one volume, worked out once: replays of weeks ask for them a million times. */
export type CostModel = {
  /** Money per interval, by tier. */
  readonly storage: readonly number[]
  /** Money of one interval that is throttled altogether. */
  readonly throttled: number
  readonly limits: readonly number[]
  readonly move: number
}

/** Prices of a volume of `sizeGiB` in this setting. */
export function costModel(setting: Setting, sizeGiB: number): CostModel {
  const { tiers, money, intervalHours } = setting
  return {
    storage: tiers.map((t) => (t.pricePerGiBMonth * sizeGiB * intervalHours) / HOURS_PER_MONTH),
    throttled: money.rho * premiumPerHour(tiers, sizeGiB) * intervalHours,
    limits: tiers.map((t) => t.limitIops(sizeGiB)),
    move: moveCost(tiers, sizeGiB, money),
  }
}

/** What one interval with this demand costs on a tier. What was not measured (NaN) costs its storage. */
export function intervalCost(model: CostModel, tier: number, demand: number): number {
  const storage = model.storage[tier] ?? NaN
  return storage + model.throttled * throttledShare(model.limits[tier] ?? NaN, demand)
}
