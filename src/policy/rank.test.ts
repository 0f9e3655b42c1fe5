import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { freeingFirst, monthlyCost, rank, savingOf } from './rank.ts'

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

describe('moves that free a scarce type', () => {
  const order = (moves: string, ...scarce: string[]) => {
    const ranked = moves.split(' ').map((name) => {
      const [fromType = '', toType = ''] = name.split('>')
      return { fromType, toType }
    })
    return freeingFirst(ranked, new Set(scarce))
      .map((m) => `${m.fromType}>${m.toType}`)
      .join(' ')
  }

  it('come before those that fill it, and nothing else changes its place', () => {
    const ranked = 'warm>hot cold>warm hot>cold hot>warm cold>hot'
    expect(order(ranked)).toBe(ranked)
    expect(order(ranked, 'hot')).toBe('hot>cold hot>warm warm>hot cold>warm cold>hot')
    expect(order(ranked, 'cold')).toBe('warm>hot cold>warm cold>hot hot>cold hot>warm')
  })

  it('are followed through types that are short themselves, and a circle has an end', () => {
    expect(order('warm>hot hot>cold cold>warm', 'hot', 'cold')).toBe('cold>warm hot>cold warm>hot')
    expect(order('warm>hot hot>warm', 'hot', 'warm')).toBe('hot>warm warm>hot')
  })

  it('are each in the order once', () => {
    const type = fc.constantFrom('a', 'b', 'c')
    fc.assert(
      fc.property(
        fc.array(fc.record({ fromType: type, toType: type }), { maxLength: 20 }),
        fc.subarray(['a', 'b', 'c']),
        (moves, scarce) => {
          const ordered = freeingFirst(moves, new Set(scarce))
          expect(ordered).toHaveLength(moves.length)
          expect(new Set(ordered)).toEqual(new Set(moves))
        },
      ),
    )
  })
})
