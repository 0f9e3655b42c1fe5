import type { EventReason } from '../../api/event-reasons.ts'
import type { MigrationStatusReason } from '../../api/reasons.ts'
import { EVENT_REASONS } from '../../api/event-reasons.ts'
import { isReplacementStep, routeOf } from '../../api/volume-migration.ts'
import type { ReplacementStep, Step, VolumeMigration } from '../../api/volume-migration.ts'
import type { EventRecorder, ObjectReference } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import type { ControllerMetrics } from './controller-metrics.ts'
import { isBlocked } from '../moving/migration-status.ts'
import type { Claim } from '../view/projections.ts'
import type { ResolvedPolicy } from '../view/policies.ts'
import type { Reports } from '../view/reports.ts'
import { keyOf } from '../view/watches.ts'

/** Reports what happened: events, metrics, log. Called after the save, so that nothing is reported that is not so. */
export class MoveReporter implements Reports {
  readonly #events: EventRecorder
  readonly #metrics: ControllerMetrics
  readonly #log: Log
  readonly #claim: (key: string) => Claim | undefined
  readonly #onStep: (m: VolumeMigration) => void

  constructor(parts: {
    events: EventRecorder
    metrics: ControllerMetrics
    log: Log
    claim: (key: string) => Claim | undefined
    onStep: (m: VolumeMigration) => void
  }) {
    this.#events = parts.events
    this.#metrics = parts.metrics
    this.#log = parts.log
    this.#claim = parts.claim
    this.#onStep = parts.onStep
  }

  /** `before` undefined = the first intent of the move has just been saved. */
  stepTaken(before: VolumeMigration | undefined, after: VolumeMigration): void {
    const { step, reason, message } = after.status ?? {}
    if (before !== undefined && before.status?.step === step && before.status?.reason === reason)
      return
    this.#log.info(
      {
        migration: keyOf(after),
        volumeID: after.status?.volumeId,
        step,
        reason,
        requestID: after.status?.call?.cinderRequestId,
      },
      'migration step',
    )
    this.#metrics.step(after)
    const event = eventFor(before, after)
    if (event !== undefined) this.onClaim(after, event, `${route(after)}: ${message ?? ''}`)
    this.#onStep(after)
  }

  onClaim(m: VolumeMigration, reason: EventReason, message: string): void {
    const claim = this.#claim(`${m.metadata.namespace}/${m.spec.claim.name}`)
    const about: ObjectReference = {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name: m.spec.claim.name,
      ...(m.metadata.namespace === undefined ? {} : { namespace: m.metadata.namespace }),
      ...(claim === undefined ? {} : { uid: claim.uid }),
    }
    this.#events.event(about, EVENT_REASONS[reason].type, reason, message)
  }

  claim(claim: Claim, reason: EventReason, message: string): void {
    const { namespace, name, uid } = claim
    this.#events.event(
      { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
      EVENT_REASONS[reason].type,
      reason,
      message,
    )
  }

  policy(policy: Pick<ResolvedPolicy, 'name' | 'uid'>, reason: EventReason, message: string): void {
    this.#events.event(
      {
        apiVersion: 'couchestor.io/v1alpha1',
        kind: 'StoragePolicy',
        name: policy.name,
        uid: policy.uid,
      },
      EVENT_REASONS[reason].type,
      reason,
      message,
    )
  }
}

function route(m: VolumeMigration): string {
  return routeOf(m.spec)
}

function eventFor(
  before: VolumeMigration | undefined,
  after: VolumeMigration,
): EventReason | undefined {
  const { reason } = after.status ?? {}
  const step: Step = after.status?.step ?? 'Waiting'
  if (isReplacementStep(step)) return eventOfReplacement(before, step)
  switch (step) {
    case 'Requested':
      if (before === undefined) return 'MigrationStarted'
      return reason === 'OutcomeUnknown' ? 'MigrationUnknown' : undefined
    case 'Retyping':
      return reason === 'Adopted' ? 'MigrationAdopted' : undefined
    case 'Succeeded':
      return 'MigrationSucceeded'
    case 'Stuck':
      return 'MigrationStuck'
    case 'Failed':
      return ENDINGS[reason ?? ''] ?? 'MigrationFailed'
    case 'Waiting':
      return eventOfWait((reason ?? 'Planned') as MigrationStatusReason)
    case 'Verifying':
      return undefined
  }
}

function eventOfWait(reason: MigrationStatusReason): EventReason | undefined {
  if (reason === 'AwaitingApproval') return 'MigrationAwaitingApproval'
  return isBlocked(reason) ? 'MigrationBlocked' : undefined
}

function eventOfReplacement(
  before: VolumeMigration | undefined,
  step: ReplacementStep,
): EventReason | undefined {
  return before?.status?.step === step ? undefined : REPLACED[step]
}

const REPLACED: Readonly<Record<ReplacementStep, EventReason | undefined>> = {
  Holding: 'MigrationStarted',
  CleaningUp: undefined,
  Copying: 'VolumeHeld',
  Switching: 'VolumeSwitching',
  Soaking: 'VolumeReplaced',
  GivingBack: 'VolumeGivenBack',
  Abandoning: 'ClaimDeletedMeanwhile',
}

const ENDINGS: Readonly<Record<string, EventReason>> = {
  Reverted: 'MigrationReverted',
  Cancelled: 'MigrationCancelled',
  Expired: 'MigrationExpired',
}
