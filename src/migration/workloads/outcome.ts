import { ANNOTATION } from '../../api/names.ts'
import { claimsOf, hasEnded, isSameScale, scaleOf } from '../../api/workload-objects.ts'
import type { PodObject, Scale, WorkloadObject } from '../../api/workload-objects.ts'
import type { Refusal } from './refusal.ts'
import type { StopReason, StopRecord, WorkloadAct } from './saved.ts'

/** What one read of the API server itself showed. A read that failed: no conclusion of any kind. */
export type WorkloadSight =
  | { readonly kind: 'Unreadable'; readonly why: string }
  | {
      readonly kind: 'Seen'
      /** undefined = there is none of that name. */
      readonly workload:
        | {
            readonly uid: string
            readonly resourceVersion: string
            readonly terminating: boolean
            readonly scale: Scale
            /** uid of the move that has stopped it. */
            readonly stoppedFor?: string
          }
        | undefined
      /** Names of Pods that have not gone, or use one of the claims. */
      readonly pods: readonly string[]
      /** Of `refusalsNow`, with the reads that showed this workload; asked for until the first call is made. */
      readonly refusals: readonly Refusal[]
    }

/** `workload` must have been read before `pods`, and both before what the refusals are made of. */
export function sightOf(
  record: StopRecord,
  workload: WorkloadObject | undefined,
  pods: readonly PodObject[],
  refusals: readonly Refusal[],
): WorkloadSight {
  const uids = new Set(record.pods.map((p) => p.uid))
  const stays = (pod: PodObject) =>
    uids.has(pod.metadata.uid ?? '') ||
    (!hasEnded(pod) && claimsOf(pod).some((c) => record.claims.includes(c)))
  const left = pods.filter(stays).map((p) => p.metadata.name)
  if (workload === undefined) return { kind: 'Seen', workload, pods: left, refusals }
  const { uid = '', resourceVersion = '', deletionTimestamp, annotations } = workload.metadata
  const stoppedFor = annotations?.[ANNOTATION.stoppedFor]
  return {
    kind: 'Seen',
    workload: {
      uid,
      resourceVersion,
      terminating: deletionTimestamp !== undefined,
      scale: scaleOf(workload),
      ...(stoppedFor === undefined ? {} : { stoppedFor }),
    },
    pods: left,
    refusals,
  }
}

/** What the call of an act sets: nothing else of the workload changes. */
export function writeOf(
  { workload, before, after, moveUid }: StopRecord,
  { act, resourceVersion }: WorkloadAct,
) {
  const of = { ...workload, resourceVersion }
  switch (act) {
    case 'stop':
      return { ...of, scale: after, stoppedFor: moveUid }
    case 'restore':
      return { ...of, scale: before, stoppedFor: undefined }
    case 'unmark':
      return { ...of, stoppedFor: undefined }
  }
}

/** What a second read has to confirm. */
export type Agreed = 'gone' | 'restored' | 'again'

export type WorkloadTiming = {
  readonly pollMs: number
  /** Least time between two reads that have to agree. */
  readonly verifyMs: number
  /** Of stops that provably changed nothing; a restore is tried for as long as it takes. */
  readonly mostAttempts: number
}

/** Everything that the machine may know. Times in ms since the epoch. */
export type WorkloadInput = {
  readonly saved: StopRecord
  /** undefined = not read yet. */
  readonly sight: WorkloadSight | undefined
  readonly now: number
  /** Why the workload need not be down any more; undefined as long as the move needs it. */
  readonly release?: Extract<StopReason, 'MoveEnded' | 'Cancelled' | 'MoveGone' | 'MoveWaits'>
  /** Until then a call of which nothing is known may still be on its way. */
  readonly quietUntil: number
  /** Ms since the first of an unbroken series of reads that agree. */
  readonly confirming?: { readonly what: Agreed; readonly ms: number }
  readonly timing: WorkloadTiming
}

export type WorkloadOutcome =
  | { readonly kind: 'rest' }
  | { readonly kind: 'look' }
  | {
      readonly kind: 'wait'
      readonly ms: number
      readonly why: string
      readonly confirm?: Agreed
      /** The workload is down and should not be: somebody has to hear of it. */
      readonly overdue?: true
    }
  | { readonly kind: 'save'; readonly saved: StopRecord }
  | { readonly kind: 'act'; readonly act: WorkloadAct }

/** Input whose workload is there, and is the one that was meant. */
export type Seen = {
  readonly input: WorkloadInput
  readonly saved: StopRecord
  readonly workload: NonNullable<Extract<WorkloadSight, { kind: 'Seen' }>['workload']>
  readonly pods: readonly string[]
  readonly refusals: readonly Refusal[]
}

/** The stop has arrived, and nobody has taken the workload over since. */
export function isMarked({ saved, workload }: Seen): boolean {
  return workload.stoppedFor === saved.moveUid
}

export function has({ workload }: Seen, scale: Scale): boolean {
  return isSameScale(workload.scale, scale)
}

export function wait({ timing }: WorkloadInput, why: string): WorkloadOutcome {
  return { kind: 'wait', ms: timing.pollMs, why }
}

export function save(saved: StopRecord): WorkloadOutcome {
  return { kind: 'save', saved }
}

/** `then` after a second read that agrees, at least `verifyMs` after the first. */
export function twice(
  { confirming, timing }: WorkloadInput,
  what: Agreed,
  why: string,
  then: () => WorkloadOutcome,
): WorkloadOutcome {
  const passed = confirming?.what === what ? confirming.ms : 0
  if (passed >= timing.verifyMs) return then()
  return { kind: 'wait', ms: timing.verifyMs - passed, why, confirm: what }
}

/** The act, in the version that was read; after a call that was not accepted only later. */
export function perform(seen: Seen, what: WorkloadAct['act']): WorkloadOutcome {
  const { input, saved, workload } = seen
  const { intent, answer } = saved
  const act = { act: what, resourceVersion: workload.resourceVersion }
  if (intent?.act !== what || answer === undefined || answer.kind === 'Accepted')
    return { kind: 'act', act }
  const why = `${what} was not accepted and is tried again: ${answer.message}`
  return twice(input, 'again', why, () => ({ kind: 'act', act }))
}

export function restored(saved: StopRecord, reason: StopReason, message: string): WorkloadOutcome {
  return save({ ...saved, phase: 'Restored', reason, message })
}
