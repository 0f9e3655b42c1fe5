import type { Log } from '../log.ts'
import { messageOf } from '../errors.ts'
import { AuthenticationError, CinderError, isRateLimit, readFault } from './errors.ts'
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
  if (status >= 200 && status < 300) return { kind: 'Accepted', ...id }
  const said = readFault(answer.json)
  const message = clean(said?.message || `Cinder answered ${status}`)
  if (mayHaveStarted(status)) return { kind: 'Unknown', httpStatus: status, message, ...id }
  const quota = status === 413 && !isRateLimit(status, said?.fault)
  return { kind: 'Rejected', httpStatus: status, message, quota, ...id }
}

/** 5xx, and the two codes by which a proxy says that it stopped waiting. */
function mayHaveStarted(status: number): boolean {
  return status >= 500 || status === 408 || status === 499
}

function failureOf(e: unknown, clean: (text: string) => string): RetypeAnswer {
  const message = clean(messageOf(e))
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
