import { expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createBackoff } from './backoff.ts'

function backoff(random: () => number) {
  const clock = createVirtualClock()
  return {
    clock,
    wait: createBackoff({ firstMs: 800, maxMs: 30_000, resetAfterMs: 120_000, clock, random }),
  }
}

it('doubles up to the longest wait', () => {
  const { wait } = backoff(() => 1)

  expect(Array.from({ length: 8 }, () => wait.next())).toEqual([
    800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000,
  ])
})

it('spreads callers over half of the step', () => {
  expect(backoff(() => 0).wait.next()).toBe(400)
})

it('does not begin again before two healthy minutes', async () => {
  const { clock, wait } = backoff(() => 1)
  wait.next()

  await clock.advance(120_000)
  expect(wait.next()).toBe(1600)

  await clock.advance(1600 + 120_000)
  expect(wait.next()).toBe(800)
})
