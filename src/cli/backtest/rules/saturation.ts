import { assumedDemand } from '../../../policy/demand.ts'
import type { RuleFacts, RuleFactory } from '../types.ts'

const SHARE = 0.95
const FACTOR = 2

/** Where the input is capped: an observation at the limit of the tier stands for twice the limit. */
export function unsaturated(
  { setting, limits }: RuleFacts,
  saturationFactor: number = FACTOR,
): (observed: number, tier: number) => number {
  const constants = { saturationShare: SHARE, saturationFactor }
  if (!setting.censored) return (observed) => observed
  return (observed, tier) => assumedDemand(observed, limits[tier], constants)
}

/** The same rule, but what it sees under a limit is all it believes there was. */
export function ignoringSaturation(rule: RuleFactory): RuleFactory {
  return (facts) => rule({ ...facts, setting: { ...facts.setting, censored: false } })
}
