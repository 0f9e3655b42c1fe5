import { medianSizeGiB } from '../../policy/rule.ts'
import type { GuardsFactory } from './guards.ts'
import { replay } from './replay.ts'
import type { Load, Move, RuleFactory, RuleFacts, Setting } from './types.ts'

/** Plays each volume by itself; answers the moves in the order of the volumes. Lazy, so that
 * a caller can show how far it is. */
export function* replayFleet(
  setting: Setting,
  loads: readonly Load[],
  rule: RuleFactory,
  guards?: GuardsFactory,
): Generator<readonly Move[]> {
  const median = medianSizeGiB(loads.map((l) => l.sizeGiB))
  for (const load of loads) {
    const facts: RuleFacts = {
      setting,
      load,
      medianSizeGiB: median,
      limits: setting.tiers.map((t) => t.limitIops(load.sizeGiB)),
    }
    yield replay(facts, rule(facts), guards?.(facts))
  }
}
