/** What an archive policy keeps: aggregations, and for each granularity how long. Seconds. */
export type ArchivePolicy = {
  readonly aggregations: readonly string[]
  readonly keeps: readonly { readonly granularity: number; readonly timespan: number }[]
}

const MINUTE = 60
const DAY = 86_400
const STATISTICS = ['mean', 'min', 'max', 'sum', 'std', 'count']

/** Those of the lab: Gnocchi's own, and the one that Ceilometer makes for disks. */
export const ARCHIVE_POLICIES: Readonly<Record<string, ArchivePolicy>> = {
  low: { aggregations: STATISTICS, keeps: [{ granularity: 5 * MINUTE, timespan: 30 * DAY }] },
  high: {
    aggregations: STATISTICS,
    keeps: [
      { granularity: MINUTE, timespan: 7 * DAY },
      { granularity: 60 * MINUTE, timespan: 365 * DAY },
    ],
  },
  'ceilometer-low-rate': {
    aggregations: ['last', 'mean', 'rate:last', 'rate:mean'],
    keeps: [
      { granularity: MINUTE, timespan: DAY },
      { granularity: 5 * MINUTE, timespan: 7 * DAY },
    ],
  },
}

/** Seconds since the epoch, and the counter then. */
export type Point = readonly [at: number, value: number]

export type Metric = {
  readonly id: string
  readonly name: string
  readonly policyName: string
  readonly policy: ArchivePolicy
  /** In the order of time. */
  readonly points: () => readonly Point[]
}

/** `[start of the period as Gnocchi writes it, granularity, value]`. */
export type MeasureRow = readonly [string, number, number]

export type Range = { readonly start: number; readonly stop: number }

/**
 * The kept periods of one aggregation whose start lies in [start, stop), start being rounded down to a period. A rate is
 * the difference of two successive points, in the period of the later one; resets are not corrected.
 */
export function measuresOf(
  metric: Metric,
  aggregation: string,
  granularity: number,
  { start, stop }: Range,
): MeasureRow[] {
  const points = metric.points()
  const kept = metric.policy.keeps.find((k) => k.granularity === granularity)
  const newest = points.at(-1)?.[0]
  if (kept === undefined || newest === undefined) return []
  const [how, ofRates] = aggregation.startsWith('rate:')
    ? ([aggregation.slice('rate:'.length), true] as const)
    : ([aggregation, false] as const)
  const values = ofRates ? differences(points) : points
  const oldest = newest - kept.timespan
  const from = Math.max(roundDown(start, granularity), roundDown(oldest, granularity) + granularity)
  const periods = Map.groupBy(
    values.filter(([at]) => at >= from && roundDown(at, granularity) < stop),
    ([at]) => roundDown(at, granularity),
  )
  return [...periods].map(([at, inside]) => [
    isoTime(at),
    granularity,
    aggregated(
      how,
      inside.map(([, value]) => value),
    ),
  ])
}

/** Whether the metric keeps it; Gnocchi refuses a question as a whole otherwise. */
export function keepsAggregation(metric: Metric, aggregation: string): boolean {
  return metric.policy.aggregations.includes(aggregation)
}

export function keepsGranularity(metric: Metric, granularity: number): boolean {
  return metric.policy.keeps.some((k) => k.granularity === granularity)
}

function differences(points: readonly Point[]): Point[] {
  return points.slice(1).map(([at, value], i) => [at, value - points[i]![1]])
}

function aggregated(how: string, values: readonly number[]): number {
  const sum = values.reduce((a, b) => a + b, 0)
  if (how === 'sum') return sum
  if (how === 'count') return values.length
  if (how === 'min') return Math.min(...values)
  if (how === 'max') return Math.max(...values)
  return how === 'last' ? values.at(-1)! : sum / values.length
}

function roundDown(seconds: number, granularity: number): number {
  return Math.floor(seconds / granularity) * granularity
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00')
}
