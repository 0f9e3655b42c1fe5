import { expect, it } from 'vitest'
import { scrapeTimeoutMs } from './scrape-timeout.ts'

it.each([
  [undefined, 9500],
  ['10', 9500],
  ['5.000000', 4500],
  ['0.2', 500],
  ['0', 9500],
  ['soon', 9500],
  ['-3', 9500],
])('Prometheus that waits %s s has its answer after %d ms', (header, ms) =>
  expect(scrapeTimeoutMs(header)).toBe(ms),
)
