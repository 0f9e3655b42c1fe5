import type { Dashboard, GridPos, Panel } from '../../tools/monitoring/dashboards/grafana.ts'
import { COLUMNS } from '../../tools/monitoring/dashboards/layout.ts'
import catalogue from '../../tools/monitoring/metrics-catalogue.json' with { type: 'json' }
import { FOREIGN_METRICS } from './foreign-metrics.ts'
import { namesIn } from './promql-names.ts'

/** Labels that a scrape adds, whatever is scraped; le is of histograms. */
const TARGET_LABELS = ['cluster', 'job', 'instance', 'le']
const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ...Object.entries(FOREIGN_METRICS),
  ...catalogue.flatMap(({ name, type, labels }) =>
    (type === 'histogram' ? ['_bucket', '_count', '_sum'] : ['']).map(
      (suffix) => [name + suffix, labels] as const,
    ),
  ),
])

/** Windows with a reason of their own: all that is shown; an hour or a day, for what is rare; two of Gnocchi's measures; the controller's own window. */
const WINDOWS = new Set(['$__rate_interval', '$__range', '1h', '1d', '15m', '30m'])

/** An expression or a question of a variable, and where it stands. */
export type Asked = { readonly where: string; readonly expr: string }

export function panelsOf({ panels }: Dashboard): Panel[] {
  return panels.filter((p) => p.type !== 'row')
}

/** Every question that the dashboard puts to Prometheus. */
function questionsOf(d: Dashboard): Asked[] {
  return [
    ...panelsOf(d).flatMap((p) =>
      p.targets.map((t) => ({ where: `panel "${p.title}" ${t.refId}`, expr: t.expr })),
    ),
    ...d.annotations.list.flatMap((a) =>
      a.expr === undefined ? [] : [{ where: `annotation "${a.name}"`, expr: a.expr }],
    ),
    ...d.templating.list.flatMap((v) => {
      const expr = expressionOf(v)
      return expr === undefined ? [] : [{ where: `variable ${v.name}`, expr }]
    }),
  ]
}

/** The PromQL in `label_values(selector, label)` or `query_result(expression)`. */
export function expressionOf({ definition }: Dashboard['templating']['list'][number]) {
  if (typeof definition !== 'string') return undefined
  return /^label_values\((.*), \w+\)$/.exec(definition)?.[1] ?? definition.slice(13, -1)
}

/** Everything that is wrong with the dashboard, a sentence each. */
export function lint(d: Dashboard): string[] {
  return [
    ...whole(d),
    ...grid(d),
    ...panelsOf(d).flatMap((p) => [...panel(p)]),
    ...variables(d),
    ...queries(d),
  ]
}

function* whole(d: Dashboard): Iterable<string> {
  if (!/^[a-z-]{1,40}$/.test(d.uid)) yield `uid ${d.uid}`
  if (d.title === '' || d.description === '') yield 'no title or description'
  if (d.timezone !== 'utc') yield `time zone ${String(d.timezone)}`
  if (!d.tags.includes('couchestor')) yield 'no tag couchestor'
  if (!d.links.some((l) => l.tags.includes('couchestor'))) yield 'no links to the others'
  const uids = JSON.stringify(d).matchAll(/"type":"prometheus","uid":"([^"]*)"/g)
  for (const [, uid] of uids) if (uid !== '${datasource}') yield `data source ${uid}`
}

function* grid({ panels }: Dashboard): Iterable<string> {
  const ids = panels.map((p) => p.id)
  if (new Set(ids).size < ids.length) yield 'an id twice'
  for (const [i, { title, gridPos }] of panels.entries()) {
    if (gridPos.x + gridPos.w > COLUMNS) yield `"${title}" is wider than the page`
    for (const other of panels.slice(i + 1))
      if (overlap(gridPos, other.gridPos)) yield `"${title}" lies on "${other.title}"`
  }
}

function overlap(a: GridPos, b: GridPos): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}

function* panel(p: Panel): Iterable<string> {
  const panel = `panel "${p.title}"`
  const { defaults } = p.fieldConfig
  if (p.title === '') yield 'a panel without title'
  if (p.description.length < 15) yield `${panel} says too little about itself`
  if (defaults.noValue === '') yield `${panel} says nothing when there is no data`
  if (p.datasource.uid !== '${datasource}') yield `${panel} names a data source`
  if (p.targets.length === 0) yield `${panel} asks nothing`
  const legends = p.targets.map((t) => t.legendFormat)
  if (new Set(legends).size < legends.length) yield `${panel} has a legend twice`
  const steps = defaults.thresholds.steps.map((s) => s.value ?? -Infinity)
  if (steps[0] !== -Infinity || steps.some((v, i) => i > 0 && v <= steps[i - 1]!))
    yield `${panel} has thresholds out of order`
  for (const t of p.targets) yield* legend(panel, t)
}

function* legend(panel: string, { refId, legendFormat, expr }: Panel['targets'][number]) {
  if (legendFormat === '') yield `${panel} ${refId} has no legend`
  const { grouped, selectors } = namesIn(expr)
  const kept = new Set([...grouped, ...selectors.flatMap((s) => labelsOf(s.metric)), 'instance'])
  for (const [, label] of legendFormat.matchAll(/\{\{(\w*)\}\}/g))
    if (!kept.has(label!)) yield `${panel} ${refId} has a legend of ${label}, which no series bears`
}

function* variables(d: Dashboard): Iterable<string> {
  const names = d.templating.list.map((v) => v.name)
  if (names[0] !== 'datasource') yield 'the data source is not the first variable'
  const text = JSON.stringify(d)
  for (const name of names)
    if (!new RegExp(`\\$\\{?${name}\\b`).test(text)) yield `variable ${name} is not used`
  for (const { where, expr } of questionsOf(d))
    for (const [, name] of expr.matchAll(/\$\{?([a-zA-Z_]\w*)/g))
      if (!name!.startsWith('__') && !names.includes(name!)) yield `${where} uses $${name}`
}

function* queries(d: Dashboard): Iterable<string> {
  for (const { where, expr } of questionsOf(d))
    for (const problem of query(expr)) yield `${where}: ${problem}`
}

function* query(expr: string): Iterable<string> {
  const { selectors, grouped, made, windows } = namesIn(expr)
  if (selectors.length === 0 && !expr.includes('vector(')) yield 'asks for no metric'
  const allowed = new Set([...made, ...TARGET_LABELS])
  for (const { metric, matched } of selectors) {
    if (!KNOWN.has(metric)) yield `no metric ${metric}`
    const own = new Set([...labelsOf(metric), ...TARGET_LABELS])
    for (const label of own) allowed.add(label)
    for (const label of matched) if (!own.has(label)) yield `${metric} has no label ${label}`
  }
  for (const label of grouped) if (!allowed.has(label)) yield `nothing here has a label ${label}`
  for (const window of windows) if (!WINDOWS.has(window)) yield `window ${window}`
  if (/\b(rate|increase|irate)\(\s*(sum|max|min|avg)\b/.test(expr)) yield 'rate after sum'
  if (/histogram_quantile/.test(expr) && !grouped.includes('le')) yield 'a quantile without le'
}

function labelsOf(metric: string): readonly string[] {
  return KNOWN.get(metric) ?? []
}
