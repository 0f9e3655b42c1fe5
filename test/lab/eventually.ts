import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks until the answer is neither undefined nor false, and gives it. For real parts only: with a simulator, move its clock.
 * Throws with `what` and the last error when `seconds` are over. An error of `check` counts as "not yet". The limit costs
 * nothing where all is well, so it is many times what a quiet machine needs.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  seconds = 240,
  everyMs = 250,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await check()
      if (answer !== undefined && answer !== false) return answer
      last = undefined
    } catch (e) {
      last = e
    }
    await sleep(everyMs)
  }
  const why = last instanceof Error ? `: ${last.message}` : ''
  throw new Error(`${what}: not within ${seconds} s${why}`, { cause: last })
}
