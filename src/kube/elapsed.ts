import type { Clock } from '../clock.ts'

/** One moment by all three clocks, ms. */
export type Moment = { readonly monotonic: number; readonly wall: number; readonly boot: number }

export function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.now(), boot: clock.boot() }
}

/**
 * Longest time since `then` by any of the clocks: monotonic time stands still while the machine sleeps, boot time may be
 * unknown to the system, the wall may be set. Whichever says most is believed.
 */
export function longestSince(then: Moment, clock: Clock): number {
  const now = momentOf(clock)
  return Math.max(now.monotonic - then.monotonic, now.wall - then.wall, now.boot - then.boot)
}

/** Time since `then` that cannot be set by anyone: for decisions that a corrected wall clock must not bring about. */
export function realSince(then: Moment, clock: Clock): number {
  return Math.max(clock.monotonic() - then.monotonic, clock.boot() - then.boot)
}
