import { expect, it } from 'vitest'
import { table } from './table.ts'

const COLUMNS = [
  { title: 'CLAIM', of: (r: { claim: string; why: string }) => r.claim },
  { title: 'WHY', of: (r: { claim: string; why: string }) => r.why },
]
const rows = [{ claim: 'orders', why: 'the schedule is closed; it opens in 3 h 20 min' }]

it('the last column is cut so that a row is one line on the screen', () => {
  expect(table(COLUMNS, rows, 40)).toBe('CLAIM   WHY\norders  the schedule is closed; it open…\n')
})

it('nothing is cut where the output is piped', () => {
  expect(table(COLUMNS, rows)).toContain('it opens in 3 h 20 min\n')
})

it('the last column goes on below itself where it may be long', () => {
  const all = [...rows, { claim: 'x', why: 'short' }]
  expect(table(COLUMNS, all, 40, 'wrap')).toBe(
    [
      'CLAIM   WHY',
      'orders  the schedule is closed; it opens',
      '        in 3 h 20 min',
      'x       short',
      '',
    ].join('\n'),
  )
  expect(table(COLUMNS, all, Infinity, 'wrap')).toBe(table(COLUMNS, all))
})

it('the last column keeps some room on a narrow screen', () => {
  expect(table(COLUMNS, rows, 10)).toContain('the schedule is clo…')
})

it('no text of a cell begins a row of its own, moves the cursor or turns the line around', () => {
  const hostile = [{ claim: 'orders', why: 'x\ny\u001b[2J\r\u009b1A\u202e\u2028z' }]
  const shown = table(COLUMNS, hostile)
  expect(shown.split('\n')).toHaveLength(3)
  expect(shown).toContain('x\ufffdy\ufffd[2J')
  expect(shown.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u2028\u202e]/u)
})
