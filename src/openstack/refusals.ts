import type { Clock } from '../clock.ts'

const FIRST_MS = 60_000
const LONGEST_MS = 900_000
/** An operation that has not been refused for so long is like any other again. */
const FORGET_MS = 1_800_000

/** Logins in a row because of answers 401, whatever was asked … */
const BURST = 10
/** … and then one in this time: something in front of the service refuses good tokens now and then. */
const REFILL_MS = 60_000

export type Refusals = {
  /** Whether an answer 401 to `operation` is worth a new login, which is counted. */
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
  let logins = { left: BURST, at: clock.boot() }

  const clear = () => {
    refusedAt.clear()
    waitMs = FIRST_MS
    nextAt = -Infinity
  }
  const take = () => {
    const now = clock.boot()
    const left = Math.min(BURST, logins.left + (now - logins.at) / REFILL_MS)
    if (left < 1) return false
    logins = { left: left - 1, at: now }
    return true
  }
  const forgetOld = () => {
    for (const [operation, at] of refusedAt)
      if (clock.boot() - at > FORGET_MS) refusedAt.delete(operation)
    if (refusedAt.size === 0) clear()
  }
  return {
    mayLogIn: (operation) => {
      forgetOld()
      const isDue = !refusedAt.has(operation) || clock.boot() >= nextAt
      return isDue && take()
    },
    note: (operation) => {
      refusedAt.set(operation, clock.boot())
      nextAt = clock.boot() + waitMs
      waitMs = Math.min(LONGEST_MS, waitMs * 2)
    },
    clear,
  }
}
