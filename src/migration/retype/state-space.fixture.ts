import type { VolumeMigrationStatus } from '../../api/volume-migration.ts'
import type { Event } from '../explore.fixture.ts'
import type { Goto, MachineInput, Outcome } from '../strategy.ts'
import { lieOf, waitingLie } from './lies.fixture.ts'
import type { VolumeSight } from './machine.ts'
import { isFinished, MOST_ATTEMPTS, REFUSALS } from './world.fixture.ts'
import type { Answer, State } from './world.fixture.ts'

export type Machine = (input: MachineInput<VolumeSight>) => Outcome

const VERIFY_MS = 3000
const DEADLINE = 1_000_000
const iso = (ms: number): string => new Date(ms).toISOString()

/** What may happen to a move by retype, to Cinder, to the network and to two leaders, one event at a time. */
export function* events(machine: Machine, at: State): Generator<Event<State>> {
  yield* lead(machine, at)
  yield* network(machine, at)
  yield* cinder(at)
  yield* time(at)
  if (at.term < at.world.terms) yield ['another leader', takenOver(at, false)]
  if (at.term < at.world.terms) yield ['crash, and another leader', takenOver(at, true)]
}

/** The present leader follows the move, as the runner does. */
function* lead(machine: Machine, at: State): Generator<Event<State>> {
  const { status, term } = at
  if (isFinished(at) || at.sending.includes(term) || at.flying.some((c) => c.sender === term))
    return
  if (at.answers.some((a) => a.sender === term)) return
  const inFlight = status.step !== 'Waiting'
  if (inFlight && status.epoch !== term)
    return yield ['stamp', { ...at, status: { ...status, epoch: term }, quiet: false }]
  const known = machine(input(at, undefined))
  if (known.kind !== 'look') return yield* carriedOut(at, known, 'reads what is saved')
  const seen = sight(at)
  yield* carriedOut(at, machine(input(at, seen)), 'reads', seen)
  const unread = { kind: 'Unreadable', why: 'down' } as const
  yield* carriedOut(at, machine(input(at, unread)), 'cannot read', unread)
}

function* carriedOut(
  at: State,
  outcome: Outcome,
  what: string,
  seen?: VolumeSight,
): Generator<Event<State>> {
  const next = seen?.kind === 'Unreadable' ? at : confirmed(at, outcome)
  if (outcome.kind === 'goto')
    yield [`${what}: ${outcome.step}/${outcome.reason}`, went(next, outcome)]
  if (outcome.kind === 'wait')
    yield [`${what}: waits`, labelled(next, 'waits', waitingLie(at.status, seen))]
  // admission and preflight: the volume rests where the move begins
  if (outcome.kind === 'act' && at.cinder.there && at.cinder.status === 'available')
    yield* at.cinder.type === 'old' ? [['saves the intent', begun(next)] as const] : notPlaced(next)
  if (outcome.kind === 'act' && at.cinder.status === 'backing-up')
    yield ['finds it busy', { ...next, status: { ...next.status, reason: 'Busy' } }]
  if (outcome.kind === 'act' && !at.cinder.there)
    yield ['finds no volume', { ...next, status: { ...next.status, step: 'Failed' } }]
}

/** The volume is on its new type already, or on a third one: nothing is asked of Cinder. */
function* notPlaced(at: State): Generator<Event<State>> {
  const step = at.cinder.type === 'new' ? 'Succeeded' : 'Failed'
  yield [`is not where it was: ${step}`, { ...at, status: { ...at.status, step } }]
}

function confirmed(at: State, outcome: Outcome): State {
  const { confirming: before, ...rest } = at
  const what = 'confirm' in outcome ? outcome.confirm : undefined
  if (what === undefined) return rest
  const same = outcome.kind !== 'goto' && before?.what === what
  return { ...rest, confirming: same ? before : { what, isLong: false } }
}

function went(at: State, to: Goto): State {
  const { step, reason, seenAt } = to
  const seen = seenAt === undefined ? {} : { verifiedOnceAt: 'once' }
  const gone = { ...at, status: { ...at.status, step, reason, ...seen } }
  return labelled(gone, `${step}/${reason}`, lieOf(at, to))
}

function labelled(at: State, what: string, lie: string | undefined): State {
  return lie === undefined ? at : { ...at, lie: `${what}, but ${lie}` }
}

function begun(at: State): State {
  // refusals do not count
  const attempt = at.status.call?.kind === 'Rejected' ? 1 : at.status.attempt + 1
  return {
    ...at,
    status: { step: 'Requested', reason: 'IntentSaved', attempt, epoch: at.term },
    cinder: { ...at.cinder, changed: false },
    sending: [...at.sending, at.term],
    quiet: false,
    late: false,
  }
}

/** Calls arrive or are lost; answers arrive, are lost, or are saved if nobody has written since. */
function* network(machine: Machine, at: State): Generator<Event<State>> {
  for (const sender of at.sending) {
    const rest = { ...at, sending: at.sending.filter((s) => s !== sender) }
    const given = (call: Answer['call']): State => answered(rest, sender, call)
    if (at.cinder.changed || sender !== at.term) yield ['steps back', given({ kind: 'NotSent' })]
    else {
      yield ['sends', { ...rest, flying: [...at.flying, { sender }] }]
      yield ['cannot send', given({ kind: 'NotSent' })]
    }
  }
  for (const [i, call] of at.flying.entries()) {
    const rest = { ...at, flying: at.flying.filter((_, j) => j !== i) }
    yield ['the call is lost', answered(rest, call.sender, { kind: 'Unknown' })]
    for (const refusal of REFUSALS[at.world.refuses])
      yield ['refused', answered(rest, call.sender, { kind: 'Rejected', ...refusal })]
    const { state, answer } = arrived(rest)
    yield [`Cinder: ${answer.kind}`, answered(state, call.sender, answer)]
    yield [`Cinder: ${answer.kind}, answer lost`, answered(state, call.sender, { kind: 'Unknown' })]
  }
  for (const [i, { sender, call }] of at.answers.entries()) {
    const rest = { ...at, answers: at.answers.filter((_, j) => j !== i) }
    const { status } = at
    if (status.step !== 'Requested' || status.epoch !== sender || status.call !== undefined) {
      yield ['the answer comes too late to be saved', rest]
      continue
    }
    const saved = { ...rest, status: { ...status, call } }
    const read = machine(input(saved, undefined))
    yield [`saves ${call.kind}`, read.kind === 'goto' ? went(saved, read) : saved]
  }
}

function answered(at: State, sender: number, call: Answer['call']): State {
  return sender === 0 ? at : { ...at, answers: [...at.answers, { sender, call }] }
}

/** Cinder takes a retype of a resting volume to another type, and refuses any other. */
function arrived(at: State): { state: State; answer: Answer['call'] } {
  const { cinder: volume, mutations } = at
  if (!volume.there) return { state: at, answer: { kind: 'Rejected', httpStatus: 404 } }
  if (volume.status !== 'available' || volume.type === 'new')
    return { state: at, answer: { kind: 'Rejected', httpStatus: 400 } }
  return {
    state: {
      ...at,
      cinder: { ...volume, status: 'retyping', changed: true },
      mutations: mutations + 1,
    },
    answer: { kind: 'Accepted' },
  }
}

function* cinder(at: State): Generator<Event<State>> {
  const { cinder: volume } = at
  if (!volume.there) return
  const { shows, ...shown } = volume
  const now = (change: Partial<State['cinder']>): State => ({
    ...at,
    cinder: { ...shown, changed: true, ...change },
  })
  if (shows !== undefined) yield ['Cinder shows the volume as it is', now({})]
  else if (volume.status === 'retyping') {
    for (const what of volume.hasShown ? [] : (['the end', 'the past'] as const))
      yield [`Cinder shows ${what} for a moment`, now({ shows: what, hasShown: true })]
    yield ['Cinder ends the retype', now({ status: 'available', type: 'new' })]
    yield ['Cinder reverts', now({ status: 'available' })]
    yield ['Cinder fails', now({ status: 'error' })]
    if (at.world.isRough) yield ['Cinder fails late', now({ status: 'error', type: 'new' })]
  } else if (volume.status === 'backing-up') yield ['the backup ends', now({ status: 'available' })]
  else if (volume.status === 'error')
    yield ['an administrator repairs', now({ status: 'available' })]
  else {
    if (at.world.isRough) yield ['somebody makes a backup', now({ status: 'backing-up' })]
    if (volume.type !== 'third') yield ['somebody else retypes', now({ type: 'third' })]
    yield ['the volume is deleted', now({ there: false })]
  }
}

function* time(at: State): Generator<Event<State>> {
  const { confirming } = at
  const isMoment = at.cinder.shows !== undefined
  if (confirming !== undefined && !confirming.isLong && !isMoment)
    yield ['seconds pass', { ...at, confirming: { ...confirming, isLong: true } }]
  // a call is given up, or has arrived, long before
  if (!at.quiet && !isMoment && at.flying.length + at.sending.length === 0)
    yield ['the quiet time passes', { ...at, quiet: true }]
  if (
    !at.late &&
    !isMoment &&
    at.status.step !== 'Waiting' &&
    at.flying.length + at.sending.length === 0
  )
    yield ['the deadline passes', { ...at, late: true, quiet: true }]
}

/** A suspended process keeps what it was about to do; a dead one does not, but its calls go on. */
function takenOver(at: State, isCrash: boolean): State {
  const { confirming: _confirming, ...rest } = at
  if (!isCrash) return { ...rest, term: at.term + 1, quiet: false }
  return {
    ...rest,
    term: at.term + 1,
    quiet: false,
    flying: at.flying.map(() => ({ sender: 0 })),
    answers: [],
    sending: [],
  }
}

function sight({ cinder: { there, status, type, changed, shows } }: State): VolumeSight {
  if (!there) return { kind: 'Absent' }
  return {
    kind: 'Seen',
    status: shows === undefined ? status : 'available',
    typeId: shows === 'the end' ? 'new' : type,
    updatedAt: changed && shows !== 'the past' ? 'since' : 'before',
    availabilityZone: 'nova',
    attached: false,
    sizeGiB: 1,
  }
}

function input(at: State, seen: VolumeSight | undefined): MachineInput<VolumeSight> {
  const { step, reason, call, attempt, epoch, verifiedOnceAt } = at.status
  const now = at.late ? DEADLINE : 1000
  const status: VolumeMigrationStatus = {
    ...(step === undefined ? {} : { step }),
    ...(reason === undefined ? {} : { reason }),
    ...(call === undefined ? {} : { call: { ...call, at: iso(0) } }),
    ...(verifiedOnceAt === undefined ? {} : { verifiedOnceAt: iso(0) }),
    ...(attempt === 0 ? {} : { intent: intent(attempt, epoch) }),
  }
  const { confirming } = at
  return {
    status,
    sight: seen,
    now,
    clusterId: 'here',
    objectUid: 'u',
    quietUntil: at.quiet ? now : now + 1,
    confirming: confirming && { what: confirming.what, ms: confirming.isLong ? VERIFY_MS : 1 },
    timing: {
      firstPollMs: 2000,
      longestPollMs: 60_000,
      verifyMs: VERIFY_MS,
      mostAttempts: MOST_ATTEMPTS,
    },
  }
}

function intent(attempt: number, epoch: number): NonNullable<VolumeMigrationStatus['intent']> {
  return {
    attempt,
    requestId: 'r',
    clusterId: 'here',
    objectUid: 'u',
    epoch,
    at: iso(0),
    deadline: iso(DEADLINE),
    fromTypeId: 'old',
    toTypeId: 'new',
    volumeUpdatedAt: 'before',
    availabilityZone: 'nova',
    attached: false,
  }
}
