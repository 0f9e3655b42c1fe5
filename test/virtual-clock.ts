import type { Clock } from '../src/clock.ts'

export type VirtualClock = Clock & {
  /** Lets `ms` pass: fires due timers in order, and lets what they started settle in between. */
  advance(ms: number): Promise<void>
  /** Lets microtasks and immediates run without time passing. */
  settle(): Promise<void>
  /** The machine sleeps for `ms`: wall and boot time pass, monotonic time and timers stand still. */
  suspend(ms: number): void
  /** Someone sets the wall clock. */
  jumpWall(ms: number): void
  /** Timers that wait: 0 when everything has been stopped properly. */
  readonly pending: number
}

type Waiting = { readonly at: number; readonly order: number; readonly fn: () => void }

// one round lets what is ready run; code that yields a few times between two timers needs a few
const SETTLE_ROUNDS = 6

/** A clock that stands still until advanced. `start` is the wall time, ms since the Unix epoch. */
export function createVirtualClock(start = Date.UTC(2026, 0, 1)): VirtualClock {
  const waiting = new Set<Waiting>()
  let elapsed = 0
  let suspended = 0
  let jumped = 0
  let order = 0

  const settle = async () => {
    for (let i = 0; i < SETTLE_ROUNDS; i++)
      await new Promise<void>((resolve) => setImmediate(resolve))
  }

  const nextDue = (until: number) => {
    let next: Waiting | undefined
    for (const w of waiting)
      if (w.at <= until && (!next || w.at < next.at || (w.at === next.at && w.order < next.order)))
        next = w
    return next
  }

  return {
    now: () => start + elapsed + suspended + jumped,
    monotonic: () => elapsed,
    boot: () => elapsed + suspended,
    setTimer: (ms, fn) => {
      const timer = { at: elapsed + Math.max(0, ms), order: order++, fn }
      waiting.add(timer)
      return { cancel: () => void waiting.delete(timer) }
    },
    advance: async (ms) => {
      const until = elapsed + ms
      await settle()
      for (let due = nextDue(until); due; due = nextDue(until)) {
        waiting.delete(due)
        elapsed = Math.max(elapsed, due.at)
        due.fn()
        await settle()
      }
      elapsed = until
    },
    settle,
    suspend: (ms) => {
      suspended += ms
    },
    jumpWall: (ms) => {
      jumped += ms
    },
    get pending() {
      return waiting.size
    },
  }
}
