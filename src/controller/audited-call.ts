import type { Audit } from '../audit/audit.ts'
import { AuditUnavailableError } from '../audit/audit.ts'
import type { Change, Finding } from '../audit/change.ts'
import type { RetypeAnswer as CallAnswer } from '../openstack/types.ts'

type Unaudited = { readonly kind: 'NotSent'; readonly message: string; readonly unaudited: true }
type Answer = CallAnswer & { readonly id?: string }

/** One call to Cinder between its two lines. Without the first it is not sent. `accepts`: the status of a yes. */
export async function auditedCall<A extends Answer>(
  audit: Audit,
  change: Change,
  send: () => Promise<A>,
  accepts = 202,
): Promise<A | Unaudited> {
  try {
    const call = await audit.begin(change)
    const answer = await send()
    await call.ended(findingOf(answer, accepts))
    return answer
  } catch (e) {
    if (!(e instanceof AuditUnavailableError)) throw e
    return { kind: 'NotSent', message: e.message, unaudited: true }
  }
}

function findingOf(answer: Answer, accepts: number): Finding {
  const answeredId = 'cinderRequestId' in answer ? answer.cinderRequestId : undefined
  switch (answer.kind) {
    case 'Accepted':
      return { outcome: 'success', reason: http(accepts), answeredId, madeId: answer.id }
    case 'Rejected':
      return { outcome: 'failure', reason: http(answer.httpStatus), answeredId }
    case 'NotSent':
      return { outcome: 'failure', reason: { type: 'couchestor.io', code: 'NotSent' } }
    case 'Unknown': {
      const { httpStatus } = answer
      const reason = httpStatus === undefined ? undefined : http(httpStatus)
      return { outcome: 'unknown', reason, answeredId }
    }
  }
}

function http(status: number) {
  return { type: 'HTTP', code: String(status) } as const
}
