import { type Clock, sleep } from '../clock.ts'
import { ConnectionError } from '../http.ts'
import { isRateLimit, readFault } from './errors.ts'
import { retryAfterMs } from '../time.ts'
import type { Answer } from './transport.ts'

/** First try included. */
const TRIES = 5
const SHORTEST_WAIT_MS = 2_000
const LONGEST_WAIT_MS = 30_000
/** A server that asks for more is believed, and the caller notified, instead of keeping it waiting. */
const LONGEST_OBEYED_MS = 120_000

export type RetryOptions = {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly signal?: AbortSignal | undefined
}

/**
 * Calls `attempt` up to 5 times, 2 to 30 s apart with jitter, while it gets no answer, 429 or a 5xx. Any other answer,
 * or the last one, is returned; the last `ConnectionError` is thrown. Ends early when `signal` is aborted.
 * Only for what may be repeated.
 */
export async function retrying(
  options: RetryOptions,
  attempt: () => Promise<Answer>,
): Promise<Answer> {
  for (let tried = 1; ; tried++) {
    const result = await outcomeOf(attempt)
    const wait = waitBefore(tried, result, options)
    if (wait === undefined) {
      if (result instanceof ConnectionError) throw result
      return result
    }
    await sleep(options.clock, wait, options.signal)
    if (options.signal?.aborted)
      throw new ConnectionError('aborted', 'given up while waiting to try again')
  }
}

async function outcomeOf(attempt: () => Promise<Answer>): Promise<Answer | ConnectionError> {
  try {
    return await attempt()
  } catch (e) {
    if (e instanceof ConnectionError) return e
    throw e
  }
}

/** ms to wait before the next try; undefined = this result is final. */
function waitBefore(
  tried: number,
  result: Answer | ConnectionError,
  options: RetryOptions,
): number | undefined {
  if (tried >= TRIES || options.signal?.aborted) return undefined
  const backoff = backoffMs(tried, options.random)
  if (result instanceof ConnectionError) return result.failure === 'aborted' ? undefined : backoff
  if (!worthRepeating(result)) return undefined
  const asked = askedMs(result, options.clock.now())
  if (asked > LONGEST_OBEYED_MS) return undefined
  return Math.max(backoff, asked)
}

function backoffMs(tried: number, random: () => number): number {
  const base = SHORTEST_WAIT_MS * 2 ** (tried - 1)
  return Math.min(LONGEST_WAIT_MS, base * (1 + random() / 2))
}

/** 413 is never repeated: for quota its `Retry-After: 0` would be a hot loop. 501 and 505 stay what they are. */
function worthRepeating(answer: Answer): boolean {
  if (answer.status === 501 || answer.status === 505) return false
  return answer.status === 429 || answer.status >= 500
}

/** What Retry-After of a 429 or 503 asks for; 0 when it asks for nothing we understand. */
function askedMs(answer: Answer, now: number): number {
  const limited = isRateLimit(answer.status, readFault(answer.json)?.fault)
  if (!limited && answer.status !== 503) return 0
  return retryAfterMs(answer.headers, now) ?? 0
}
