import type { Clock } from '../clock.ts'

const BURST = 25
const REFILL_MS = 5 * 60_000
const MOST_OBJECTS = 4096

/** Per object 25 events at once, then one in five minutes; the objects least recently heard of are forgotten. */
export function createEventLimiter(clock: Clock): (object: string) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>()
  return (object) => {
    const now = clock.monotonic()
    const old = buckets.get(object)
    const tokens = old ? Math.min(BURST, old.tokens + (now - old.at) / REFILL_MS) : BURST
    const allowed = tokens >= 1
    buckets.delete(object)
    buckets.set(object, { tokens: allowed ? tokens - 1 : tokens, at: now })
    evictOldest(buckets, MOST_OBJECTS)
    return allowed
  }
}

/** Removes what was put first until `most` are left. */
export function evictOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return
    map.delete(key)
  }
}
