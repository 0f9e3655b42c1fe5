import type { VolumeMigration } from '../../api/volume-migration.ts'
import { ApiError } from '../../kube/types.ts'
import type { Confirmation, Outcome } from '../../migration/strategy.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import type { ObservedSaves } from './observed-saves.ts'
import { keyOf } from '../view/watches.ts'
import type { Circumstances } from './adapter.ts'
import type { Calls } from './calls.ts'
import { ownIdOf } from '../view/term.ts'
import type { Term } from '../view/term.ts'

export type TakeoverParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly observed: ObservedSaves
  readonly calls: Calls
  readonly times: MoveTimes
  readonly term: Term
}

/** What this leader itself knows of moves that it may have inherited: since when they are its own, and what it has seen. */
export class Takeover {
  readonly #parts: TakeoverParts
  /** By uid: `clock.monotonic()` from which on no earlier leader can save anything about the move any more. */
  readonly #ours = new Map<string, number>()
  /** First of the reads that agree, by uid. */
  readonly #firstLooks = new Map<string, { readonly what: Confirmation; readonly at: number }>()

  constructor(parts: TakeoverParts) {
    this.#parts = parts
  }

  /** Reports what an earlier leader has left running. Each move is taken over on its own, before it is followed. */
  report(): void {
    const { migrations, term, deps } = this.#parts
    const moves = migrations.inFlight().length
    if (moves > 0) deps.log.info({ epoch: term.epoch, moves }, 'took over the moves in flight')
  }

  /**
   * A new leader puts its epoch on a move that may be running: from then on nothing an earlier leader still wants to
   * save is accepted. Resolves to the move as it is then; undefined when it is gone.
   */
  async stamped(m: VolumeMigration): Promise<VolumeMigration | undefined> {
    const { migrations, term, deps, observed } = this.#parts
    const { intent } = m.status ?? {}
    if (intent === undefined || intent.epoch === term.epoch) return m
    try {
      const ours = { ...intent, epoch: term.epoch }
      const stamped = await observed.save(m, { ...m.status, intent: ours })
      this.#ours.set(m.metadata.uid ?? '', deps.clock.monotonic())
      return stamped
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'NotFound') return undefined
      if (!(e instanceof ApiError) || e.reason !== 'Conflict') throw e
      const now = migrations.get(keyOf(m))
      return now !== undefined && now !== m ? this.stamped(now) : now
    }
  }

  /** Input of a machine in addition to what is saved and read. */
  circumstances(m: VolumeMigration): Circumstances {
    const { deps, term, times, calls } = this.#parts
    const now = times.now(m)
    const passed = deps.clock.monotonic() - (calls.endedAt(m) ?? this.#oursSince(m))
    return {
      now,
      clusterId: ownIdOf(term, m.status?.intent?.clusterId),
      objectUid: m.metadata.uid ?? '',
      quietUntil: now + deps.timing.callMs - passed,
      confirming: this.#confirming(m),
      timing: deps.timing,
    }
  }

  /** Without a stamp of ours that is known to have arrived: since we first saw the move. `clock.monotonic()`. */
  #oursSince(m: VolumeMigration): number {
    const uid = m.metadata.uid ?? ''
    const since = this.#ours.get(uid) ?? this.#parts.deps.clock.monotonic()
    this.#ours.set(uid, since)
    return since
  }

  /** For how long reads have agreed. */
  #confirming(m: VolumeMigration): { what: Confirmation; ms: number } | undefined {
    const first = this.#firstLooks.get(m.metadata.uid ?? '')
    return first && { what: first.what, ms: this.#parts.deps.clock.monotonic() - first.at }
  }

  /** Notes what the next read has to confirm. A read that showed nothing neither begins nor ends a series. */
  toConfirm(m: VolumeMigration, outcome: Outcome): void {
    const uid = m.metadata.uid ?? ''
    const what = 'confirm' in outcome ? outcome.confirm : undefined
    // a `goto` begins a new series of reads
    const first = outcome.kind === 'goto' ? undefined : this.#firstLooks.get(uid)
    if (what === undefined) this.#firstLooks.delete(uid)
    else if (first?.what !== what)
      this.#firstLooks.set(uid, { what, at: this.#parts.deps.clock.monotonic() })
  }

  /** Forgets what is kept of a move that has ended. */
  forget(m: VolumeMigration): void {
    this.#ours.delete(m.metadata.uid ?? '')
    this.#firstLooks.delete(m.metadata.uid ?? '')
  }
}
