import type { CallOutcome, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import type { StayReason } from '../../api/reasons.ts'
import type { Goto } from '../strategy.ts'

/** What Cinder says itself, where the quota could not be read before or was used up meanwhile. */
export const QUOTA_REFUSED = {
  QuotaExceeded:
    'Cinder has refused the retype for lack of quota: the credential may not read it, or others have used it up meanwhile. It is asked again every ten minutes. Of a copy: it is given up, and the claim keeps its volume.',
} as const satisfies Partial<Record<StayReason, string>>

/** What an answer says without a read of Cinder; undefined when a read has to come first, or there is no answer. */
export function readAnswer({ call, reason }: VolumeMigrationStatus): Goto | undefined {
  const answered = call && answerStep(call)
  // said already, so that the read comes next
  return answered?.step === 'Requested' && answered.reason === reason ? undefined : answered
}

function answerStep(call: CallOutcome): Goto {
  const { kind, message = '', unaudited } = call
  switch (kind) {
    case 'Accepted':
      return {
        kind: 'goto',
        step: 'Retyping',
        reason: 'Accepted',
        message: 'Cinder accepted the retype; that alone means nothing yet',
      }
    case 'Rejected':
      return rejectionStep(call)
    case 'NotSent':
      if (unaudited) return waiting('AuditUnavailable', message)
      return { kind: 'goto', step: 'Requested', reason: 'NotSent', message }
    case 'Unknown':
      return {
        kind: 'goto',
        step: 'Requested',
        reason: 'OutcomeUnknown',
        message: `no answer to the retype call (${message}); watching the volume, repeating nothing that may run`,
      }
  }
}

function rejectionStep({ httpStatus, message = '', quota }: CallOutcome): Goto {
  if (quota) return waiting('QuotaExceeded', `Cinder refused for lack of quota: ${message}`)
  if (httpStatus === 401) return waiting('MissingPermission', message)
  if (httpStatus === 413 || httpStatus === 429)
    return waiting(
      'NotSent',
      `too many calls at once (${httpStatus}): ${message}; the call is repeated later`,
    )
  return {
    kind: 'goto',
    step: 'Requested',
    reason: 'Rejected',
    message: `Cinder refused the retype (${httpStatus}): ${message}; reading the volume once more`,
  }
}

/** Nothing has reached Cinder: admission, a fresh intent and the one call come next. */
export function waiting(reason: Goto['reason'], message: string): Goto {
  return { kind: 'goto', step: 'Waiting', reason, message }
}
