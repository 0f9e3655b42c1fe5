import type { Aggregation, Expr, Selector } from './ast.ts'
import { ExecutionError } from './ast.ts'
import { applyBinary } from './operators.ts'
import type { Element, Value } from './operators.ts'
import type { Semantics } from './rate.ts'
import { monotonicRate, rate } from './rate.ts'
import type { Labels, Series } from './series.ts'

export type Evaluation = {
  readonly atMs: number
  readonly semantics: Semantics
  readonly lookbackMs: number
  /** Nothing after this instant has been scraped yet. */
  readonly nowMs: number
  select(selector: Selector): readonly Series[]
}

/** Evaluates a parsed query at one instant. Throws `ExecutionError`. */
export function evaluate(expr: Expr, evaluation: Evaluation): Value {
  switch (expr.kind) {
    case 'Number':
      return { kind: 'Scalar', value: expr.value }
    case 'Selector':
      return expr.rangeMs === undefined ? instant(expr, evaluation) : matrix(expr, evaluation)
    case 'Call':
      return overRange(expr.fn, expr.arg, evaluation)
    case 'Subquery':
      return subquery(expr, evaluation)
    case 'Aggregate':
      return aggregate(expr.op, expr.by, evaluate(expr.arg, evaluation))
    case 'Binary':
      return applyBinary(
        expr.op,
        evaluate(expr.left, evaluation),
        evaluate(expr.right, evaluation),
        expr.matching,
      )
  }
}

/** Sample times that a selector may see; `from` is moved by 1 ms where the left end is open. */
function bounds(rangeMs: number, { atMs, nowMs, semantics }: Evaluation) {
  return { from: atMs - rangeMs + (semantics === '3' ? 1 : 0), to: Math.min(atMs, nowMs) }
}

function instant(selector: Selector, evaluation: Evaluation): Value {
  const { from, to } = bounds(evaluation.lookbackMs, evaluation)
  const items: Element[] = []
  for (const series of evaluation.select(selector)) {
    const sample = series.last(from, to)
    if (sample !== undefined) items.push({ labels: series.labels, value: sample.value })
  }
  return { kind: 'Vector', items }
}

function matrix(selector: Selector, evaluation: Evaluation): Value {
  const { from, to } = bounds(selector.rangeMs!, evaluation)
  const items = evaluation.select(selector).flatMap((series) => {
    const samples = series.range(from, to)
    return samples.length === 0 ? [] : [{ labels: series.labels, samples }]
  })
  return { kind: 'Matrix', items }
}

/** Steps are multiples of the step since the epoch, whenever it is evaluated. */
function subquery(expr: Extract<Expr, { kind: 'Subquery' }>, evaluation: Evaluation): Value {
  const { rangeMs, stepMs, arg } = expr
  const { atMs } = evaluation
  // version 3 leaves the left end out, as of every range
  const from = atMs - rangeMs + (evaluation.semantics === '3' ? 1 : 0)
  const found = new Map<string, { labels: Labels; samples: { timeMs: number; value: number }[] }>()
  for (let at = Math.ceil(from / stepMs) * stepMs; at <= atMs; at += stepMs) {
    const value = evaluate(arg, { ...evaluation, atMs: at })
    if (value.kind !== 'Vector')
      throw new ExecutionError('subquery is only allowed on instant vector')
    for (const { labels, value: v } of value.items) {
      const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      const series = found.get(key) ?? { labels, samples: [] }
      series.samples.push({ timeMs: at, value: v })
      found.set(key, series)
    }
  }
  return { kind: 'Matrix', items: [...found.values()] }
}

function overRange(fn: string, selector: Selector, evaluation: Evaluation): Value {
  const { from, to } = bounds(selector.rangeMs!, evaluation)
  const window = { from: evaluation.atMs - selector.rangeMs!, to: evaluation.atMs }
  const items: Element[] = []
  for (const series of evaluation.select(selector)) {
    const value = valueOver(fn, series, from, to, window, evaluation.semantics)
    if (value === undefined) continue
    const labels = fn === 'last_over_time' ? series.labels : series.bare
    items.push({ labels, value })
  }
  return { kind: 'Vector', items }
}

function valueOver(
  fn: string,
  series: Series,
  from: number,
  to: number,
  window: { from: number; to: number },
  semantics: Semantics,
): number | undefined {
  if (series.edges !== undefined) {
    const edges = series.edges(from, to)
    if (edges === undefined) return undefined
    if (fn === 'rate') return monotonicRate(edges, window.from, window.to, semantics)
    return fn === 'count_over_time' ? edges.count : edges.last.value
  }
  const samples = series.range(from, to)
  if (samples.length === 0) return undefined
  if (fn === 'rate') return rate(samples, window.from, window.to, semantics)
  return fn === 'count_over_time' ? samples.length : samples[samples.length - 1]!.value
}

function aggregate(op: Aggregation, by: readonly string[], arg: Value): Value {
  if (arg.kind !== 'Vector')
    throw new ExecutionError(`expected type instant vector in aggregation expression`)
  const groups = new Map<string, { labels: Record<string, string>; value: number }>()
  for (const { labels, value } of arg.items) {
    const key = by.map((label) => labels[label] ?? '').join('\u{ff}')
    const group = groups.get(key)
    if (group !== undefined) group.value = folded(op, group.value, value)
    else groups.set(key, { labels: picked(labels, by), value: op === 'count' ? 1 : value })
  }
  return { kind: 'Vector', items: [...groups.values()] }
}

function picked(labels: Labels, names: readonly string[]): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const name of names) {
    const value = labels[name]
    if (value !== undefined && value !== '') kept[name] = value
  }
  return kept
}

/** max and min prefer any number to NaN; a sum keeps it. */
function folded(op: Aggregation, sofar: number, value: number): number {
  if (op === 'sum') return sofar + value
  if (op === 'count') return sofar + 1
  if (Number.isNaN(sofar)) return value
  return (op === 'max' ? value > sofar : value < sofar) ? value : sofar
}
