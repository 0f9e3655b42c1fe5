import { describe, expect, it } from 'vitest'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import type { RuleName } from '../../src/cli/backtest/rules/rules.ts'
import { hasRecorded, recordedCases } from '../bench/decisions-cases.ts'
import { figuresOf } from '../bench/decisions-figures.ts'
import type { Figures } from '../bench/decisions-figures.ts'

/**
 * Published results: R1 ratio, violation minutes, moves, thrash; R1 over four weeks; min, median, max of all
 * scenarios; how many beat all-hot; median of equal weight; captured saving and premature demotions in per cent; thrash.
 */
const PLAIN: Partial<Record<RuleName, string>> = {
  'naive-1h': '4.397 481 18.88 13.51 4.644 1.94 4.601 11.45 0 3.354 -1216 81 13.855',
  'mean-1h-cooldown': '2.683 711 4.13 0.00 2.818 1.73 2.520 8.73 0 1.721 -441 66 0.000',
  'mean-24h-band-cooldown': '1.685 633 1.77 0.00 1.673 1.28 1.816 5.00 5 1.387 -178 41 0.000',
  'ewma-24h-band-cooldown': '1.428 605 1.33 0.00 1.393 1.13 1.468 3.72 6 1.311 -64 20 0.000',
  'decayed-p95-band-cooldown': '1.189 181 1.88 0.00 1.103 1.07 1.180 1.66 24 1.231 41 43 0.000',
  'regret-1': '1.109 134 0.85 0.04 1.046 1.02 1.103 1.38 27 1.162 59 49 0.608',
  'regret-0.5-2': '1.106 77 0.74 0.00 1.068 1.04 1.127 1.34 32 1.215 50 37 0.175',
  'regret-0.5-2-48h': '1.106 77 0.74 0.00 1.047 1.04 1.104 1.28 32 1.205 64 25 0.039',
  'regret-0.5-2-48h-brake': '1.106 77 0.74 0.00 1.039 1.03 1.106 1.28 32 1.181 64 20 0.022',
  wfa: '1.176 139 0.63 0.00 1.053 1.01 1.131 1.33 30 1.183 44 28 0.122',
  'lead-0.5': '1.078 119 0.79 0.00 1.022 1.01 1.065 1.16 34 1.093 75 13 0.013',
  lead: '1.063 117 0.83 0.00 1.017 1.01 1.061 1.16 34 1.084 74 14 0.020',
  'told-4h': '1.072 157 0.68 0.00 1.020 1.00 1.023 1.37 33 1.022 92 0 0.000',
  'told-12h': '1.162 186 0.68 0.00 1.043 1.00 1.037 1.84 32 1.041 84 0 0.000',
  'told-24h': '1.267 223 0.68 0.00 1.072 1.01 1.057 2.39 30 1.068 78 0 0.000',
}
const CAPPED: Partial<Record<RuleName, string>> = {
  'naive-1h': '5.786 429 31.15 24.87 6.149 2.41 6.179 15.91 0 5.100 -1837 87 24.254',
  'mean-1h-cooldown': '2.682 682 5.07 0.00 3.012 1.78 2.693 9.76 0 1.913 -500 70 0.000',
  'mean-24h-band-cooldown': '1.782 752 1.35 0.00 1.847 1.25 1.875 6.29 5 1.413 -223 23 0.000',
  'ewma-24h-band-cooldown': '1.578 700 1.11 0.00 1.704 1.11 1.617 5.07 6 1.351 -130 9 0.000',
  'decayed-p95-band-cooldown': '1.215 164 2.01 0.00 1.134 1.08 1.210 1.70 22 1.295 33 52 0.000',
  'regret-1': '1.120 143 0.87 0.00 1.043 1.03 1.127 1.52 25 1.186 48 56 0.661',
  'regret-0.5-2': '1.118 73 0.85 0.02 1.091 1.04 1.139 1.46 30 1.278 39 50 0.233',
  'regret-0.5-2-48h': '1.116 78 0.81 0.02 1.074 1.04 1.121 1.32 32 1.227 55 33 0.097',
  'regret-0.5-2-48h-brake': '1.115 78 0.79 0.00 1.056 1.04 1.121 1.30 32 1.225 56 25 0.052',
  wfa: '1.190 149 0.63 0.00 1.056 1.03 1.146 1.37 30 1.217 36 28 0.053',
  'lead-0.5': '1.092 137 0.76 0.00 1.027 1.01 1.078 1.18 33 1.105 72 15 0.031',
  lead: '1.064 131 0.81 0.00 1.020 1.01 1.072 1.20 33 1.093 72 17 0.035',
  'naive-1h-saturation-ignored': '3.924 1648 1.05 0.04 4.278 1.35 3.753 18.39 2 1.865 -985 2 0.031',
  'mean-24h-band-cooldown-saturation-ignored':
    '3.153 1453 0.94 0.00 3.412 1.17 2.275 14.01 4 1.603 -465 0 0.000',
  'decayed-p95-band-cooldown-saturation-ignored':
    '2.822 1030 0.72 0.00 2.980 1.02 1.209 11.65 17 1.162 7 0 0.000',
  'regret-1-saturation-ignored': '2.799 833 0.55 0.00 2.947 1.01 1.351 11.29 16 1.253 -3 0 0.000',
  'regret-0.5-2-48h-saturation-ignored':
    '2.815 806 0.46 0.00 2.949 1.01 1.156 11.29 18 1.282 14 0 0.000',
}

function line(f: Figures): string {
  const { r1 } = f
  return [
    r1.ratio.toFixed(3),
    r1.violationMinutesPerWeek.toFixed(0),
    r1.movesPerWeek.toFixed(2),
    r1.thrashPerWeek.toFixed(2),
    f.r1FourWeeks.ratio.toFixed(3),
    f.least.toFixed(2),
    f.median.toFixed(3),
    f.most.toFixed(2),
    f.beatsAllHot,
    f.equalWeight.toFixed(3),
    (100 * f.capturedSaving).toFixed(0),
    (100 * f.prematureShare).toFixed(0),
    f.thrash.toFixed(3),
  ].join(' ')
}

describe.skipIf(!hasRecorded())('on the recorded trace', () => {
  const cases = hasRecorded() ? recordedCases() : undefined
  const rows = (table: Partial<Record<RuleName, string>>) =>
    Object.entries(table) as [RuleName, string][]

  it.each(rows(PLAIN))('%s costs what was published', (name, published) => {
    expect(line(figuresOf(cases?.plain ?? [], RULES[name].rule))).toBe(published)
  })

  it.each(rows(CAPPED))('%s on capped input costs what was published', (name, published) => {
    expect(line(figuresOf(cases?.capped ?? [], RULES[name].rule))).toBe(published)
  })

  it('the own rule beats the best published one on both inputs, and all-hot everywhere', () => {
    const plain = figuresOf(cases?.plain ?? [], RULES.couchestor.rule)
    const capped = figuresOf(cases?.capped ?? [], RULES.couchestor.rule)

    expect(plain.median).toBeLessThan(1.057)
    expect(plain.equalWeight).toBeLessThan(1.067)
    expect(capped.median).toBeLessThan(1.069)
    expect(capped.equalWeight).toBeLessThan(1.08)
    expect([plain.beatsAllHot, capped.beatsAllHot]).toEqual([34, 34])
    expect(plain.r1.thrashPerWeek).toBeLessThan(0.02)
    expect(capped.r1.thrashPerWeek).toBeLessThan(0.02)
  })
})
