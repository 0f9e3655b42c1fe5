import type { HistoryOf, WindowAnswer, WindowQuery } from '../types.ts'
import type { MatrixItem, VectorItem } from './answer.ts'

/** Numbers in one answer; more would block the event loop while they are read. */
const MOST_POINTS = 20_000
/** Time read at once at the most: a store keeps some days longer than others, and one that it lacks spoils its span. */
const MOST_SECONDS = 86_400
const MOST_WINDOWS = 288
/** How many times fewer after a refusal, and more after an answer. */
const FACTOR = 4
/** Windows that are asked for alone before the next try, twice as many each time that fails. */
const FIRST_REST = 6
const LONGEST_REST = 192

type Ends = readonly number[]

/** All windows of a span, by their end. Throws what the server's refusal throws. */
export type ReadSpan = (
  query: WindowQuery & { readonly history: HistoryOf },
  ends: Ends,
) => Promise<ReadonlyMap<number, WindowAnswer>>

export type Spans = {
  /** The answer for that window, read with those after it where that can be done; undefined = ask for it alone. */
  window(
    query: WindowQuery & { readonly history: HistoryOf },
    fleet: number,
  ): Promise<WindowAnswer | undefined>
}

/**
 * Reads the windows of a history many at a time, as one subquery each: a volume's fourteen days are some
 * fifty questions, not thousands. A server that refuses gets smaller spans, down to single windows, until it answers again.
 */
export function createSpans(read: ReadSpan): Spans {
  let most = MOST_WINDOWS
  let rest = 0
  let nextRest = FIRST_REST
  let kept: { readonly of: string; readonly answers: ReadonlyMap<number, WindowAnswer> } | undefined
  return {
    window: async (query, fleet) => {
      const { endSeconds, windowSeconds, history } = query
      const of = `${windowSeconds} ${history.volumeIds.join()}`
      if (kept !== undefined && kept.of !== of) kept = undefined
      const known = kept?.answers.get(endSeconds)
      // the last one of a history: nobody comes back for the others
      if (known !== undefined && endSeconds >= history.throughSeconds) kept = undefined
      if (known !== undefined) return known
      if (rest > 0) {
        rest -= 1
        return undefined
      }
      const left = Math.floor((history.throughSeconds - endSeconds) / windowSeconds) + 1
      const inTime = Math.floor(MOST_SECONDS / windowSeconds)
      const count = Math.min(left, most, inTime, Math.floor(MOST_POINTS / Math.max(1, fleet)))
      if (count < 2) return undefined
      const ends = Array.from({ length: count }, (_, i) => endSeconds + i * windowSeconds)
      try {
        kept = { of, answers: await read(query, ends) }
        most = Math.min(MOST_WINDOWS, most * FACTOR)
        nextRest = FIRST_REST
        return kept.answers.get(endSeconds)
      } catch (e) {
        if (query.signal?.aborted) throw e
        most = Math.max(2, Math.floor(count / FACTOR))
        if (count > FACTOR) return undefined
        rest = nextRest
        nextRest = Math.min(LONGEST_REST, nextRest * 2)
        return undefined
      }
    },
  }
}

/** The subquery whose points are that query at each of the ends. */
export function spanQuery(text: string, ends: Ends, windowSeconds: number): string {
  return `(${text})[${ends.length * windowSeconds}s:${windowSeconds}s]`
}

/** What a series of subqueries says of each window, as if each had been asked for by itself. */
export function byWindow(
  series: readonly MatrixItem[],
  ends: Ends,
): ReadonlyMap<number, readonly VectorItem[]> {
  const found = new Map(ends.map((end) => [end, [] as VectorItem[]]))
  for (const { labels, times, values } of series)
    for (const [i, timeSeconds] of times.entries())
      // version 2 gives the left end of the range too
      found.get(timeSeconds)?.push({ labels, timeSeconds, value: values[i]! })
  return found
}

/** False when the server puts the steps elsewhere than at the ends of windows. */
export function isAligned(series: readonly MatrixItem[], windowSeconds: number): boolean {
  return series.every(({ times }) => times.every((t) => t % windowSeconds === 0))
}
