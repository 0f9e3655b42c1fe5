import type { Config } from '../../api/config.ts'

export type TaskName = keyof Config['tasks']

/** A row of the table: something the leader does again and again. */
export type Task = {
  readonly name: TaskName
  /** ms between the end of a run and the next one; asked before each, since config.yaml may change. */
  readonly every: () => number
  /** Share of `every` by which a turn comes sooner or later, so that installations do not ask their cloud in step. */
  readonly jitter: number
  /** A new leader has done it before the table starts. */
  readonly isDoneAtStart: boolean
  /** Throws when it failed. */
  readonly run: (signal: AbortSignal) => Promise<void> | void
}

/** What is known of one task. Times ms since the epoch; those of runs are of this leader's term. */
export type TaskState = {
  readonly name: TaskName
  readonly everyMs: number
  readonly runningSince?: number
  /** When its last run that has ended began. */
  readonly lastRunAt?: number
  readonly durationMs?: number
  readonly lastSuccessAt?: number
  /** In this leader's term. */
  readonly failures: number
  /** Why the last run failed; undefined when it did not. */
  readonly error?: string
  /** undefined while it runs. */
  readonly nextRunAt?: number
}
