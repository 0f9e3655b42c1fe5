import type { Stop } from './plan.ts'

/**
 * Stopping: from before the call until the Pods are gone. Stopped: the volumes can move. Restoring: the scale of before is
 * set again. Restored: there is nothing left to do. FoughtBack: somebody else has changed the scale or taken our mark off,
 * and nothing is restored any more; a move that copies is to be undone.
 */
export type StopPhase = 'Stopping' | 'Stopped' | 'Restoring' | 'Restored' | 'FoughtBack'

/** Each names the object's uid and version: a late one, and one after a write of anyone else, is refused. */
export type WorkloadAct = {
  /** `unmark` takes our mark off and leaves the scale as it is. */
  readonly act: 'stop' | 'restore' | 'unmark'
  readonly resourceVersion: string
}

export type WorkloadAnswer =
  | { readonly kind: 'Accepted' }
  | { readonly kind: 'Rejected'; readonly httpStatus: number; readonly message: string }
  | { readonly kind: 'NotSent'; readonly message: string }
  | { readonly kind: 'Unknown'; readonly message: string }

/** Asked: the call may have been made. Done: it was. None: it provably changed nothing. */
export type StopEntry = {
  readonly act: WorkloadAct['act']
  readonly state: 'Asked' | 'Done' | 'None'
  readonly attempts: number
  /** An earlier call of it went without an answer, so that a refusal proves nothing. */
  readonly open?: true
  /** Of the last call. */
  readonly requestId: string
  readonly at: string
}

/** Why the workload is up again, or was never stopped. */
export type StopReason =
  | 'MoveEnded'
  | 'Cancelled'
  /** There is no move any more that needs it. */
  | 'MoveGone'
  /** The move waits for something else, and that may take its time. */
  | 'MoveWaits'
  | 'DeadlinePassed'
  | 'NeverStopped'
  | 'WorkloadGone'
  | 'WorkloadFoughtBack'

/** All that is saved of one stop. Written before the first call, and kept until it is `Restored` or `FoughtBack`. */
export type StopRecord = Stop & {
  /** uid of the move that needs it; the mark on the workload. */
  readonly moveUid: string
  readonly phase: StopPhase
  readonly journal: readonly StopEntry[]
  /** The call that comes next, or was the last; with its answer, once that is known. */
  readonly intent?: WorkloadAct
  readonly answer?: WorkloadAnswer
  /** Ms since the epoch: from then on the workload is restored, whatever the move does. */
  readonly deadline: number
  readonly reason?: StopReason
  readonly message?: string
}

export function recordOf(
  stop: Stop,
  move: { readonly uid: string; readonly deadline: number },
): StopRecord {
  return { ...stop, moveUid: move.uid, deadline: move.deadline, phase: 'Stopping', journal: [] }
}

export function entryOf(
  { journal }: Pick<StopRecord, 'journal'>,
  act: WorkloadAct['act'],
): StopEntry | undefined {
  return journal.find((e) => e.act === act)
}

export function withEntry(record: StopRecord, entry: StopEntry): StopRecord {
  return { ...record, journal: [...record.journal.filter((e) => e.act !== entry.act), entry] }
}

/** The most that is counted: a restore is tried for as long as it takes. */
const MOST_COUNTED = 1000

/** What has to be saved before the call of an act. */
export function intended(
  record: StopRecord,
  act: WorkloadAct,
  call: { readonly requestId: string; readonly at: string },
): StopRecord {
  const before = entryOf(record, act.act)
  const { answer: _answer, ...rest } = record
  const entry: StopEntry = {
    act: act.act,
    state: 'Asked',
    attempts: Math.min((before?.attempts ?? 0) + 1, MOST_COUNTED),
    ...(before?.state === 'Asked' ? { open: true } : {}),
    ...call,
  }
  return withEntry({ ...rest, intent: act }, entry)
}

/** What has to be saved after it. */
export function answered(record: StopRecord, answer: WorkloadAnswer): StopRecord {
  const { intent } = record
  if (intent === undefined) throw new Error('an answer without an intent')
  const entry = entryOf(record, intent.act)
  if (entry === undefined) throw new Error('an act that is not in the journal')
  const next = { ...record, answer }
  if (answer.kind === 'Unknown') return next
  if (answer.kind === 'Accepted') return withEntry(next, { ...entry, state: 'Done' })
  return entry.open ? next : withEntry(next, { ...entry, state: 'None' })
}
