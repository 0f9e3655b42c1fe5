import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import type { QueueResult } from './types.ts'
import { createWorkQueue } from './workqueue.ts'

const done: QueueResult = { kind: 'done' }

type Handler = (key: string, n: number) => QueueResult | Promise<QueueResult>

function queue(handler: Handler, more: { concurrency?: number } = {}) {
  const clock = createVirtualClock()
  const metrics = createRegistry()
  const handled: { key: string; at: number }[] = []
  const q = createWorkQueue({
    name: 'mover',
    handler: async (key) => {
      handled.push({ key, at: clock.monotonic() })
      return handler(key, handled.length - 1)
    },
    clock,
    log: silentLog,
    metrics,
    ...more,
  })
  const stopper = new AbortController()
  const start = () => q.run(stopper.signal)
  return {
    clock,
    metrics,
    q,
    handled,
    start,
    stop: () => stopper.abort(),
    keys: () => handled.map((h) => h.key),
  }
}

/** A handler whose ends the test decides, in order of their beginnings. */
function held() {
  const ends: (() => void)[] = []
  const handler: Handler = () => new Promise((resolve) => ends.push(() => resolve(done)))
  return { handler, end: () => ends.shift()!() }
}

describe('a key', () => {
  it('added many times before it is handled is handled once', async () => {
    const { q, start, clock, keys } = queue(() => done)
    for (let i = 0; i < 5; i++) q.add('a')
    expect(q.length).toBe(1)
    void start()
    await clock.settle()

    expect(keys()).toEqual(['a'])
    expect(q.length).toBe(0)
  })

  it('added while it is handled is handled once more afterwards, never at the same time', async () => {
    const { handler, end } = held()
    const { q, start, clock, keys } = queue(handler, { concurrency: 4 })
    void start()
    q.add('a')
    await clock.settle()
    for (let i = 0; i < 3; i++) q.add('a')
    await clock.settle()
    expect(keys()).toEqual(['a'])
    end()
    await clock.settle()
    expect(keys()).toEqual(['a', 'a'])
    end()
    await clock.settle()

    expect(keys()).toEqual(['a', 'a'])
  })

  it('of a user goes before those in the background, also when it was among them', async () => {
    const { q, start, clock, keys } = queue(() => done)
    for (const key of ['a', 'b', 'c']) q.add(key, { priority: 'background' })
    q.add('u')
    q.add('c', { priority: 'user' })
    q.add('u', { priority: 'background' })
    void start()
    await clock.settle()

    expect(keys()).toEqual(['u', 'c', 'a', 'b'])
  })
})

describe('at a time', () => {
  it('there are as many handlers as allowed', async () => {
    const { handler, end } = held()
    const { q, start, clock, keys } = queue(handler, { concurrency: 2 })
    void start()
    for (const key of ['a', 'b', 'c']) q.add(key)
    await clock.settle()
    expect(keys()).toEqual(['a', 'b'])
    end()
    await clock.settle()

    expect(keys()).toEqual(['a', 'b', 'c'])
  })
})

describe('a failing handler', () => {
  it('is tried again after 5 ms, then twice as long each time, until it works', async () => {
    const { q, start, clock, handled } = queue((_, n) => {
      if (n < 4) throw new Error('not yet')
      return done
    })
    void start()
    q.add('a')
    await clock.advance(10_000)

    expect(handled.map((h) => h.at)).toEqual([0, 5, 15, 35, 75])
  })

  it('that says it is of no use is not tried again until the key is added again', async () => {
    const { q, start, clock, keys } = queue(() => ({ kind: 'terminal', error: new Error('no') }))
    void start()
    q.add('a')
    await clock.advance(10_000_000)
    expect(keys()).toEqual(['a'])
    q.add('a')
    await clock.settle()

    expect(keys()).toEqual(['a', 'a'])
  })

  it('does not disturb other keys', async () => {
    const { q, start, clock, keys } = queue((key) => {
      if (key === 'bad') throw new Error('always')
      return done
    })
    void start()
    q.add('bad')
    q.add('good')
    await clock.settle()

    expect(keys()).toEqual(['bad', 'good'])
  })
})

describe('later', () => {
  it('a key that asks for it is handled again, without counting as a failure', async () => {
    const { q, start, clock, handled } = queue(() => ({ kind: 'requeue', afterMs: 15_000 }))
    void start()
    q.add('a')
    await clock.advance(45_000)

    expect(handled.map((h) => h.at)).toEqual([0, 15_000, 30_000, 45_000])
  })

  it('means the earliest of the times asked for, and once', async () => {
    const { q, start, clock, handled } = queue(() => done)
    void start()
    q.addAfter('a', 3_000)
    q.addAfter('a', 1_000)
    q.addAfter('a', 2_000)
    await clock.advance(10_000)

    expect(handled.map((h) => h.at)).toEqual([1_000])
  })

  it('is not forgotten because the key was handled for another reason meanwhile', async () => {
    const { q, start, clock, handled } = queue(() => done)
    void start()
    q.addAfter('a', 60_000)
    q.add('a')
    await clock.advance(60_000)

    expect(handled.map((h) => h.at)).toEqual([0, 60_000])
  })
})

describe('the end', () => {
  it('waits for running handlers, begins nothing new and leaves no timer', async () => {
    const { handler, end } = held()
    const { q, start, stop, clock, keys } = queue(handler)
    let ended = false
    const run = start().then(() => (ended = true))
    q.add('a')
    q.add('b')
    q.addAfter('c', 5_000)
    await clock.settle()
    stop()
    q.add('a')
    await clock.advance(60_000)
    expect(ended).toBe(false)
    end()
    await run

    expect(keys()).toEqual(['a'])
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer of a handler that failed meanwhile', async () => {
    const { q, start, stop, clock } = queue(() => {
      stop()
      throw new Error('late')
    })
    const run = start()
    q.add('a')
    await run

    expect(clock.pending).toBe(0)
  })

  it.each(['before', 'while idle'])('comes at once when notified %s', async (when) => {
    const { start, stop, clock } = queue(() => done)
    if (when === 'before') stop()
    const run = start()
    await clock.settle()
    stop()

    await expect(run).resolves.toBeUndefined()
  })
})

it('never handles a key twice at once and never loses an add, whatever the order of things', async () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      key: fc.integer({ min: 0, max: 3 }),
      user: fc.boolean(),
    }),
    fc.record({
      do: fc.constant('after' as const),
      key: fc.integer({ min: 0, max: 3 }),
      ms: fc.nat(50),
    }),
    fc.record({ do: fc.constant('time' as const), ms: fc.nat(60) }),
  )
  const behaviour = fc.array(
    fc.tuple(fc.constantFrom('done', 'throw', 'requeue', 'terminal'), fc.nat(30)),
    { maxLength: 20 },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 30 }),
      behaviour,
      fc.integer({ min: 1, max: 3 }),
      async (steps, behaviours, concurrency) => {
        const clock = createVirtualClock()
        const running = new Set<string>()
        const asked = new Map<string, number>()
        const begun = new Map<string, number>()
        let n = 0
        let most = 0
        const q = createWorkQueue({
          name: 'p',
          concurrency,
          clock,
          log: silentLog,
          handler: async (key) => {
            expect(running.has(key)).toBe(false)
            running.add(key)
            begun.set(key, n)
            most = Math.max(most, running.size)
            const [kind, ms] = behaviours[n++] ?? ['done', 1]
            await new Promise<void>((resolve) => clock.setTimer(ms, resolve))
            running.delete(key)
            if (kind === 'throw') throw new Error('x')
            if (kind === 'requeue') return { kind, afterMs: ms }
            return kind === 'terminal' ? { kind, error: 'x' } : done
          },
        })
        const stop = new AbortController()
        const run = q.run(stop.signal)
        for (const s of steps) {
          if (s.do === 'time') await clock.advance(s.ms)
          else {
            asked.set(String(s.key), n)
            if (s.do === 'add') q.add(String(s.key), { priority: s.user ? 'user' : 'background' })
            else q.addAfter(String(s.key), s.ms)
          }
        }
        await clock.advance(2_000_000)

        // every add is followed by a beginning of its key that is not older than the add
        for (const [key, at] of asked) expect(begun.get(key)).toBeGreaterThanOrEqual(at)
        expect(most).toBeLessThanOrEqual(concurrency)
        expect([q.length, running.size]).toEqual([0, 0])
        stop.abort()
        await run
        expect(clock.pending).toBe(0)
      },
    ),
    { numRuns: 60 },
  )
})

it('reports itself under the names that dashboards know', async () => {
  const { q, start, clock, metrics } = queue((_, n) => {
    if (n === 0) throw new Error('x')
    return done
  })
  q.add('a')
  expect(await metrics.metrics()).toContain('workqueue_depth{name="mover"} 1')
  void start()
  await clock.advance(1_000)

  const text = await metrics.metrics()
  for (const line of [
    'workqueue_depth{name="mover"} 0',
    'workqueue_adds_total{name="mover"} 2',
    'workqueue_retries_total{name="mover"} 1',
    'workqueue_queue_duration_seconds_count{name="mover"} 2',
    'workqueue_work_duration_seconds_count{name="mover"} 2',
    'workqueue_unfinished_work_seconds{name="mover"} 0',
    'workqueue_longest_running_processor_seconds{name="mover"} 0',
    'controller_runtime_reconcile_total{controller="mover",result="error"} 1',
    'controller_runtime_reconcile_total{controller="mover",result="success"} 1',
    'controller_runtime_reconcile_errors_total{controller="mover"} 1',
    'controller_runtime_max_concurrent_reconciles{controller="mover"} 1',
    'controller_runtime_active_workers{controller="mover"} 0',
  ])
    expect(text).toContain(line)
})

it('a long queue of keys with nothing to do lets others run in between, and is handled whole', async () => {
  const { q, start, keys } = queue(() => done, { concurrency: 4 })
  for (let i = 0; i < 5000; i++) q.add(`claim-${i}`)
  void start()
  await new Promise((resolve) => setImmediate(resolve))
  const first = keys().length
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))

  expect(first).toBeGreaterThan(0)
  expect(first).toBeLessThan(2000)
  expect(keys()).toHaveLength(5000)
})
