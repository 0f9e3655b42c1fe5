import type { Clock } from '../clock.ts'

const FIRST_MS = 5
const LONGEST_MS = 1_000_000
const PER_SECOND = 10
const BURST = 100
/** However many keys fail, one that fails for the first time is tried again within half a minute. */
const MOST_BORROWED = 300

/**
 * When a failed key is tried again: 5 ms, doubled per failure of that key up to 1000 s, and about ten a second of all keys
 * together after a burst of a hundred.
 */
export function createRetryLimiter(clock: Clock) {
  const failures = new Map<string, number>()
  let tokens = BURST
  let filledAt = clock.monotonic()

  const untilToken = (): number => {
    const now = clock.monotonic()
    tokens = Math.min(BURST, tokens + ((now - filledAt) / 1000) * PER_SECOND)
    filledAt = now
    // below zero the token is borrowed: who comes later waits longer
    tokens = Math.max(tokens - 1, -MOST_BORROWED)
    return tokens >= 0 ? 0 : (-tokens / PER_SECOND) * 1000
  }

  return {
    /** Ms to wait after one more failure of `key`. */
    next: (key: string): number => {
      const before = failures.get(key) ?? 0
      failures.set(key, before + 1)
      return Math.max(untilToken(), Math.min(FIRST_MS * 2 ** Math.min(before, 40), LONGEST_MS))
    },
    /** The key works again. */
    forget: (key: string): void => void failures.delete(key),
  }
}
