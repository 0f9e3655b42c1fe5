import { describe, expect, it } from 'vitest'
import { openStackTime, retryAfterMs } from './time.ts'

const NOW = Date.UTC(2026, 0, 20, 12)

describe('Retry-After', () => {
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['86400', 300_000],
    ['99999999999999999999999', 300_000],
    ['-5', undefined],
    ['1.5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['', undefined],
    ['2026', 300_000],
    ['Tue, 20 Jan 2026 12:00:20 GMT', 20_000],
    ['Tue, 20 Jan 2026 11:00:00 GMT', 0],
    ['Fri, 31 Dec 9999 23:59:59 GMT', 300_000],
    ['2026-01-20T12:00:20Z', undefined],
  ])('"%s" asks for %s ms', (text, ms) => {
    expect(retryAfterMs({ 'retry-after': text }, NOW)).toBe(ms)
  })

  it("in a date is measured by the server's own clock where it says what time it is", () => {
    const headers = {
      'retry-after': 'Tue, 20 Jan 2026 12:00:20 GMT',
      date: 'Tue, 20 Jan 2026 12:00:10 GMT',
    }
    expect(retryAfterMs(headers, NOW - 6 * 3_600_000)).toBe(10_000)
  })
})

describe("OpenStack's times", () => {
  it.each<[string, number | undefined]>([
    ['2013-09-01T14:53:22.000000', Date.UTC(2013, 8, 1, 14, 53, 22)],
    ['2013-09-01T14:53:22.123456Z', Date.UTC(2013, 8, 1, 14, 53, 22, 123)],
    ['2013-09-01 14:53:22', Date.UTC(2013, 8, 1, 14, 53, 22)],
    ['2013-09-01T14:53:22+0000', Date.UTC(2013, 8, 1, 14, 53, 22)],
    ['2013', undefined],
    ['48', undefined],
    ['', undefined],
  ])('"%s" is UTC', (text, ms) => {
    expect(openStackTime(text)).toBe(ms)
  })
})
