import { NO_GUARDS } from '../../src/cli/backtest/guards.ts'
import type { GuardSettings } from '../../src/cli/backtest/guards.ts'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import type { References } from '../../src/cli/backtest/score.ts'
import type { RuleName } from '../../src/cli/backtest/rules/rules.ts'
import type { Case, Cases } from './decisions-cases.ts'
import { generatedCases, hasRecorded, recordedCases } from './decisions-cases.ts'
import { figuresOf, median } from './decisions-figures.ts'
import type { Figures } from './decisions-figures.ts'

const DAY = 86_400
const SEED = 1
const VOLUMES = 100

const print = (text: string) => void process.stdout.write(`${text}\n`)
const fixed = (n: number, digits: number) => (Number.isFinite(n) ? n.toFixed(digits) : '-')
const percent = (n: number) => (Number.isFinite(n) ? `${(100 * n).toFixed(0)} %` : '-')

function markdown(header: readonly string[], rows: readonly (readonly string[])[]): void {
  print(`| ${header.join(' | ')} |`)
  print(`|${'---|'.repeat(header.length)}`)
  for (const row of rows) print(`| ${row.join(' | ')} |`)
  print('')
}

const RULE_HEADER = [
  'rule',
  'R1: ratio',
  'viol. min/vw',
  'moves/vw',
  'thrash/vw',
  'R1 4 weeks',
  'min / median / max',
  'beats all-hot',
  'median, equal weight',
  'captured saving',
  'premature demotions',
  'thrash/vw, mean',
]

function ruleRow(name: string, f: Figures): readonly string[] {
  return [
    name,
    fixed(f.r1.ratio, 3),
    fixed(f.r1.violationMinutesPerWeek, 0),
    fixed(f.r1.movesPerWeek, 2),
    fixed(f.r1.thrashPerWeek, 2),
    fixed(f.r1FourWeeks.ratio, 3),
    `${fixed(f.least, 2)} / ${fixed(f.median, 3)} / ${fixed(f.most, 2)}`,
    `${f.beatsAllHot}/${f.scenarios.size}`,
    fixed(f.equalWeight, 3),
    percent(f.capturedSaving),
    percent(f.prematureShare),
    fixed(f.thrash, 3),
  ]
}

type Results = ReadonlyMap<RuleName, Figures>

function ruleTable(title: string, cases: readonly Case[]): Results {
  const results = new Map(
    (Object.keys(RULES) as RuleName[]).map((name) => [name, figuresOf(cases, RULES[name].rule)]),
  )
  print(`### ${title}\n`)
  markdown(
    RULE_HEADER,
    [...results].map(([name, f]) => ruleRow(name, f)),
  )
  print(referenceLine('best static in hindsight', cases, (r) => r.bestStatic))
  print(referenceLine('all-hot from window 1', cases, (r) => r.allHot))
  print('')
  return results
}

function referenceLine(
  what: string,
  cases: readonly Case[],
  cost: (r: References) => number,
): string {
  const total = (c: Case, part: (r: References) => number) =>
    c.references.reduce((sum, r) => sum + part(r), 0)
  const ratios = cases.map((c) => total(c, cost) / total(c, (r) => r.optimum))
  const figures = [Math.min(...ratios), median(ratios), Math.max(...ratios)]
  return `${what}: ${figures.map((f) => fixed(f, 3)).join(' / ')}\n`
}

function scenarioTable(cases: readonly Case[], plain: Results, capped: Results): void {
  print('### Per scenario, cost over optimum\n')
  const shown: readonly RuleName[] = ['regret-0.5-2-48h-brake', 'lead', 'couchestor']
  const header = [
    'scenario',
    'best static',
    'all-hot',
    ...shown,
    ...shown.map((r) => `${r}, capped`),
  ]
  markdown(
    header,
    cases.map(({ name }) => {
      const s = plain.get('couchestor')?.scenarios.get(name)
      const of = (results: Results) =>
        shown.map((rule) => fixed(results.get(rule)?.scenarios.get(name)?.ratio ?? NaN, 3))
      return [
        name,
        fixed((s?.bestStatic ?? NaN) / (s?.optimum ?? NaN), 3),
        fixed((s?.allHot ?? NaN) / (s?.optimum ?? NaN), 3),
        ...of(plain),
        ...of(capped),
      ]
    }),
  )
}

/** From two to six at night, on the clock of the replay. */
const atNight = (seconds: number) => seconds % DAY >= 2 * 3600 && seconds % DAY < 6 * 3600

const GUARDS: readonly (readonly [string, GuardSettings])[] = [
  ['none', NO_GUARDS],
  ['minimum history of a day', { ...NO_GUARDS, minHistorySeconds: DAY }],
  ['cooldown of a day', { ...NO_GUARDS, promoteCooldownSeconds: DAY, demoteCooldownSeconds: DAY }],
  ['retention of a day', { ...NO_GUARDS, retentionSeconds: [DAY, DAY, DAY] }],
  ['retention of a week', { ...NO_GUARDS, retentionSeconds: [7 * DAY, 7 * DAY, 7 * DAY] }],
  ['moves from 2 to 6 at night only', { ...NO_GUARDS, isOpen: atNight }],
]

function guardTable(cases: Cases): void {
  print('### What guards cost (rule couchestor)\n')
  const { rule } = RULES.couchestor
  const header = ['guard', 'plain: median', 'equal weight', 'beats all-hot', 'capped: median']
  markdown(
    [...header, 'equal weight', 'beats all-hot'],
    GUARDS.map(([name, guards]) => [
      name,
      ...[cases.plain, cases.capped].flatMap((kind) => {
        const f = figuresOf(kind, rule, guards)
        return [fixed(f.median, 3), fixed(f.equalWeight, 3), `${f.beatsAllHot}/${f.scenarios.size}`]
      }),
    ]),
  )
}

function show(cases: Cases): void {
  print(`## ${cases.source}\n`)
  const plain = ruleTable('Plain input', cases.plain)
  const capped = ruleTable('Capped input', cases.capped)
  scenarioTable(cases.plain, plain, capped)
  guardTable(cases)
}

if (hasRecorded() && !process.argv.includes('--generated')) show(recordedCases())
else for (const regimeChanges of [false, true]) show(generatedCases(SEED, VOLUMES, regimeChanges))
