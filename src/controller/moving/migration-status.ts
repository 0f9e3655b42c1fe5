import { formatDuration } from '../../api/duration.ts'
import { clipped, withCondition } from '../../api/object.ts'
import type { Condition } from '../../api/object.ts'
import type { MigrationCondition } from '../../api/conditions.ts'
import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { Step, VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'

export type Change = {
  readonly step: Step
  readonly reason: MigrationStatusReason
  readonly message: string
} & Partial<Omit<VolumeMigrationStatus, 'step' | 'reason' | 'message' | 'conditions' | 'elapsed'>>

/** The status after `change`, with conditions, times and elapsed brought in line. `now` in ms. */
export function changed(m: VolumeMigration, change: Change, now: number): VolumeMigrationStatus {
  const before = m.status ?? {}
  const at = new Date(now).toISOString()
  const finished = change.step === 'Succeeded' || change.step === 'Failed'
  const next: VolumeMigrationStatus = {
    ...before,
    ...change,
    message: clipped(change.message),
    ...(m.metadata.generation === undefined ? {} : { observedGeneration: m.metadata.generation }),
    ...(finished && before.completedAt === undefined ? { completedAt: at } : {}),
  }
  return {
    ...next,
    ...elapsedOf(next, now),
    conditions: conditionsOf(before.conditions ?? [], next, at, m.metadata.generation),
  }
}

function elapsedOf(status: VolumeMigrationStatus, now: number): { elapsed?: string } {
  if (status.startedAt === undefined) return {}
  const end = status.completedAt === undefined ? now : Date.parse(status.completedAt)
  const seconds = Math.max(0, Math.floor((end - Date.parse(status.startedAt)) / 1000))
  return { elapsed: formatDuration(seconds * 1000) }
}

type Truth = Condition['status']

const TRUTH: { readonly [S in Step]: Readonly<Record<'Progressing' | 'Succeeded', Truth>> } = {
  Waiting: { Progressing: 'False', Succeeded: 'Unknown' },
  Requested: { Progressing: 'True', Succeeded: 'Unknown' },
  Retyping: { Progressing: 'True', Succeeded: 'Unknown' },
  Verifying: { Progressing: 'True', Succeeded: 'Unknown' },
  Holding: { Progressing: 'True', Succeeded: 'Unknown' },
  Copying: { Progressing: 'True', Succeeded: 'Unknown' },
  Switching: { Progressing: 'True', Succeeded: 'Unknown' },
  Soaking: { Progressing: 'True', Succeeded: 'Unknown' },
  GivingBack: { Progressing: 'True', Succeeded: 'Unknown' },
  CleaningUp: { Progressing: 'True', Succeeded: 'Unknown' },
  Abandoning: { Progressing: 'True', Succeeded: 'Unknown' },
  Stuck: { Progressing: 'True', Succeeded: 'Unknown' },
  Succeeded: { Progressing: 'False', Succeeded: 'True' },
  Failed: { Progressing: 'False', Succeeded: 'False' },
}

function conditionsOf(
  before: readonly Condition[],
  status: VolumeMigrationStatus,
  at: string,
  generation: number | undefined,
): readonly Condition[] {
  const step = status.step ?? 'Waiting'
  const why = { reason: status.reason ?? 'Planned', message: status.message ?? '' }
  const truths: readonly (readonly [MigrationCondition, Truth])[] = [
    ['Validated', validated(step, status, before)],
    ['Progressing', TRUTH[step].Progressing],
    ['Succeeded', TRUTH[step].Succeeded],
  ]
  return truths.reduce<readonly Condition[]>(
    (list, [type, truth]) =>
      withCondition(
        list,
        {
          type,
          status: truth,
          ...why,
          ...(generation === undefined ? {} : { observedGeneration: generation }),
        },
        at,
      ),
    before,
  )
}

/** Waiting for a turn is no verdict on the object; being blocked is one. */
function validated(step: Step, status: VolumeMigrationStatus, before: readonly Condition[]): Truth {
  const known = before.find((c) => c.type === 'Validated')?.status
  if (step === 'Waiting')
    return TURN_REASONS.has(status.reason ?? '') ? (known ?? 'Unknown') : 'False'
  return step === 'Stuck' || step === 'Failed' ? (known ?? 'False') : 'True'
}

/** Reasons to wait that say nothing against the move itself. */
const TURN_REASONS = new Set<string>([
  'Planned',
  'NotSent',
  'AuditUnavailable',
  'AwaitingApproval',
  'NoAdmissionPolicy',
  'OutsideSchedule',
  'BatchLimit',
  'ConcurrencyLimit',
  'NamespaceLimit',
  'PoolLimit',
  'SlotLimit',
  'PoolLow',
  'Ramp',
  'Stopped',
  'PolicyPaused',
  'CinderDown',
  'InFlight',
] satisfies MigrationStatusReason[])

/** True when a person can do something about the wait, so that it is worth an event. */
export function isBlocked(reason: MigrationStatusReason): boolean {
  return !TURN_REASONS.has(reason)
}

/** Estimated end from the median rate of earlier moves to the same tier (GiB per ms); Cinder reports no progress. */
export function estimateEnd(
  m: VolumeMigration,
  earlier: readonly VolumeMigration[],
): string | undefined {
  const { startedAt, sizeGiB } = m.status ?? {}
  if (startedAt === undefined || sizeGiB === undefined) return undefined
  const rates = earlier
    .flatMap((e) => (e.spec.to === m.spec.to ? (rateOf(e) ?? []) : []))
    .sort((a, b) => a - b)
  const median = rates[Math.floor(rates.length / 2)]
  if (median === undefined) return undefined
  return new Date(Date.parse(startedAt) + sizeGiB / median).toISOString()
}

function rateOf(m: VolumeMigration): number | undefined {
  const { step, startedAt, completedAt, sizeGiB } = m.status ?? {}
  if (
    step !== 'Succeeded' ||
    startedAt === undefined ||
    completedAt === undefined ||
    sizeGiB === undefined
  )
    return undefined
  const ms = Date.parse(completedAt) - Date.parse(startedAt)
  return ms > 0 ? sizeGiB / ms : undefined
}
