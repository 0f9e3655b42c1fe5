import type { CallOutcome, Intent, VolumeMigration } from '../../api/volume-migration.ts'
import type { Act } from '../../migration/strategy.ts'
import { isAttached } from '../../openstack/attached.ts'
import { isCountedAttempt } from './expiry.ts'
import type { Target } from '../view/targets.ts'
import type { ActAnswer } from './adapter.ts'
import type { FoundVolume } from './start-gate.ts'
import type { Term } from '../view/term.ts'

/** In place of an act: the move gives the claim another volume, and its record says which acts that takes. */
export const REPLACE = 'replace'

/** The most that the CRD takes: a quota may refuse for months, and the object must be written all the same. */
const LAST_ATTEMPT = 1000

/** What is saved before the first act of a move. `deadlineMs`: of the whole move. */
export function firstIntent(
  m: VolumeMigration,
  act: Act | typeof REPLACE,
  target: Target,
  { volume, projectId }: FoundVolume,
  {
    now,
    deadlineMs,
    requestId,
    term,
  }: {
    readonly now: number
    readonly deadlineMs: number
    readonly requestId: string
    readonly term: Term
  },
): Intent {
  const { attached, migrationPolicy } = target.policy.effective.migration
  return {
    act,
    strategy: target.strategy,
    attempt: isCountedAttempt(m) ? Math.min((m.status?.intent?.attempt ?? 0) + 1, LAST_ATTEMPT) : 1,
    requestId,
    clusterId: term.clusterId,
    projectId,
    objectUid: m.metadata.uid ?? '',
    epoch: term.epoch,
    at: new Date(now).toISOString(),
    deadline: new Date(now + deadlineMs).toISOString(),
    fromTypeId: volume.typeId,
    toTypeId: target.to.typeId,
    volumeUpdatedAt: volume.updatedAt,
    availabilityZone: volume.availabilityZone,
    attached: isAttached(volume),
    migration: { attached, migrationPolicy },
  }
}

/** What is saved before an act that follows another one of the same move, or repeats it. Throws without an earlier one. */
export function laterIntent(m: VolumeMigration, act: Act, now: number, requestId: string): Intent {
  const { intent } = m.status ?? {}
  if (intent === undefined) throw new Error('a later act without an earlier one')
  const attempt = intent.act === act ? Math.min(intent.attempt + 1, LAST_ATTEMPT) : 1
  return { ...intent, act, attempt, requestId, at: new Date(now).toISOString() }
}

/** An answer as it is saved. */
export function callOf(answer: ActAnswer, now: number): CallOutcome {
  const { kind } = answer
  return {
    kind,
    at: new Date(now).toISOString(),
    ...('httpStatus' in answer && answer.httpStatus !== undefined
      ? { httpStatus: answer.httpStatus }
      : {}),
    ...('quota' in answer && answer.quota ? { quota: true } : {}),
    ...('unaudited' in answer && answer.unaudited ? { unaudited: true } : {}),
    ...('message' in answer ? { message: answer.message.slice(0, 1000) } : {}),
    ...('cinderRequestId' in answer && answer.cinderRequestId !== undefined
      ? { cinderRequestId: answer.cinderRequestId.slice(0, 255) }
      : {}),
  }
}
