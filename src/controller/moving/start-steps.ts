import type { Gauge } from 'prom-client'
import { aborted, sleep } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Reflector } from '../../kube/types.ts'
import type { Log } from '../../log.ts'

const FIRST_WAIT_MS = 1_000
const LONGEST_WAIT_MS = 30_000
/** A first list that takes longer than this is reported; a large cluster's takes seconds. */
const LIST_MS = 30_000

type StartMetrics = { readonly startFailing: Gauge }

/**
 * What a new leader has to read before it moves anything. Each step is repeated until it works, and reports while it
 * does not: a leader that waits in silence looks like one that has nothing to do.
 */
export class StartSteps {
  readonly #clock: Clock
  readonly #log: Log
  readonly #metrics: StartMetrics
  readonly #failing = new Map<string, string>()
  readonly #news = Promise.withResolvers<void>()
  #done = false

  constructor(deps: { processClock: Clock; log: Log }, metrics: StartMetrics) {
    this.#clock = deps.processClock
    this.#log = deps.log
    this.#metrics = metrics
  }

  /** Why nothing new is moved yet; undefined when nothing failed. */
  get problem(): string | undefined {
    const all = Array.from(this.#failing, ([step, why]) => `${step}: ${why}`)
    return all.length === 0 ? undefined : all.join('; ')
  }

  /** Everything has been read: new moves may start. */
  get done(): boolean {
    return this.#done
  }

  /** Resolves when a step fails for the first time, or all of them are done: from then on there is news to report. */
  news(): Promise<void> {
    return this.#news.promise
  }

  finish(): void {
    this.#done = true
    this.#news.resolve()
  }

  /** Resolves when `work` has worked once, or `signal` is aborted. `step` is a label of a metric. */
  async untilDone(step: string, signal: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await work()
        this.#failing.delete(step)
        this.#metrics.startFailing.set({ step }, 0)
        return
      } catch (e) {
        this.#failed(step, messageOf(e), tries)
        await sleep(this.#clock, Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** tries), signal)
      }
    }
  }

  /** Waits for the first full list of a kind. */
  listed(reflector: Reflector<unknown>, signal: AbortSignal): Promise<void> {
    const { resource } = reflector.health()
    return this.untilDone(`list-${resource}`, signal, async () => {
      const enough = new AbortController()
      const late = sleep(this.#clock, LIST_MS, enough.signal).then(() => 'late')
      const end = await Promise.race([reflector.ready(), aborted(signal), late])
      enough.abort()
      if (end !== 'late' || signal.aborted) return
      const { missingRule } = reflector.health()
      throw new Error(
        missingRule === undefined
          ? 'the API server has not given the whole list yet'
          : `the role lacks ${missingRule}`,
      )
    })
  }

  #failed(step: string, why: string, tries: number): void {
    this.#failing.set(step, why)
    this.#metrics.startFailing.set({ step }, 1)
    this.#log.warn(
      { step, err: why, tries },
      'a new leader cannot read what it needs; it follows running moves and starts none',
    )
    this.#news.resolve()
  }
}
