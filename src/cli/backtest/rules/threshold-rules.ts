import type { Rule, RuleFacts, RuleFactory } from '../types.ts'
import { unsaturated } from './saturation.ts'

/** What everybody writes: a statistic of the demand against the limits of the tiers. */
interface Statistic {
  add(x: number): void
  /** True when the statistic is above `q`. */
  above(q: number): boolean
  /** True when the statistic is below `q`. */
  below(q: number): boolean
}

type Options = {
  readonly statistic: (facts: RuleFacts) => Statistic
  /** Up above (1 + band) of the limit here, down below (1 - band) of the limit there. */
  readonly band: number
  readonly cooldownHours: number
  readonly leastIntervals?: number
}

/** A rule that compares one statistic with the limits of the tiers. */
export function thresholdRule(options: Options): RuleFactory {
  return (facts) => {
    const { limits, setting } = facts
    const demandOf = unsaturated(facts)
    const statistic = options.statistic(facts)
    let movedAt = -Infinity
    let seen = 0
    const cooling = (k: number) =>
      (k - movedAt) * setting.intervalHours < options.cooldownHours ||
      seen < (options.leastIntervals ?? 0)
    const rule: Rule = {
      decide(observed, k, tier) {
        seen += 1
        statistic.add(demandOf(observed, tier))
        return cooling(k) ? tier : target(statistic, limits, tier, options.band)
      },
      moved(_from, _to, k) {
        movedAt = k
      },
    }
    return rule
  }
}

function target(v: Statistic, limits: readonly number[], tier: number, band: number): number {
  if (v.above((1 + band) * limits[tier]!))
    return Math.min(
      tier,
      Math.max(
        0,
        limits.findLastIndex((q) => !v.above(q)),
      ),
    )
  return Math.max(
    tier,
    limits.findLastIndex((q) => v.below((1 - band) * q)),
  )
}

/** Mean of the last `hours`, fewer at the beginning. */
export function meanOf(hours: number): Options['statistic'] {
  return ({ setting }) => {
    const size = Math.round(hours / setting.intervalHours)
    const recent: number[] = []
    const mean = () => recent.reduce((sum, x) => sum + x, 0) / recent.length
    let v = 0
    return {
      add(x) {
        recent.push(x)
        if (recent.length > size) recent.shift()
        v = mean()
      },
      above: (q) => v > q,
      below: (q) => v < q,
    }
  }
}

/** Exponentially weighted mean that starts with the first value. */
export function ewmaOf(halfLifeHours: number): Options['statistic'] {
  return ({ setting }) => {
    const fade = 0.5 ** (setting.intervalHours / halfLifeHours)
    let v: number | undefined
    return {
      add(x) {
        v = v === undefined ? x : fade * v + (1 - fade) * x
      },
      above: (q) => v !== undefined && v > q,
      below: (q) => v !== undefined && v < q,
    }
  }
}

/**
 * Percentile of all values so far, older ones with less weight: above `q` = more than the rest of the weight is.
 * Only the weight beyond each threshold that a band of this width can ask for is kept.
 */
export function decayedPercentileOf(
  share: number,
  halfLifeHours: number,
  band: number,
): Options['statistic'] {
  return ({ setting, limits }) => {
    const fade = 0.5 ** (setting.intervalHours / halfLifeHours)
    const asked = new Set(limits.flatMap((q) => [(1 + band) * q, q, (1 - band) * q]))
    const weights = new Map([...asked].map((q) => [q, { above: 0, from: 0 }]))
    let total = 0
    return {
      add(x) {
        total = total * fade + 1
        for (const [q, weight] of weights) {
          weight.above = weight.above * fade + (x > q ? 1 : 0)
          weight.from = weight.from * fade + (x >= q ? 1 : 0)
        }
      },
      above: (q) => (weights.get(q)?.above ?? NaN) > (1 - share) * total,
      below: (q) => (weights.get(q)?.from ?? NaN) <= (1 - share) * total,
    }
  }
}
