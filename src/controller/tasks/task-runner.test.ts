import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { LostLeaseError } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import type { Task, TaskName } from './task.ts'
import { TaskRunner } from './task-runner.ts'

const MINUTE = 60_000

type Row = Partial<Task> & Pick<Task, 'name' | 'run'>

/** A table at work on a clock of its own, with everything it reports. */
function table(rows: readonly Row[], random: () => number = () => 0.5) {
  const clock = createVirtualClock(Date.UTC(2026, 0, 20))
  const logged: string[] = []
  const news: TaskName[] = []
  const note = (fields: object, message = '') =>
    void logged.push(`${message}: ${Object.values(fields).slice(0, 2).join(' ')}`)
  const stop = new AbortController()
  const runner = new TaskRunner({
    tasks: rows.map((row) => ({
      every: () => 5 * MINUTE,
      jitter: 0.1,
      isDoneAtStart: false,
      ...row,
    })),
    clock,
    random,
    log: { info: note, warn: note } as unknown as Log,
    onRun: () => {},
    onNews: (name) => void news.push(name),
  })
  const state = (name: TaskName) => runner.states().find((s) => s.name === name)!
  return { clock, runner, logged, news, state, stop, ended: runner.run(stop.signal) }
}

/** Counts its runs, and fails while `why` says so. */
function counted(name: TaskName, why: () => string | undefined = () => undefined) {
  const row = {
    name,
    runs: 0,
    run: () => {
      row.runs += 1
      const problem = why()
      if (problem !== undefined) throw new Error(problem)
    },
  }
  return row
}

describe('turns', () => {
  it('runs a task at once, and then in its own time', async () => {
    const task = counted('halts')
    const { clock } = table([task])
    await clock.advance(1)
    expect(task.runs).toBe(1)
    await clock.advance(5 * MINUTE - 1000)
    expect(task.runs).toBe(1)
    await clock.advance(2000)
    expect(task.runs).toBe(2)
  })

  it('does not run at once what the start of the leader has done already', async () => {
    const task = counted('resources')
    const { clock, state } = table([{ ...task, isDoneAtStart: true, run: task.run }])
    await clock.advance(4 * MINUTE)
    expect(task.runs).toBe(0)
    const start = Date.UTC(2026, 0, 20)
    expect(state('resources')).toMatchObject({ lastRunAt: start, lastSuccessAt: start })
    await clock.advance(MINUTE + 1000)
    expect(task.runs).toBe(1)
  })

  it.each([
    [0, 4.5],
    [0.999, 5.5],
  ])('comes sooner or later by its jitter: %d', async (random, minutes) => {
    const task = counted('halts')
    const { clock } = table([task], () => random)
    await clock.advance(minutes * MINUTE - 1000)
    expect(task.runs).toBe(1)
    await clock.advance(2000)
    expect(task.runs).toBe(2)
  })

  it('goes by a time that was changed in between, without a restart', async () => {
    let every = 24 * 60 * MINUTE
    const task = counted('types')
    const { clock, state } = table([{ ...task, run: task.run, every: () => every }])
    await clock.advance(10 * MINUTE)
    expect(task.runs).toBe(1)
    every = 12 * MINUTE
    await clock.advance(3 * MINUTE)
    expect(task.runs).toBe(2)
    expect(state('types').everyMs).toBe(12 * MINUTE)
  })

  it('runs at once when it is asked for, and once more when that happens during a run', async () => {
    let runs = 0
    const run = async () => {
      runs += 1
      await new Promise<void>((resolve) => clock.setTimer(MINUTE, resolve))
    }
    const { clock, runner } = table([{ name: 'halts', run, isDoneAtStart: true }])
    await clock.advance(1)
    runner.kick('halts')
    await clock.advance(1)
    expect(runs).toBe(1)
    runner.kick('halts')
    await clock.advance(1000)
    expect(runs).toBe(1)
    await clock.advance(MINUTE)
    expect(runs).toBe(2)
    await clock.advance(2 * MINUTE)
    expect(runs).toBe(2)
  })

  it('can be run once by hand before the table starts its rounds', async () => {
    const task = counted('approvals', () => 'no answer')
    const clock = createVirtualClock(0)
    const runner = new TaskRunner({
      tasks: [
        { every: () => MINUTE, jitter: 0, isDoneAtStart: false, name: 'approvals', run: task.run },
      ],
      clock,
      random: () => 0.5,
      log: { warn: () => {} } as unknown as Log,
      onRun: () => {},
      onNews: () => {},
    })
    await runner.once('approvals', new AbortController().signal)
    expect(task.runs).toBe(1)
    expect(runner.states()[0]).toMatchObject({ failures: 1, error: 'no answer' })
  })
})

describe('a task that fails', () => {
  it('is tried again after 30 s, then after longer pauses, and never later than its turn', async () => {
    const task = counted('resources', () => 'Cinder is down')
    const { clock } = table([task])
    const runsAfter = async (ms: number) => {
      await clock.advance(ms)
      return task.runs
    }
    expect(await runsAfter(1000)).toBe(1)
    expect(await runsAfter(30_000)).toBe(2)
    expect(await runsAfter(60_000)).toBe(3)
    expect(await runsAfter(2 * MINUTE)).toBe(4)
    expect(await runsAfter(4 * MINUTE)).toBe(5)
    // 8 min would be next
    expect(await runsAfter(5 * MINUTE)).toBe(6)
  })

  it('is logged once for each error, counted each time, and reported when it works again', async () => {
    let why: string | undefined = 'no route (request id req-1234567890)'
    const task = counted('resources', () => why)
    const { clock, logged, news, state } = table([task])
    await clock.advance(5 * MINUTE)
    why = 'no route (request id req-0987654321)'
    await clock.advance(5 * MINUTE)
    expect(logged).toHaveLength(1)
    expect(state('resources')).toMatchObject({ failures: 5, error: 'no route' })
    expect(state('resources').lastSuccessAt).toBeUndefined()
    why = '503'
    await clock.advance(10 * MINUTE)
    why = undefined
    await clock.advance(10 * MINUTE)
    expect(logged).toEqual([
      expect.stringContaining('failed: resources no route'),
      expect.stringContaining('failed: resources 503'),
      'a scheduled task works again: resources',
    ])
    expect(state('resources').error).toBeUndefined()
    expect(news).toEqual(['resources', 'resources', 'resources'])
  })

  it('keeps none of the others, and not the process', async () => {
    const bad = counted('resources', () => 'broken')
    const good = counted('halts')
    const { clock } = table([bad, good])
    await clock.advance(11 * MINUTE)
    expect(good.runs).toBe(3)
  })

  it('has not failed when the lease was lost under it', async () => {
    const run = () => {
      throw new LostLeaseError('gone')
    }
    const { clock, logged, state } = table([{ name: 'orphans', run }])
    await clock.advance(MINUTE)
    expect(state('orphans').failures).toBe(0)
    expect(logged).toEqual([])
  })
})

describe('a task that hangs', () => {
  it('shows since when it runs, is reported once, and keeps none of the others', async () => {
    const hangs: Row = { name: 'resources', run: () => new Promise(() => {}) }
    const good = counted('halts')
    const { clock, logged, state } = table([hangs, good])
    await clock.advance(31 * MINUTE)
    expect(good.runs).toBe(7)
    expect(state('resources')).toMatchObject({ runningSince: Date.UTC(2026, 0, 20), failures: 0 })
    expect(state('resources').nextRunAt).toBeUndefined()
    expect(logged).toEqual([expect.stringContaining('has not ended yet: resources')])
  })

  it('has not run for long because the wall clock was set forward', async () => {
    const hangs: Row = { name: 'resources', run: () => new Promise(() => {}) }
    const { clock, logged } = table([hangs])
    await clock.advance(1000)
    clock.jumpWall(2 * 60 * MINUTE)
    await clock.advance(2 * MINUTE)
    expect(logged).toEqual([])
  })
})

it('ends with its term, after the run under way, which hears of it', async () => {
  let isCut = false
  const run = (signal: AbortSignal) =>
    new Promise<void>((_, reject) =>
      signal.addEventListener('abort', () => {
        isCut = true
        clock.setTimer(1000, () => reject(new Error('cut')))
      }),
    )
  const { clock, stop, ended, state } = table([{ name: 'resources', run }])
  await clock.advance(1)
  stop.abort()
  let isOver = false
  void ended.then(() => (isOver = true))
  await clock.advance(500)
  expect([isCut, isOver]).toEqual([true, false])
  await clock.advance(1000)
  expect(isOver).toBe(true)
  expect(state('resources').failures).toBe(0)
})

it('a task that runs once a day is soon there again when what it needs is', async () => {
  let why: string | undefined = 'Cinder is away'
  const task = counted('resources', () => why)
  const { clock, state } = table([{ ...task, run: task.run, every: () => 24 * 60 * MINUTE }])
  await clock.advance(10 * 60 * MINUTE)
  why = undefined
  await clock.advance(6 * MINUTE)
  expect(state('resources').error).toBeUndefined()
})
