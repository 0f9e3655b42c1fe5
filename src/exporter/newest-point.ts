import type { DiskQuantity } from '../activity/gnocchi/metric-names.ts'
import type { Sample } from '../activity/gnocchi/usage.ts'

/** The counters of a disk as they stood at a time. */
export type Point = Readonly<Record<DiskQuantity, number>> & { readonly atSeconds: number }

/** Why a disk has no point to show. */
export type NoPoint = 'no_measures' | 'young' | 'stale'

export type PointWish = {
  readonly nowSeconds: number
  /** Length of a period in Gnocchi. */
  readonly granularitySeconds: number
  /** Seconds between two measures. */
  readonly intervalSeconds: number
  /** When the disk got this volume; its name may have been another volume's before. */
  readonly attachedAtSeconds?: number | undefined
}

/** A measure may be aggregated a minute late; a value that was shown for a time should not change afterwards. */
const SETTLE_SECONDS = 60
/** So many intervals without a measure, and a disk is taken for gone: Gnocchi keeps resources of detached disks. */
const INTERVALS_UNTIL_STALE = 3

/** How far back a period that can still be shown begins. */
export function reachSeconds(
  wish: Pick<PointWish, 'granularitySeconds' | 'intervalSeconds'>,
): number {
  return staleAfterSeconds(wish) + wish.granularitySeconds
}

/**
 * The newest period that is over and settled, as a point at its end: by then the counters stood there at the latest.
 * `samples` oldest first. A period that began before the volume was attached may hold a measure of the volume that was
 * there before.
 */
export function newestPoint(samples: readonly Sample[], wish: PointWish): Point | NoPoint {
  if (samples.length === 0) return 'no_measures'
  const endOf = (s: Sample) => s.startSeconds + wish.granularitySeconds
  const newest = samples.findLast((s) => endOf(s) + SETTLE_SECONDS <= wish.nowSeconds)
  if (newest === undefined || newest.startSeconds < (wish.attachedAtSeconds ?? 0)) return 'young'
  const { startSeconds: _, ...counters } = newest
  const atSeconds = endOf(newest)
  return wish.nowSeconds - atSeconds > staleAfterSeconds(wish)
    ? 'stale'
    : { ...counters, atSeconds }
}

function staleAfterSeconds({ intervalSeconds }: Pick<PointWish, 'intervalSeconds'>): number {
  return INTERVALS_UNTIL_STALE * intervalSeconds + SETTLE_SECONDS
}
