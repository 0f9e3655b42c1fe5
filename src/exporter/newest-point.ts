import type { Measure } from '../activity/gnocchi/answer.ts'

/** A counter as it stood at a time. */
export type Point = { readonly value: number; readonly atSeconds: number }

/** Why a metric has no point to show. */
export type NoPoint = 'no_measures' | 'stale' | 'young'

export type PointWish = {
  readonly nowSeconds: number
  /** Seconds between two measures. */
  readonly periodSeconds: number
  /** When the disk got this volume; its name may have been another volume's before. */
  readonly attachedAtSeconds: number | undefined
}

/** A measure may be aggregated a minute late; a value that was shown for a time must not change afterwards. */
export const SETTLE_SECONDS = 60
/** So many periods without a measure, and a disk is taken for gone: Gnocchi keeps resources of detached disks. */
const PERIODS_UNTIL_STALE = 3

/** Oldest start of a period that can still be shown. */
export function horizonSeconds(periodSeconds: number): number {
  return (PERIODS_UNTIL_STALE + 1) * periodSeconds + SETTLE_SECONDS
}

/**
 * The newest period of the finest granularity that is over and settled, as a point at its end: by then the counter
 * stood there at the latest. A period that began before the volume was attached may hold a measure of the volume that
 * was there before.
 */
export function newestPoint(measures: readonly Measure[], wish: PointWish): Point | NoPoint {
  const usable = measures.filter((m) => Number.isFinite(m.value) && m.value >= 0)
  const finest = Math.min(...usable.map((m) => m.granularitySeconds))
  const over = usable.filter(
    (m) => m.granularitySeconds === finest && endOf(m) + SETTLE_SECONDS <= wish.nowSeconds,
  )
  if (over.length === 0) return usable.length === 0 ? 'no_measures' : 'young'
  const newest = over.reduce((a, b) => (b.startSeconds > a.startSeconds ? b : a))
  if (newest.startSeconds < (wish.attachedAtSeconds ?? 0)) return 'young'
  if (wish.nowSeconds - endOf(newest) > staleAfterSeconds(wish.periodSeconds)) return 'stale'
  return { value: newest.value, atSeconds: endOf(newest) }
}

function staleAfterSeconds(periodSeconds: number): number {
  return PERIODS_UNTIL_STALE * periodSeconds + SETTLE_SECONDS
}

function endOf({ startSeconds, granularitySeconds }: Measure): number {
  return startSeconds + granularitySeconds
}
