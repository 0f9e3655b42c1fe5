import { describe, expect, it } from 'vitest'
import { agoText, durationText, iopsText, moneyText } from './numbers-text.ts'

describe('numbers for people', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [45, '45 s'],
    [1800, '30 min'],
    [3661, '1 h 1 min'],
    [86_400, '1 d'],
    [90_061, '1 d 1 h'],
    [604_800, '7 d'],
    [NaN, 'an unknown time'],
  ])('%d seconds are "%s"', (seconds, text) => {
    expect(durationText(seconds)).toBe(text)
  })

  it.each([
    [0, '0.00'],
    [3.1, '3.10'],
    [-12.345, '-12.35'],
    [0.000123456, '0.000123'],
    [0.5, '0.5'],
  ])('%d of money is "%s"', (amount, text) => {
    expect(moneyText(amount)).toBe(text)
  })

  it.each([
    [0, '0'],
    [0.04, '0'],
    [2.34, '2.3'],
    [249.6, '250'],
    [Infinity, 'unlimited'],
  ])('%d operations per second are "%s"', (iops, text) => {
    expect(iopsText(iops)).toBe(text)
  })
})

it.each([
  [7200, '2 h ago'],
  [0, 'at an unknown time'],
  [-Infinity, 'at an unknown time'],
  [NaN, 'at an unknown time'],
])(
  'a time that many seconds back (%d of 0) is reported as such, and an unset one not in days',
  (back, text) => {
    const now = 1_769_000_000
    expect(agoText(now, back === 7200 ? now - back : back)).toBe(text)
  },
)
