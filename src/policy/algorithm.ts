import type { EffectivePolicy } from '../api/effective-policy.ts'
import { DEFAULT_CONSTANTS, decide } from './rule.ts'
import { decideByThreshold } from './threshold.ts'
import type { RuleConstants } from './types.ts'

type Decision = EffectivePolicy['decision']

/** The constants of a policy: what it leaves out has the rule's own default. */
export function constantsOf(decision: Decision): RuleConstants {
  const given = {
    rho: decision.rho,
    muHours: decision.muHours,
    moveCostPerGiB: decision.moveCostPerGiB,
    halfLifeHours: decision.halfLifeHours,
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULT_CONSTANTS, ...Object.fromEntries(set) }
}

/** The function that turns a state into a wish. */
export function deciderOf(algorithm: Decision['algorithm']): typeof decide {
  return algorithm === 'Threshold' ? decideByThreshold : decide
}
