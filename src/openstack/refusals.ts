import type { Clock } from '../clock.ts'

const FIRST_MS = 60_000
const LONGEST_MS = 900_000
/** An operation that has not been refused for so long is like any other again. */
const FORGET_MS = 1_800_000

export type Refusals = {
  /** Whether an answer 401 to `operation` is worth a new login. */
  mayLogIn(operation: string): boolean
  /** The operation was refused with a token that is seconds old. */
  note(operation: string): void
  clear(): void
}

/**
 * Remembers the operations that a new token does not help: access rules of an application credential answer 401 to what
 * they do not allow. Their requests still go out, so that they work at once when they are allowed; only the logins are
 * rare: one minute apart, doubled up to a quarter of an hour, for all such operations of a session together.
 */
export function createRefusals(clock: Clock): Refusals {
  const refusedAt = new Map<string, number>()
  let waitMs = FIRST_MS
  let nextAt = -Infinity

  const clear = () => {
    refusedAt.clear()
    waitMs = FIRST_MS
    nextAt = -Infinity
  }
  const forgetOld = () => {
    for (const [operation, at] of refusedAt)
      if (clock.boot() - at > FORGET_MS) refusedAt.delete(operation)
    if (refusedAt.size === 0) clear()
  }
  return {
    mayLogIn: (operation) => {
      forgetOld()
      return !refusedAt.has(operation) || clock.boot() >= nextAt
    },
    note: (operation) => {
      refusedAt.set(operation, clock.boot())
      nextAt = clock.boot() + waitMs
      waitMs = Math.min(LONGEST_MS, waitMs * 2)
    },
    clear,
  }
}
