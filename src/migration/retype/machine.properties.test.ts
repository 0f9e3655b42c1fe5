import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Step, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { deadlineMs, nextRetypeStep } from './machine.ts'
import type { VolumeSight } from './machine.ts'
import type { Confirmation, MachineInput, MachineTiming, Outcome } from '../strategy.ts'

const OLD = 'type-old'
const NEW = 'type-new'
const START = Date.UTC(2026, 0, 1)
const BEFORE = '2025-12-31T00:00:00.000Z'
const DEADLINE = START + 3_600_000
const TIMING: MachineTiming = {
  firstPollMs: 2000,
  longestPollMs: 60_000,
  verifyMs: 3000,
  mostAttempts: 3,
}

const status = fc.constantFrom(
  'available',
  'in-use',
  'retyping',
  'error',
  'maintenance',
  'reserved',
)
const type = fc.constantFrom(OLD, NEW, 'type-third')
const sight: fc.Arbitrary<VolumeSight> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('Seen' as const),
      status,
      typeId: type,
      updatedAt: fc.constantFrom(BEFORE, '2026-01-01T00:00:05.000Z'),
      availabilityZone: fc.constantFrom('nova', 'other'),
      attached: fc.boolean(),
      sizeGiB: fc.constant(10),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'Absent' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'Unreadable' as const, why: 'down' }) },
)
const call = fc.constantFrom(undefined, 'Accepted', 'NotSent', 'Unknown') as fc.Arbitrary<
  NonNullable<VolumeMigrationStatus['call']>['kind'] | undefined
>
/** A read of Cinder and the time that has passed since the one before. */
const read = fc.record({ sight, passed: fc.integer({ min: 0, max: 2_000_000 }) })

type Read = { readonly sight: VolumeSight; readonly passed: number }
type Input = MachineInput<VolumeSight> & { readonly sight: VolumeSight }
type Taken = { readonly input: Input; readonly outcome: Outcome; readonly at: number }
type Opening = {
  readonly callKind: NonNullable<VolumeMigrationStatus['call']>['kind'] | undefined
  readonly attempt: number
  readonly foreign: boolean
  readonly quietMs: number
  readonly answerSaved: boolean
}
const opening: fc.Arbitrary<Opening> = fc.record({
  callKind: call,
  attempt: fc.integer({ min: 1, max: 4 }),
  foreign: fc.boolean(),
  quietMs: fc.integer({ min: 0, max: 60_000 }),
  answerSaved: fc.boolean(),
})

function opened({ callKind, attempt, answerSaved }: Opening): VolumeMigrationStatus {
  return {
    step: callKind === 'Accepted' && answerSaved ? 'Retyping' : 'Requested',
    ...(callKind === undefined
      ? {}
      : { call: { kind: callKind, at: new Date(START).toISOString() } }),
    intent: {
      attempt,
      requestId: 'req-1',
      clusterId: 'here',
      objectUid: 'object',
      epoch: 1,
      at: new Date(START).toISOString(),
      deadline: new Date(DEADLINE).toISOString(),
      fromTypeId: OLD,
      toTypeId: NEW,
      volumeUpdatedAt: BEFORE,
      availabilityZone: 'nova',
      attached: false,
    },
  }
}

/** Runs the machine as the mover does, until it rests, asks for a new start, or the reads are used up. */
function play(from: Opening, reads: readonly Read[]): Taken[] {
  let saved = opened(from)
  let now = START
  let first: { readonly what: Confirmation; readonly at: number } | undefined
  const taken: Taken[] = []
  for (const { sight, passed } of reads) {
    now += passed
    const input: Input = {
      status: saved,
      sight,
      now,
      clusterId: from.foreign ? 'elsewhere' : 'here',
      objectUid: 'object',
      quietUntil: START + from.quietMs,
      confirming: first && { what: first.what, ms: now - first.at },
      timing: TIMING,
    }
    const outcome = nextRetypeStep(input)
    taken.push({ input, outcome, at: now })
    const what = 'confirm' in outcome ? outcome.confirm : undefined
    if (sight.kind !== 'Unreadable' && (outcome.kind === 'goto' || first?.what !== what))
      first = what && { what, at: now }
    if (outcome.kind === 'rest' || startsAnew(outcome)) return taken
    if (outcome.kind === 'goto') saved = after(saved, outcome)
  }
  return taken
}

function after(
  before: VolumeMigrationStatus,
  { step, reason, message, seenAt }: Extract<Outcome, { kind: 'goto' }>,
): VolumeMigrationStatus {
  const seen = seenAt === undefined ? {} : { verifiedOnceAt: new Date(seenAt).toISOString() }
  return { ...before, step, reason, message, ...seen }
}

const startsAnew = (outcome: Outcome) => outcome.kind === 'goto' && outcome.step === 'Waiting'

const holds = (property: (from: Opening, taken: readonly Taken[]) => void) =>
  fc.assert(
    fc.property(opening, fc.array(read, { minLength: 1, maxLength: 30 }), (from, reads) =>
      property(from, play(from, reads)),
    ),
    { numRuns: 3000 },
  )

const goesTo = ({ outcome }: Taken, step: Step) => outcome.kind === 'goto' && outcome.step === step
const shows = (t: Taken | undefined, typeId: string) =>
  t?.input.sight.kind === 'Seen' &&
  t.input.sight.typeId === typeId &&
  ['available', 'in-use'].includes(t.input.sight.status)

/** The last read before `t` at which Cinder answered. */
function readBefore(taken: readonly Taken[], t: Taken): Taken | undefined {
  return taken.slice(0, taken.indexOf(t)).findLast((b) => b.input.sight.kind === 'Seen')
}

describe('whatever Cinder shows, in whatever order', () => {
  it('a move succeeds only after two reads, some seconds apart, of a resting volume of the new type', () => {
    holds((_, taken) => {
      for (const t of taken.filter((x) => goesTo(x, 'Succeeded'))) {
        expect(shows(t, NEW)).toBe(true)
        expect(shows(readBefore(taken, t), NEW)).toBe(true)
        const first = taken.find((b) => shows(b, NEW) && b.at <= t.at - TIMING.verifyMs)
        expect(first).toBeDefined()
      }
    })
  })

  it('a revert is reported only after two reads of a resting volume of the old type', () => {
    holds((_, taken) => {
      const reverted = taken.filter(
        ({ outcome }) => outcome.kind === 'goto' && outcome.reason === 'Reverted',
      )
      for (const t of reverted) {
        expect(shows(t, OLD)).toBe(true)
        expect(shows(readBefore(taken, t), OLD)).toBe(true)
      }
    })
  })

  it('a call is repeated only when it provably never ran', () => {
    holds((from, taken) => {
      for (const { input, outcome, at } of taken) {
        if (!startsAnew(outcome)) continue
        expect(from.callKind).not.toBe('Accepted')
        expect(input.status.step).toBe('Requested')
        expect(input.sight.kind).toBe('Seen')
        // nothing of ours was sent: whatever Cinder shows, preflight reads it again
        if (from.callKind === 'NotSent') continue
        expect(input.sight).toMatchObject({ typeId: OLD })
        expect(input.sight).not.toMatchObject({ status: 'retyping' })
        expect(at).toBeGreaterThanOrEqual(input.quietUntil)
        expect(input.sight).toMatchObject({ updatedAt: BEFORE })
        // two reads, some seconds apart, after the quiet time
        expect(input.confirming?.ms).toBeGreaterThanOrEqual(TIMING.verifyMs)
        expect(at - input.confirming!.ms).toBeGreaterThanOrEqual(input.quietUntil)
      }
    })
  })

  it('a call is never repeated past its deadline, too often, or for another cluster', () => {
    holds((from, taken) => {
      for (const { outcome, at } of taken) {
        if (!startsAnew(outcome)) continue
        expect(at).toBeLessThan(DEADLINE)
        expect(from.attempt).toBeLessThan(TIMING.mostAttempts)
        expect(from.foreign).toBe(false)
      }
    })
  })

  it('Stuck is left only by what Cinder shows: rest on a type, or the end of the volume', () => {
    holds((_, taken) => {
      for (const { input, outcome } of taken) {
        if (input.status.step !== 'Stuck') continue
        if (outcome.kind === 'wait') continue
        expect(outcome.kind).toBe('goto')
        const rests =
          input.sight.kind === 'Seen' && ['available', 'in-use'].includes(input.sight.status)
        expect(rests || input.sight.kind === 'Absent').toBe(true)
      }
    })
  })

  it('what cannot be seen changes nothing before the deadline, and then asks for a person', () => {
    holds((_, taken) => {
      for (const { input, outcome, at } of taken) {
        if (input.sight.kind !== 'Unreadable' || outcome.kind === 'wait') continue
        if (outcome.kind === 'rest') continue
        expect(at).toBeGreaterThanOrEqual(DEADLINE)
        const notSent = input.status.call?.kind === 'NotSent' && input.status.step === 'Requested'
        expect(outcome).toMatchObject({ step: notSent ? 'Failed' : 'Stuck' })
      }
    })
  })

  it('between two reads there is always a wait, and never a longer one than needed', () => {
    holds((_, taken) => {
      for (const { outcome } of taken) {
        if (outcome.kind !== 'wait') continue
        expect(outcome.ms).toBeGreaterThan(0)
        expect(outcome.ms).toBeLessThanOrEqual(60_000)
      }
    })
  })

  it('a volume that rests brings every move to its end', () => {
    const rest = fc.record({ typeId: type, status: fc.constantFrom('available', 'in-use') })
    fc.assert(
      fc.property(opening, fc.array(read, { maxLength: 10 }), rest, (from, reads, end) => {
        const seen = {
          kind: 'Seen' as const,
          updatedAt: BEFORE,
          availabilityZone: 'nova',
          attached: false,
          sizeGiB: 10,
          ...end,
        }
        const still = Array.from({ length: 6 }, () => ({ sight: seen, passed: 70_000 }))
        const last = play(from, [...reads, ...still]).at(-1)!.outcome
        expect(last.kind === 'rest' || startsAnew(last)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the deadline of a move', () => {
  it('is what the policy gives, or twice a slow copy of the volume when that is longer', () => {
    expect(deadlineMs(1, 3_600_000)).toBe(3_600_000)
    expect(deadlineMs(100, 3_600_000)).toBe(((2 * 100 * 1024) / 20) * 1000)
  })
})
