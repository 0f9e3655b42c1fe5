import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { readHistory } from './history.ts'
import type { HistoryOptions } from './history.ts'
import type { ActivitySource, WindowAnswer, WindowQuery } from './types.ts'

const NOW = 1_767_225_600
const ANSWER: WindowAnswer = { kind: 'Answer', volumes: new Map(), warnings: [] }

function setup(answer: (query: WindowQuery) => WindowAnswer = () => ANSWER) {
  const clock = createVirtualClock(NOW * 1000)
  const asked: { end: number; atMs: number }[] = []
  const source: ActivitySource = {
    name: 'scripted',
    lagSeconds: 60,
    window: (query) => {
      asked.push({ end: query.endSeconds, atMs: clock.monotonic() })
      return Promise.resolve(answer(query))
    },
  }
  const handed: number[] = []
  const read = async (options: Partial<HistoryOptions>) => {
    const result = readHistory(source, {
      fromSeconds: NOW - 7200,
      toSeconds: NOW,
      windowSeconds: 1800,
      pauseMs: 1000,
      clock,
      onWindow: (end) => void handed.push(end),
      ...options,
    })
    await clock.advance(60_000)
    return result
  }
  return { read, asked, handed, clock }
}

describe('re-reading history', () => {
  it('hands over every whole window that is complete, oldest first, with a pause between', async () => {
    const { read, asked, handed } = setup()

    // the window that ends now is not complete before the lag of 60 s has passed
    expect(await read({})).toEqual({ kind: 'Done', throughSeconds: NOW - 1800 })
    expect(handed).toEqual([NOW - 5400, NOW - 3600, NOW - 1800])
    expect(asked.map((a) => a.atMs)).toEqual([0, 1000, 2000])
  })

  it('asks for windows aligned to the epoch, wherever it starts', async () => {
    const { read, handed } = setup()
    await read({ fromSeconds: NOW - 7000 })

    expect(handed).toEqual([NOW - 3600, NOW - 1800])
  })

  it('goes on after an outage where it stopped, without a gap or a repetition', async () => {
    let down = true
    const { read, handed } = setup((query) =>
      down && query.endSeconds === NOW - 3600 ? { kind: 'Down', why: 'gone' } : ANSWER,
    )
    const toSeconds = NOW - 1800
    const first = await read({ toSeconds })
    down = false
    const second = await read({ fromSeconds: first.throughSeconds, toSeconds })

    expect(first).toEqual({ kind: 'Down', why: 'gone', throughSeconds: NOW - 5400 })
    expect(second).toEqual({ kind: 'Done', throughSeconds: NOW - 1800 })
    expect(handed).toEqual([NOW - 5400, NOW - 3600, NOW - 1800])
  })

  it('stops during a pause when it is aborted', async () => {
    const stop = new AbortController()
    const { read, handed, clock } = setup()
    const result = await read({
      signal: stop.signal,
      onWindow: (end) => (handed.push(end), stop.abort()),
    })

    expect(result).toEqual({ kind: 'Aborted', throughSeconds: NOW - 5400 })
    expect(clock.pending).toBe(0)
  })

  it('does not hand over an answer that came after the abort', async () => {
    const stop = new AbortController()
    const { read, handed } = setup(() => (stop.abort(), { kind: 'Down', why: 'aborted' }))

    expect(await read({ signal: stop.signal })).toEqual({
      kind: 'Aborted',
      throughSeconds: NOW - 7200,
    })
    expect(handed).toEqual([])
  })

  it('has nothing to do when the range holds no whole window', async () => {
    const { read, asked } = setup()

    expect(await read({ fromSeconds: NOW - 1900 })).toEqual({
      kind: 'Done',
      throughSeconds: NOW - 1900,
    })
    expect(asked).toEqual([])
  })

  it('waits for the consumer before it asks for the next window', async () => {
    const { read, asked, clock } = setup()
    await read({
      pauseMs: 0,
      onWindow: () => new Promise((resolve) => void clock.setTimer(5000, resolve)),
    })

    expect(asked.map((a) => a.atMs)).toEqual([0, 5000, 10_000])
  })
})
