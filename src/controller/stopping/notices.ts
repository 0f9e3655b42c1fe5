import { EVENT_REASONS } from '../../api/event-reasons.ts'
import type { EventReason } from '../../api/event-reasons.ts'
import { routeOf } from '../../api/volume-migration.ts'
import type { EventRecorder, ObjectReference } from '../../kube/types.ts'
import { noticeOf } from '../../migration/workloads/notice.ts'
import type { StopRecord } from '../../migration/workloads/saved.ts'
import type { Claim } from '../view/projections.ts'
import type { WorkloadStop } from './stop.ts'

/** Events on a workload and its claims, from the first notice to the last. Called after the save. */
export class Notices {
  readonly #events: EventRecorder
  readonly #claim: (key: string) => Claim | undefined

  constructor(events: EventRecorder, claim: (key: string) => Claim | undefined) {
    this.#events = events
    this.#claim = claim
  }

  /** `before` undefined = the first notice, ahead of any call. */
  saved(before: WorkloadStop | undefined, { move, saved }: WorkloadStop): void {
    const { namespace, claim, from } = move
    const why = `the move of claim ${namespace}/${claim} ${from === undefined ? '' : 'from '}${routeOf(move)}`
    const notice = noticeOf(before?.saved, saved, why)
    if (notice === undefined) return
    const { kind, ...workload } = saved.workload
    const reason = reasonOf(saved)
    const { type } = EVENT_REASONS[reason]
    if (reason !== 'WorkloadGone')
      this.#events.event({ apiVersion: 'apps/v1', kind, ...workload }, type, reason, notice.message)
    for (const name of new Set([claim, ...saved.claims])) {
      const uid = this.#claim(`${namespace}/${name}`)?.uid
      const about: ObjectReference = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace,
        name,
        ...(uid === undefined ? {} : { uid }),
      }
      this.#events.event(about, type, reason, notice.message)
    }
  }
}

function reasonOf({ phase, reason }: StopRecord): EventReason {
  switch (phase) {
    case 'Stopping':
      return 'WorkloadStopping'
    case 'Stopped':
      return 'WorkloadStopped'
    case 'Restoring':
      return 'WorkloadRestoring'
    case 'FoughtBack':
      return 'WorkloadFoughtBack'
    case 'Restored':
      if (reason === 'NeverStopped') return 'WorkloadNotStopped'
      return reason === 'WorkloadGone' ? 'WorkloadGone' : 'WorkloadRestored'
  }
}
