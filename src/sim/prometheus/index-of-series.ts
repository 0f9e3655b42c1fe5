import type { Matcher, Selector } from './ast.ts'
import type { Series } from './series.ts'

export type SeriesIndex = {
  add(series: Series): void
  remove(series: Series): void
  select(selector: Selector): readonly Series[]
}

/** Remembered selections; a window of a large fleet asks for 16 parts of 4 metrics again and again. */
const MOST_REMEMBERED = 256

/** Series by metric name. What a selector found is remembered until a series comes or goes. */
export function createSeriesIndex(): SeriesIndex {
  const byName = new Map<string, Set<Series>>()
  const remembered = new Map<string, readonly Series[]>()
  return {
    add: (series) => {
      remembered.clear()
      byName.set(series.name, (byName.get(series.name) ?? new Set()).add(series))
    },
    remove: (series) => {
      remembered.clear()
      byName.get(series.name)?.delete(series)
    },
    select: ({ name, matchers }) => {
      const key = JSON.stringify([name, matchers])
      const known = remembered.get(key)
      if (known !== undefined) return known
      const tests = matchers.map(testOf)
      const found = [...(byName.get(name) ?? [])].filter((s) => tests.every((test) => test(s)))
      if (remembered.size >= MOST_REMEMBERED) remembered.clear()
      remembered.set(key, found)
      return found
    },
  }
}

function testOf({ label, op, value }: Matcher): (series: Series) => boolean {
  if (op === '=') return (s) => (s.labels[label] ?? '') === value
  if (op === '!=') return (s) => (s.labels[label] ?? '') !== value
  const pattern = new RegExp(`^(?:${value})$`)
  return (s) => pattern.test(s.labels[label] ?? '') === (op === '=~')
}
