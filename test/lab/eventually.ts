import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks until the answer is neither undefined nor false, and gives it. For real parts only: with a simulator, move its clock.
 * Throws with `what` and the last error when `seconds` are over. An error of `check` counts as "not yet".
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  seconds = 60,
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
  throw new Error(`${what}: not within ${seconds} s`, { cause: last })
}
