import { assumedDemand } from '../../../policy/demand.ts'
import { DEFAULT_CONSTANTS, decide, initialState, moved, observe } from '../../../policy/rule.ts'
import type { RuleConstants } from '../../../policy/types.ts'
import type { RuleFactory } from '../types.ts'

const SECONDS_PER_HOUR = 3600

/** The rule that the controller runs (src/policy/rule.ts), with the constants given here in place of its own. */
export function leadRule(
  changes: Partial<RuleConstants> = {},
  wish: typeof decide = decide,
): RuleFactory {
  return ({ setting, load, medianSizeGiB, limits }) => {
    const { tiers, intervalHours } = setting
    const constants = { ...DEFAULT_CONSTANTS, ...setting.money, ...changes }
    const end = (k: number) => k * intervalHours * SECONDS_PER_HOUR
    let state = initialState(tiers.length, 0)
    return {
      decide(observed, k, tier) {
        const x = assumedDemand(observed, setting.censored ? limits[tier] : undefined, constants)
        state = observe(state, tier, x, load.sizeGiB, tiers, constants, intervalHours, end(k))
        return wish(state, tier, load.sizeGiB, medianSizeGiB, tiers, constants).to
      },
      moved(from, _to, k) {
        state = moved(state, from, end(k))
      },
    }
  }
}
