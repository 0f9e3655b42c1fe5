import { medianSizeGiB } from '../../policy/rule.ts'
import type { Guards } from './guards.ts'
import { replay } from './replay.ts'
import type { Load, Move, RuleFactory, RuleFacts, Setting } from './types.ts'

export type GuardsFactory = (facts: RuleFacts) => Guards

/** Plays each volume by itself; answers the moves in the order of the volumes. `onVolume` tells how many are done. */
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
