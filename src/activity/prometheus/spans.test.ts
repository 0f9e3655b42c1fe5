import { expect, it } from 'vitest'
import type { WindowAnswer } from '../types.ts'
import { byWindow, createSpans, isAligned, spanQuery } from './spans.ts'

const WINDOW = 1800
const DAY = 86_400
const THROUGH = 14 * DAY

/** Reads two weeks window by window; gives the ends of each span that was read. */
async function readAll(
  fleet: number,
  refuse: (ends: readonly number[]) => boolean = () => false,
): Promise<{ readonly spans: (readonly number[])[]; readonly alone: number[] }> {
  const spans: (readonly number[])[] = []
  const alone: number[] = []
  const reader = createSpans((_, ends) => {
    spans.push(ends)
    if (refuse(ends)) return Promise.reject(new Error('refused'))
    const answer: WindowAnswer = { kind: 'Answer', volumes: new Map(), warnings: [] }
    return Promise.resolve(new Map(ends.map((end) => [end, answer])))
  })
  const history = { volumeIds: ['a'], throughSeconds: THROUGH }
  for (let end = WINDOW; end <= THROUGH; end += WINDOW) {
    const query = { endSeconds: end, windowSeconds: WINDOW, history }
    if ((await reader.window(query, fleet)) === undefined) alone.push(end)
  }
  return { spans, alone }
}

it('two weeks of one volume are a span per day', async () => {
  const { spans, alone } = await readAll(1)
  expect(spans.map((ends) => ends.length)).toEqual(new Array(14).fill(48))
  expect(alone).toEqual([])
})

it('of a large fleet it is a part of a day, so that no answer grows without bound', async () => {
  const { spans } = await readAll(2000)
  expect(Math.max(...spans.map((ends) => ends.length))).toBe(10)
})

it('a fleet that is too large for two windows at once is asked window by window', async () => {
  const { spans, alone } = await readAll(15_000)
  expect(spans).toEqual([])
  expect(alone).toHaveLength(14 * 48)
})

it('a server that never answers a span costs few questions beside the windows', async () => {
  const { spans, alone } = await readAll(1, () => true)
  expect(alone).toHaveLength(14 * 48)
  expect(spans.length).toBeLessThanOrEqual(12)
})

it('a day that is refused is read in parts, and whole days follow it', async () => {
  const bad = 5 * DAY + WINDOW
  const { spans, alone } = await readAll(1, (ends) => ends.includes(bad))
  expect(alone.length).toBeLessThanOrEqual(16)
  expect(spans.at(-1)!.length).toBeGreaterThan(10)
  expect(spans.length).toBeLessThan(40)
})

it('gives each window its own points, and leaves out the left end that version 2 adds', () => {
  const series = [{ labels: { volume_id: 'a' }, times: [0, 1800, 3600], values: [7, 8, 9] }]
  const found = byWindow(series, [1800, 3600])
  expect([...found.keys()]).toEqual([1800, 3600])
  expect(found.get(1800)).toEqual([{ labels: { volume_id: 'a' }, timeSeconds: 1800, value: 8 }])
})

it('refuses steps that are no ends of windows', () => {
  const series = (time: number) => [{ labels: {}, times: [time], values: [1] }]
  expect(isAligned(series(3600), WINDOW)).toBe(true)
  expect(isAligned(series(3601), WINDOW)).toBe(false)
})

it('asks with one subquery whose steps are the ends of the windows', () => {
  expect(spanQuery('sum(x)', [1800, 3600], WINDOW)).toBe('(sum(x))[3600s:1800s]')
})
