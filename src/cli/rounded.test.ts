import { expect, it } from 'vitest'
import { rounded } from './rounded.ts'

it.each([
  [23.999999999999996, 24],
  [1.0000000000000002, 1],
  [0.1 + 0.2, 0.3],
  [1.23456789, 1.234568],
  [0.0000123456789, 0.0000123457],
  [-2.4000000000000004, -2.4],
  [12_345_678_901, 12_345_678_901],
  [Infinity, Infinity],
])('%d is %d', (value, text) => expect(rounded(value)).toBe(text))

it('every number of a document is rounded, and nothing else is changed', () => {
  const document = {
    rows: [{ worth: 23.999999999999996, name: '0.30000000000000004' }],
    none: null,
  }
  expect(rounded(document)).toEqual({
    rows: [{ worth: 24, name: '0.30000000000000004' }],
    none: null,
  })
})
