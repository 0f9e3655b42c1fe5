import { describe, expect, it } from 'vitest'
import { DASHBOARDS } from '../../tools/monitoring/dashboards/dashboards.ts'
import type { Dashboard, Panel } from '../../tools/monitoring/dashboards/grafana.ts'
import { lint, panelsOf } from './dashboard-lint.ts'
import { namesIn } from './promql-names.ts'

describe('the dashboards', () => {
  it.each(DASHBOARDS.map((d) => [d.title, d] as const))('%s has no faults', (_, d) => {
    expect(lint(d)).toEqual([])
  })

  it('have names and uids of their own, and titles once per dashboard', () => {
    expect(DASHBOARDS.map((d) => d.uid)).toEqual([
      'couchestor-fleet',
      'couchestor-operations',
      'couchestor-volume',
    ])
    for (const d of DASHBOARDS) {
      const titles = panelsOf(d).map((p) => p.title)
      expect(titles).toEqual([...new Set(titles)])
    }
  })
})

/** The first dashboard with another first panel. */
function withPanel(change: (p: Panel) => Partial<Panel>): Dashboard {
  const [first] = DASHBOARDS
  const [panel] = panelsOf(first!)
  const panels = first!.panels.map((p) =>
    p.id === panel!.id ? { ...panel!, ...change(panel!) } : p,
  )
  return { ...first!, panels }
}
const asking = (expr: string, legendFormat = 'x') =>
  withPanel((p) => ({ targets: [{ ...p.targets[0]!, expr, legendFormat }] }))

describe('the lint finds', () => {
  it.each<[string, Dashboard, string]>([
    ['a panel without title', withPanel(() => ({ title: '' })), 'without title'],
    ['a panel without description', withPanel(() => ({ description: '' })), 'says too little'],
    ['a panel that asks nothing', withPanel(() => ({ targets: [] })), 'asks nothing'],
    ['an id that is used twice', withPanel(() => ({ id: 3 })), 'an id twice'],
    [
      'a panel on top of another',
      withPanel((p) => ({ gridPos: { ...p.gridPos, w: 5 } })),
      'lies on',
    ],
    [
      'a panel beyond the edge',
      withPanel((p) => ({ gridPos: { ...p.gridPos, x: 23 } })),
      'wider than the page',
    ],
    [
      'a data source of one installation',
      withPanel(() => ({ datasource: { type: 'prometheus', uid: 'P1809' } })),
      'data source P1809',
    ],
    ['an unknown metric', asking('sum(couchestor_volumez)'), 'no metric couchestor_volumez'],
    ['a label that the metric lacks', asking('couchestor_volumes{pool="x"}'), 'no label pool'],
    ['grouping by what is not there', asking('sum by (pool) (couchestor_volumes)'), 'label pool'],
    [
      'a window that fits no scrape interval',
      asking('rate(couchestor_migrations_total[1m])'),
      'window 1m',
    ],
    [
      'a rate of a sum',
      asking('rate(sum(couchestor_migrations_total)[$__rate_interval:])'),
      'rate after sum',
    ],
    ['a quantile without buckets', asking('histogram_quantile(0.5, sum(x))'), 'without le'],
    ['a series without legend', asking('sum(couchestor_volumes)', ''), 'has no legend'],
    [
      'a legend of a label that is gone',
      asking('sum(couchestor_volumes)', '{{policies}}'),
      'legend of policies',
    ],
    ['an unknown variable', asking('couchestor_volumes{tier="$tier"}'), 'uses $tier'],
    [
      'a variable that nobody uses',
      {
        ...DASHBOARDS[0]!,
        templating: {
          list: [...DASHBOARDS[0]!.templating.list, { name: 'unused', type: 'textbox' }],
        },
      },
      'variable unused is not used',
    ],
    ['another time zone', { ...DASHBOARDS[0]!, timezone: 'browser' as never }, 'time zone'],
  ])('%s', (_, d, problem) => {
    expect(lint(d).join('\n')).toContain(problem)
  })
})

it('names are read out of PromQL', () => {
  expect(
    namesIn(
      'sum by (a, le) (rate(m_total{x="b{c}", y=~"$v"}[5m])) * on (i) group_left n offset 1d or label_replace(k{z!="1"}, "made", "$1", "z", "(.*)") > bool 0',
    ),
  ).toEqual({
    selectors: [
      { metric: 'm_total', matched: ['x', 'y'] },
      { metric: 'n', matched: [] },
      { metric: 'k', matched: ['z'] },
    ],
    grouped: ['a', 'le', 'i'],
    made: ['made'],
    windows: ['5m'],
  })
})
