import { expect, it } from 'vitest'
import { candidate, NOW, wishFor } from '../../policy/candidate.fixture.ts'
import { guardLines } from './guard-lines.ts'

const HOUR = 3600
const saw = (guard: string, over: Parameters<typeof candidate>[0]) =>
  guardLines(candidate(over)).find((line) => line.guard === guard)?.message

it.each([
  [1, 0, 'last move 5 h ago, cooldown 1 h'],
  [2, 1, 'last move 5 h ago, cooldown 1 h'],
])('a promotion from tier %i to %i names the cooldown of promotions', (tier, to, message) => {
  expect(saw('cooling down', { tier, wish: wishFor(to), lastMoveEnd: NOW - 5 * HOUR })).toBe(
    message,
  )
})

it('a demotion names the cooldown of demotions', () => {
  expect(saw('cooling down', { lastMoveEnd: NOW - 48 * HOUR })).toBe(
    'last move 2 d ago, cooldown 1 d',
  )
})

it('a time that was never set is not reported in days since 1970', () => {
  const { state } = candidate()
  const unset = { ...state, lastWindowEnd: 0, firstSeenAt: 0, lastExceededAt: 0 }
  const lines = guardLines(candidate({ state: unset, now: 1_768_900_000 }))
  expect(lines.map((line) => line.message).join('\n')).not.toMatch(/\d{4,} d/)
  expect(saw('no data', { state: unset, now: 1_768_900_000 })).toContain('no window')
})

it('snapshots that a copy goes around are not reported as none', () => {
  expect(saw('snapshots', { copied: () => ({ days: 14, bySnapshots: true }) })).toBe(
    'some, which block no copy',
  )
  expect(saw('snapshots', { copied: () => ({ days: 14, bySnapshots: false }) })).toBe('none')
  expect(saw('snapshots', {})).toBe('none')
})
