import { bestStaticTier, staticCost } from './rules/hindsight.ts'
import { costModel, intervalCost } from './model.ts'
import type { CostModel } from './model.ts'
import { optimum } from './optimum.ts'
import { path } from './replay.ts'
import { startOf } from './types.ts'
import type { Load, Move, Setting } from './types.ts'

/** Money of one volume over the whole replay, by who decides. */
export type References = {
  readonly allHot: number
  readonly stay: number
  readonly bestStatic: number
  readonly bestStaticTier: number
  readonly optimum: number
  readonly optimumMoves: readonly Move[]
}

/** What the moves of one volume came to. */
export type Score = {
  /** The sum of the three below it. */
  readonly cost: number
  readonly storage: number
  /** What the throttled hours were worth. */
  readonly throttled: number
  readonly moving: number
  readonly moves: number
  readonly violationMinutes: number
  /** A -> B directly followed by B -> A less than 24 h later. */
  readonly thrash: number
  readonly demotions: number
  /** Promoted again before the demotion had saved the price of a move. */
  readonly prematureDemotions: number
  /** Length of the trace in weeks of 168 h. */
  readonly weeks: number
}

const THRASH_HOURS = 24
const HOURS_PER_WEEK = 168

/** What the volume costs by the plans that need no rule. */
export function references(setting: Setting, load: Load): References {
  const model = costModel(setting, load.sizeGiB)
  const startTier = startOf(setting, load)
  const fixed = bestStaticTier(model, load.demand, startTier)
  const best = optimum(model, load.demand, startTier)
  return {
    allHot: staticCost(model, load.demand, startTier, 0),
    stay: staticCost(model, load.demand, startTier, startTier),
    bestStatic: fixed.cost,
    bestStaticTier: fixed.tier,
    optimum: best.cost,
    optimumMoves: best.moves,
  }
}

/** Scores moves with the true demand, whatever the rule could see. */
export function score(setting: Setting, load: Load, moves: readonly Move[]): Score {
  const model = costModel(setting, load.sizeGiB)
  const tiers = path(moves, startOf(setting, load), load.demand.length)
  let storage = 0
  let throttled = 0
  let violated = 0
  load.demand.forEach((x, i) => {
    const tier = tiers[i]!
    storage += model.storage[tier]!
    throttled += intervalCost(model, tier, x) - model.storage[tier]!
    if (x > model.limits[tier]!) violated += 1
  })
  const moving = model.move * moves.length
  const demotions = moves.filter((m) => m.to > m.from).length
  return {
    cost: storage + throttled + moving,
    storage,
    throttled,
    moving,
    moves: moves.length,
    violationMinutes: violated * setting.intervalHours * 60,
    thrash: thrashOf(moves, setting.intervalHours),
    demotions,
    prematureDemotions: prematureOf(model, load.demand, moves),
    weeks: (load.demand.length * setting.intervalHours) / HOURS_PER_WEEK,
  }
}

function thrashOf(moves: readonly Move[], hours: number): number {
  return moves.filter((move, i) => {
    const next = moves[i + 1]
    return next?.to === move.from && (next.after - move.after) * hours < THRASH_HOURS
  }).length
}

function prematureOf(model: CostModel, demand: Float64Array, moves: readonly Move[]): number {
  return moves.filter((move, i) => {
    const next = moves[i + 1]
    if (move.to < move.from || next === undefined || next.to > next.from) return false
    let saved = 0
    for (let k = move.after; k < next.after; k++)
      saved += intervalCost(model, move.from, demand[k]!) - intervalCost(model, move.to, demand[k]!)
    return saved < model.move
  }).length
}

/** Money per interval as the moves leave it, the price of a move in the interval in which it acts. */
export function costPerInterval(
  setting: Setting,
  load: Load,
  moves: readonly Move[],
): Float64Array {
  const model = costModel(setting, load.sizeGiB)
  const tiers = path(moves, startOf(setting, load), load.demand.length)
  const costs = load.demand.map((x, i) => intervalCost(model, tiers[i]!, x))
  for (const { after } of moves) if (after < costs.length) costs[after] = costs[after]! + model.move
  return costs
}
