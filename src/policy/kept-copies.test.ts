import { expect, it } from 'vitest'
import { keptOf, keptText } from './kept-copies.ts'

const HOT = { pricePerGiBMonth: 7.3 }

it('a former volume is paid for each day, until the soak ends', () => {
  const kept = keptOf({ days: 14, bySnapshots: false }, HOT, 10)
  expect(kept).toMatchObject({ perDay: 2.4, total: 33.6 })
  expect(keptText(kept)).toBe(
    'the former volume is kept and costs 2.40 a day until the soak ends, at most 14 d (33.60)',
  )
})

it('a former volume with snapshots is paid for until they are gone', () => {
  expect(keptText(keptOf({ days: 30, bySnapshots: true }, HOT, 10))).toBe(
    'the former volume is kept and costs 2.40 a day until its snapshots are gone, 72.00 if that takes 30 d',
  )
})
