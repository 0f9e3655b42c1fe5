import { sleep } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { messageOf, stable } from '../../errors.ts'
import { LostLeaseError } from '../../kube/types.ts'
import type { Log } from '../../log.ts'
import type { Task, TaskName, TaskState } from './task.ts'

export type TaskRunnerParts = {
  readonly tasks: readonly Task[]
  readonly clock: Clock
  /** [0, 1). */
  readonly random: () => number
  readonly log: Log
  /** A run has begun or ended. */
  readonly onRun: (state: TaskState) => void
  /** A task began to fail, failed for another reason, works for the first time or again, or does not end. */
  readonly onNews: (name: TaskName) => void
}

/** First pause after a failure; doubles with each more, up to the longest or the task's own time. */
const FIRST_RETRY_MS = 30_000
/** Moves may wait for what has failed, however seldom it is done otherwise. */
const LONGEST_RETRY_MS = 5 * 60_000
/** config.yaml may give a task another time, and a run may hang: checked this often. */
const LONGEST_REST_MS = 60_000
/** A run that takes longer than its turn, and than this, is reported. */
const LONG_RUN_MS = 10 * 60_000

type Slot = {
  readonly task: Task
  /** Of the present turn: `every` is multiplied by it. */
  factor: number
  /** On the monotonic clock: its next turn is counted from here; undefined = at once. */
  from: number | undefined
  isAsked: boolean
  running: Promise<void> | undefined
  runningSince: number | undefined
  /** The same on the monotonic clock. */
  runningFrom: number
  isReported: boolean
  lastRunAt: number | undefined
  durationMs: number | undefined
  lastSuccessAt: number | undefined
  failures: number
  failedInARow: number
  error: string | undefined
}

/**
 * The only loop for periodic work. Each task runs by itself: one run at a time, and one that fails or hangs keeps none of the
 * others.
 */
export class TaskRunner {
  readonly #parts: TaskRunnerParts
  readonly #slots: ReadonlyMap<TaskName, Slot>
  #wake: () => void = () => {}

  constructor(parts: TaskRunnerParts) {
    this.#parts = parts
    this.#slots = new Map(parts.tasks.map((task) => [task.name, slotOf(task)]))
    for (const slot of this.#slots.values()) this.#draw(slot)
  }

  states(): readonly TaskState[] {
    return [...this.#slots.values()].map((slot) => this.#stateOf(slot))
  }

  /** Runs it at once, or once more right after the run under way. */
  kick(name: TaskName): void {
    this.#slot(name).isAsked = true
    this.#wake()
  }

  /** One run now, before `run` or beside it. Never throws. */
  async once(name: TaskName, signal: AbortSignal): Promise<void> {
    const slot = this.#slot(name)
    await slot.running
    await this.#start(slot, signal)
  }

  /** Until `signal` is aborted and every run under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    for (const slot of this.#slots.values()) if (slot.task.isDoneAtStart) this.#doneAtStart(slot)
    while (!signal.aborted) {
      for (const slot of this.#slots.values()) {
        if (slot.running === undefined && this.#waitMs(slot) <= 0) void this.#start(slot, signal)
        this.#reportLong(slot)
      }
      await this.#rest(signal)
    }
    await Promise.all([...this.#slots.values()].flatMap((slot) => slot.running ?? []))
  }

  #start(slot: Slot, signal: AbortSignal): Promise<void> {
    const { clock, onRun } = this.#parts
    slot.isAsked = false
    slot.isReported = false
    slot.runningSince = clock.now()
    slot.runningFrom = clock.monotonic()
    onRun(this.#stateOf(slot))
    slot.running = this.#attempt(slot, signal)
    return slot.running
  }

  /** Never throws. */
  async #attempt(slot: Slot, signal: AbortSignal): Promise<void> {
    const { clock, onRun } = this.#parts
    const startedAt = clock.now()
    let failure: { readonly error: unknown } | undefined
    try {
      await Promise.resolve().then(() => slot.task.run(signal))
    } catch (error) {
      failure = { error }
    }
    slot.running = undefined
    slot.runningSince = undefined
    slot.from = clock.monotonic()
    this.#draw(slot)
    // cut short: it neither worked nor failed
    if (signal.aborted || failure?.error instanceof LostLeaseError) return
    slot.lastRunAt = startedAt
    slot.durationMs = slot.from - slot.runningFrom
    if (failure === undefined) this.#worked(slot)
    else this.#failed(slot, failure.error)
    onRun(this.#stateOf(slot))
    this.#wake()
  }

  #worked(slot: Slot): void {
    const { clock, log, onNews } = this.#parts
    const { error, lastSuccessAt } = slot
    const { name } = slot.task
    slot.lastSuccessAt = clock.now()
    slot.failedInARow = 0
    slot.error = undefined
    if (error !== undefined) log.info({ task: name }, 'a scheduled task works again')
    if (error !== undefined || lastSuccessAt === undefined) onNews(name)
  }

  #failed(slot: Slot, e: unknown): void {
    const { log, onNews } = this.#parts
    const error = stable(messageOf(e))
    slot.failures += 1
    slot.failedInARow += 1
    if (slot.error === error) return
    slot.error = error
    const retryMs = Math.round(this.#waitMs(slot))
    log.warn({ task: slot.task.name, err: messageOf(e), retryMs }, 'a scheduled task failed')
    onNews(slot.task.name)
  }

  /** What the start has read counts as the first run. */
  #doneAtStart(slot: Slot): void {
    const { clock, onRun } = this.#parts
    slot.from ??= clock.monotonic()
    slot.lastRunAt ??= clock.now()
    slot.lastSuccessAt ??= clock.now()
    onRun(this.#stateOf(slot))
  }

  #reportLong(slot: Slot): void {
    const { clock, log, onNews } = this.#parts
    if (slot.runningSince === undefined || slot.isReported) return
    const ranMs = clock.monotonic() - slot.runningFrom
    if (ranMs < Math.max(LONG_RUN_MS, slot.task.every())) return
    slot.isReported = true
    log.warn({ task: slot.task.name, ranMs }, 'a scheduled task has not ended yet')
    onNews(slot.task.name)
  }

  #draw(slot: Slot): void {
    slot.factor = 1 - slot.task.jitter + 2 * slot.task.jitter * this.#parts.random()
  }

  /** ms until it is due. */
  #waitMs(slot: Slot): number {
    if (slot.isAsked || slot.from === undefined) return 0
    const usual = slot.task.every()
    const ms =
      slot.failedInARow === 0
        ? usual
        : Math.min(
            usual,
            LONGEST_RETRY_MS,
            FIRST_RETRY_MS * 2 ** Math.min(slot.failedInARow - 1, 20),
          )
    return slot.from + ms * slot.factor - this.#parts.clock.monotonic()
  }

  async #rest(signal: AbortSignal): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    const waiting = [...this.#slots.values()].filter((slot) => slot.running === undefined)
    const ms = Math.min(LONGEST_REST_MS, ...waiting.map((slot) => this.#waitMs(slot)))
    if (!signal.aborted) await sleep(this.#parts.clock, Math.max(0, Math.ceil(ms)), woken.signal)
    signal.removeEventListener('abort', wake)
  }

  #slot(name: TaskName): Slot {
    const slot = this.#slots.get(name)
    if (slot === undefined) throw new Error(`no scheduled task ${name}`)
    return slot
  }

  #stateOf(slot: Slot): TaskState {
    const { task, runningSince, lastRunAt, durationMs, lastSuccessAt, failures, error } = slot
    const nextRunAt =
      runningSince === undefined
        ? Math.round(this.#parts.clock.now() + Math.max(0, this.#waitMs(slot)))
        : undefined
    return {
      name: task.name,
      everyMs: task.every(),
      failures,
      ...(runningSince === undefined ? {} : { runningSince }),
      ...(lastRunAt === undefined ? {} : { lastRunAt }),
      ...(durationMs === undefined ? {} : { durationMs }),
      ...(lastSuccessAt === undefined ? {} : { lastSuccessAt }),
      ...(error === undefined ? {} : { error }),
      ...(nextRunAt === undefined ? {} : { nextRunAt }),
    }
  }
}

function slotOf(task: Task): Slot {
  return {
    task,
    factor: 1,
    from: undefined,
    isAsked: false,
    running: undefined,
    runningSince: undefined,
    runningFrom: 0,
    isReported: false,
    lastRunAt: undefined,
    durationMs: undefined,
    lastSuccessAt: undefined,
    failures: 0,
    failedInARow: 0,
    error: undefined,
  }
}
