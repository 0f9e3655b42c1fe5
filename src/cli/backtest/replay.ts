import type { Guards } from './guards.ts'
import { startOf } from './types.ts'
import type { Move, Rule, RuleFacts } from './types.ts'

/**
 * Plays one volume interval by interval: the rule sees what the tier of that moment lets through and decides for the
 * next interval, so that nothing later can influence it. A gap (NaN) is no observation and decides nothing.
 * Nothing is decided after the last interval, since it would act nowhere.
 */
export function replay(facts: RuleFacts, rule: Rule, guards?: Guards): readonly Move[] {
  const { load, limits, setting } = facts
  const moves: Move[] = []
  let tier = startOf(setting, load)
  for (let k = 1; k < load.demand.length; k++) {
    const demand = load.demand[k - 1]!
    if (Number.isNaN(demand)) continue
    const observed = setting.censored ? Math.min(demand, limits[tier]!) : demand
    const to = rule.decide(observed, k, tier)
    guards?.observe(observed, k, tier)
    if (to === tier || guards?.blocks(tier, to, k)) continue
    moves.push({ after: k, from: tier, to })
    rule.moved(tier, to, k)
    guards?.moved(k)
    tier = to
  }
  return moves
}

/** The tier of each interval, first to last, as these moves leave it. */
export function path(moves: readonly Move[], startTier: number, intervals: number): Uint8Array {
  const tiers = new Uint8Array(intervals).fill(startTier)
  for (const { after, to } of moves) tiers.fill(to, after)
  return tiers
}
