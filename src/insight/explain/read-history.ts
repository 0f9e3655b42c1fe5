import type { ActivitySource } from '../../activity/types.ts'
import { demandOf } from '../../policy/demand.ts'
import type { Point } from './explanation.ts'

/** Columns of the chart. */
const MOST_POINTS = 84
const HOUR = 3600

export type HistoryQuery = {
  readonly volumeId: string
  readonly days: number
  /** Seconds since the epoch. */
  readonly now: number
  readonly ioUnitKiB: number
  readonly signal: AbortSignal
}

/**
 * Mean usage of one volume over the last days, in stretches of whole hours so that it fits a terminal. Stretches
 * without samples are gaps; how many there were stands beside the others. Stops at the first stretch that the source does not answer for.
 */
export async function readHistory(
  source: ActivitySource,
  query: HistoryQuery,
): Promise<readonly Point[]> {
  const width = Math.max(1, Math.ceil((query.days * 24) / MOST_POINTS)) * HOUR
  const last = Math.floor((query.now - source.lagSeconds) / width) * width
  const count = Math.ceil((query.days * 24 * HOUR) / width)
  const points: Point[] = []
  for (let i = count - 1; i >= 0 && !query.signal.aborted; i--) {
    const endSeconds = last - i * width
    const answer = await source.window({ endSeconds, windowSeconds: width, signal: query.signal })
    if (answer.kind === 'Down') return points
    const activity = answer.volumes.get(query.volumeId)
    points.push(
      activity === undefined
        ? { endSeconds, iops: undefined }
        : {
            endSeconds,
            iops: demandOf(activity, query.ioUnitKiB),
            coveragePercent: activity.coveragePercent,
          },
    )
  }
  return points
}
