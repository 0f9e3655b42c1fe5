import { intervalCost } from './model.ts'
import type { CostModel } from './model.ts'
import type { Move } from './types.ts'

export type Optimum = { readonly cost: number; readonly moves: readonly Move[] }

/**
 * The cheapest plan in hindsight: a dynamic program over intervals and tiers. A move before interval 1 is allowed
 * and costs as any other (`after` 0).
 */
export function optimum(model: CostModel, demand: Float64Array, startTier: number): Optimum {
  const tiers = model.storage.length
  let best = Array.from({ length: tiers }, (_, j) => (j === startTier ? 0 : Infinity))
  const cameFrom = new Uint8Array(demand.length * tiers)
  for (let k = 0; k < demand.length; k++) {
    const x = demand[k]!
    const cheapest = argmin(best)
    const entry = best[cheapest]! + model.move
    const next = new Array<number>(tiers)
    for (let j = 0; j < tiers; j++) {
      const stays = best[j]! <= entry
      cameFrom[k * tiers + j] = stays ? j : cheapest
      next[j] = intervalCost(model, j, x) + (stays ? best[j]! : entry)
    }
    best = next
  }
  const last = argmin(best)
  return { cost: best[last]!, moves: walkBack(cameFrom, tiers, demand.length, last) }
}

function argmin(values: readonly number[]): number {
  let at = 0
  for (let j = 1; j < values.length; j++) if (values[j]! < values[at]!) at = j
  return at
}

function walkBack(cameFrom: Uint8Array, tiers: number, intervals: number, last: number): Move[] {
  const moves: Move[] = []
  let tier = last
  for (let k = intervals - 1; k >= 0; k--) {
    const from = cameFrom[k * tiers + tier]!
    if (from !== tier) moves.push({ after: k, from, to: tier })
    tier = from
  }
  return moves.reverse()
}
