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
    retryAfter(headers['retry-after']) ?? said?.details?.retryAfterSeconds,
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

// the API server sends seconds; a date (a proxy's) is left to our own backoff
function retryAfter(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : undefined
}
