import { describe, expect, it } from 'vitest'
import { refuse } from './admission.ts'
import { breakerOpenUntil } from './gates-failures.ts'
import type { AdmissionInput, EndedMove, Limits, Move } from './admission.ts'

const NOW = Date.UTC(2026, 0, 20, 12)
const HOUR = 3_600_000

const move: Move = {
  policy: 'tiered',
  namespace: 'shop',
  from: 'hot',
  to: 'cold',
  sizeGiB: 10,
  reason: 'Policy',
}
const open: Limits = {
  stopped: false,
  policyPaused: false,
  schedule: undefined,
  maxConcurrent: 100,
  policyMaxConcurrent: 100,
  perNamespace: new Map(),
  perPool: new Map(),
  maxGiBPerSlot: undefined,
  batch: undefined,
  pool: undefined,
  targetRoomGiB: undefined,
  volumes: 1000,
  countedAt: NOW,
  staleMinutes: undefined,
  budget: undefined,
}
const ended = (more: Partial<EndedMove> = {}): EndedMove => ({
  ...move,
  startedAt: NOW - 2 * HOUR,
  endedAt: NOW - HOUR,
  ended: 'Succeeded',
  ...more,
})
const settled = Array.from({ length: 10 }, () => ended())

function refused(more: Partial<Omit<AdmissionInput, 'limits'>> & { limits?: Partial<Limits> }) {
  return refuse({
    move,
    inFlight: [],
    ended: settled,
    now: NOW,
    ...more,
    limits: { ...open, ...more.limits },
  })?.reason
}

const BATCH = { batch: { size: 2, startedAt: NOW - 300_000, endsAt: NOW + 1 } }
const unsized = { ...move, sizeGiB: undefined }
const running = (count: number, more: Partial<Move> = {}) =>
  Array.from({ length: count }, () => ({ ...move, ...more }))
const closed = { schedule: { open: false, slotStartedAt: 0, opensAt: NOW + HOUR } }
const failed = [1, 2, 3].map(() => ended({ ended: 'Failed' }))

describe('what stops a move right before its intent', () => {
  it.each<[string, Parameters<typeof refused>[0], string | undefined]>([
    ['nothing', {}, undefined],
    [
      'as many moves as may begin in a window',
      { inFlight: running(2, { startedAt: NOW - 60_000, policy: 'other' }), limits: BATCH },
      'BatchLimit',
    ],
    [
      'moves that began in this window and have ended',
      {
        ended: [...settled, ended({ startedAt: NOW - 1 }), ended({ startedAt: NOW - 2 })],
        limits: BATCH,
      },
      'BatchLimit',
    ],
    [
      'no moves of an earlier window',
      { inFlight: running(2, { startedAt: NOW - 10 * 60_000 }), limits: BATCH },
      undefined,
    ],
    [
      'not a stuck move twice, which is in flight and has failed',
      {
        inFlight: running(1, { startedAt: NOW - 60_000, isStuck: true }),
        ended: [...settled, ended({ startedAt: NOW - 60_000, isStuck: true, ended: 'Failed' })],
        limits: BATCH,
      },
      undefined,
    ],
    [
      'no moves of a later window, when the clock was set back',
      { ended: settled.map((e) => ({ ...e, startedAt: NOW + HOUR })), limits: BATCH },
      undefined,
    ],
    [
      'no limit of the window, when an owner forces a move',
      {
        move: { ...move, reason: 'Forced' },
        inFlight: running(2, { startedAt: NOW - 60_000 }),
        limits: BATCH,
      },
      undefined,
    ],
    ['the global switch', { limits: { stopped: true } }, 'Stopped'],
    [
      'a size that is not known, where a tier has an end',
      { move: unsized, limits: { targetRoomGiB: 1e6 } },
      'CapacityLimit',
    ],
    [
      'a size that is not known, where a slot has an end',
      { move: unsized, limits: { maxGiBPerSlot: 1e6 } },
      'SlotLimit',
    ],
    ['a size that is not known, where nothing has an end', { move: unsized }, undefined],
    [
      'an unknown size of a move that is on its way to the tier',
      { inFlight: [unsized], limits: { targetRoomGiB: 1e6 } },
      'CapacityLimit',
    ],
    [
      'an unknown size of a move that goes elsewhere',
      { inFlight: [{ ...unsized, to: 'warm' }], limits: { targetRoomGiB: 1e6 } },
      undefined,
    ],
    [
      'the room that a move without an object takes',
      { inFlight: running(1, { policy: '' }), limits: { targetRoomGiB: 15 } },
      'CapacityLimit',
    ],
    [
      'volumes that have not been counted yet, where a tier has an end',
      { limits: { targetRoomGiB: 1e6, countedAt: undefined } },
      'CapacityLimit',
    ],
    ['a paused policy', { limits: { policyPaused: true } }, 'PolicyPaused'],
    ['an unexplained end', { ended: [ended({ ended: 'Unexplained' })] }, 'Halted'],
    ['a closed schedule', { limits: closed }, 'OutsideSchedule'],
    ['three failures in a row', { ended: failed }, 'BreakerOpen'],
    ['the first move still running', { ended: [], inFlight: running(1) }, 'Ramp'],
    [
      'all places taken',
      { inFlight: running(2), limits: { maxConcurrent: 2 } },
      'ConcurrencyLimit',
    ],
    [
      'all places taken by other policies',
      { inFlight: running(2, { policy: 'other' }), limits: { maxConcurrent: 2 } },
      'ConcurrencyLimit',
    ],
    [
      'the places of the policy taken',
      { inFlight: running(1), limits: { policyMaxConcurrent: 1 } },
      'ConcurrencyLimit',
    ],
    [
      'other policies within its own places',
      { inFlight: running(3, { policy: 'other' }), limits: { policyMaxConcurrent: 1 } },
      undefined,
    ],
    [
      'the namespace',
      { inFlight: running(1), limits: { perNamespace: new Map([['shop', 1]]) } },
      'NamespaceLimit',
    ],
    [
      'another namespace',
      {
        inFlight: running(1, { namespace: 'x' }),
        limits: { perNamespace: new Map([['shop', 1]]) },
      },
      undefined,
    ],
    [
      'the pool it writes to',
      { inFlight: running(1, { from: 'warm' }), limits: { perPool: new Map([['cold', 1]]) } },
      'PoolLimit',
    ],
    [
      'the pool it reads from, which another writes to',
      {
        inFlight: running(1, { from: 'cold', to: 'hot' }),
        limits: { perPool: new Map([['hot', 1]]) },
      },
      'PoolLimit',
    ],
    [
      'the slot used up',
      { inFlight: running(2, { startedAt: NOW }), limits: { maxGiBPerSlot: 29 } },
      'SlotLimit',
    ],
    ['no room', { limits: { targetRoomGiB: 9 } }, 'CapacityLimit'],
    [
      'room that others are about to take',
      { inFlight: running(1), limits: { targetRoomGiB: 19 } },
      'CapacityLimit',
    ],
    [
      'room that a volume in flight has been counted on already',
      { inFlight: running(1, { isCounted: true }), limits: { targetRoomGiB: 10 } },
      undefined,
    ],
    [
      'room that another policy is about to take',
      { inFlight: running(1, { policy: 'other' }), limits: { targetRoomGiB: 19 } },
      'CapacityLimit',
    ],
    [
      'GiB of more than a day ago, without a schedule',
      {
        ended: settled.map((m) => ({ ...m, startedAt: NOW - 25 * HOUR })),
        limits: { maxGiBPerSlot: 29 },
      },
      undefined,
    ],
    [
      'GiB of a slot that is over',
      {
        move: { ...move, reason: 'Manual' },
        ended: settled.map((m) => ({ ...m, startedAt: NOW - 25 * HOUR })),
        limits: { maxGiBPerSlot: 29, ...closed },
      },
      undefined,
    ],
    ['room enough', { inFlight: running(1), limits: { targetRoomGiB: 20 } }, undefined],
  ])('%s', (_, input, reason) => {
    expect(refused(input)).toBe(reason)
  })

  it.each<['Forced' | 'Manual']>([['Forced'], ['Manual']])(
    'a %s move walks past schedule, breaker, ramp and halt, but past no limit',
    (reason) => {
      const asked = { ...move, reason }
      expect(refused({ move: asked, limits: closed })).toBeUndefined()
      expect(refused({ move: asked, ended: failed })).toBeUndefined()
      expect(refused({ move: asked, ended: [ended({ ended: 'Unexplained' })] })).toBeUndefined()
      expect(refused({ move: asked, ended: [], inFlight: running(1) })).toBeUndefined()
      expect(refused({ move: asked, limits: { stopped: true } })).toBe('Stopped')
      expect(refused({ move: asked, inFlight: running(1), limits: { maxConcurrent: 1 } })).toBe(
        'ConcurrencyLimit',
      )
    },
  )

  it.each([
    [0, 1],
    [1, 2],
    [2, 4],
    [3, 8],
  ])('after %i successes %i moves may run', (successes, places) => {
    const done = Array.from({ length: successes }, () => ended())
    expect(refused({ ended: done, inFlight: running(places - 1) })).toBeUndefined()
    expect(refused({ ended: done, inFlight: running(places) })).toBe('Ramp')
  })
})

describe('the breaker of a pair of tiers', () => {
  const at = (hoursAgo: number, how: EndedMove['ended']) =>
    ended({ endedAt: NOW - hoursAgo * HOUR, ended: how })
  const until = (list: readonly EndedMove[]) => breakerOpenUntil(list, 'tiered', 'hot', 'cold')

  it('opens for six hours after the third failure in a row, and then lets one try', () => {
    const list = [at(3, 'Failed'), at(2, 'Failed'), at(1, 'Failed')]
    expect(until(list)).toBe(NOW + 5 * HOUR)
    expect(refused({ ended: list, now: NOW + 5 * HOUR - 1 })).toBe('BreakerOpen')
    expect(refused({ ended: list, now: NOW + 5 * HOUR })).toBeUndefined()
  })

  it('does not wait for a move that is stuck until a person repairs it', () => {
    const list = [at(3, 'Failed'), at(2, 'Failed'), at(1, 'Failed')]
    const now = NOW + 6 * HOUR
    expect(refused({ ended: list, now, inFlight: running(1) })).toBe('BreakerOpen')
    expect(refused({ ended: list, now, inFlight: running(3, { isStuck: true }) })).toBeUndefined()
  })

  it('stays closed after two failures, or when a success lies between', () => {
    expect(until([at(2, 'Failed'), at(1, 'Failed')])).toBeUndefined()
    expect(
      until([at(4, 'Failed'), at(3, 'Failed'), at(2, 'Succeeded'), at(1, 'Failed')]),
    ).toBeUndefined()
  })

  it('counts neither other policies nor the way back', () => {
    const list = [at(3, 'Failed'), at(2, 'Failed'), at(1, 'Failed')]
    expect(breakerOpenUntil(list, 'other', 'hot', 'cold')).toBeUndefined()
    expect(breakerOpenUntil(list, 'tiered', 'cold', 'hot')).toBeUndefined()
  })
})
