import { RECORD } from '../../api/names.ts'
import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { Intent, Step, VolumeMigration } from '../../api/volume-migration.ts'
import type { Change, Finding, Initiator } from '../../audit/change.ts'

/**
 * Who is behind a move. The person who approved it goes first; a forced one and a manual one were asked for by a person, whose
 * name only the API server's own audit log has.
 */
export function initiatorOf({ metadata, spec }: VolumeMigration): Initiator {
  const { policy } = spec
  const asked = spec.reason !== 'Policy'
  if (spec.approved !== true && !asked) return { kind: 'controller', policy }
  return { kind: 'person', name: metadata.annotations?.[RECORD.approvedBy], policy }
}

/** The act of a move, from what is saved before it: a later leader comes to the same. */
export function changeOf(m: VolumeMigration, intent: Intent): Change {
  const { metadata, spec, status } = m
  const { namespace, name, uid } = metadata
  return {
    id: intent.requestId,
    action: `update/${intent.act ?? 'retype'}`,
    initiator: initiatorOf(m),
    target: {
      typeURI: 'storage/volume',
      id: status?.volumeId ?? '',
      name: `${namespace}/${spec.claim.name}`,
    },
    claim: { namespace, name: spec.claim.name, uid: spec.claim.uid ?? status?.claimUid },
    migration: { namespace, name, uid },
    from: { tier: spec.from, typeId: intent.fromTypeId },
    to: { tier: spec.to, typeId: intent.toTypeId },
    requestId: intent.requestId,
  }
}

/** What the volume showed in the end, or that the call has begun nothing; undefined while it goes on. */
export function endOf(step: Step, reason: MigrationStatusReason): Finding | undefined {
  const coded = { type: 'couchestor.io', code: reason } as const
  switch (step) {
    case 'Succeeded':
      return { outcome: 'success', reason: coded }
    case 'Failed':
      // of a copy of an old object: the call is somebody else's
      if (reason === 'ForeignIntent') return undefined
      return { outcome: UNCLEAR.has(reason) ? 'unknown' : 'failure', reason: coded }
    case 'Waiting':
      return { outcome: 'failure', reason: coded }
    case 'Requested':
    case 'Retyping':
    case 'Verifying':
    case 'Stuck':
      return undefined
    // each call of a replacement has an end of its own
    case 'Holding':
    case 'Copying':
    case 'Switching':
    case 'Soaking':
    case 'GivingBack':
    case 'CleaningUp':
    case 'Abandoning':
      return undefined
  }
}

const UNCLEAR: ReadonlySet<MigrationStatusReason> = new Set<MigrationStatusReason>([
  'OutcomeUnknown',
  'Unexplained',
  'Disappeared',
])
