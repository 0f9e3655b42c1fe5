import { expect, it } from 'vitest'
import { play, writeScript } from './script.ts'

/** Trouble in each of the short runs; the calm that follows is as long as ever. */
const HOURS = 1.25

/** A test for each seed. A failure prints how to shrink it. */
export function playSeeds(first: number, count: number, options: { replacing?: true } = {}): void {
  const seeds = Array.from({ length: count }, (_, i) => first + i)
  it.each(seeds)('seed %i breaks no promise', async (seed) => {
    const { violations, notes } = await play(writeScript(seed, HOURS, options))
    const replay = `npm run simulate -- --seeds 1 --seed ${seed} --hours ${HOURS}${options.replacing ? ' --replacing' : ''}`
    const story = violations.length === 0 ? [] : [replay, ...notes.slice(-30)]
    expect([...violations.map((v) => `${v.oracle}: ${v.what}`), ...story]).toEqual([])
  })
}
