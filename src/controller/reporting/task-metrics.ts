import { Counter, Gauge } from 'prom-client'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import type { TaskState } from '../tasks/task.ts'

/** The table of scheduled tasks as the leader works through it. */
export class TaskMetrics {
  readonly #interval: Gauge
  readonly #lastRun: Gauge
  readonly #duration: Gauge
  readonly #lastSuccess: Gauge
  readonly #failures: Counter
  readonly #counted = new Map<string, number>()

  constructor(registry: Registry) {
    const gauge = (name: string, help: string) =>
      new Gauge({ name: METRIC_PREFIX + name, help, labelNames: ['task'], registers: [registry] })
    this.#interval = gauge(
      'task_interval_seconds',
      'Time between two runs of a scheduled task (tasks.<name>.every in config.yaml).',
    )
    this.#lastRun = gauge(
      'task_last_run_timestamp_seconds',
      'When the last run of a scheduled task began, whether it has ended or not.',
    )
    this.#duration = gauge(
      'task_duration_seconds',
      'How long the last run of a scheduled task that has ended took.',
    )
    this.#lastSuccess = gauge(
      'task_last_success_timestamp_seconds',
      'When a scheduled task last ended without a failure.',
    )
    this.#failures = new Counter({
      name: `${METRIC_PREFIX}task_failures_total`,
      help: 'Runs of a scheduled task that failed; the next one comes after 30 s, then after ever longer pauses up to 5 minutes, or its usual time where that is shorter.',
      labelNames: ['task'],
      registers: [registry],
    })
  }

  show(state: TaskState): void {
    const { name: task, everyMs, runningSince, lastRunAt, durationMs, lastSuccessAt } = state
    this.#interval.set({ task }, everyMs / 1000)
    const began = runningSince ?? lastRunAt
    if (began !== undefined) this.#lastRun.set({ task }, began / 1000)
    if (durationMs !== undefined) this.#duration.set({ task }, durationMs / 1000)
    if (lastSuccessAt !== undefined) this.#lastSuccess.set({ task }, lastSuccessAt / 1000)
    this.#failures.inc({ task }, state.failures - (this.#counted.get(task) ?? 0))
    this.#counted.set(task, state.failures)
  }
}
