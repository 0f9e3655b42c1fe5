import type { Audit } from '../audit/audit.ts'
import { AuditUnavailableError } from '../audit/audit.ts'
import type { Change, Finding } from '../audit/change.ts'
import type { RetypeAnswer, VolumeService } from '../openstack/types.ts'
import { volumeReads } from './client-reads.ts'
import type { AuditedVolumes } from './deps.ts'

/** Cinder with an audit of what it is asked to change. */
export function auditedVolumes(volumes: VolumeService, audit: Audit): AuditedVolumes {
  return {
    audit,
    ...volumeReads(volumes),
    retype: (request, change, changed) => {
      const send = async () => (await changed()) ?? volumes.retype(request)
      return retype(send, audit, change)
    },
  }
}

async function retype(
  send: () => Promise<RetypeAnswer>,
  audit: Audit,
  change: Change,
): Promise<RetypeAnswer> {
  try {
    const call = await audit.begin(change)
    const answer = await send()
    await call.ended(findingOf(answer))
    return answer
  } catch (e) {
    if (!(e instanceof AuditUnavailableError)) throw e
    return { kind: 'NotSent', message: e.message, unaudited: true }
  }
}

function findingOf(answer: RetypeAnswer): Finding {
  const answeredId = 'cinderRequestId' in answer ? answer.cinderRequestId : undefined
  switch (answer.kind) {
    case 'Accepted':
      return { outcome: 'success', reason: http(202), answeredId }
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
