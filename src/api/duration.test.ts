import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration, tryParseDuration } from './duration.ts'

describe('parseDuration', () => {
  it.each([
    ['30m', 1_800_000],
    ['1h30m', 5_400_000],
    ['24h', 86_400_000],
    ['24h0m0s', 86_400_000],
    ['1.5h', 5_400_000],
    ['250ms', 250],
    ['1m1ms', 60_001],
    ['90s', 90_000],
    ['0s', 0],
    ['168h', 604_800_000],
  ])('reads %s as %d ms', (text, ms) => {
    expect(tryParseDuration(text)).toBe(ms)
  })

  it.each([
    '',
    '0',
    '30',
    '-1h',
    '+1h',
    '1d',
    '7 d',
    '1 h',
    ' 1h',
    '1h ',
    'h',
    '1H',
    '1h30',
    '.5h',
    '1.h',
    '1us',
    'P1D',
    '1e3s',
    '1h1h1h1h',
  ])('refuses %j and names the field', (text) => {
    expect(() => parseDuration(text, 'metrics.window')).toThrow(
      /^metrics\.window is ".*", which is no duration: write .* 90m/,
    )
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0s'],
    [-5, '0s'],
    [5_400_000, '1h30m'],
    [86_400_000, '24h'],
    [45_000, '45s'],
    [750_000, '12m30s'],
    [1500, '1.5s'],
    [3_600_001, '1h0.001s'],
  ])('writes %d ms as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  it('is read back as the same time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 * 3_600_000 }), (ms) => {
        expect(tryParseDuration(formatDuration(ms))).toBe(ms)
      }),
    )
  })

  it('orders as the times do when units are added', () => {
    fc.assert(
      fc.property(fc.nat(99_999), fc.nat(59), fc.nat(59), (h, m, s) => {
        expect(tryParseDuration(`${h}h${m}m${s}s`)).toBe((h * 3600 + m * 60 + s) * 1000)
      }),
    )
  })
})
