import { messageOf, stable } from '../errors.ts'
import { retryAfterMs } from '../time.ts'
import { AuthenticationError, cinderFault, CinderError, isRateLimit, readFault } from './errors.ts'
import type { Session, SessionRequest, SessionResponse } from './session.ts'
import type { RetypeAnswer as CallAnswer } from './types.ts'

/**
 * For login and call together: after that nothing of ours can still be on its way to Cinder.
 * Shorter than a stop may take (25 s), and than the mover keeps quiet after a call that an earlier leader made.
 */
export const CALL_TIMEOUT_MS = 20_000

/** A call that changes something. */
export type OneCall = Pick<
  SessionRequest,
  'operation' | 'method' | 'path' | 'body' | 'microversion'
> & {
  /** The only status by which Cinder accepts it. */
  readonly accepts: number
  /** Sent as X-OpenStack-Request-ID. */
  readonly requestId: string
  /** Called synchronously right before the call leaves; when it throws the answer is `NotSent`. */
  readonly fence?: (() => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** Sends it exactly once; every outcome is a value. `json`: body of an acceptance. */
export async function askOnce(
  session: Session,
  { accepts, requestId, fence, signal, ...call }: OneCall,
): Promise<{ readonly answer: CallAnswer; readonly json?: unknown }> {
  try {
    const response = await session.request({
      ...call,
      service: 'block-storage',
      headers: { 'x-openstack-request-id': requestId },
      timeoutMs: CALL_TIMEOUT_MS,
      retry: 'never',
      ...(signal === undefined ? {} : { signal }),
      ...(fence === undefined ? {} : { fence }),
    })
    return { answer: answerOf(response, accepts, session.clean), json: response.json }
  } catch (e) {
    return { answer: failureOf(e, session.clean) }
  }
}

function answerOf(
  answer: SessionResponse,
  accepts: number,
  clean: (text: string) => string,
): CallAnswer {
  const { status } = answer
  const id = answer.requestId === undefined ? {} : { cinderRequestId: answer.requestId }
  if (isAcceptance(answer, accepts)) return { kind: 'Accepted', ...id }
  const own = cinderFault(answer)
  const asked = retryAfterMs(answer.headers, Infinity) ?? 0
  const after = asked > 0 ? { retryAfterMs: asked } : {}
  const message = clean(stable((own ?? readFault(answer.json))?.message || `HTTP ${status}`))
  // a limiter answers instead of Cinder, so that 429 is a refusal from whichever side
  if (isRateLimit(status, own?.fault))
    return { kind: 'Rejected', httpStatus: status, message, quota: false, ...after, ...id }
  if (own !== undefined)
    return { kind: 'Rejected', httpStatus: status, message, quota: status === 413, ...id }
  return { kind: 'Unknown', httpStatus: status, message, ...after, ...id }
}

/** A page that a proxy sends is no yes of Cinder's. Its own to a deletion is called text/html, and empty. */
function isAcceptance({ status, headers }: SessionResponse, accepts: number): boolean {
  const isPage = /html/i.test(headers['content-type'] ?? '') && headers['content-length'] !== '0'
  return status === accepts && !isPage
}

function failureOf(e: unknown, clean: (text: string) => string): CallAnswer {
  const message = clean(stable(messageOf(e)))
  if (e instanceof AuthenticationError && e.refusedBy === 'service')
    return {
      kind: 'Rejected',
      httpStatus: e.status,
      message,
      quota: false,
      ...(e.requestId === undefined ? {} : { cinderRequestId: e.requestId }),
    }
  if (e instanceof CinderError) return { kind: e.sent ? 'Unknown' : 'NotSent', message }
  // a refused login or an endpoint that is not in the catalog: there was nobody to send it to
  if (e instanceof Error && e.name === 'UserError') return { kind: 'NotSent', message }
  return { kind: 'Unknown', message }
}
