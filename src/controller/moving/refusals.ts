import type { Gauge } from 'prom-client'
import { AuditUnavailableError } from '../../audit/audit.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import { ConnectionError } from '../../http.ts'
import { ApiError } from '../../kube/types.ts'

/** What is written, as a label of the metric. */
export type Written =
  'volumemigrations' | 'volumemigrations/status' | 'storagepolicies/status' | 'tieringcheckpoints'

type Refused = { readonly until: number; readonly times: number; readonly why: string }

const FIRST_PAUSE_MS = 2_000
const LONGEST_PAUSE_MS = 5 * 60_000
const TIMES_TO_REPORT = 3

type RefusalMetrics = { readonly writesRefused: Gauge }

/**
 * Objects whose last write the API server refused: a quota, an admission webhook, a namespace that is going. Each has
 * a pause of its own that doubles, so that none of them costs the others their turn; a metric counts them.
 */
export class Refusals {
  readonly #clock: Clock
  readonly #metrics: RefusalMetrics
  readonly #refused = new Map<Written, Map<string, Refused>>()

  constructor(clock: Clock, metrics: RefusalMetrics) {
    this.#clock = clock
    this.#metrics = metrics
  }

  /** True when it is worth an event: a single failure is not. */
  note(what: Written, key: string, e: unknown): boolean {
    const all = this.#of(what)
    const times = (all.get(key)?.times ?? 0) + 1
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 20), LONGEST_PAUSE_MS)
    all.set(key, { until: this.#clock.monotonic() + pauseMs, times, why: messageOf(e) })
    this.#count(what)
    return times === TIMES_TO_REPORT
  }

  /** It was written, or is gone. */
  clear(what: Written, key: string): void {
    if (this.#refused.get(what)?.delete(key) === true) this.#count(what)
  }

  /** Why, while its pause lasts. */
  pausing(what: Written, key: string): string | undefined {
    const refused = this.#refused.get(what)?.get(key)
    return refused !== undefined && this.#clock.monotonic() < refused.until
      ? refused.why
      : undefined
  }

  /** Ms until the next try. */
  pauseMs(what: Written, key: string): number {
    const until = this.#refused.get(what)?.get(key)?.until ?? 0
    return Math.max(0, until - this.#clock.monotonic())
  }

  /** Keys that were refused, with when their pause ends (monotonic) and the reason. */
  all(what: Written): ReadonlyMap<string, Pick<Refused, 'until' | 'why'>> {
    return this.#refused.get(what) ?? NONE
  }

  #of(what: Written): Map<string, Refused> {
    const known = this.#refused.get(what) ?? new Map<string, Refused>()
    this.#refused.set(what, known)
    return known
  }

  #count(what: Written): void {
    this.#metrics.writesRefused.set({ resource: what }, this.#refused.get(what)?.size ?? 0)
  }
}

const NONE: ReadonlyMap<string, never> = new Map<string, never>()

/** A refusal, or no answer at all: not our own mistake, and not a conflict, which is settled at once. */
export function isRefusal(e: unknown): boolean {
  if (e instanceof ConnectionError || e instanceof AuditUnavailableError) return true
  return e instanceof ApiError && e.reason !== 'Conflict' && e.reason !== 'NotFound'
}
