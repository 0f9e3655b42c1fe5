import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import catalogue from '../../tools/monitoring/metrics-catalogue.json' with { type: 'json' }
import { ALERTS, RULE_GROUPS } from '../../tools/monitoring/rules.ts'
import { CASES } from './cases.ts'
import { RECORDING_CASES } from './cases/recording.ts'
import { namesIn } from './promql-names.ts'

const RULES = RULE_GROUPS.flatMap((g) => g.rules)
const RECORDED = RULES.flatMap((r) => ('record' in r ? [r.record] : []))

/** Labels of each metric; those of `up` and what a scrape adds to every series are Prometheus' own. */
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ['up', []],
  ...RECORDED.map((name): [string, string[]] => [name, ['policy', 'tier', 'kind', 'volume_id']]),
  ...catalogue.flatMap(({ name, type, labels }) =>
    (type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']).map(
      (suffix): [string, string[]] => [name + suffix, labels],
    ),
  ),
])
const OF_A_SCRAPE = ['cluster', 'namespace', 'job', 'instance', 'pod', 'container', 'endpoint']
const LABELS = new Set([...OF_A_SCRAPE, ...[...KNOWN.values()].flat()])

const asked = RULES.map((r): [string, string] =>
  'alert' in r ? [r.alert, r.expr] : [r.record, r.expr],
)

describe('rules', () => {
  it.each(asked)('%s asks for metrics and labels that exist', (_, expr) => {
    const { selectors, grouped } = namesIn(expr)
    expect(selectors.length).toBeGreaterThan(0)
    for (const { metric, matched } of selectors) {
      expect([...KNOWN.keys()]).toContain(metric)
      for (const label of matched) expect([...OF_A_SCRAPE, ...KNOWN.get(metric)!]).toContain(label)
    }
    for (const label of grouped) expect(LABELS).toContain(label)
  })

  it('have names of their own', () => {
    const names = asked.map(([name]) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  it('have a case each for promtool', () => {
    expect(CASES.map((c) => c.alert).toSorted()).toEqual(ALERTS.map((a) => a.alert).toSorted())
    expect(CASES.filter((c) => c.silent.length === 0)).toEqual([])
    expect(RECORDING_CASES.map((c) => c.record)).toEqual(RECORDED)
  })
})

describe('an alert', () => {
  it.each(ALERTS.map((a) => [a.alert, a] as const))('%s says who, what and how long', (_, a) => {
    expect(a.alert).toMatch(/^Couchestor[A-Z]\w+$/)
    expect(a.for).toMatch(/^\d+[mhd]$/)
    expect(a.summary.length).toBeLessThan(100)
    expect(a.summary).toMatch(/\.$/)
    expect(a.description).toMatch(/[.?]$/)
  })

  it.each(ALERTS.map((a) => [a.alert, a] as const))('%s reports only labels it has', (_, a) => {
    const fired = [...`${a.summary} ${a.description}`.matchAll(/\$labels\.(\w+)/g)].map((m) => m[1])
    const { fires } = CASES.find((c) => c.alert === a.alert)!
    for (const label of fired) expect(Object.keys(fires.fired.labels)).toContain(label)
  })
})

const PAGES = 'docs/runbooks'

describe('runbooks', () => {
  it.each(ALERTS.map((a) => [a.runbook, a] as const))(
    '%s.md is there and names its alert',
    (_, a) => {
      const path = `${PAGES}/${a.runbook}.md`
      expect(existsSync(path)).toBe(true)
      const page = readFileSync(path, 'utf8')
      expect(page).toContain(`\`${a.alert}\``)
      for (const part of [
        'What it means',
        'Impact',
        'Diagnosis',
        'Resolution',
        'When it goes away',
      ])
        expect(page).toContain(`## ${part}`)
    },
  )

  it('each belong to an alert', () => {
    const pages = readdirSync(PAGES).filter((name) => name !== 'README.md')
    expect(pages.toSorted()).toEqual(ALERTS.map((a) => `${a.runbook}.md`).toSorted())
  })
})

it('no program carries rules or dashboards: they are data for other programs', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  const others = files.filter((f) => f.endsWith('.ts') && !f.startsWith('monitoring'))
  expect(others.length).toBeGreaterThan(100)
  const importing = others.filter((f) =>
    /from '[./]+monitoring\//.test(readFileSync(`src/${f}`, 'utf8')),
  )
  expect(importing).toEqual([])
})
