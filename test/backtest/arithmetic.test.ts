import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadsOf, parseScenario } from '../../src/cli/backtest/scenario.ts'
import { references, score } from '../../src/cli/backtest/score.ts'
import { intervalCosts } from '../../src/policy/cost.ts'
import { costModel, intervalCost } from '../../src/cli/backtest/model.ts'
import type { Move } from '../../src/cli/backtest/types.ts'
import { SCENARIO, demands } from './fixtures.ts'

/** The formulas as they are published: slow tiers first, nothing shared with the code under test. */
function published(
  s: {
    D: number
    p: readonly number[]
    Q: readonly number[]
    rho: number
    mu: number
    h: number
    g: number
  },
  xs: readonly number[],
  tiers: readonly number[],
  start: number,
): number {
  const E = ((Math.max(...s.p) - Math.min(...s.p)) * s.g) / 730
  const m = s.mu * E + s.h * s.g
  let cost = 0
  let last = start
  xs.forEach((x, i) => {
    const j = tiers[i]!
    const phi = x === 0 ? 0 : Math.max(0, 1 - s.Q[j]! / x)
    cost += (s.p[j]! * s.g * s.D) / 730 + s.rho * E * s.D * phi
    if (j !== last) cost += m
    last = j
  })
  return cost
}

const settings = fc.record({
  D: fc.constantFrom(0.25, 0.5, 1),
  rho: fc.double({ min: 0, max: 200, noNaN: true }),
  mu: fc.double({ min: 0, max: 100, noNaN: true }),
  h: fc.double({ min: 0, max: 0.01, noNaN: true }),
  g: fc.double({ min: 1, max: 30_000, noNaN: true }),
  base: fc.double({ min: 0, max: 500, noNaN: true }),
  perGiB: fc.double({ min: 0, max: 3, noNaN: true }),
  max: fc.double({ min: 100, max: 3000, noNaN: true }),
})
const isClose = (a: number, b: number) => Math.abs(a - b) <= 1e-9 * Math.max(1e-6, Math.abs(b))

describe('the cost of decisions', () => {
  it('is what the published formulas say, whatever the path, to nine digits', () => {
    fc.assert(
      fc.property(demands, settings, fc.array(fc.nat(2), { minLength: 1 }), (xs, s, pattern) => {
        const scenario = parseScenario(
          JSON.stringify({
            ...SCENARIO,
            intervalHours: s.D,
            rho: s.rho,
            muHours: s.mu,
            moveCostPerGiB: s.h,
            tiers: [
              {
                name: 'cold',
                pricePerGiBMonth: 0.045,
                iops: { base: s.base, perGiB: s.perGiB, max: s.max },
              },
              ...SCENARIO.tiers.slice(1),
            ],
          }),
          's.json',
        )
        const operations = Float64Array.from(xs, (x) => x * 3600 * s.D)
        const [load] = loadsOf(scenario, [{ id: 'v', sizeGiB: s.g, operations }], 's.json')
        const slowFirst = xs.map((_, i) => pattern[Math.floor(i / 7) % pattern.length]!)
        const moves: Move[] = []
        slowFirst.forEach((tier, i) => {
          const from = i === 0 ? 1 : slowFirst[i - 1]!
          if (tier !== from) moves.push({ after: i, from: 2 - from, to: 2 - tier })
        })
        const formula = {
          ...s,
          p: [0.045, 0.08, 0.125],
          Q: [Math.min(s.max, s.base + s.perGiB * s.g), 1000, Infinity],
        }
        const all = (tier: number) => xs.map(() => tier)
        const cost = (tiers: readonly number[]) => published(formula, xs, tiers, 1)
        const refs = references(scenario.setting, load!)
        expect(isClose(score(scenario.setting, load!, moves).cost, cost(slowFirst))).toBe(true)
        expect(isClose(refs.allHot, cost(all(2)))).toBe(true)
        expect(isClose(refs.stay, cost(all(1)))).toBe(true)
        expect(
          isClose(refs.bestStatic, Math.min(...[0, 1, 2].map((tier) => cost(all(tier))))),
        ).toBe(true)
        const model = costModel(scenario.setting, s.g)
        const { tiers, money } = scenario.setting
        intervalCosts(tiers, xs[0]!, s.g, s.D, money).forEach((c, j) =>
          expect(isClose(intervalCost(model, j, xs[0]!), c)).toBe(true),
        )
      }),
    )
  })

  it('counts what the contract counts', () => {
    const scenario = parseScenario(JSON.stringify(SCENARIO), 's.json')
    const hours = (n: number, x: number) => new Array<number>(2 * n).fill(x)
    const xs = [...hours(10, 100), ...hours(10, 2000), ...hours(30, 100), ...hours(4, 100)]
    const operations = Float64Array.from(xs, (x) => x * 1800)
    const [load] = loadsOf(scenario, [{ id: 'v', sizeGiB: 100, operations }], 's.json')
    const scored = score(scenario.setting, load!, [
      { after: 4, from: 1, to: 2 },
      { after: 24, from: 2, to: 1 },
      { after: 30, from: 1, to: 0 },
      { after: 100, from: 0, to: 2 },
    ])

    expect(scored).toMatchObject({
      moves: 4,
      violationMinutes: 10 * 30,
      thrash: 1,
      demotions: 2,
      prematureDemotions: 1,
      weeks: 54 / 168,
    })
  })
})
