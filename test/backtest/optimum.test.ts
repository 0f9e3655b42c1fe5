import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costModel, intervalCost } from '../../src/cli/backtest/model.ts'
import { optimum } from '../../src/cli/backtest/optimum.ts'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import { replayFleet } from '../../src/cli/backtest/fleet-replay.ts'
import { references, score } from '../../src/cli/backtest/score.ts'
import { SETTING, demands, loadOf } from './fixtures.ts'

const small = fc.array(fc.constantFrom(0, 100, 240, 300, 900, 2000, 9000), {
  minLength: 1,
  maxLength: 6,
})
const prices = fc.record({
  rho: fc.constantFrom(0, 1, 5, 20, 100),
  muHours: fc.constantFrom(0, 0.5, 2, 24),
  moveCostPerGiB: fc.constantFrom(0, 0.001),
})

/** Every path there is, one by one. */
function bruteForce(demand: readonly number[], start: number, setting = SETTING): number {
  const model = costModel(setting, 100)
  const walk = (k: number, tier: number): number => {
    if (k === demand.length) return 0
    const costs = [0, 1, 2].map(
      (to) =>
        (to === tier ? 0 : model.move) + intervalCost(model, to, demand[k]!) + walk(k + 1, to),
    )
    return Math.min(...costs)
  }
  return walk(0, start)
}

describe('the optimum', () => {
  it('is the cheapest of all paths there are', () => {
    fc.assert(
      fc.property(small, fc.nat(2), prices, (xs, start, money) => {
        const setting = { ...SETTING, money }
        const found = optimum(costModel(setting, 100), Float64Array.from(xs), start).cost
        expect(found).toBeCloseTo(bruteForce(xs, start, setting), 12)
      }),
    )
  })

  it('costs what its own moves cost', () => {
    fc.assert(
      fc.property(demands, fc.nat(2), prices, (xs, startTier, money) => {
        const setting = { ...SETTING, startTier, money }
        const load = loadOf(xs)
        const { cost, moves } = optimum(costModel(setting, 100), load.demand, startTier)
        const scored = score(setting, load, moves).cost
        expect(Math.abs(scored - cost)).toBeLessThanOrEqual(1e-12 * cost)
      }),
    )
  })

  it('is beaten by no rule, and not by the best single tier', () => {
    fc.assert(
      fc.property(demands, fc.nat(2), fc.boolean(), (xs, startTier, censored) => {
        const setting = { ...SETTING, startTier, censored }
        const load = loadOf(xs)
        const refs = references(setting, load)
        const least = refs.optimum * (1 - 1e-12)
        expect(refs.bestStatic).toBeGreaterThanOrEqual(least)
        expect(refs.bestStatic).toBeLessThanOrEqual(Math.min(refs.allHot, refs.stay) * (1 + 1e-12))
        for (const { rule } of Object.values(RULES)) {
          const [moves = []] = replayFleet(setting, [load], rule)
          expect(score(setting, load, moves).cost).toBeGreaterThanOrEqual(least)
        }
      }),
      { numRuns: 40 },
    )
  })
})
