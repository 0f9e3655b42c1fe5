import { expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createRetryLimiter } from './retry-limiter.ts'

it('doubles the wait of a key from 5 ms to 1000 s, and begins again when it works', () => {
  const limiter = createRetryLimiter(createVirtualClock())

  expect(Array.from({ length: 4 }, () => limiter.next('a'))).toEqual([5, 10, 20, 40])
  for (let i = 0; i < 50; i++) limiter.next('a')
  expect(limiter.next('a')).toBe(1_000_000)
  limiter.forget('a')
  expect(limiter.next('a')).toBe(5)
})

it('lets a hundred keys fail at once and then ten a second', async () => {
  const clock = createVirtualClock()
  const limiter = createRetryLimiter(clock)
  const waits = Array.from({ length: 120 }, (_, i) => limiter.next(`k${i}`))

  expect(waits.slice(0, 100).every((w) => w === 5)).toBe(true)
  expect(waits[100]).toBeCloseTo(100)
  expect(waits[119]).toBeCloseTo(2000)
  await clock.advance(12_000)
  expect(limiter.next('later')).toBe(5)
})

it('a key that fails for the first time waits half a minute at the most, however many others fail', () => {
  const limiter = createRetryLimiter(createVirtualClock())
  for (let i = 0; i < 20_000; i++) limiter.next(`k${i}`)
  expect(limiter.next('another')).toBeLessThanOrEqual(30_000)
})
