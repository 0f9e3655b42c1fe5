import type { SizedLimit } from '../api/storage-policy.ts'

/** `min(max, base + perGiB * GiB)` of a size; only `max` given = that is the limit. Unit as given. */
export function sizedLimit(limit: SizedLimit): (sizeGiB: number) => number {
  const max = limit.max ?? Infinity
  if (limit.base === undefined && limit.perGiB === undefined) return () => max
  const { base = 0, perGiB = 0 } = limit
  return (sizeGiB) => Math.min(max, base + perGiB * sizeGiB)
}
