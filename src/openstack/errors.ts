import type { ConnectionError } from '../http.ts'
import { UserError } from '../errors.ts'
import { retryAfterMs } from '../time.ts'

export type CinderErrorCode =
  | 'QuotaExceeded'
  | 'RateLimited'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'BadRequest'
  | 'Conflict'
  | 'NotAcceptable'
  | 'ServerError'
  | 'Unreachable'

type CinderErrorFields = {
  readonly code: CinderErrorCode
  readonly message: string
  readonly sent: boolean
  readonly status?: number | undefined
  readonly fault?: string | undefined
  readonly requestId?: string | undefined
  readonly retryAfterSeconds?: number | undefined
}

/** An OpenStack service refused, failed or did not answer. The message names service, operation and request id, never a secret. */
export class CinderError extends Error {
  override readonly name = 'CinderError'
  readonly code: CinderErrorCode
  /** HTTP status; undefined when no answer came. */
  readonly status: number | undefined
  /** Cinder's own name for it (`badRequest`, `itemNotFound`, `overLimit`, …). */
  readonly fault: string | undefined
  /** x-openstack-request-id, for the cloud's operators. */
  readonly requestId: string | undefined
  /** Trying the same again later can succeed without any change. */
  readonly retryable: boolean
  /** False only when the request certainly never reached the service. */
  readonly sent: boolean
  readonly retryAfterSeconds: number | undefined
  constructor(fields: CinderErrorFields) {
    super(fields.message)
    this.code = fields.code
    this.status = fields.status
    this.fault = fields.fault
    this.requestId = fields.requestId
    this.sent = fields.sent
    this.retryAfterSeconds = fields.retryAfterSeconds
    this.retryable = RETRYABLE.has(fields.code)
  }
}

const RETRYABLE: ReadonlySet<CinderErrorCode> = new Set([
  'RateLimited',
  'ServerError',
  'Unreachable',
])

/** The credential is refused: by Keystone, or by the service with a token that is seconds old. Waiting does not help. */
export class AuthenticationError extends UserError {
  /** Who said no; with `service` a request was sent and refused before anything was done. */
  readonly refusedBy: 'identity' | 'service'
  readonly status: number
  readonly requestId: string | undefined
  constructor(
    message: string,
    fields: { refusedBy: 'identity' | 'service'; status: number; requestId?: string | undefined },
  ) {
    super('OpenStackAuthentication', message)
    this.refusedBy = fields.refusedBy
    this.status = fields.status
    this.requestId = fields.requestId
  }
}

/** True when the service was asked and will not answer this credential, so that waiting alone does not help. */
export function isMissingRight(e: unknown): boolean {
  if (e instanceof AuthenticationError) return e.refusedBy === 'service'
  return e instanceof CinderError && (e.code === 'Forbidden' || e.code === 'Unauthorized')
}

/** What an error body says, whatever its first key is called; undefined when it says nothing. */
export function readFault(json: unknown): { fault: string; message: string } | undefined {
  if (typeof json !== 'object' || json === null) return undefined
  const [fault, body] = Object.entries(json)[0] ?? []
  if (fault === undefined) return undefined
  const inner = typeof body === 'object' && body !== null ? body : json
  const { message, description, title } = inner as Record<string, unknown>
  const said = [message, description, title].find((v) => typeof v === 'string' && v !== '')
  return { fault, message: typeof said === 'string' ? said : '' }
}

/** Cinder's names for its own refusals (cinder/api/openstack/wsgi.py, `Fault._fault_names`). */
const CINDER_FAULTS: Readonly<Record<number, readonly string[]>> = {
  400: ['badRequest'],
  401: ['unauthorized'],
  403: ['forbidden'],
  404: ['itemNotFound'],
  405: ['badMethod'],
  409: ['conflictingRequest'],
  413: ['overLimit', 'overLimitFault'],
  415: ['badMediaType'],
  429: ['overLimit', 'overLimitFault'],
}

/**
 * What the refusal says when it is provably Cinder's own: JSON, with the one fault that belongs to the status. A proxy's
 * page, an empty body or another service's JSON says nothing about what Cinder did or knows.
 */
export function cinderFault(
  answer: RefusedAnswer,
): { readonly fault: string; readonly message: string } | undefined {
  const type = answer.headers['content-type']
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\b/i.test(type)) return undefined
  const said = readFault(answer.json)
  if (said === undefined || !CINDER_FAULTS[answer.status]?.includes(said.fault)) return undefined
  const body = (answer.json as Record<string, unknown>)[said.fault]
  if (typeof body !== 'object' || body === null) return undefined
  const { code = answer.status } = body as { readonly code?: unknown }
  return Number(code) === answer.status ? said : undefined
}

/** Cinder answers quota and legacy rate limiting both with 413; only the fault's name distinguishes them. */
export function isRateLimit(status: number, fault: string | undefined): boolean {
  return status === 429 || (status === 413 && fault === 'overLimitFault')
}

export type RefusedAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly json: unknown
  readonly requestId?: string | undefined
  readonly proxy?: string | undefined
}

/** The error for an answer nobody wanted. `what` is "service: operation"; `clean` removes secrets. */
export function answerError(
  what: string,
  answer: RefusedAnswer,
  clean: (text: string) => string,
): CinderError {
  const said = readFault(answer.json)
  const retryAfter = retryAfterMs(answer.headers, Infinity)
  return new CinderError({
    code: codeOf(answer.status, said?.fault),
    status: answer.status,
    fault: said?.fault,
    requestId: answer.requestId,
    sent: true,
    retryAfterSeconds: retryAfter === undefined ? undefined : retryAfter / 1000,
    message: clean(`${what} answered ${sentence(answer, said)}`),
  })
}

/** "403 forbidden: Policy doesn't allow …, request req-…". */
export function sentence(answer: RefusedAnswer, said = readFault(answer.json)): string {
  const text = said === undefined ? '' : ` ${said.fault}: ${said.message.slice(0, 500)}`
  const moved = answer.headers['location']
  const redirect =
    moved !== undefined && answer.status >= 300 && answer.status < 400
      ? ` (a redirect to ${moved.split(/[?#]/)[0]!.replace(/\/\/[^/]*@/, '//')}, which is not followed: correct the endpoint)`
      : ''
  const id = answer.requestId === undefined ? '' : `, request ${answer.requestId}`
  // without a fault of the service's own it may be the proxy that answered
  const via =
    said === undefined && answer.proxy !== undefined ? ` through the proxy ${answer.proxy}` : ''
  return `${answer.status}${text}${redirect}${via}${id}`
}

function codeOf(status: number, fault: string | undefined): CinderErrorCode {
  if (isRateLimit(status, fault)) return 'RateLimited'
  if (status >= 500) return 'ServerError'
  return BY_STATUS[status] ?? 'BadRequest'
}

const BY_STATUS: Readonly<Record<number, CinderErrorCode>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  406: 'NotAcceptable',
  409: 'Conflict',
  413: 'QuotaExceeded',
}

/** The error for a request that got no answer. */
export function unreachable(
  what: string,
  cause: ConnectionError,
  clean: (text: string) => string,
): CinderError {
  return new CinderError({
    code: 'Unreachable',
    sent: cause.sent,
    message: clean(`${what} got no answer: ${cause.message}`),
  })
}

/** The error for a request that was given up before it left. */
export function neverSent(what: string, why: string): CinderError {
  return new CinderError({
    code: 'Unreachable',
    sent: false,
    message: `${what} was not sent: ${why}`,
  })
}
