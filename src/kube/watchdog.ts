import type { Clock } from '../clock.ts'

export type Watchdog = {
  /** Aborted with the parent, or when nothing was fed for too long. */
  readonly signal: AbortSignal
  /** It was the silence that aborted. */
  readonly bit: boolean
  /** There is life; from now on `idleMs` of silence are allowed. */
  feed(idleMs: number): void
  stop(): void
}

/** Ends what hangs on its signal after `idleMs` without `feed`. Feeding is cheap: the timer is not moved each time. */
export function watchdog(clock: Clock, parent: AbortSignal, idleMs: number): Watchdog {
  const controller = new AbortController()
  let limit = idleMs
  let fed = clock.monotonic()
  let bit = false

  const check = () => {
    const left = fed + limit - clock.monotonic()
    if (left > 0) {
      timer = clock.setTimer(Math.ceil(left), check)
      return
    }
    bit = true
    controller.abort()
  }
  const onAbort = () => controller.abort()
  let timer = clock.setTimer(idleMs, check)
  parent.addEventListener('abort', onAbort, { once: true })
  if (parent.aborted) onAbort()

  return {
    signal: controller.signal,
    get bit() {
      return bit
    },
    feed: (ms) => {
      fed = clock.monotonic()
      if (ms >= limit) {
        limit = ms
        return
      }
      // a shorter limit must not wait for the timer of the longer one
      limit = ms
      timer.cancel()
      timer = clock.setTimer(ms, check)
    },
    stop: () => {
      timer.cancel()
      parent.removeEventListener('abort', onAbort)
    },
  }
}
