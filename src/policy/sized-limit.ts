import { TIER_DEFAULTS } from '../api/policy-tiers.ts'
import type { SizedLimit } from '../api/storage-policy.ts'

/** `min(max, base + perGiB * GiB)` of a size; only `max` given = that is the limit. Unit as given. */
export function sizedLimit(limit: SizedLimit): (sizeGiB: number) => number {
  const max = limit.max ?? Infinity
  if (limit.base === undefined && limit.perGiB === undefined) return () => max
  const { base, perGiB } = { ...TIER_DEFAULTS.iopsLimit, ...limit }
  return (sizeGiB) => Math.min(max, base + perGiB * sizeGiB)
}
