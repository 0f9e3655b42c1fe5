import { isSameScale } from '../../api/workload-objects.ts'
import type { Scale } from '../../api/workload-objects.ts'
import type { Event } from '../explore.fixture.ts'
import type { WorkloadInput, WorkloadOutcome, WorkloadSight } from './outcome.ts'
import { refusal } from './refusal.ts'
import { intended } from './saved.ts'
import type { WorkloadAct, WorkloadAnswer } from './saved.ts'
import {
  DEADLINE,
  isFinished,
  MOST_ATTEMPTS,
  recordOf,
  savedAnswer,
  shapeOf,
  withRecord,
} from './world.fixture.ts'
import type { State, Trouble, Workload } from './world.fixture.ts'

export type Machine = (input: WorkloadInput) => WorkloadOutcome

const VERIFY_MS = 3000

/** What may happen to a stop and its workload, one event at a time. */
export function* events(machine: Machine, at: State): Generator<Event<State>> {
  yield* lead(machine, at)
  yield* calls(at)
  yield* controllers(at)
  yield* others(at)
  yield* time(at)
}

/** The present leader follows the record, as a runner does. */
function* lead(machine: Machine, at: State): Generator<Event<State>> {
  if (isFinished(at) || at.sending !== undefined) return
  yield* carriedOut(at, machine(input(at, sightOf(at))), true)
  yield* carriedOut(at, machine(input(at, { kind: 'Unreadable', why: 'down' })), false)
}

function* carriedOut(
  at: State,
  outcome: WorkloadOutcome,
  isRead: boolean,
): Generator<Event<State>> {
  const { confirming: before, ...rest } = at
  const how = isRead ? '' : ' without a read'
  switch (outcome.kind) {
    case 'wait': {
      if (!isRead && at.saved.phase === 'Restoring' && outcome.overdue !== true)
        yield ['waits', { ...at, lie: 'a workload stays down, and nobody hears of it' }]
      const what = outcome.confirm
      // a read that showed nothing neither begins nor ends a series
      if (!isRead || what === before?.what) return
      yield [
        `waits: ${outcome.why}`,
        what === undefined ? rest : { ...rest, confirming: { what, isLong: false } },
      ]
      return
    }
    case 'save': {
      const { phase, reason = '' } = outcome.saved
      const next = withRecord(rest, outcome.saved)
      yield [`saves ${phase} ${reason}${how}`, { ...next, ...wrongSave(at, next, isRead) }]
      return
    }
    case 'act': {
      const { act } = outcome
      const next = withRecord(rest, intended(recordOf(at), act, { requestId: 'r', at: '' }))
      yield [`intends ${act.act}${how}`, { ...next, ...wrongAct(at, act), sending: act }]
      return
    }
    case 'look':
    case 'rest':
  }
}

type Lie = Pick<State, 'lie'>

function wrongSave({ saved, pods, workload }: State, next: State, isRead: boolean): Lie {
  const { phase, reason } = next.saved
  if (!isRead) return { lie: 'concludes something without a read' }
  if (phase === saved.phase) return {}
  if (phase === 'Stopped' && pods !== 'gone') return { lie: 'Pods still use the volume' }
  if (phase === 'FoughtBack' && workload?.by !== 'other') return { lie: 'nobody has fought back' }
  const isGone = workload?.uid !== 1
  return reason === 'WorkloadGone' && !isGone ? { lie: 'the workload is there' } : {}
}

function wrongAct({ refused, released, late, saved, workload }: State, { act }: WorkloadAct): Lie {
  if (act !== 'stop') return {}
  if (refused) return { lie: 'stops although a budget forbids it' }
  if (workload?.by === 'other') return { lie: 'stops what somebody else has scaled' }
  if ((saved.journal.find((e) => e.act === 'stop')?.attempts ?? 0) >= MOST_ATTEMPTS)
    return { lie: 'a stop is tried without end' }
  return released || late ? { lie: 'stops although the move does not need it' } : {}
}

/** What the API server makes of a call that arrives: another version or uid is refused. */
function effectOf(at: State, { act, resourceVersion }: WorkloadAct): [State, WorkloadAnswer] {
  const { workload } = at
  if (workload === undefined || workload.uid !== 1) return [at, rejected(404)]
  if (String(workload.version) !== resourceVersion) return [at, rejected(409)]
  const { before, after } = shapeOf(at)
  const accepted = { kind: 'Accepted' } as const
  switch (act) {
    case 'stop':
      return [
        {
          ...at,
          stops: at.stops + 1,
          ...(workload.by === 'other' ? { lie: 'overwrites a count that is not ours' } : {}),
          workload: written(workload, { scale: after, marked: true, by: 'us' }),
        },
        accepted,
      ]
    case 'restore':
      return [
        {
          ...at,
          ...(workload.by === 'us' ? {} : { lie: 'overwrites a count that is not ours' }),
          workload: written(workload, { scale: before, marked: false, by: 'owner' }),
        },
        accepted,
      ]
    case 'unmark':
      return [{ ...at, workload: written(workload, { marked: false }) }, accepted]
  }
}

function rejected(httpStatus: number): WorkloadAnswer {
  return { kind: 'Rejected', httpStatus, message: '' }
}

function written(of: Workload, change: Partial<Workload>): Workload {
  return { ...of, ...change, version: of.version + 1 }
}

/** The call is made, lost, refused or answered; the process may end at each moment, with its call on its way. */
function* calls(at: State): Generator<Event<State>> {
  const { sending } = at
  for (const [i, act] of at.flying.entries()) {
    const rest = { ...at, flying: at.flying.toSpliced(i, 1) }
    yield [`late: ${act.act}`, effectOf(rest, act)[0]]
    yield [`never arrives: ${act.act}`, rest]
  }
  if (sending === undefined) return
  const [state, answer] = effectOf(at, sending)
  yield [`${sending.act}: ${answer.kind}`, savedAnswer(state, answer)]
  if (at.left === 0) return
  const less = { ...at, left: at.left - 1 }
  const effected = { ...state, left: at.left - 1 }
  const unknown = { kind: 'Unknown', message: '' } as const
  const flying = [...at.flying, sending]
  if (at.troubles.includes('calls')) {
    yield ['the call is lost', { ...savedAnswer(less, unknown), quiet: false }]
    yield ['the answer is lost', { ...savedAnswer(effected, unknown), quiet: false }]
    yield [
      'time-out, and the call goes on',
      { ...savedAnswer({ ...less, flying }, unknown), quiet: false },
    ]
    yield ['is not sent', savedAnswer(less, { kind: 'NotSent', message: '' })]
  }
  if (at.troubles.includes('refusal')) yield ['is refused', savedAnswer(less, rejected(403))]
  if (at.troubles.includes('crash')) {
    yield ['crash before the call', dead(less)]
    yield ['crash after the call', dead(effected)]
    yield ['the former leader makes the call later', dead({ ...less, flying })]
  }
}

/** Another leader takes over. */
function dead(at: State): State {
  const { sending: _sending, confirming: _confirming, ...rest } = at
  return { ...rest, quiet: false }
}

/** Pods follow the scale. */
function* controllers(at: State): Generator<Event<State>> {
  const isUp = at.workload !== undefined && isSameScale(at.workload.scale, shapeOf(at).before)
  if (!isUp && at.pods === 'run') yield ['the Pods end', { ...at, pods: 'end' }]
  if (at.pods === 'end') yield ['the Pods are gone', { ...at, pods: 'gone' }]
  if (isUp && at.pods === 'gone') yield ['the Pods run again', { ...at, pods: 'run' }]
}

const ELSE: Scale = { replicas: 5 }

/** GitOps, an autoscaler, the owner, other Pods of the namespace. */
function* others(at: State): Generator<Event<State>> {
  if (!at.released) yield ['the move ends', { ...at, released: true }]
  if (!at.late) yield ['the deadline passes', { ...at, late: true }]
  if (at.refused) yield ['the budget allows it again', { ...at, refused: false }]
  const { workload } = at
  if (at.left === 0 || workload === undefined) return
  const less = { ...at, left: at.left - 1 }
  const may = (trouble: Trouble) => at.troubles.includes(trouble)
  const change = (next: Partial<Workload>): State => ({
    ...less,
    workload: written(workload, next),
  })
  const { before, after } = shapeOf(at)
  if (may('scale')) {
    const isUp = isSameScale(workload.scale, before)
    // before it is stopped, that is the count that was planned with
    const by = at.stops === 0 ? 'owner' : 'other'
    if (!isUp) yield ['a loop sets the count back', change({ scale: before, by })]
    if (!isUp && workload.marked)
      yield ['a loop replaces the object', change({ scale: before, marked: false, by: 'other' })]
    yield ['somebody scales to another count', change({ scale: ELSE, by: 'other' })]
    // unseen, and with our mark, a count that equals ours cannot be known from ours
    const isOurs = workload.marked && at.saved.phase !== 'FoughtBack'
    if (workload.by !== 'us')
      yield ['the owner stops it', change({ scale: after, by: isOurs ? 'us' : 'other' })]
    if (workload.marked)
      yield ['the owner takes the mark off', change({ marked: false, by: 'other' })]
  }
  if (may('status')) yield ['its status is written', change({})]
  if (may('budget') && !at.refused)
    yield ['a Pod beside becomes unhealthy', { ...change({}), refused: true }]
  if (may('object')) {
    const { workload: _workload, ...without } = less
    yield ['it is deleted', without]
    const fresh = { uid: 2, scale: before, marked: false, by: 'owner' } as const
    yield ['it is deleted and created again', change(fresh)]
  }
}

function* time(at: State): Generator<Event<State>> {
  const { confirming } = at
  if (confirming !== undefined && !confirming.isLong)
    yield ['time passes between two reads', { ...at, confirming: { ...confirming, isLong: true } }]
  // a call is given up, or has arrived, long before
  if (!at.quiet && at.flying.length === 0) yield ['the quiet time passes', { ...at, quiet: true }]
}

function input(at: State, sight: WorkloadSight): WorkloadInput {
  const now = at.late ? DEADLINE : 0
  const { confirming } = at
  return {
    saved: recordOf(at),
    sight,
    now,
    quietUntil: at.quiet ? now : now + 1,
    ...(at.released ? { release: 'MoveEnded' as const } : {}),
    ...(confirming === undefined
      ? {}
      : { confirming: { what: confirming.what, ms: confirming.isLong ? Infinity : 1 } }),
    timing: { pollMs: 2000, verifyMs: VERIFY_MS, mostAttempts: MOST_ATTEMPTS },
  }
}

function sightOf({ workload, pods, refused }: State): WorkloadSight {
  return {
    kind: 'Seen',
    workload: workload && {
      uid: String(workload.uid),
      resourceVersion: String(workload.version),
      terminating: false,
      scale: workload.scale,
      ...(workload.marked ? { stoppedFor: 'move' } : {}),
    },
    pods: pods === 'gone' ? [] : ['db-0'],
    refusals: refused ? [refusal('DisruptionBudget', 'not now')] : [],
  }
}

/** What no state may show. */
export function rule(at: State): string | undefined {
  if (at.lie !== undefined) return at.lie
  if (at.stops > 1) return 'it is stopped twice'
  const { workload } = at
  if (!isFinished(at) || workload === undefined || workload.uid !== 1) return undefined
  if (workload.marked && workload.by !== 'other') return 'ends and leaves the mark'
  return workload.by === 'us' ? 'ends and leaves the workload down' : undefined
}
