import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { htmlReport } from '../../src/cli/backtest/html/page.ts'
import { jsonReport } from '../../src/cli/backtest/json-report.ts'
import { makeReport } from '../../src/cli/backtest/report.ts'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import { textReport } from '../../src/cli/backtest/text-report.ts'
import type { Setting } from '../../src/cli/backtest/types.ts'
import { SETTING, loadOf } from './fixtures.ts'

const demand = fc.array(fc.constantFrom(0, 0.001, 5, 300, 5000, 1e9, NaN), {
  minLength: 1,
  maxLength: 300,
})
const free = SETTING.tiers.map((t) => ({ ...t, pricePerGiBMonth: 0 }))
const unlimited = SETTING.tiers.map((t) => ({ ...t, limitIops: () => Infinity }))
const settings: fc.Arbitrary<Setting> = fc.constantFrom(
  SETTING,
  { ...SETTING, tiers: free },
  { ...SETTING, tiers: unlimited },
  { ...SETTING, tiers: SETTING.tiers.slice(0, 1), startTier: 0 },
)

describe('a report', () => {
  it('draws only numbers, whatever the load and the tiers are', () => {
    fc.assert(
      fc.property(settings, fc.array(demand, { minLength: 1, maxLength: 4 }), (setting, fleet) => {
        const report = makeReport({
          setting,
          loads: fleet.map((xs, i) => loadOf(xs, 10 ** i, `v${i}`)),
          ruleName: 'couchestor',
          rule: RULES.couchestor.rule,
        })
        expect(htmlReport(report)).not.toMatch(/NaN|Infinity|undefined/)
        expect(textReport(report)).not.toMatch(/NaN|Infinity|undefined/)
        expect(() => JSON.parse(jsonReport(report)) as unknown).not.toThrow()
      }),
      { numRuns: 60 },
    )
  })

  it('shows a saving as a saving, and names the volumes where it was made first', () => {
    const idle = new Array<number>(400).fill(1)
    const report = makeReport({
      setting: { ...SETTING, startTier: 0 },
      loads: [loadOf(idle, 10, 'small'), loadOf(idle, 1000, 'large')],
      ruleName: 'couchestor',
      rule: RULES.couchestor.rule,
    })
    const [rule, allHot] = report.rows
    const text = textReport(report)

    expect(rule?.summary.cost).toBeLessThan(allHot?.summary.cost ?? 0)
    for (const { moves } of report.volumes)
      expect(moves).toEqual([{ after: expect.any(Number), from: 0, to: 2 }])
    expect(text.indexOf('large')).toBeLessThan(text.indexOf('small'))
  })
})
