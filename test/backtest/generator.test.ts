import { describe, expect, it } from 'vitest'
import { generateTrace } from '../../src/cli/backtest/generator.ts'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import type { RuleName } from '../../src/cli/backtest/rules/rules.ts'
import { generatedCases } from '../bench/decisions-cases.ts'
import { figuresOf } from '../bench/decisions-figures.ts'

const fleet = generateTrace({ seed: 3, volumes: 1000, windows: 256 })
const iops = fleet.map((v) => Array.from(v.operations, (n) => n / 1800))
const means = iops.map((x) => x.reduce((sum, v) => sum + v, 0) / x.length)

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? NaN
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]) => x.reduce((sum, v) => sum + v, 0) / x.length
  const [ma, mb] = [mean(a), mean(b)]
  const sum = (of: (i: number) => number) => a.reduce((total, _, i) => total + of(i), 0)
  const both = sum((i) => (a[i]! - ma) * (b[i]! - mb))
  return both / Math.sqrt(sum((i) => (a[i]! - ma) ** 2) * sum((i) => (b[i]! - mb) ** 2))
}

describe('the generated fleet', () => {
  it('is the same for the same seed, and another for another', () => {
    const make = (seed: number) => generateTrace({ seed, volumes: 5, windows: 300 })

    expect(make(1)).toEqual(make(1))
    expect(make(1)).not.toEqual(make(2))
    expect(make(1).map((v) => v.operations.length)).toEqual([300, 300, 300, 300, 300])
  })

  it('has the load, the sizes and the bursts that were measured', () => {
    const peaks = iops.map((x, i) => Math.max(...x) / means[i]!)
    const sizes = fleet.map((v) => v.sizeGiB)

    expect(Math.log(quantile(means, 0.5))).toBeCloseTo(4.85, 0)
    expect(Math.log(quantile(sizes, 0.5))).toBeCloseTo(4.44, 0)
    expect(quantile(peaks, 0.5)).toBeGreaterThan(6)
    expect(quantile(peaks, 0.5)).toBeLessThan(20)
    expect(correlation(means.map(Math.log), sizes.map(Math.log))).toBeCloseTo(0.64, 1)
  })

  it('gives a third of the volumes a lasting change when asked to', () => {
    const changed = generateTrace({ seed: 3, volumes: 300, windows: 512, regimeChanges: true })
    const calm = generateTrace({ seed: 3, volumes: 300, windows: 512 })
    const shift = (fleetOf: typeof fleet) =>
      fleetOf.map(({ operations: x }) => {
        const sum = (from: number, to: number) => x.subarray(from, to).reduce((a, b) => a + b, 0)
        return Math.abs(Math.log(sum(384, 512) / sum(0, 128)))
      })

    expect(quantile(shift(changed), 0.9)).toBeGreaterThan(1.2 * quantile(shift(calm), 0.9))
  })

  it('ranks the rules as the recorded trace does', () => {
    const { plain, capped } = generatedCases(5, 40)
    const median = (name: RuleName, cases: typeof plain) =>
      figuresOf(cases, RULES[name].rule).median
    for (const cases of [plain, capped]) {
      expect(median('couchestor', cases)).toBeLessThan(median('lead-0.5', cases))
      expect(median('couchestor', cases)).toBeLessThan(median('regret-1', cases))
      expect(median('regret-1', cases)).toBeLessThan(median('mean-24h-band-cooldown', cases))
      expect(median('mean-24h-band-cooldown', cases)).toBeLessThan(median('naive-1h', cases))
    }
  })
})
