import type { Clock } from '../../clock.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import type { Agreed, ReplaceOutcome } from '../../migration/snapshot-restore/outcome.ts'
import { entryOf } from '../../migration/snapshot-restore/saved.ts'
import type { Saved } from '../../migration/snapshot-restore/saved.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'

type Kept = {
  /** Wall time (ms) and moment at which this process first saw the record. */
  readonly wall: number
  readonly moment: Moment
  /** `clock.monotonic()` from which on no call of before can be sent any more. */
  silentSince: number
  first?: { readonly what: Agreed; readonly at: number } | undefined
  /** `clock.monotonic()` of the last save that brought the move further. */
  progressAt: number
  /** `clock.monotonic()` since when the claim has been without its PersistentVolume. */
  gapSince?: number | undefined
  /** `clock.monotonic()` of the last save: for how long it has waited since. */
  savedAt: number
  /** It waits for the owner of a snapshot. */
  isKept: boolean
  /** Calls in a row that were refused. */
  refused: number
}

/** What this leader itself knows of the records: times that nobody can set, and which reads have agreed. */
export class Moments {
  readonly #clock: Clock
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  of(record: ReplacementRecord): Kept {
    const uid = record.move.uid
    const known = this.#kept.get(uid)
    if (known !== undefined) return known
    const { journal, soak } = record.saved
    const saved = [...journal.map((e) => Date.parse(e.at)), Date.parse(record.intent.at)]
    const at = this.#clock.monotonic()
    const kept: Kept = {
      wall: Math.max(this.#clock.now(), soak?.since ?? 0, ...saved.filter(Number.isFinite)),
      moment: momentOf(this.#clock),
      silentSince: at,
      progressAt: at,
      savedAt: at,
      isKept: false,
      refused: 0,
    }
    this.#kept.set(uid, kept)
    return kept
  }

  /** Wall time as it was when the record was first seen, and real time since. */
  now(record: ReplacementRecord): number {
    const { wall, moment } = this.of(record)
    return wall + realSince(moment, this.#clock)
  }

  /** For how long reads have agreed. */
  confirming(
    record: ReplacementRecord,
  ): { readonly what: Agreed; readonly ms: number } | undefined {
    const { first } = this.of(record)
    return first && { what: first.what, ms: this.#clock.monotonic() - first.at }
  }

  /** Notes what the next read has to confirm. */
  toConfirm(record: ReplacementRecord, outcome: ReplaceOutcome): void {
    const kept = this.of(record)
    const what = outcome.kind === 'wait' ? outcome.confirm : undefined
    kept.isKept = outcome.kind === 'wait' && outcome.isKept === true
    if (outcome.kind === 'wait' && outcome.isCopied === true)
      kept.progressAt = this.#clock.monotonic()
    if (what === undefined) kept.first = undefined
    else if (kept.first?.what !== what) kept.first = { what, at: this.#clock.monotonic() }
  }

  /** `before`: what was saved before. A call that is only repeated brings nothing further. */
  saved(record: ReplacementRecord, before: Saved | undefined): void {
    const kept = this.of(record)
    kept.savedAt = this.#clock.monotonic()
    if (isFurther(record.saved, before)) kept.progressAt = kept.savedAt
  }

  /** Whether the claim is without its PersistentVolume now. */
  gap(record: ReplacementRecord, isOpen: boolean): void {
    const kept = this.of(record)
    kept.gapSince = isOpen ? (kept.gapSince ?? this.#clock.monotonic()) : undefined
  }

  called(record: ReplacementRecord, isRefused: boolean): void {
    const kept = this.of(record)
    kept.silentSince = this.#clock.monotonic()
    kept.refused = isRefused ? kept.refused + 1 : 0
  }

  forget(uid: string): void {
    this.#kept.delete(uid)
  }
}

/** The phase is another one, or an entry of the journal has come to a state that it never had. */
function isFurther({ phase, journal }: Saved, before: Saved | undefined): boolean {
  if (before === undefined || before.phase !== phase) return true
  return journal.some(({ act, of, state, attempts }) => {
    const was = entryOf(before, act, of)
    return was === undefined || (was.state !== state && (attempts === 1 || state === 'Gone'))
  })
}
