import type { Registry } from '../metrics.ts'
import { counter, gauge, histogram, sampledGauge } from './metrics.ts'

export type Outcome = 'success' | 'error' | 'requeue_after' | 'terminal_error'

type Running = { readonly depth: () => number; readonly ages: () => readonly number[] }

const BUCKETS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1000]

/** The names that stock dashboards of controllers know, for the queue `name`. Times in seconds. */
export function queueMetrics(registry: Registry, name: string, running: Running) {
  return { ...queueSide(registry, name, running), ...handlerSide(registry, name, running) }
}

function queueSide(registry: Registry, name: string, { depth, ages }: Running) {
  const labels = ['name']
  const own = { name }
  sampledGauge(
    registry,
    'workqueue_depth',
    'Keys that are ready and wait for a free handler.',
    labels,
    (g) => g.set(own, depth()),
  )
  sampledGauge(
    registry,
    'workqueue_unfinished_work_seconds',
    'Time that running handlers have taken so far, summed.',
    labels,
    (g) =>
      g.set(
        own,
        ages().reduce((sum, age) => sum + age, 0),
      ),
  )
  sampledGauge(
    registry,
    'workqueue_longest_running_processor_seconds',
    'Time that the oldest running handler has taken so far.',
    labels,
    (g) => g.set(own, Math.max(0, ...ages())),
  )
  const adds = counter(
    registry,
    'workqueue_adds_total',
    'Keys that were added to the queue.',
    labels,
  )
  const retries = counter(
    registry,
    'workqueue_retries_total',
    'Keys that were tried again after a failure.',
    labels,
  )
  const waited = histogram(
    registry,
    'workqueue_queue_duration_seconds',
    'Time that a key waited for a free handler.',
    labels,
    BUCKETS,
  )
  const worked = histogram(
    registry,
    'workqueue_work_duration_seconds',
    'Time that handling a key took.',
    labels,
    BUCKETS,
  )
  return {
    added: () => adds.inc(own),
    retried: () => retries.inc(own),
    waited: (seconds: number) => waited.observe(own, seconds),
    worked: (seconds: number) => worked.observe(own, seconds),
  }
}

function handlerSide(registry: Registry, controller: string, { ages }: Running) {
  const own = { controller }
  const labels = ['controller']
  const prefix = 'controller_runtime_'
  const total = counter(registry, `${prefix}reconcile_total`, 'Keys handled, by result.', [
    'controller',
    'result',
  ])
  const errors = counter(
    registry,
    `${prefix}reconcile_errors_total`,
    'Keys whose handling failed.',
    labels,
  )
  const terminal = counter(
    registry,
    `${prefix}terminal_reconcile_errors_total`,
    'Keys whose handling failed for good: they are not tried again.',
    labels,
  )
  const time = histogram(
    registry,
    `${prefix}reconcile_time_seconds`,
    'Time that handling a key took.',
    labels,
    BUCKETS,
  )
  const most = gauge(
    registry,
    `${prefix}max_concurrent_reconciles`,
    'Keys that may be handled at once.',
    labels,
  )
  sampledGauge(
    registry,
    `${prefix}active_workers`,
    'Keys that are being handled now.',
    labels,
    (g) => g.set(own, ages().length),
  )
  return {
    concurrency: (n: number) => most.set(own, n),
    reconciled: (outcome: Outcome, seconds: number) => {
      const failed = outcome === 'error' || outcome === 'terminal_error'
      total.inc({ ...own, result: failed ? 'error' : outcome })
      time.observe(own, seconds)
      if (failed) errors.inc(own)
      if (outcome === 'terminal_error') terminal.inc(own)
    },
  }
}
