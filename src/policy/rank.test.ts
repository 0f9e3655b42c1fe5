import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { monthlyCost, rank, savingOf } from './rank.ts'

const HOT = { pricePerGiBMonth: 0.12 }
const COLD = { pricePerGiBMonth: 0.04 }

describe('the worth of a move', () => {
  it('is the storage that is saved, and how long the move takes to pay', () => {
    const saving = savingOf({ lead: 2, moveCost: 6, historyHours: 50 }, HOT, COLD, 100)

    expect(monthlyCost(HOT, 100)).toBeCloseTo(12, 12)
    expect(saving.monthlySaving).toBeCloseTo(8, 12)
    expect(saving.worthPerMonth).toBeCloseTo((2 / 50) * 730, 12)
    expect(saving.paybackDays).toBeCloseTo(6 / (2 / 50) / 24, 12)
  })

  it('has negative storage savings when speed is bought, and still pays', () => {
    const saving = savingOf({ lead: 2, moveCost: 6, historyHours: 50 }, COLD, HOT, 100)

    expect(saving.monthlySaving).toBeCloseTo(-8, 12)
    expect(saving.worthPerMonth).toBeGreaterThan(0)
  })

  it.each([
    ['without history', { lead: 2, moveCost: 6, historyHours: 0 }],
    ['when it costs more', { lead: -1, moveCost: 6, historyHours: 50 }],
  ])('never pays %s', (_, wish) => {
    expect(savingOf(wish, HOT, COLD, 100).paybackDays).toBe(Infinity)
  })
})

describe('the order of moves', () => {
  const wish = (key: string, worthPerMonth: number, paybackDays = 1, forced = false) => ({
    key,
    forced,
    saving: { monthlySaving: 0, worthPerMonth, paybackDays },
  })
  const order = (...wishes: ReturnType<typeof wish>[]) => rank(wishes).map((w) => w.key)

  it('is by worth, then payback, then key, with forced moves first', () => {
    expect(
      order(
        wish('d', 5),
        wish('b', 9, 3),
        wish('a', 9, 7),
        wish('f', -2, 1, true),
        wish('c', 9, 3),
      ),
    ).toEqual(['f', 'b', 'c', 'a', 'd'])
  })

  it('puts what has no number last', () => {
    expect(order(wish('a', NaN), wish('b', -5))).toEqual(['b', 'a'])
  })

  it('does not depend on the order of the input', () => {
    const wishes = fc
      .uniqueArray(fc.tuple(fc.string(), fc.double(), fc.double(), fc.boolean()), {
        selector: ([key]) => key,
      })
      .map((all) => all.map(([key, worth, days, forced]) => wish(key, worth, days, forced)))
    fc.assert(
      fc.property(wishes, (all) => {
        expect(rank(all.toReversed())).toEqual(rank(all))
      }),
    )
  })
})
