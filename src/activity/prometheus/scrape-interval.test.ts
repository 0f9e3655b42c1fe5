import { expect, it } from 'vitest'
import { scrapeIntervalOf } from './scrape-interval.ts'

const series = (times: readonly number[]) => [{ labels: {}, times, values: times }]
const every = (step: number, count: number, late = 0) =>
  Array.from({ length: count }, (_, i) => late + i * step)

it('is the time between two scrapes, though some were lost', () => {
  expect(scrapeIntervalOf(series(every(30, 60)))).toBe(30)
  expect(scrapeIntervalOf(series(every(30, 60).filter((t) => t < 300 || t > 900)))).toBe(30)
})

it('is as long as the samples are many where two servers write into one series', () => {
  const both = [...every(30, 60), ...every(30, 60, 0.4)].toSorted((a, b) => a - b)
  expect(scrapeIntervalOf(series(both))).toBeCloseTo(15, 9)
})

it('is unknown of fewer than four samples', () => {
  expect(scrapeIntervalOf(series([0, 30, 60]))).toBeUndefined()
  expect(scrapeIntervalOf(series([0, 30, 60, 90]))).toBe(30)
})
