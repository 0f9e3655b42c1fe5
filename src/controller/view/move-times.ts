import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Clock } from '../../clock.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import { rfc3339 } from '../../time.ts'

/** Far more than there are finished moves within the days that they are kept. */
const MOST_REMEMBERED = 50_000
/** Less than this between wall and real time is drift, more is a clock that was set. */
const DRIFT_MS = 60_000

type Anchor = { readonly about: string; readonly wall: number; readonly moment: Moment }

/**
 * Times that nobody can set. What is saved carries wall time, since monotonic time ends with the process; what is measured
 * is real time since this process first saw it. So a clock set back by hours prolongs nothing, and one set forward ends
 * nothing early.
 */
export class MoveTimes {
  readonly #clock: Clock
  readonly #onAhead: (text: string) => void
  readonly #anchors = new Map<string, Anchor>()
  readonly #firstReads = new Map<string, { readonly ageMs: number; readonly moment: Moment }>()

  /** `onAhead` is called once for each saved time that lies in the future. */
  constructor(clock: Clock, onAhead: (text: string) => void) {
    this.#clock = clock
    this.#onAhead = onAhead
  }

  /** Wall time (ms) at which this process first saw the move's present attempt, or its wait. */
  firstSeen(m: VolumeMigration): number {
    return this.#anchor(m).wall
  }

  /** Wall time (ms) as it was when the move's present attempt, or its wait, was first seen, plus real time since. */
  now(m: VolumeMigration): number {
    const { wall, moment } = this.#anchor(m)
    return wall + realSince(moment, this.#clock)
  }

  #anchor(m: VolumeMigration): Anchor {
    const uid = m.metadata.uid ?? ''
    const { intent, step = 'Waiting' } = m.status ?? {}
    // a yes has a time of its own
    const about = step === 'Waiting' ? `Waiting ${m.spec.approved}` : (intent?.requestId ?? '')
    let anchor = this.#anchors.get(uid)
    if (anchor?.about !== about) {
      const saved = step === 'Waiting' ? m.metadata.creationTimestamp : intent?.at
      const wall = Math.max(this.#clock.now(), rfc3339(saved ?? '') ?? 0)
      anchor = { about, wall, moment: momentOf(this.#clock) }
      this.#anchors.set(uid, anchor)
    }
    return anchor
  }

  /**
   * A saved time (ms) of something that is over, for pauses that count from it; NaN when it cannot be read. One that lies
   * ahead counts as the moment at which it was first read. A wall clock that is set later moves it along.
   */
  past(text: string | undefined): number {
    const at = rfc3339(text ?? '')
    if (text === undefined || at === undefined) return Number.NaN
    const now = this.#clock.now()
    let first = this.#firstReads.get(text)
    if (first === undefined) {
      if (this.#firstReads.size >= MOST_REMEMBERED) this.#firstReads.clear()
      if (at > now) this.#onAhead(text)
      first = { ageMs: Math.max(0, now - at), moment: momentOf(this.#clock) }
      this.#firstReads.set(text, first)
    }
    const real = now - first.ageMs - realSince(first.moment, this.#clock)
    // clocks drift: what people read must not change with each reading
    return Math.abs(real - at) < DRIFT_MS ? at : real
  }

  /** As `past`, for seconds since the epoch; 0 = never. */
  pastSeconds(at: number): number {
    if (at * 1000 <= this.#clock.now()) return at
    return this.past(new Date(Math.min(at, 8e12) * 1000).toISOString()) / 1000
  }

  forget(m: VolumeMigration): void {
    this.#anchors.delete(m.metadata.uid ?? '')
  }
}
