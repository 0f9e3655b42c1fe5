import type { Clock, Timer } from '../../clock.ts'

export type DayClock = Clock & {
  /** How many ms of the day pass per real ms from now on; 0 = the day stands still. */
  setRate(rate: number): void
  /** Forgets all timers. */
  end(): void
}

type Waiting = { readonly at: number; readonly fn: () => void }

/** A clock that starts at `start` (ms since the epoch), standing still, and then runs as fast as configured. */
export function createDayClock(real: Clock, start: number): DayClock {
  const waiting = new Set<Waiting>()
  let rate = 0
  let passed = 0
  let since = real.monotonic()
  let alarm: Timer | undefined

  const elapsed = () => passed + (real.monotonic() - since) * rate

  const fireDue = () => {
    const now = elapsed()
    const due = [...waiting].filter((w) => w.at <= now).toSorted((a, b) => a.at - b.at)
    for (const w of due) if (waiting.delete(w)) w.fn()
    arm()
  }

  const arm = () => {
    alarm?.cancel()
    alarm = undefined
    if (rate === 0 || waiting.size === 0) return
    const next = Math.min(...[...waiting].map((w) => w.at))
    alarm = real.setTimer(Math.max(1, Math.ceil((next - elapsed()) / rate)), fireDue)
  }

  return {
    now: () => start + elapsed(),
    monotonic: elapsed,
    boot: elapsed,
    setTimer: (ms, fn) => {
      const one = { at: elapsed() + Math.max(0, ms), fn }
      waiting.add(one)
      arm()
      return {
        cancel: () => {
          if (waiting.delete(one)) arm()
        },
      }
    },
    setRate: (next) => {
      passed = elapsed()
      since = real.monotonic()
      rate = next
      arm()
    },
    end: () => {
      waiting.clear()
      arm()
    },
  }
}

/** Timers of the real clock with the time of day of the other: what stores timestamps but works in real time. */
export function stampedWith(day: Clock, real: Clock): Clock {
  return {
    now: () => day.now(),
    monotonic: () => real.monotonic(),
    boot: () => real.boot(),
    setTimer: (ms, fn) => real.setTimer(ms, fn),
  }
}
