import type { Log } from '../log.ts'
import { askOnce } from './one-call.ts'
import type { Session } from './session.ts'
import type { RetypeAnswer, RetypeRequest } from './types.ts'

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
  { volumeId, newTypeId, migrationPolicy, requestId, fence }: RetypeRequest,
  signal: AbortSignal | undefined,
): Promise<RetypeAnswer> {
  const { answer } = await askOnce(session, {
    operation: 'volumes.retype',
    method: 'POST',
    path: `/volumes/${volumeId}/action`,
    // understood since 3.0, so no microversion can be refused
    body: { 'os-retype': { new_type: newTypeId, migration_policy: migrationPolicy } },
    accepts: 202,
    requestId,
    fence,
    signal,
  })
  return answer
}
