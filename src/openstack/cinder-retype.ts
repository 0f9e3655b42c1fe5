import type { Log } from '../log.ts'
import { messageOf, stable } from '../errors.ts'
import { retryAfterMs } from '../time.ts'
import { AuthenticationError, cinderFault, CinderError, isRateLimit, readFault } from './errors.ts'
import type { Session, SessionResponse } from './session.ts'
import type { RetypeAnswer, RetypeRequest } from './types.ts'

/**
 * For login and call together: after that nothing of ours can still be on its way to Cinder.
 * Shorter than a stop may take (25 s), and than the mover keeps quiet after a call that an earlier leader made.
 */
export const RETYPE_TIMEOUT_MS = 20_000

/** Sent exactly once; every outcome is a value. */
export async function retype(
  parts: { session: Session; log: Log },
  request: RetypeRequest,
  signal?: AbortSignal,
): Promise<RetypeAnswer> {
  const answer = await ask(parts.session, request, signal)
  const { volumeId, newTypeId, migrationPolicy, requestId } = request
  parts.log.info({ volumeId, newTypeId, migrationPolicy, requestId, answer }, 'retype asked for')
  return answer
}

async function ask(
  session: Session,
  request: RetypeRequest,
  signal: AbortSignal | undefined,
): Promise<RetypeAnswer> {
  try {
    const answer = await session.request({
      service: 'block-storage',
      operation: 'volumes.retype',
      method: 'POST',
      path: `/volumes/${request.volumeId}/action`,
      // understood since 3.0, so no microversion can be refused
      body: {
        'os-retype': { new_type: request.newTypeId, migration_policy: request.migrationPolicy },
      },
      headers: { 'x-openstack-request-id': request.requestId },
      timeoutMs: RETYPE_TIMEOUT_MS,
      retry: 'never',
      ...(signal === undefined ? {} : { signal }),
      ...(request.fence === undefined ? {} : { fence: request.fence }),
    })
    return answerOf(answer, session.clean)
  } catch (e) {
    return failureOf(e, session.clean)
  }
}

function answerOf(answer: SessionResponse, clean: (text: string) => string): RetypeAnswer {
  const { status } = answer
  const id = answer.requestId === undefined ? {} : { cinderRequestId: answer.requestId }
  if (isAcceptance(answer)) return { kind: 'Accepted', ...id }
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

/** Cinder accepts with 202 and nothing else; a page that a proxy sends with 200 is no yes of Cinder's. */
function isAcceptance({ status, headers }: SessionResponse): boolean {
  return status === 202 && !/html/i.test(headers['content-type'] ?? '')
}

function failureOf(e: unknown, clean: (text: string) => string): RetypeAnswer {
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
