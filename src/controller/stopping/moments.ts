import type { Clock } from '../../clock.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import { entryOf } from '../../migration/workloads/saved.ts'
import type { Agreed, WorkloadOutcome } from '../../migration/workloads/outcome.ts'
import type { WorkloadStop } from './stop.ts'

type Kept = {
  /** Wall time (ms) and moment at which this process first saw the record. */
  readonly wall: number
  readonly moment: Moment
  /** `clock.monotonic()` from which on no call of before can be sent any more. */
  silentSince: number
  first?: { readonly what: Agreed; readonly at: number } | undefined
  /** `clock.monotonic()` of the last change of its phase, and of when a move last ran by it. */
  phaseAt: number
  usedAt: number
  /** `clock.monotonic()` since when it should be up again, and is not. */
  overdueSince?: number | undefined
  /** Calls in a row that were refused. */
  refused: number
}

/** What this leader itself knows of the stops: times that nobody can set, and which reads have agreed. */
export class StopMoments {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of({ move, saved }: WorkloadStop): Kept {
    const known = this.#kept.get(move.uid)
    if (known !== undefined) return known
    const times = saved.journal.map((e) => Date.parse(e.at)).filter(Number.isFinite)
    const at = this.#clock.monotonic()
    const kept: Kept = {
      wall: Math.max(this.#clock.now(), ...times),
      moment: momentOf(this.#clock),
      silentSince: at,
      phaseAt: at,
      usedAt: at,
      refused: 0,
    }
    this.#kept.set(move.uid, kept)
    return kept
  }

  /** Wall time as it was when the record was first seen, and real time since. */
  now(stop: WorkloadStop): number {
    const { wall, moment } = this.of(stop)
    return wall + realSince(moment, this.#clock)
  }

  /** For how long reads have agreed. */
  confirming(stop: WorkloadStop): { readonly what: Agreed; readonly ms: number } | undefined {
    const { first } = this.of(stop)
    return first && { what: first.what, ms: this.#clock.monotonic() - first.at }
  }

  /** Notes what the next read has to confirm, and whether the workload is down for too long. */
  note(stop: WorkloadStop, outcome: WorkloadOutcome): void {
    const kept = this.of(stop)
    const now = this.#clock.monotonic()
    const what = outcome.kind === 'wait' ? outcome.confirm : undefined
    if (what === undefined) kept.first = undefined
    else if (kept.first?.what !== what) kept.first = { what, at: now }
    if (isOverdue(stop, outcome)) this.overdue(stop)
    else kept.overdueSince = undefined
  }

  /** It should be up again, and is not. */
  overdue(stop: WorkloadStop): void {
    const kept = this.of(stop)
    kept.overdueSince ??= this.#clock.monotonic()
  }

  phaseChanged(stop: WorkloadStop): void {
    const kept = this.of(stop)
    kept.phaseAt = this.#clock.monotonic()
    kept.usedAt = kept.phaseAt
  }

  /** A move runs by it. */
  used(stop: WorkloadStop): void {
    this.of(stop).usedAt = this.#clock.monotonic()
  }

  /** Ms since then. */
  since(at: number): number {
    return this.#clock.monotonic() - at
  }

  called(stop: WorkloadStop, isRefused: boolean): void {
    const kept = this.of(stop)
    kept.silentSince = this.#clock.monotonic()
    kept.refused = isRefused ? kept.refused + 1 : 0
  }

  /** Wall time (ms) of its first call; undefined before. */
  stoppedAt({ saved }: WorkloadStop): number | undefined {
    const at = Date.parse(entryOf(saved, 'stop')?.at ?? '')
    return Number.isFinite(at) ? at : undefined
  }

  forget(uid: string): void {
    this.#kept.delete(uid)
  }
}

/** What is to be saved first counts from then on: the save may be refused for as long as anything else. */
function isOverdue({ saved }: WorkloadStop, outcome: WorkloadOutcome): boolean {
  switch (outcome.kind) {
    case 'wait':
      return outcome.overdue === true
    case 'save':
      return outcome.saved.phase === 'Restoring'
    case 'act':
    case 'look':
    case 'rest':
      return saved.phase === 'Restoring'
  }
}
