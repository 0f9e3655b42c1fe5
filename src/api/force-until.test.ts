import { describe, expect, it } from 'vitest'
import { parseForceUntil } from './force-until.ts'

const NOW = Date.UTC(2026, 0, 20)

describe('couchestor.io/force-until', () => {
  it.each([
    ['2026-01-31T18:00:00Z', Date.UTC(2026, 0, 31, 18)],
    ['2026-01-31T18:00:00.250Z', Date.UTC(2026, 0, 31, 18, 0, 0, 250)],
    ['2026-01-31T18:00:00+02:00', Date.UTC(2026, 0, 31, 16)],
    ['2026-01-31T18:00:00-05:30', Date.UTC(2026, 0, 31, 23, 30)],
    ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
    ['2020-01-01T00:00:00Z', Date.UTC(2020, 0, 1)],
  ])('"%s" is read', (text, at) => {
    expect(parseForceUntil(text, NOW)).toEqual({ ok: true, at })
  })

  it.each([
    '',
    ' ',
    '48',
    '2026',
    '2026-02',
    'tomorrow',
    '48h',
    '2026-01-31',
    '2026-01-31T18:00',
    '2026-01-31T18:00:00',
    '2026-01-31 18:00:00Z',
    '2026-01-31t18:00:00Z',
    '2026-01-31T18:00:00z',
    '2026-01-31T18:00:00+0200',
    '2026-01-31T18:00:00+25:00',
    '2026-01-31T18:00:00 Z',
    ' 2026-01-31T18:00:00Z',
    '2026-02-30T18:00:00Z',
    '2027-02-29T18:00:00Z',
    '2026-13-01T18:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T18:60:00Z',
    '2026-12-31T23:59:60Z',
    '+002026-01-31T18:00:00Z',
    'Sat, 31 Jan 2026 18:00:00 GMT',
    '1769882400',
    '2026-01-31T18:00:00Z\n',
  ])('"%s" is refused with the form that is read', (text) => {
    expect(parseForceUntil(text, NOW)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('write it as 2030-01-31T18:00:00Z') as string,
    })
  })

  it.each(['2048-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2031-06-01T00:00:00Z'])(
    '"%s" is refused as too far ahead',
    (text) => {
      expect(parseForceUntil(text, NOW)).toMatchObject({
        ok: false,
        problem: expect.stringContaining('more than 5 years ahead') as string,
      })
    },
  )
})
