import { LONGEST_RETRY_AFTER_MS, retryAfterMs } from '../time.ts'
import { redact } from './redact.ts'
import { ApiError } from './types.ts'

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

const LONGEST_MESSAGE = 1000
const LONGEST_FOREIGN_BODY = 200

/**
 * The refusal in a response of the API server, or of a proxy before it (whose body is not a `Status`).
 * `what` says what was asked, for the message. Credentials are taken out, `secret` above all.
 */
export function apiErrorFrom(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
  what: string,
  secret?: string,
): ApiError {
  const said = parseStatus(body)
  const reason = said?.reason || (REASONS[status] ?? 'Unknown')
  const text = said?.message || foreign(body) || 'no message'
  return new ApiError(
    status,
    reason,
    redact(`${what}: ${status} ${reason}: ${text}`, secret).slice(0, LONGEST_MESSAGE),
    retryAfterSeconds(headers, said),
    said !== undefined,
  )
}

type StatusBody = {
  readonly kind?: unknown
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly retryAfterSeconds?: number }
}

function parseStatus(body: string): StatusBody | undefined {
  try {
    const parsed = JSON.parse(body) as StatusBody | null
    return parsed?.kind === 'Status' ? parsed : undefined
  } catch {
    return undefined
  }
}

function foreign(body: string): string {
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_FOREIGN_BODY)
}

/** A date without the answer's own `Date` is left to our own back-off: here is no clock to measure it by. */
function retryAfterSeconds(
  headers: Readonly<Record<string, string>>,
  said: StatusBody | undefined,
): number | undefined {
  const asked = retryAfterMs(headers, Infinity)
  if (asked !== undefined) return asked / 1000
  const seconds: unknown = said?.details?.retryAfterSeconds
  if (typeof seconds !== 'number' || !(seconds >= 0)) return undefined
  return Math.min(seconds, LONGEST_RETRY_AFTER_MS / 1000)
}
