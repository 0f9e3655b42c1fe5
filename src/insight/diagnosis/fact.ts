import { sleep } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { ConnectionError } from '../../http.ts'
import { isForbidden } from '../../kube/missing-right.ts'
import { ApiError } from '../../kube/types.ts'

/** Something that was read, or why it could not be. */
export type Fact<T> =
  | { readonly known: true; readonly value: T }
  | {
      readonly known: false
      readonly why: string
      /** The account or credential is not allowed to read: not an outage, and often as it should be. */
      readonly refused: boolean
    }

export function known<T>(value: T): Fact<T> {
  return { known: true, value }
}

export function unknown(why: string, refused = false): Fact<never> {
  return { known: false, why, refused }
}

/** The value, or undefined where it is not known. */
export function valueOf<T>(fact: Fact<T>): T | undefined {
  return fact.known ? fact.value : undefined
}

export type Limits = {
  readonly clock: Clock
  /** Longest a single read may take, ms. */
  readonly timeoutMs: number
}

/** Runs one read. Never throws: what it throws, and a read that takes too long, become a Fact that is not known. */
export async function attempt<T>(
  { clock, timeoutMs }: Limits,
  read: (signal: AbortSignal) => Promise<T>,
): Promise<Fact<T>> {
  const late = new AbortController()
  const done = new AbortController()
  const timeout = sleep(clock, timeoutMs, done.signal).then((): Fact<T> => {
    late.abort()
    return unknown(`no answer within ${timeoutMs / 1000} s`)
  })
  const work = read(late.signal).then(known, (e: unknown) => unknown(reasonOf(e), isRefusal(e)))
  try {
    return await Promise.race([work, timeout])
  } finally {
    done.abort()
  }
}

/** As `attempt`, for a read that needs another fact: without that one it is not made. */
export async function following<A, T>(
  limits: Limits,
  first: Fact<A>,
  read: (value: A, signal: AbortSignal) => Promise<T>,
): Promise<Fact<T>> {
  if (!first.known) return first
  return attempt(limits, (signal) => read(first.value, signal))
}

function reasonOf(e: unknown): string {
  if (e instanceof ConnectionError) return `no answer: ${e.message}`
  return messageOf(e)
}

function isRefusal(e: unknown): boolean {
  if (e instanceof ApiError) return isForbidden(e) || e.status === 401
  const { code } = e as { code?: unknown }
  return code === 'Forbidden'
}
