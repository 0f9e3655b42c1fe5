import { costModel, intervalCost } from '../model.ts'
import type { CostModel } from '../model.ts'
import { startOf } from '../types.ts'
import type { RuleFactory } from '../types.ts'

/** The tier that would have been cheapest for the whole time, its one move from the start tier included. */
export function bestStaticTier(
  model: CostModel,
  demand: Float64Array,
  startTier: number,
): { readonly tier: number; readonly cost: number } {
  let best = { tier: startTier, cost: Infinity }
  for (let tier = model.storage.length - 1; tier >= 0; tier--) {
    const cost = staticCost(model, demand, startTier, tier)
    if (cost < best.cost) best = { tier, cost }
  }
  return best
}

/** On one tier from interval 1 on, with one move when that is not the start tier. */
export function staticCost(
  model: CostModel,
  demand: Float64Array,
  startTier: number,
  tier: number,
): number {
  let cost = tier === startTier ? 0 : model.move
  for (const x of demand) cost += intervalCost(model, tier, x)
  return cost
}

/** No policy: is given the best single tier after some hours, which shows the price of learning it. */
export function delayedRule(afterHours: number): RuleFactory {
  return ({ setting, load }) => {
    const { tier } = bestStaticTier(
      costModel(setting, load.sizeGiB),
      load.demand,
      startOf(setting, load),
    )
    return {
      decide: (_observed, k, here) => (k * setting.intervalHours >= afterHours ? tier : here),
      moved() {},
    }
  }
}

/** Everything on the fastest tier, as soon as a decision may act. */
export const allHotRule: RuleFactory = () => ({ decide: () => 0, moved() {} })

/** Nothing ever moves. */
export const stayRule: RuleFactory = () => ({ decide: (_x, _k, tier) => tier, moved() {} })
