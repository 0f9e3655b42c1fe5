import type { Clock } from '../clock.ts'

export type Backoff = {
  /** Ms to wait after one more failure. */
  next(): number
}

/**
 * Exponential waits with jitter (between half and all of the step). The steps begin again only when
 * `resetAfterMs` have passed since the last failure, so a server that answers once and fails again is not stormed.
 */
export function createBackoff(options: {
  readonly firstMs: number
  readonly maxMs: number
  readonly resetAfterMs: number
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
}): Backoff {
  const { firstMs, maxMs, resetAfterMs, clock, random } = options
  let step = firstMs
  let freshAt = -Infinity
  return {
    next: () => {
      const now = clock.monotonic()
      if (now >= freshAt) step = firstMs
      const wait = jittered(step, random)
      freshAt = now + wait + resetAfterMs
      step = Math.min(step * 2, maxMs)
      return wait
    },
  }
}

/** Between half and all of `ms`. */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.5 + random() / 2)
}
