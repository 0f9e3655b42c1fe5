import { expect, it } from 'vitest'
import { money } from './money.ts'

it.each([
  [0, '0.00'],
  [2.2e-16, '0.00'],
  [0.0012345, '0.0012'],
  [0.7, '0.70'],
  [-1.4, '-1.40'],
  [1234.567, '1234.57'],
])('%d is %s', (amount, text) => expect(money(amount)).toBe(text))
