import { replayFleet } from '../../src/cli/backtest/fleet-replay.ts'
import { guardsOf } from '../../src/cli/backtest/guards.ts'
import type { GuardSettings } from '../../src/cli/backtest/guards.ts'
import { score } from '../../src/cli/backtest/score.ts'
import { summarize } from '../../src/cli/backtest/summary.ts'
import type { Summary } from '../../src/cli/backtest/summary.ts'
import type { RuleFactory } from '../../src/cli/backtest/types.ts'
import type { Case } from './decisions-cases.ts'

const R1 = '4k-1w-250_1000-warm-rho20-mu24'
const R1_FOUR_WEEKS = '4k-4w-250_1000-warm-rho20-mu24'

/** One row of the contract's table. */
export type Figures = {
  readonly r1: Summary
  readonly r1FourWeeks: Summary
  readonly least: number
  readonly median: number
  readonly most: number
  readonly beatsAllHot: number
  readonly equalWeight: number
  readonly capturedSaving: number
  readonly prematureShare: number
  readonly thrash: number
  readonly scenarios: ReadonlyMap<string, Summary>
}

/** A rule over all scenarios of one kind of input. */
export function figuresOf(
  cases: readonly Case[],
  rule: RuleFactory,
  guards?: GuardSettings,
): Figures {
  const scenarios = new Map(cases.map((c) => [c.name, summaryOf(c, rule, guards)]))
  const all = [...scenarios.values()]
  const sum = (of: (s: Summary) => number) => all.reduce((total, s) => total + of(s), 0)
  const ratios = all.map((s) => s.ratio)
  return {
    r1: scenarios.get(R1)!,
    r1FourWeeks: scenarios.get(R1_FOUR_WEEKS)!,
    least: Math.min(...ratios),
    median: median(ratios),
    most: Math.max(...ratios),
    beatsAllHot: all.filter((s) => s.cost < s.allHot).length,
    equalWeight: median(all.map((s) => s.ratioEqualWeight)),
    capturedSaving: median(all.map((s) => s.capturedSaving)),
    prematureShare: sum((s) => s.prematureDemotions) / sum((s) => s.demotions),
    thrash: sum((s) => s.thrashPerWeek) / all.length,
    scenarios,
  }
}

function summaryOf(c: Case, rule: RuleFactory, guards: GuardSettings | undefined): Summary {
  const moves = [...replayFleet(c.setting, c.loads, rule, guards && guardsOf(guards))]
  return summarize(
    c.loads.map((load, i) => ({
      score: score(c.setting, load, moves[i] ?? []),
      references: c.references[i]!,
    })),
  )
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[half] ?? NaN)
    : ((sorted[half - 1] ?? NaN) + (sorted[half] ?? NaN)) / 2
}
