import { expect, it } from 'vitest'
import { agree, isNewer } from './doubles.ts'
import type { Sample } from './usage.ts'

const sample = (startSeconds: number, total: number): Sample => ({
  startSeconds,
  readRequests: total,
  writeRequests: total,
  readBytes: total,
  writeBytes: total,
})
/** A counter that rises by ten per second, read `late` seconds into each period. */
const polled = (from: number, to: number, late = 0) =>
  Array.from({ length: (to - from) / 300 }, (_, i) =>
    sample(from + 300 * i, 10 * (from + 300 * i + late)),
  )

it.each([
  ['poll at other moments of a period', polled(0, 1800), polled(0, 1800, 250)],
  ['lose a poll', polled(0, 1800), polled(0, 1800, 20).filter((_, i) => i !== 3)],
  ['follow each other', polled(0, 900), polled(900, 1800)],
  ['change over within a period', polled(0, 900), polled(600, 1800, 100)],
  ['have nothing to compare', polled(0, 900), []],
])('two collectors of one disk agree though they %s', (_, one, other) => {
  expect(agree(one, other)).toBe(true)
  expect(agree(other, one)).toBe(true)
})

it.each([
  ['stands still', polled(0, 1800).map((s) => sample(s.startSeconds, 9000))],
  [
    'rises ten times as fast',
    polled(0, 1800).map((s) => sample(s.startSeconds, 100 * s.startSeconds)),
  ],
  ['is right but for one quantity', polled(0, 1800).map((s) => ({ ...s, writeBytes: 0 }))],
])('a counter that %s is not that of the same disk', (_, forged) => {
  expect(agree(polled(0, 1800), forged)).toBe(false)
  expect(agree(forged, polled(0, 1800))).toBe(false)
})

it('the newer one is that with the later sample, and of two as late the one that counted less', () => {
  expect(isNewer(polled(0, 1800), polled(0, 1500, 200))).toBe(true)
  expect(isNewer(polled(0, 1500, 200), polled(0, 1800))).toBe(false)
  expect(isNewer(polled(0, 1800), polled(0, 1800, 200))).toBe(true)
  expect(isNewer(polled(0, 1800, 200), polled(0, 1800))).toBe(false)
  expect(isNewer([], polled(0, 300))).toBe(false)
})
