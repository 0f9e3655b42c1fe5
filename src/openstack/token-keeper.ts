import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import { AuthUrlError } from './auth-url.ts'
import { loginBody, type Token } from './authenticate.ts'
import type { Credentials } from './credentials.ts'
import { AuthenticationError, CinderError } from './errors.ts'

/** From here on a new token is fetched beside the running requests … */
const RENEW_BEFORE_MS = 120_000
/** … and from here on nothing is sent with the old one. */
const USELESS_BEFORE_MS = 10_000
/** A refused login is not repeated sooner, and twice as late each time: clouds lock users after a handful of failures. */
const REFUSAL = { firstMs: 60_000, longestMs: 900_000 }
/** Nor is one that a Keystone in trouble could not answer in several tries: every request that waits would ask for it. */
const FAILURE = { firstMs: 15_000, longestMs: 60_000 }

export interface TokenKeeper {
  /** A token that is good for some seconds at least. One login at a time, shared by all who wait. */
  get(): Promise<Token>
  /** No newer one has taken its place. */
  isCurrent(token: Token): boolean
  /** The service refused this token: the next `get` logs in again, unless somebody else already did. */
  invalidate(token: Token): void
  /** The credentials may have changed: the next `get` reads them and logs in. */
  forget(): void
}

export type TokenKeeperParts = {
  readonly credentials: () => Credentials | Promise<Credentials>
  readonly login: (credentials: Credentials) => Promise<Token>
  readonly clock: Clock
  readonly log: Log
}

/** Keeps one token, renews it before it ends, and remembers a refusal or failure for a while or until the credential changes. */
export function createTokenKeeper(parts: TokenKeeperParts): TokenKeeper {
  const { clock, log } = parts
  let current: Token | undefined
  let flight: Promise<Token> | undefined
  let generation = 0
  let failed: { error: Error; credential: string; until: number; holdsMs: number } | undefined

  async function login(): Promise<Token> {
    const mine = generation
    const credentials = await parts.credentials()
    const credential = JSON.stringify([credentials.authUrl, loginBody(credentials.auth)])
    if (failed?.credential === credential && clock.boot() < failed.until) throw failed.error
    try {
      const token = await parts.login(credentials)
      failed = undefined
      if (mine === generation) current = token
      return token
    } catch (error) {
      const isRefused = error instanceof AuthenticationError || error instanceof AuthUrlError
      // one that began before `forget` says nothing about later ones
      if (mine === generation && (isRefused || error instanceof CinderError)) {
        const { firstMs, longestMs } = isRefused ? REFUSAL : FAILURE
        const before = failed?.credential === credential ? failed.holdsMs : 0
        const holdsMs = Math.min(longestMs, Math.max(firstMs, before * 2))
        // a failure between two refusals does not bring the next one sooner
        const longest = Math.max(before, holdsMs)
        failed = { error, credential, until: clock.boot() + holdsMs, holdsMs: longest }
      }
      throw error
    }
  }

  function renew(): Promise<Token> {
    if (flight !== undefined) return flight
    const mine = login().finally(() => {
      if (flight === mine) flight = undefined
    })
    flight = mine
    return mine
  }

  return {
    get: async () => {
      if (current === undefined) return renew()
      const left = current.endsAt - clock.boot()
      if (left <= USELESS_BEFORE_MS) return renew()
      if (left <= RENEW_BEFORE_MS)
        renew().catch((e: unknown) =>
          log.warn({ reason: messageOf(e) }, 'token not renewed yet, using the old one'),
        )
      return current
    },
    isCurrent: (token) => current === token,
    invalidate: (token) => {
      if (current === token) current = undefined
    },
    forget: () => {
      generation += 1
      current = undefined
      flight = undefined
      failed = undefined
    },
  }
}
