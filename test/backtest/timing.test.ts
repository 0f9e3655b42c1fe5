import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { replayFleet } from '../../src/cli/backtest/fleet-replay.ts'
import { path } from '../../src/cli/backtest/replay.ts'
import { RULES } from '../../src/cli/backtest/rules/rules.ts'
import type { RuleName } from '../../src/cli/backtest/rules/rules.ts'
import type { Move, Setting } from '../../src/cli/backtest/types.ts'
import { SETTING, demands, loadOf } from './fixtures.ts'

/** Rules without hindsight. */
const HONEST = (Object.keys(RULES) as RuleName[]).filter((n) => !/^(told-|best)/.test(n))

function play(name: RuleName, xs: readonly number[], setting: Setting = SETTING): readonly Move[] {
  const [moves = []] = replayFleet(setting, [loadOf(xs)], RULES[name].rule)
  return moves
}

describe.each(HONEST)('%s', (name) => {
  it('decides nothing with what comes later', () => {
    fc.assert(
      fc.property(demands, fc.double({ min: 0, max: 1, noNaN: true }), (xs, share) => {
        const cut = Math.floor(xs.length * share)
        const before = play(name, xs).filter((m) => m.after < cut)
        expect(play(name, xs.slice(0, cut))).toEqual(before)
        expect(
          play(name, [...xs.slice(0, cut), ...xs.slice(cut).map((x) => 7 * x + 99)]).filter(
            (m) => m.after <= cut,
          ),
        ).toEqual(play(name, xs).filter((m) => m.after <= cut))
      }),
      { numRuns: 30 },
    )
  })

  it('sees nothing of what a tier holds back when the input is capped', () => {
    const setting = { ...SETTING, censored: true }
    fc.assert(
      fc.property(demands, (xs) => {
        const moves = play(name, xs, setting)
        const limits = [Infinity, 1000, 250]
        const tiers = path(moves, 1, xs.length)
        const shown = xs.map((x, i) => Math.min(x, limits[tiers[i]!]!))
        expect(play(name, shown, setting)).toEqual(moves)
      }),
      { numRuns: 30 },
    )
  })

  it('writes moves that fit together, one an interval, none at the end', () => {
    fc.assert(
      fc.property(demands, fc.boolean(), (xs, censored) => {
        let tier = 1
        let last = 0
        for (const move of play(name, xs, { ...SETTING, censored })) {
          expect(move.from).toBe(tier)
          expect(move.to).not.toBe(tier)
          expect(move.after).toBeGreaterThan(last)
          expect(move.after).toBeLessThan(xs.length)
          tier = move.to
          last = move.after
        }
      }),
      { numRuns: 30 },
    )
  })
})

describe('a gap in the numbers', () => {
  it('moves nothing, and only delays what comes after it', () => {
    const gaps = fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 100 })), { maxLength: 4 })
    fc.assert(
      fc.property(demands, gaps, (xs, holes) => {
        // a week's brake runs on the clock, which a gap does not stop: without it only windows count
        const withGaps: { x: number; k: number }[] = xs.map((x, i) => ({ x, k: i + 1 }))
        for (const [at, length] of holes)
          withGaps.splice(
            at % (withGaps.length + 1),
            0,
            ...Array.from({ length }, () => ({ x: NaN, k: 0 })),
          )
        const gappy = withGaps.map(({ x }) => x)
        const moves = play('regret-0.5-2', [...gappy, 0])
        const whole = play('regret-0.5-2', [...xs, 0])
        const asWhole = moves.map((m) => ({ ...m, after: withGaps[m.after - 1]!.k }))
        expect(asWhole).toEqual(whole)
        for (const m of play('couchestor', gappy)) expect(withGaps[m.after - 1]!.k).not.toBe(0)
      }),
    )
  })
})

describe('a lasting change of load', () => {
  it.each([
    ['up', 10, 5000, 0, 1],
    ['down', 5000, 10, 2, 10],
  ])('%s is followed once, and nothing moves after that', (_, before, after, tier, days) => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 900 }), (at) => {
        const xs = [...new Array<number>(at).fill(before), ...new Array<number>(1000).fill(after)]
        const late = play('couchestor', xs).filter((m) => m.after > at)
        expect(late.length).toBeLessThanOrEqual(1)
        expect(path(play('couchestor', xs), 1, xs.length).at(-1)).toBe(tier)
        // one throttled hour weighs as much as twenty of savings, and half of it is forgotten every 48 h
        expect(late.every((m) => m.after <= at + days * 48)).toBe(true)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the example of docs/reference-decisions.md', () => {
  it.each([
    ['a steady load', 100, 19],
    ['one busy half hour', 290, 24],
  ])('with %s moves when it says', (_, fourthWindow, hours) => {
    const xs = Array.from({ length: 100 }, (__, i) => (i === 3 ? fourthWindow : 100))

    expect(play('couchestor', xs)).toEqual([{ after: 2 * hours, from: 1, to: 2 }])
  })
})
