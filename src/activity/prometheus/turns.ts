import { yieldToEventLoop } from '../../clock.ts'

/** Resolves when it is the caller's turn to compute for some milliseconds; others wait and I/O runs in between. */
export type Turn = () => Promise<void>

/**
 * Four large answers that arrive together would be worked off in one go, and leases and probes would wait.
 * One turn per round of the event loop keeps the longest block to that of one piece.
 */
export function createTurns(): Turn {
  let last: Promise<unknown> = Promise.resolve()
  return async () => {
    const before = last
    last = before.then(yieldToEventLoop)
    await last
  }
}
