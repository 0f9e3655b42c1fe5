import { costModel, intervalCost } from '../model.ts'
import type { RuleFactory } from '../types.ts'
import { unsaturated } from './saturation.ts'

type Options = {
  /** Moves' worth of regret that a faster and a slower tier need. */
  readonly up: number
  readonly down: number
  /** The target must have been cheaper over these hours, too. */
  readonly checkHours?: number
  /** Back up to the tier of before the last move within a week needs two moves' worth. */
  readonly brake?: boolean
}

const BRAKE = 2
const BRAKE_HOURS = 168

/** Break-even: what another tier would have saved since the last move, never below zero. */
export function regretRule({ up, down, checkHours, brake }: Options): RuleFactory {
  return (facts) => {
    const { setting, load } = facts
    const model = costModel(setting, load.sizeGiB)
    const demandOf = unsaturated(facts)
    const tiers = model.storage.map((_, j) => j)
    const regret = tiers.map(() => 0)
    const recent = recentCosts(Math.round((checkHours ?? 0) / setting.intervalHours), tiers.length)
    let previous = -1
    let movedAt = 0
    const factor = (from: number, to: number, k: number) => {
      if (to > from) return down
      const braked = brake && to === previous && (k - movedAt) * setting.intervalHours < BRAKE_HOURS
      return braked ? BRAKE : up
    }
    return {
      decide(observed, k, tier) {
        const x = demandOf(observed, tier)
        const costs = tiers.map((j) => intervalCost(model, j, x))
        recent.add(costs)
        for (const j of tiers) regret[j] = Math.max(0, regret[j]! + costs[tier]! - costs[j]!)
        const score = (j: number) => (checkHours === undefined ? -regret[j]! : recent.sum(j))
        let best = tier
        for (const j of tiers.toReversed()) {
          if (j === tier || regret[j]! < factor(tier, j, k) * model.move) continue
          if (checkHours !== undefined && recent.sum(j) >= recent.sum(tier)) continue
          if (best === tier || score(j) < score(best)) best = j
        }
        return best
      },
      moved(from, _to, k) {
        previous = from
        movedAt = k
        regret.fill(0)
      },
    }
  }
}

/** Sums of the last `length` costs per tier. */
function recentCosts(length: number, tiers: number) {
  const rows: (readonly number[])[] = []
  const sums = new Array<number>(tiers).fill(0)
  return {
    add(costs: readonly number[]) {
      if (length === 0) return
      rows.push(costs)
      const old = rows.length > length ? rows.shift() : undefined
      for (let j = 0; j < tiers; j++) sums[j] = sums[j]! + costs[j]! - (old?.[j] ?? 0)
    },
    sum: (j: number) => sums[j]!,
  }
}
