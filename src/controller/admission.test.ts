import { describe, expect, it } from 'vitest'
import { refuse } from './admission.ts'
import type { AdmissionInput, EndedMove, Limits, Move } from './admission.ts'

const HOUR = 3_600_000
const NOW = 1000 * HOUR

const LIMITS: Limits = {
  stopped: false,
  policyPaused: false,
  schedule: undefined,
  maxConcurrent: 100,
  policyMaxConcurrent: 100,
  perNamespace: new Map(),
  perPool: new Map(),
  maxGiBPerSlot: undefined,
  targetRoomGiB: undefined,
  volumes: 100,
  countedAt: NOW - HOUR,
  budget: undefined,
}
const PRICES = new Map([
  ['hot', 0.125],
  ['cold', 0.045],
])

function move(more: Partial<Move> = {}): Move {
  return {
    policy: 'p',
    namespace: 'n',
    from: 'cold',
    to: 'hot',
    sizeGiB: 10,
    reason: 'Policy',
    ...more,
  }
}

function ended(more: Partial<EndedMove> = {}): EndedMove {
  return { ...move(), ended: 'Succeeded', endedAt: NOW - 2 * HOUR, ...more }
}

/** Enough successes long ago, so that the ramp is over. */
const SEASONED = Array.from({ length: 10 }, (_, i) =>
  ended({ volumeId: `old-${i}`, endedAt: NOW - 100 * HOUR }),
)

function answer(more: {
  move?: Partial<Move>
  inFlight?: readonly Move[]
  ended?: readonly EndedMove[]
  limits?: Partial<Limits>
}): string {
  const input: AdmissionInput = {
    move: move(more.move),
    inFlight: more.inFlight ?? [],
    ended: [...SEASONED, ...(more.ended ?? [])],
    limits: { ...LIMITS, ...more.limits },
    now: NOW,
  }
  return refuse(input)?.reason ?? 'go'
}

describe('how many moves may run', () => {
  it.each<[string, Parameters<typeof answer>[0], string]>([
    ['nothing in the way', {}, 'go'],
    ['the stop switch', { limits: { stopped: true } }, 'Stopped'],
    ['a paused policy', { limits: { policyPaused: true } }, 'PolicyPaused'],
    ['config.yaml', { inFlight: [move()], limits: { maxConcurrent: 1 } }, 'ConcurrencyLimit'],
    [
      'another policy under config.yaml',
      { inFlight: [move({ policy: 'q' })], limits: { maxConcurrent: 1 } },
      'ConcurrencyLimit',
    ],
    ['the policy', { inFlight: [move()], limits: { policyMaxConcurrent: 1 } }, 'ConcurrencyLimit'],
    [
      'another policy under this one',
      { inFlight: [move({ policy: 'q' })], limits: { policyMaxConcurrent: 1 } },
      'go',
    ],
    [
      'the namespace',
      { inFlight: [move()], limits: { perNamespace: new Map([['n', 1]]) } },
      'NamespaceLimit',
    ],
    [
      'another namespace',
      { inFlight: [move({ namespace: 'm' })], limits: { perNamespace: new Map([['n', 1]]) } },
      'go',
    ],
    [
      'the pool it reads from',
      { inFlight: [move({ to: 'warm' })], limits: { perPool: new Map([['cold', 1]]) } },
      'PoolLimit',
    ],
    [
      'the pool it writes to',
      { inFlight: [move({ from: 'hot', to: 'cold' })], limits: { perPool: new Map([['hot', 1]]) } },
      'PoolLimit',
    ],
  ])('%s', (_, given, expected) => expect(answer(given)).toBe(expected))
})

describe('how much may move in one slot', () => {
  const schedule = { open: true, slotStartedAt: NOW - 2 * HOUR }
  const limits = { schedule, maxGiBPerSlot: 25 }
  const started = (hoursAgo: number) => ({ startedAt: NOW - hoursAgo * HOUR })
  it.each<[string, Parameters<typeof answer>[0], string]>([
    ['room for one more', { limits, inFlight: [move(started(1))] }, 'go'],
    ['what runs counts', { limits, inFlight: [move(started(1)), move(started(1))] }, 'SlotLimit'],
    [
      'what has ended counts too',
      { limits, ended: [ended(started(1)), ended(started(1))] },
      'SlotLimit',
    ],
    ['the slot before does not', { limits, ended: [ended(started(3)), ended(started(3))] }, 'go'],
  ])('%s', (_, given, expected) => expect(answer(given)).toBe(expected))
})

describe('room on a tier', () => {
  const limits = { targetRoomGiB: 25 }
  it.each<[string, Parameters<typeof answer>[0], string]>([
    ['room for it', { limits }, 'go'],
    ['too large', { limits, move: { sizeGiB: 26 } }, 'CapacityLimit'],
    [
      'what is being copied there holds its room',
      { limits, inFlight: [move(), move()] },
      'CapacityLimit',
    ],
    [
      'what leaves holds its room until it is gone',
      { limits: { targetRoomGiB: 5 }, inFlight: [move({ from: 'hot', to: 'cold' })] },
      'CapacityLimit',
    ],
    [
      'what has arrived since the last count is not forgotten',
      { limits, ended: [ended({ endedAt: NOW - 1 }), ended({ endedAt: NOW - 1 })] },
      'CapacityLimit',
    ],
    ['what arrived before is in the count already', { limits, ended: [ended(), ended()] }, 'go'],
    [
      'a person is held to it as well',
      { limits, move: { sizeGiB: 26, reason: 'Manual' } },
      'CapacityLimit',
    ],
  ])('%s', (_, given, expected) => expect(answer(given)).toBe(expected))
})

describe('the budget', () => {
  const budget = { maxMonthlyCost: 11, monthlyCost: 10, pricePerGiBMonth: PRICES }
  const limits = { budget }
  it.each<[string, Parameters<typeof answer>[0], string]>([
    ['a promotion it has money for', { limits }, 'go'],
    ['one it has none for', { limits, move: { sizeGiB: 13 } }, 'BudgetLimit'],
    [
      'one that a person forces',
      { limits, move: { sizeGiB: 13, reason: 'Forced' } },
      'BudgetLimit',
    ],
    ['one beside another that runs', { limits, inFlight: [move()] }, 'BudgetLimit'],
    [
      'one beside another that has just arrived',
      { limits, ended: [ended({ endedAt: NOW - 1 })] },
      'BudgetLimit',
    ],
    [
      'a demotion, however far over',
      { limits: { budget: { ...budget, monthlyCost: 99 } }, move: { from: 'hot', to: 'cold' } },
      'go',
    ],
    [
      'what a demotion will save is not spent before',
      {
        limits: { budget: { ...budget, monthlyCost: 11 } },
        inFlight: [move({ from: 'hot', to: 'cold', sizeGiB: 100 })],
      },
      'BudgetLimit',
    ],
    ['another policy has its own', { limits, inFlight: [move({ policy: 'q' })] }, 'go'],
    [
      'it is told before what passes by itself',
      { limits: { budget, maxConcurrent: 0 }, move: { sizeGiB: 13 } },
      'BudgetLimit',
    ],
  ])('%s', (_, given, expected) => expect(answer(given)).toBe(expected))
})

describe('moves to and fro', () => {
  const there = (id: number, hoursAgo: number) =>
    ended({ volumeId: `v${id}`, from: 'hot', to: 'cold', endedAt: NOW - hoursAgo * HOUR })
  const back = (id: number, hoursAgo: number) =>
    ended({ volumeId: `v${id}`, from: 'cold', to: 'hot', endedAt: NOW - hoursAgo * HOUR })
  const pairs = (n: number, first: number, second: number) =>
    Array.from({ length: n }, (_, i) => [there(i, first), back(i, second)]).flat()
  it.each<[string, readonly EndedMove[], number, string]>([
    ['a few are no pattern', pairs(2, 10, 5), 10, 'go'],
    ['more than a few are', pairs(3, 10, 5), 10, 'ThrashBreaker'],
    ['a small share of a large fleet is none', pairs(3, 10, 5), 200, 'go'],
    ['back after two days is a change of mind', pairs(3, 53, 5), 10, 'go'],
    ['long ago is over', pairs(3, 40, 30), 10, 'go'],
    [
      'what people did counts for nothing',
      pairs(3, 10, 5).map((m) => ({ ...m, reason: 'Manual' })),
      10,
      'go',
    ],
    [
      'what failed moved nothing',
      pairs(3, 10, 5).map((m, i) => (i % 2 === 1 ? m : { ...m, ended: 'Failed' })),
      10,
      'go',
    ],
  ])('%s', (_, moves, volumes, expected) =>
    expect(answer({ ended: moves, limits: { volumes } })).toBe(expected),
  )

  it('leaves alone who asks himself', () => {
    const given = { ended: pairs(3, 10, 5), limits: { volumes: 10 }, move: { reason: 'Manual' } }
    expect(answer(given as Parameters<typeof answer>[0])).toBe('go')
  })
})
