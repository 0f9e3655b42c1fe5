import { expect, it } from 'vitest'
import { helpOf, wrapped } from './help.ts'

const SPECS = {
  direction: { value: 'promotion|demotion', help: 'a claim: only moves to faster tiers' },
  output: { value: 'json', short: 'o', help: 'another form', default: 'table' },
}

it('a flag that is wider than its column has its text on the next line', () => {
  const lines = helpOf('pause', 'Pauses.', SPECS, 60).split('\n')
  expect(lines).toContain('      --direction promotion|demotion')
  expect(lines).toContain('                                a claim: only moves to')
  expect(lines).toContain('  -o, --output json             another form (default table)')
})

it.each([-1, 0, 10.5, Infinity, 1e30])('no word is lost at a width of %d', (width) => {
  expect(wrapped('one incomprehensible end', width).join('').replaceAll(' ', '')).toBe(
    'oneincomprehensibleend',
  )
})

it('words are kept whole, but for one that is wider than the line', () => {
  expect(wrapped('one two incomprehensible end', 10)).toEqual([
    'one two',
    'incomprehe',
    'nsible end',
  ])
})
