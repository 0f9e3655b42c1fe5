export type Labels = Readonly<Record<string, string>>

/** Samples at one scrape interval, computed when asked, so that weeks of a large fleet need no memory. */
export type SampledFunction = {
  readonly intervalSeconds: number
  /** Value at a scrape, seconds since the epoch; undefined = the series was missing in that scrape. */
  value(timeSeconds: number): number | undefined
  /** First and last scrape that may hold it, seconds. Default: for ever. */
  readonly fromSeconds?: number
  readonly toSeconds?: number
  /** Shifts the scrapes against the epoch, seconds. */
  readonly offsetSeconds?: number
  /** A promise: `value` never falls and is never undefined. Then a rate reads two samples, not all. */
  readonly monotonic?: boolean
}

/** Explicit samples in order of time: [seconds, value]; null is a stale marker. */
export type SampleList = readonly (readonly [seconds: number, value: number | null])[]

export type Sample = { readonly timeMs: number; readonly value: number }

/** What a rate needs to know of a range without a counter reset. */
export type Edges = { readonly first: Sample; readonly last: Sample; readonly count: number }

export type Series = {
  readonly name: string
  /** With `__name__`. */
  readonly labels: Labels
  /** Without. */
  readonly bare: Labels
  /** Samples with from <= time <= to, without stale markers. */
  range(fromMs: number, toMs: number): readonly Sample[]
  /** The newest sample within [from, to], undefined when there is none or it is a stale marker. */
  last(fromMs: number, toMs: number): Sample | undefined
  /** Only for series that promise to be monotonic. */
  edges?(fromMs: number, toMs: number): Edges | undefined
}

export function seriesOf(
  name: string,
  labels: Labels,
  source: SampledFunction | SampleList,
): Series {
  const named = { name, labels: { ...labels, __name__: name }, bare: { ...labels } }
  return { ...named, ...(isList(source) ? listSamples(source) : functionSamples(source)) }
}

function isList(source: SampledFunction | SampleList): source is SampleList {
  return Array.isArray(source)
}

type Samples = Pick<Series, 'range' | 'last' | 'edges'>

function listSamples(list: SampleList): Samples {
  const times = list.map(([seconds]) => Math.round(seconds * 1000))
  const within = (fromMs: number, toMs: number) =>
    list.flatMap(([, value], i) =>
      times[i]! >= fromMs && times[i]! <= toMs ? [{ timeMs: times[i]!, value }] : [],
    )
  return {
    range: (fromMs, toMs) => within(fromMs, toMs).filter(hasValue),
    last: (fromMs, toMs) => {
      const newest = within(fromMs, toMs).at(-1)
      return newest !== undefined && hasValue(newest) ? newest : undefined
    },
  }
}

function hasValue(sample: { timeMs: number; value: number | null }): sample is Sample {
  return sample.value !== null
}

function functionSamples(source: SampledFunction): Samples {
  const step = source.intervalSeconds * 1000
  const offset = (source.offsetSeconds ?? 0) * 1000
  const firstIndex = (ms: number) => Math.ceil((ms - offset) / step)
  const lastIndex = (ms: number) => Math.floor((ms - offset) / step)
  const span = (fromMs: number, toMs: number) => ({
    first: firstIndex(Math.max(fromMs, (source.fromSeconds ?? -Infinity) * 1000)),
    last: lastIndex(Math.min(toMs, (source.toSeconds ?? Infinity) * 1000)),
  })
  const at = (index: number): Sample | undefined => {
    const timeMs = index * step + offset
    const value = source.value(timeMs / 1000)
    return value === undefined ? undefined : { timeMs, value }
  }
  return {
    range: (fromMs, toMs) => {
      const { first, last } = span(fromMs, toMs)
      const samples: Sample[] = []
      for (let i = first; i <= last; i += 1) {
        const sample = at(i)
        if (sample !== undefined) samples.push(sample)
      }
      return samples
    },
    last: (fromMs, toMs) => {
      const newest = lastIndex(toMs)
      const { first, last } = span(fromMs, toMs)
      // a scrape after the end of the series wrote a stale marker
      return last < first || last < newest ? undefined : at(last)
    },
    ...(source.monotonic === true
      ? {
          edges: (fromMs: number, toMs: number) => {
            const { first, last } = span(fromMs, toMs)
            if (last < first) return undefined
            return { first: at(first)!, last: at(last)!, count: last - first + 1 }
          },
        }
      : {}),
  }
}
