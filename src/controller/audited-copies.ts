import type { Audit } from '../audit/audit.ts'
import type { CopyService } from '../openstack/cinder-copies.ts'
import { auditedCall } from './audited-call.ts'
import { copyReads } from './client-reads.ts'
import type { AuditedCopies } from './deps.ts'

/** What a move by copy asks of Cinder, with an audit of all that changes something. */
export function auditedCopies(copies: CopyService, audit: Audit): AuditedCopies {
  return {
    audit,
    ...copyReads(copies),
    createSnapshot: (request, change) =>
      auditedCall(audit, change, () => copies.createSnapshot(request)),
    createFromSnapshot: (request, change) =>
      auditedCall(audit, change, () => copies.createFromSnapshot(request)),
    createBackup: (request, change) =>
      auditedCall(audit, change, () => copies.createBackup(request)),
    createFromBackup: (request, change) =>
      auditedCall(audit, change, () => copies.createFromBackup(request)),
    deleteBackup: (request, change) =>
      auditedCall(audit, change, () => copies.deleteBackup(request)),
    deleteSnapshot: (request, change) =>
      auditedCall(audit, change, () => copies.deleteSnapshot(request)),
    deleteVolume: (request, change) =>
      auditedCall(audit, change, () => copies.deleteVolume(request)),
    setMetadata: (request, change) =>
      auditedCall(audit, change, () => copies.setMetadata(request), 200),
  }
}
