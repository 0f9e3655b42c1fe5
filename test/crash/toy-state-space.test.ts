import { expect, it } from 'vitest'
import type { VolumeMigrationStatus } from '../../src/api/volume-migration.ts'
import { explore } from '../../src/migration/explore.fixture.ts'
import type { Event } from '../../src/migration/explore.fixture.ts'
import type { MachineInput, Outcome } from '../../src/migration/strategy.ts'
import { TOY } from './toy/machine.ts'
import type { ToySight } from './toy/machine.ts'

type Machine = (input: MachineInput<ToySight>) => Outcome
type Kind = 'Accepted' | 'NotSent' | 'Unknown'

/** A move until the intent of its second act is saved: what the first act makes, and what the object says of it. */
type State = {
  readonly step: 'Waiting' | 'Requested'
  readonly act?: string
  readonly call?: Kind
  readonly attempt: number
  readonly epoch: number
  readonly term: number
  /** Terms whose process has saved its intent and not called yet, or waits for the answer; 0 when it is gone. */
  readonly sending: readonly number[]
  readonly flying: readonly number[]
  readonly answers: readonly { readonly sender: number; readonly kind: Kind }[]
  readonly quiet: boolean
  readonly made: number
  readonly unnamed?: string
}

const START: State = {
  step: 'Waiting',
  attempt: 0,
  epoch: 0,
  term: 1,
  sending: [],
  flying: [],
  answers: [],
  quiet: false,
  made: 0,
}
const TERMS = 3
const MOST_ATTEMPTS = 3

const isBeyond = ({ act }: State): boolean => act === 'retype'

function rule(at: State): string | undefined {
  if (at.made > 1) return 'it was made twice'
  return isBeyond(at) && at.made === 0 ? 'the second act came without the first' : at.unnamed
}

function* events(machine: Machine, at: State): Generator<Event<State>> {
  yield* lead(machine, at)
  yield* network(machine, at)
  if (!at.quiet && at.sending.length + at.flying.length === 0)
    yield ['the quiet time passes', { ...at, quiet: true }]
  if (at.term === TERMS) return
  const next = { ...at, term: at.term + 1, quiet: false }
  yield ['another leader', next]
  const flying = at.flying.map(() => 0)
  yield ['crash, and another leader', { ...next, sending: [], answers: [], flying }]
}

function* lead(machine: Machine, at: State): Generator<Event<State>> {
  const { term } = at
  const isOurs = (sender: number) => sender === term
  if (isBeyond(at) || at.sending.some(isOurs) || at.flying.some(isOurs)) return
  if (at.answers.some((a) => isOurs(a.sender))) return
  if (at.step === 'Requested' && at.epoch !== term)
    return yield ['stamp', { ...at, epoch: term, quiet: false }]
  const known = machine(input(at, undefined))
  if (known.kind !== 'look') return yield* carriedOut(at, known)
  yield* carriedOut(at, machine(input(at, sight(at))))
  yield* carriedOut(at, machine(input(at, { kind: 'Unreadable', why: 'down' })))
}

function* carriedOut(at: State, outcome: Outcome): Generator<Event<State>> {
  const { call: _answered, ...rest } = at
  if (outcome.kind === 'goto') yield ['begins again', { ...rest, step: 'Waiting' }]
  if (outcome.kind !== 'act') return
  if (outcome.act === 'retype') yield ['the second act', { ...rest, act: 'retype' }]
  else if (at.attempt < MOST_ATTEMPTS)
    yield [
      'saves the intent',
      {
        ...rest,
        step: 'Requested',
        act: outcome.act,
        attempt: at.attempt + 1,
        epoch: at.term,
        sending: [...at.sending, at.term],
        quiet: false,
      },
    ]
}

function* network(machine: Machine, at: State): Generator<Event<State>> {
  const answered = (state: State, sender: number, kind: Kind): State =>
    sender === 0 ? state : { ...state, answers: [...state.answers, { sender, kind }] }
  for (const sender of at.sending) {
    const rest = { ...at, sending: at.sending.filter((s) => s !== sender) }
    yield ['does not send', answered(rest, sender, 'NotSent')]
    if (sender === at.term) yield ['sends', { ...rest, flying: [...at.flying, sender] }]
  }
  for (const [i, sender] of at.flying.entries()) {
    const rest = { ...at, flying: at.flying.filter((_, j) => j !== i) }
    if (sender !== 0)
      yield [
        'nobody waits any more',
        answered({ ...rest, flying: [...rest.flying, 0] }, sender, 'Unknown'),
      ]
    yield ['the call is lost', answered(rest, sender, 'Unknown')]
    yield ['is made', answered(made(rest), sender, 'Accepted')]
    yield ['is made, answer lost', answered(made(rest), sender, 'Unknown')]
  }
  for (const [i, { sender, kind }] of at.answers.entries()) {
    const rest = { ...at, answers: at.answers.filter((_, j) => j !== i) }
    const isTaken = at.step === 'Requested' && at.epoch === sender && at.call === undefined
    if (!isTaken || isBeyond(at)) yield ['the answer comes too late', rest]
    else {
      const saved = { ...rest, call: kind }
      const read = machine(input(saved, undefined))
      if (read.kind === 'goto') yield* carriedOut(saved, read)
      else yield [`saves ${kind}`, saved]
    }
  }
}

/** What is saved at that moment has to say that it may be there. */
function made(at: State): State {
  const isNamed = at.step === 'Requested' && at.act === 'createSnapshot'
  const next = { ...at, made: at.made + 1 }
  return isNamed
    ? next
    : { ...next, unnamed: `it was made while the move was ${at.step}/${at.act}` }
}

function sight(at: State): ToySight {
  return {
    kind: 'Seen',
    status: 'available',
    typeId: 'old',
    updatedAt: 'before',
    availabilityZone: 'nova',
    attached: false,
    sizeGiB: 1,
    isShelved: at.made > 0,
  }
}

function input(at: State, seen: ToySight | undefined): MachineInput<ToySight> {
  const iso = new Date(0).toISOString()
  const status: VolumeMigrationStatus = {
    step: at.step,
    ...(at.call === undefined ? {} : { call: { kind: at.call, at: iso } }),
    ...(at.act === undefined
      ? {}
      : {
          intent: {
            act: at.act,
            attempt: at.attempt,
            requestId: 'r',
            clusterId: 'here',
            objectUid: 'u',
            epoch: at.epoch,
            at: iso,
            deadline: new Date(1_000_000).toISOString(),
            fromTypeId: 'old',
            toTypeId: 'new',
            volumeUpdatedAt: 'before',
            availabilityZone: 'nova',
            attached: false,
          },
        }),
  }
  return {
    status,
    sight: seen,
    now: 1000,
    clusterId: 'here',
    objectUid: 'u',
    quietUntil: at.quiet ? 1000 : 1001,
    timing: { firstPollMs: 2000, longestPollMs: 60_000, verifyMs: 3000, mostAttempts: 3 },
  }
}

function search(machine: Machine) {
  return explore(START, (at) => events(machine, at), rule, isBeyond)
}

it('what an act makes is named by the saved intent before it can be there, and is made once', () => {
  const { states, broken } = search(TOY.next)
  expect(broken).toBeUndefined()
  expect(states).toBeGreaterThan(1_000)
})

it.each<[string, Machine]>([
  [
    'does not wait until no call can be on its way',
    (given) => TOY.next({ ...given, quietUntil: given.now }),
  ],
  [
    'takes an unanswered call for one that was made',
    (given) => {
      const { call } = given.status
      if (call?.kind !== 'Unknown') return TOY.next(given)
      return TOY.next({
        ...given,
        status: { ...given.status, call: { ...call, kind: 'Accepted' } },
      })
    },
  ],
  [
    'goes on to the second act without a read',
    (given) =>
      given.status.step === 'Requested' && given.sight === undefined
        ? { kind: 'act', act: 'retype' }
        : TOY.next(given),
  ],
  [
    'makes it again without a read',
    (given) =>
      given.status.step === 'Requested' && given.status.call?.kind !== 'Accepted'
        ? { kind: 'goto', step: 'Waiting', reason: 'NotSent', message: '' }
        : TOY.next(given),
  ],
])('would show what is wrong with a machine that %s', (_, machine) => {
  expect(search(machine).broken).toBeDefined()
})
