import type { Clock } from '../clock.ts'
import { ApiError } from './types.ts'

/** A server that has just started refuses everything until it has read the roles. */
const CONFIRMED_MS = 10_000

/** The API server itself refuses it; the page of a proxy before it says nothing about our rights. */
export function isForbidden(e: unknown): boolean {
  return e instanceof ApiError && e.status === 403 && e.byServer
}

/** Whether a role lacks a right that the controller can do without: only what is refused for a while is missing. */
export class OptionalRight {
  readonly #clock: Clock
  /** `clock.monotonic()`. */
  #refusedSince: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes how a request has failed. Any other failure starts the count again. */
  isMissing(e: unknown): boolean {
    if (!isForbidden(e)) {
      this.granted()
      return false
    }
    const now = this.#clock.monotonic()
    this.#refusedSince ??= now
    return now - this.#refusedSince >= CONFIRMED_MS
  }

  granted(): void {
    this.#refusedSince = undefined
  }
}
