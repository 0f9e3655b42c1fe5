import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import { yieldToEventLoop } from '../clock.ts'
import { queueMetrics } from './queue-metrics.ts'
import type { Outcome } from './queue-metrics.ts'
import { createRetryLimiter } from './retry-limiter.ts'
import type { QueueResult, WorkQueue } from './types.ts'

export type Priority = 'user' | 'background'

export type WorkQueueOptions = {
  /** Label of the metrics, field of the log. */
  readonly name: string
  /** `stopping` is aborted when no new work is begun; a long handler ends at its next safe point. */
  readonly handler: (key: string, stopping: AbortSignal) => Promise<QueueResult>
  /** Handlers at a time. Default 1. */
  readonly concurrency?: number
  readonly clock: Clock
  readonly log: Log
  readonly metrics?: Registry
}

const KEYS_PER_TURN = 250

type Ready = { readonly since: number }
type Waiting = { readonly at: number; readonly timer: Timer; readonly priority: Priority }

/**
 * Keys to handle, each by one handler at a time. A key added again while it is ready is one; while it is handled, it is
 * handled once more afterwards. `user` keys go before `background` ones.
 */
export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { name, handler, concurrency = 1, clock } = options
  const log = options.log.child({ queue: name })
  const ready = { user: new Map<string, Ready>(), background: new Map<string, Ready>() }
  const waiting = new Map<string, Waiting>()
  const processing = new Map<string, { readonly since: number; readonly priority: Priority }>()
  const again = new Map<string, Priority>()
  const limiter = createRetryLimiter(clock)
  const seconds = (since: number) => (clock.monotonic() - since) / 1000
  const metrics =
    options.metrics &&
    queueMetrics(options.metrics, name, {
      depth: () => length(),
      ages: () => Array.from(processing.values(), ({ since }) => seconds(since)),
    })
  metrics?.concurrency(concurrency)
  let handledKeys = 0
  let stopping: AbortSignal | undefined
  let drained: (() => void) | undefined

  const length = () => ready.user.size + ready.background.size

  const add = (key: string, priority: Priority) => {
    metrics?.added()
    if (processing.has(key)) {
      if (again.get(key) !== 'user') again.set(key, priority)
      return
    }
    enqueue(key, priority)
    pump()
  }

  const enqueue = (key: string, priority: Priority) => {
    if (ready.user.has(key)) return
    const before = ready.background.get(key)
    if (before && priority === 'background') return
    ready.background.delete(key)
    ready[priority].set(key, before ?? { since: clock.monotonic() })
  }

  const addAfter = (key: string, ms: number, priority: Priority) => {
    if (stopping?.aborted) return
    const at = clock.monotonic() + ms
    const before = waiting.get(key)
    if (before && before.at <= at) return
    before?.timer.cancel()
    if (ms <= 0) {
      waiting.delete(key)
      add(key, priority)
      return
    }
    const timer = clock.setTimer(ms, () => {
      waiting.delete(key)
      add(key, priority)
    })
    waiting.set(key, { at, timer, priority })
  }

  const take = (): readonly [string, Ready, Priority] | undefined => {
    for (const priority of ['user', 'background'] as const)
      for (const [key, entry] of ready[priority]) {
        ready[priority].delete(key)
        return [key, entry, priority]
      }
    return undefined
  }

  const pump = () => {
    while (stopping && !stopping.aborted && processing.size < concurrency) {
      const next = take()
      if (!next) return
      const [key, { since }, priority] = next
      metrics?.waited(seconds(since))
      processing.set(key, { since: clock.monotonic(), priority })
      void work(key, priority, stopping)
    }
  }

  const work = async (key: string, priority: Priority, signal: AbortSignal) => {
    const since = clock.monotonic()
    const outcome = await handled(key, priority, signal)
    metrics?.worked(seconds(since))
    metrics?.reconciled(outcome, seconds(since))
    // handlers that find nothing to do would keep the event loop for as long as the queue is
    if (++handledKeys % KEYS_PER_TURN === 0) await yieldToEventLoop()
    processing.delete(key)
    const next = again.get(key)
    again.delete(key)
    if (next) enqueue(key, next)
    pump()
    if (processing.size === 0) drained?.()
  }

  const handled = async (
    key: string,
    priority: Priority,
    signal: AbortSignal,
  ): Promise<Outcome> => {
    try {
      const result = await handler(key, signal)
      limiter.forget(key)
      if (result.kind === 'requeue') addAfter(key, result.afterMs, priority)
      if (result.kind !== 'terminal') return result.kind === 'done' ? 'success' : 'requeue_after'
      log.error({ key, error: messageOf(result.error) }, 'will not be tried again')
      return 'terminal_error'
    } catch (e) {
      const waitMs = Math.round(limiter.next(key))
      metrics?.retried()
      log.warn({ key, error: messageOf(e), waitMs }, 'will be tried again')
      addAfter(key, waitMs, priority)
      return 'error'
    }
  }

  const stop = () => {
    for (const { timer } of waiting.values()) timer.cancel()
    waiting.clear()
    if (processing.size === 0) drained?.()
  }

  return {
    add: (key, { priority = 'user' } = {}) => add(key, priority),
    addAfter: (key, ms) => addAfter(key, ms, 'user'),
    run: async (signal) => {
      stopping = signal
      const { promise, resolve } = Promise.withResolvers<void>()
      drained = () => {
        if (signal.aborted) resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
      pump()
      await promise
    },
    get length() {
      return length()
    },
  }
}
