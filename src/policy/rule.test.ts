import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { intervalCosts, moveCost } from './cost.ts'
import {
  DEFAULT_CONSTANTS,
  LEAD_CONSTANTS,
  decide,
  initialState,
  medianSizeGiB,
  moved,
  observe,
} from './rule.ts'
import type { RuleTier } from './rule.ts'
import type { VolumeState } from './types.ts'

const D = 0.5
const TIERS: readonly RuleTier[] = [
  { pricePerGiBMonth: 0.125, limitIops: () => Infinity },
  { pricePerGiBMonth: 0.08, limitIops: () => 1000 },
  { pricePerGiBMonth: 0.045, limitIops: () => 250 },
]

type Move = { readonly k: number; readonly from: number; readonly to: number }

function replay(
  demands: readonly number[],
  size = 100,
  { start = 1, median = 100, tiers = TIERS, constants = DEFAULT_CONSTANTS } = {},
): { moves: readonly Move[]; state: VolumeState } {
  let tier = start
  let state = initialState(tiers.length, 0)
  const moves: Move[] = []
  demands.forEach((x, i) => {
    const end = (i + 1) * D * 3600
    state = observe(state, tier, x, size, tiers, constants, D, end)
    const { to } = decide(state, tier, size, median, tiers, constants)
    if (to === tier) return
    moves.push({ k: i + 1, from: tier, to })
    state = moved(state, tier, end)
    tier = to
  })
  return { moves, state }
}

type Published = {
  readonly rho: number
  readonly dn0: number
  readonly doubt: readonly [number, number]
}

/**
 * The published pseudo code, word by word, and doubt: slow tiers first, one volume, nothing shared with rule.ts.
 */
function published(
  demands: readonly number[],
  g: number,
  start: number,
  { rho, dn0, doubt }: Published,
): Move[] {
  const median = 100
  const p = [0.045, 0.08, 0.125]
  const Q = [250, 1000, Infinity]
  const E = ((0.125 - 0.045) * g) / 730
  const m = 24 * E
  const C = [0, 0, 0]
  let W = 0
  let prev = -1
  let kPrev = 0
  let s = 2 - start
  const D2 = [
    [0, 0, 0],
    [0, 0, 0],
    [0, 0, 0],
  ]
  const z = Math.min(4, Math.max(0.5, (g / median) ** 0.15 * (doubt[1] ? (rho / 20) ** 0.2 : 1)))
  const lam = 0.5 ** (D / 48)
  const moves: Move[] = []
  demands.forEach((x, i) => {
    const k = i + 1
    const c = p.map((price, j) => {
      const phi = x > 0 ? Math.max(0, 1 - Q[j]! / x) : 0
      return (price * g * D) / 730 + rho * E * D * phi
    })
    for (let j = 0; j < 3; j++) C[j] = lam * C[j]! + c[j]!
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) D2[i]![j] = lam * D2[i]![j]! + (c[i]! - c[j]!) ** 2
    W = lam * W + D
    let best = -1
    for (let j = 0; j < 3; j++) {
      if (j === s) continue
      let f = j > s ? 0.15 + (0.25 * W) / 24 : (dn0 + (0.1 * W) / 24) * z
      if (j > s && j === prev && (k - kPrev) * D < 168) f = Math.max(f, 2)
      const need = f * m + doubt[j > s ? 0 : 1] * Math.sqrt(D2[s]![j]!)
      if (C[s]! - C[j]! >= need && (best < 0 || C[j]! < C[best]!)) best = j
    }
    if (best < 0) return
    moves.push({ k, from: 2 - s, to: 2 - best })
    prev = s
    kPrev = k
    s = best
  })
  return moves
}

/** Phases of constant load with noise: the shape that real volumes have. */
const trace = fc
  .array(
    fc.record({
      length: fc.integer({ min: 1, max: 60 }),
      level: fc.constantFrom(0, 5, 200, 260, 900, 1100, 5000),
      noise: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map((phases) =>
    phases.flatMap(({ length, level, noise }) =>
      Array.from({ length }, (_, i) => level * (1 + noise * Math.sin(i * 7.3))),
    ),
  )

describe('the rule', () => {
  it.each([
    ['the published rule', LEAD_CONSTANTS, { dn0: 0.3, doubt: [0, 0] }],
    ['the rule with doubt', DEFAULT_CONSTANTS, { dn0: 0.2, doubt: [0.2, 0.6] }],
  ] as const)('decides like the pseudo code of %s, window by window', (_, defaults, differs) => {
    let compared = 0
    const size = fc.double({ min: 1, max: 4000, noNaN: true })
    fc.assert(
      fc.property(trace, size, fc.nat(2), fc.constantFrom(5, 20, 100), (xs, g, start, rho) => {
        const { moves } = replay(xs, g, { start, constants: { ...defaults, rho } })
        compared += moves.length
        expect(moves).toEqual(published(xs, g, start, { rho, ...differs }))
      }),
      { numRuns: 300, seed: 7 },
    )
    expect(compared).toBeGreaterThan(100)
  })

  it('puts a calm volume in its place earlier than one whose load bursts', () => {
    const quiet = new Array<number>(96).fill(100)
    const bursts = quiet.map((x, i) => (i === 1 ? 290 : x))
    const at = (xs: readonly number[]) => replay(xs).moves[0]?.k ?? Infinity
    const withoutDoubt = { ...DEFAULT_CONSTANTS, doubtDown: 0 }
    const burstsTrusted = replay(bursts, 100, { constants: withoutDoubt }).moves[0]?.k ?? Infinity

    expect(at(quiet)).toBeLessThan(at(bursts))
    expect(burstsTrusted).toBeLessThan(at(bursts))
  })

  it('asks for more before a demotion where throttling is worth more', () => {
    const idle = new Array<number>(96).fill(10)
    const at = (rho: number) =>
      replay(idle, 100, { constants: { ...DEFAULT_CONSTANTS, rho } }).moves[0]?.k ?? Infinity

    expect(at(5)).toBeLessThan(at(20))
    expect(at(20)).toBeLessThan(at(100))
  })

  it('puts a busy volume on the fastest tier within the first windows', () => {
    expect(replay([5000, 5000]).moves).toEqual([{ k: 1, from: 1, to: 0 }])
  })

  it('puts an idle volume on the slowest tier within thirty hours', () => {
    const [first] = replay(new Array<number>(96).fill(0)).moves

    expect(first?.to).toBe(2)
    expect(first?.k).toBeLessThanOrEqual(60)
  })

  it('does not follow a day and night cycle', () => {
    const days = Array.from({ length: 28 * 48 }, (_, i) => (i % 48 < 16 ? 1100 : 100))

    expect(replay(days).moves.length).toBeLessThanOrEqual(2)
  })

  it('demands more of a large volume before it is demoted', () => {
    const idle = new Array<number>(200).fill(0)
    const small = replay(idle, 10, { start: 0 }).moves[0]?.k ?? Infinity
    const large = replay(idle, 4000, { start: 0 }).moves[0]?.k ?? Infinity

    expect(large).toBeGreaterThan(small)
  })

  it('takes the slower of two equally good tiers', () => {
    const twins = [
      { pricePerGiBMonth: 2, limitIops: () => Infinity },
      { pricePerGiBMonth: 1, limitIops: () => 100 },
      { pricePerGiBMonth: 1, limitIops: () => 100 },
    ]

    expect(replay(new Array<number>(48).fill(0), 100, { start: 0, tiers: twins }).moves).toEqual([
      { k: expect.any(Number), from: 0, to: 2 },
    ])
  })

  it('brakes the way back to the tier it has just left', () => {
    const state = observe(initialState(3, 0), 2, 300, 100, TIERS, DEFAULT_CONSTANTS, D, 3600)
    const m = moveCost(TIERS, 100, DEFAULT_CONSTANTS)
    const wish = (s: VolumeState) => decide(s, 2, 100, 100, TIERS, DEFAULT_CONSTANTS)

    const doubt = 0.2 * Math.sqrt(state.spread[2]!)
    expect(wish(moved(state, 1, 1800)).needed).toBe(2 * m + doubt)
    expect(wish(moved(state, 1, 3600 - 168 * 3600)).needed).toBeLessThan(m)
  })

  it('says what the nearest other tier lacks when it wants nothing', () => {
    const state = observe(initialState(3, 0), 1, 10, 100, TIERS, DEFAULT_CONSTANTS, D, 1800)
    const wish = decide(state, 1, 100, 100, TIERS, DEFAULT_CONSTANTS)

    expect(wish).toMatchObject({ to: 1, other: 2, meanIops: 10, historyHours: 0.5 })
    expect(wish.lead).toBeCloseTo(((0.08 - 0.045) * 100 * 0.5) / 730, 12)
    expect(wish.lead).toBeLessThan(wish.needed)
  })

  it('remembers when the next slower tier would not have been enough', () => {
    const see = (tier: number, x: number) =>
      observe(initialState(3, 0), tier, x, 100, TIERS, DEFAULT_CONSTANTS, D, 1800).lastExceededAt

    expect(see(0, 1001)).toBe(1800)
    expect(see(0, 1000)).toBe(0)
    expect(see(1, 251)).toBe(1800)
    expect(see(2, 5000)).toBe(0)
    expect(see(-1, 5000)).toBe(0)
  })
})

describe('what the rule must not be moved by', () => {
  it('adds nothing for a gap, for a window seen twice, and for one that is older', () => {
    fc.assert(
      fc.property(trace, fc.integer({ min: 1, max: 2000 }), (xs, gap) => {
        const { state } = replay(xs)
        const end = state.lastWindowEnd
        const again = (at: number) => observe(state, 1, 9999, 100, TIERS, DEFAULT_CONSTANTS, D, at)
        expect(again(end)).toBe(state)
        expect(again(end - 1800)).toBe(state)

        const afterGap = observe(state, 1, 7, 100, TIERS, DEFAULT_CONSTANTS, D, end + gap * 1800)
        const atOnce = observe(state, 1, 7, 100, TIERS, DEFAULT_CONSTANTS, D, end + 1800)
        expect({ ...afterGap, lastWindowEnd: 0 }).toEqual({ ...atOnce, lastWindowEnd: 0 })
      }),
    )
  })

  it.each([NaN, -1, Infinity, -Infinity, 1e300])('a demand of %d changes no state', (x) => {
    const { state } = replay([100, 200, 300])

    expect(observe(state, 1, x, 100, TIERS, DEFAULT_CONSTANTS, D, 1e9)).toBe(state)
  })

  it('wants nothing and never throws, whatever the numbers are', () => {
    const any = fc.oneof(fc.double(), fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324))
    const odd = fc.oneof(
      fc.constantFrom(NaN, -5, 0, Infinity, -Infinity, 1e300),
      fc.double({ max: 0, noNaN: true }),
    )
    fc.assert(
      fc.property(odd, any, any, fc.integer({ min: -3, max: 9 }), (size, x, end, tier) => {
        const state = observe(
          replay([5000, 100]).state,
          tier,
          x,
          size,
          TIERS,
          DEFAULT_CONSTANTS,
          D,
          end,
        )
        expect(decide(state, tier, size, x, TIERS, DEFAULT_CONSTANTS).to).toBe(tier)
        expect(state.cost.every(Number.isFinite)).toBe(true)
      }),
    )
  })

  it('wants nothing before the first window, and with a history of other tiers', () => {
    const to = (s: VolumeState) => decide(s, 1, 100, 100, TIERS, DEFAULT_CONSTANTS).to

    expect(to(initialState(3, 0))).toBe(1)
    expect(to({ ...replay([9000]).state, cost: [0, 9] })).toBe(1)
    expect(to({ ...replay([9000]).state, cost: [0, NaN, 9] })).toBe(1)
  })

  it('wants nothing where all tiers cost the same', () => {
    const flat = TIERS.map((t) => ({ ...t, pricePerGiBMonth: 1 }))

    expect(replay([9000, 0, 9000, 0], 100, { tiers: flat }).moves).toEqual([])
  })

  it('decides the same when all prices are scaled', () => {
    fc.assert(
      fc.property(trace, fc.integer({ min: -12, max: 12 }), (xs, exponent) => {
        const tiers = TIERS.map((t) => ({
          ...t,
          pricePerGiBMonth: t.pricePerGiBMonth * 2 ** exponent,
        }))
        expect(replay(xs, 100, { tiers }).moves).toEqual(replay(xs).moves)
      }),
    )
  })

  it('never sees the future: later windows leave earlier moves as they are', () => {
    fc.assert(
      fc.property(trace, fc.double({ min: 0, max: 1, noNaN: true }), (xs, share) => {
        const cut = Math.floor(xs.length * share)
        expect(replay(xs.slice(0, cut)).moves).toEqual(
          replay(xs).moves.filter((move) => move.k <= cut),
        )
      }),
    )
  })
})

describe('an adversary', () => {
  const pair = [TIERS[0]!, TIERS[2]!]

  /** Cost above the storage floor, of the rule and of the best plan in hindsight. */
  function ratio(load: (k: number, tier: number) => number, windows: number): number {
    const size = 100
    const m = moveCost(pair, size, DEFAULT_CONSTANTS)
    let tier = 0
    let state = initialState(2, 0)
    let cost = 0
    let best = [0, Infinity]
    for (let k = 1; k <= windows; k++) {
      const x = load(k, tier)
      const c = intervalCosts(pair, x, size, D, DEFAULT_CONSTANTS)
      const floor = Math.min(...pair.map((t) => t.pricePerGiBMonth)) * size * (D / 730)
      const above = c.map((v) => v - floor)
      cost += above[tier]!
      const least = Math.min(...best)
      best = best.map((b, j) => above[j]! + Math.min(b, least + m))
      state = observe(state, tier, x, size, pair, DEFAULT_CONSTANTS, D, k * 1800)
      const { to } = decide(state, tier, size, size, pair, DEFAULT_CONSTANTS)
      if (to === tier) continue
      cost += m
      state = moved(state, tier, k * 1800)
      tier = to
    }
    return cost / Math.min(...best)
  }

  it('that always charges the current tier makes it pay at most four times the optimum', () => {
    expect(ratio((_, tier) => (tier === 0 ? 0 : 250 / 0.9), 20_000)).toBeLessThan(4)
    expect(ratio((_, tier) => (tier === 0 ? 0 : 5000), 20_000)).toBeLessThan(4)
  })

  it('with any square wave makes it pay at most five times the optimum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 700 }),
        fc.constantFrom(260, 300, 500, 5000),
        (high, low, level) => {
          const wave = (k: number) => (k % (high + low) < high ? level : 0)
          expect(ratio(wave, 3000)).toBeLessThan(5)
        },
      ),
    )
  })
})

describe('the median size', () => {
  it.each([
    [[], 0],
    [[7], 7],
    [[9, 1, 5], 5],
    [[1, 2, 3, 10], 2.5],
    [[NaN, -1, 0, 4], 4],
  ])('of %j is %d', (sizes, median) => {
    expect(medianSizeGiB(sizes)).toBe(median)
  })
})
