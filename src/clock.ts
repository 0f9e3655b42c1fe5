import { setImmediate } from 'node:timers'

/**
 * Time as an argument: production uses `systemClock`, tests a virtual one, the demo one that runs fast.
 * All times are milliseconds.
 */
export interface Clock {
  /** Wall time, ms since the Unix epoch. */
  now(): number
  /** Never goes back; may stand still while the machine is suspended. */
  monotonic(): number
  /** Never goes back and counts suspended time too. */
  boot(): number
  /** Calls `fn` once after `ms`. */
  setTimer(ms: number, fn: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** Waits `ms` on `clock`; resolves early (never rejects) when `signal` is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const onAbort = () => {
      timer.cancel()
      resolve()
    }
    const timer = clock.setTimer(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Resolves when `signal` is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Lets everything else that is ready run first: a turn of the event loop, not a span of time. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
