import type { BinaryOp, Matching } from './ast.ts'
import { ExecutionError } from './ast.ts'
import type { Labels, Sample } from './series.ts'

export type Element = { readonly labels: Labels; readonly value: number }
export type Value =
  | { readonly kind: 'Scalar'; readonly value: number }
  | { readonly kind: 'Vector'; readonly items: readonly Element[] }
  | {
      readonly kind: 'Matrix'
      readonly items: readonly { readonly labels: Labels; readonly samples: readonly Sample[] }[]
    }

/** Undefined from a comparison means: filtered away. */
const NUMERIC: Readonly<Record<string, (a: number, b: number) => number | undefined>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '==': (a, b) => (a === b ? a : undefined),
  '!=': (a, b) => (a !== b ? a : undefined),
  '>': (a, b) => (a > b ? a : undefined),
  '<': (a, b) => (a < b ? a : undefined),
  '>=': (a, b) => (a >= b ? a : undefined),
  '<=': (a, b) => (a <= b ? a : undefined),
}

export function applyBinary(op: BinaryOp, left: Value, right: Value, matching: Matching): Value {
  if (left.kind === 'Matrix' || right.kind === 'Matrix')
    throw new ExecutionError('binary expression must contain only scalar and instant vector types')
  if (op === 'and' || op === 'or' || op === 'unless') return setOperation(op, left, right, matching)
  const fn = NUMERIC[op]!
  if (left.kind === 'Scalar' && right.kind === 'Scalar')
    return { kind: 'Scalar', value: fn(left.value, right.value) ?? Number.NaN }
  if (left.kind === 'Vector' && right.kind === 'Vector')
    return joined(op, fn, left, right, matching)
  return withScalar(op, fn, left, right)
}

function isComparison(op: BinaryOp): boolean {
  return /^(==|!=|[<>]=?)$/.test(op)
}

function withScalar(
  op: BinaryOp,
  fn: (a: number, b: number) => number | undefined,
  left: Value,
  right: Value,
): Value {
  const vector = left.kind === 'Vector' ? left : right
  if (vector.kind !== 'Vector') throw new ExecutionError('no vector in a vector operation')
  const items = vector.items.flatMap(({ labels, value }) => {
    const a = left.kind === 'Scalar' ? left.value : value
    const b = right.kind === 'Scalar' ? right.value : value
    const result = fn(a, b)
    if (result === undefined) return []
    // a comparison is a filter: it keeps the vector's own value and name
    return [isComparison(op) ? { labels, value } : { labels: withoutName(labels), value: result }]
  })
  return { kind: 'Vector', items }
}

function setOperation(op: string, left: Value, right: Value, matching: Matching): Value {
  if (left.kind !== 'Vector' || right.kind !== 'Vector')
    throw new ExecutionError(
      `set operator ${JSON.stringify(op)} not allowed in binary scalar expression`,
    )
  const keyOf = keyFor(matching)
  const present = (items: readonly Element[]) => new Set(items.map((e) => keyOf(e.labels)))
  if (op === 'or') {
    const have = present(left.items)
    return {
      kind: 'Vector',
      items: [...left.items, ...right.items.filter((e) => !have.has(keyOf(e.labels)))],
    }
  }
  const other = present(right.items)
  const items = left.items.filter((e) => other.has(keyOf(e.labels)) === (op === 'and'))
  return { kind: 'Vector', items }
}

/** One-to-one, or many-to-one with `group_left`. */
function joined(
  op: BinaryOp,
  fn: (a: number, b: number) => number | undefined,
  left: { readonly items: readonly Element[] },
  right: { readonly items: readonly Element[] },
  matching: Matching,
): Value {
  const keyOf = keyFor(matching)
  const ones = new Map<string, Element>()
  for (const one of right.items) {
    const key = keyOf(one.labels)
    if (ones.has(key))
      throw new ExecutionError(
        'found duplicate series for the match group on the right hand-side of the operation;many-to-many matching not allowed: matching labels must be unique on one side',
      )
    ones.set(key, one)
  }
  const seen = new Set<string>()
  const items = left.items.flatMap((many) => {
    const key = keyOf(many.labels)
    const one = ones.get(key)
    if (one === undefined) return []
    const value = fn(many.value, one.value)
    if (value === undefined) return []
    const labels = resultLabels(op, many.labels, one.labels, matching)
    const unique = matching.groupLeft === undefined ? key : keyOfAll(labels)
    if (seen.has(unique))
      throw new ExecutionError(
        'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
      )
    seen.add(unique)
    return [{ labels, value }]
  })
  return { kind: 'Vector', items }
}

function resultLabels(op: BinaryOp, many: Labels, one: Labels, matching: Matching): Labels {
  const base = isComparison(op) ? many : withoutName(many)
  if (matching.groupLeft !== undefined) {
    const labels: Record<string, string> = { ...base }
    for (const name of matching.groupLeft) {
      const lent = one[name]
      if (lent === undefined) delete labels[name]
      else labels[name] = lent
    }
    return labels
  }
  if (matching.on === undefined) return base
  return Object.fromEntries(Object.entries(base).filter(([name]) => matching.on!.includes(name)))
}

function keyFor({ on }: Matching): (labels: Labels) => string {
  if (on === undefined) return (labels) => keyOfAll(withoutName(labels))
  return (labels) => on.map((name) => labels[name] ?? '').join('\u{ff}')
}

function keyOfAll(labels: Labels): string {
  return Object.keys(labels)
    .sort()
    .map((name) => `${name}\u{fe}${labels[name]}`)
    .join('\u{ff}')
}

function withoutName(labels: Labels): Labels {
  if (labels['__name__'] === undefined) return labels
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== '__name__'))
}
