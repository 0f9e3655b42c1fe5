import { costModel, intervalCost } from '../model.ts'
import { startOf } from '../types.ts'
import type { RuleFactory } from '../types.ts'
import { unsaturated } from './saturation.ts'

/** The work-function algorithm: the cost of the cheapest plan that ends on each tier; it goes where that is least. */
export const workFunctionRule: RuleFactory = (facts) => {
  const { setting, load } = facts
  const model = costModel(setting, load.sizeGiB)
  const demandOf = unsaturated(facts)
  let work = model.storage.map((_, j) => (j === startOf(setting, load) ? 0 : model.move))
  return {
    decide(observed, _k, tier) {
      const x = demandOf(observed, tier)
      const charged = work.map((w, j) => w + intervalCost(model, j, x))
      const least = Math.min(...charged) + model.move
      work = charged.map((w) => Math.min(w, least))
      if (charged[tier]! < least) return tier
      return charged.findLastIndex((w) => w + model.move === least)
    },
    moved() {},
  }
}
