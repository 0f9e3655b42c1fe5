import type { Audit } from '../audit/audit.ts'
import type { VolumeService } from '../openstack/types.ts'
import { auditedCall } from './audited-call.ts'
import { volumeReads } from './client-reads.ts'
import type { AuditedVolumes } from './deps.ts'

/** Cinder with an audit of what it is asked to change. */
export function auditedVolumes(volumes: VolumeService, audit: Audit): AuditedVolumes {
  return {
    audit,
    ...volumeReads(volumes),
    retype: (request, change, changed) =>
      auditedCall(audit, change, async () => (await changed()) ?? volumes.retype(request)),
  }
}
