import type { MigrationStatusReason, MoveReason } from '../../api/reasons.ts'
import type {
  CallOutcome,
  VolumeMigration,
  VolumeMigrationStatus,
} from '../../api/volume-migration.ts'
import type { Goto } from '../../migration/strategy.ts'
import { stepOf } from '../../migration/unsent.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { ControllerDeps } from '../deps.ts'
import { changeOf, endOf } from './audited-move.ts'
import { isJustApproved } from './expiry.ts'
import { REPLACE } from './intents.ts'
import type { Ledger } from './ledger.ts'
import { changed, estimateEnd } from './migration-status.ts'
import type { Change } from './migration-status.ts'
import type { Migrations } from '../view/migrations.ts'
import type { ObservedSaves } from './observed-saves.ts'
import { savingOf } from './saving-of.ts'
import { isTarget } from '../view/targets.ts'
import type { Target, Untargeted } from '../view/targets.ts'
import type { Reports } from '../view/reports.ts'

/** What the runner itself says of a move, and what it means. */
export const STEP_REASONS = {
  Planned: 'Waiting: the move is wanted and waits for its turn.',
  IntentSaved: 'Requested: the intent is saved, the call to Cinder comes next.',
} as const satisfies Partial<Record<MoveReason, string>>

type Save = (m: VolumeMigration, status: VolumeMigrationStatus) => Promise<VolumeMigration>

export type StepsParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly observed: ObservedSaves
  readonly ledger: Ledger
  readonly reports: Reports
}

/** `elapsed` is written again when it has grown by this part of itself. */
const ELAPSED_STEPS = 20
const LONGEST_PROGRESS_MS = 3_600_000

/** Saves each step of a move: the only writer of `status.step`. */
export class Steps {
  readonly #parts: StepsParts
  /** `clock.monotonic()` of the last write of what only people read, by uid. */
  readonly #shownAt = new Map<string, number>()

  constructor(parts: StepsParts) {
    this.#parts = parts
  }

  /** The one place where a step is written. */
  #write(m: VolumeMigration, change: Change, save: Save): Promise<VolumeMigration> {
    return save(m, changed(m, change, this.#parts.deps.clock.now()))
  }

  readonly #observe: Save = (m, status) => this.#parts.observed.save(m, status)
  readonly #save: Save = (m, status) => this.#parts.migrations.save(m, status)

  /** The uid of its claim, saved before anything else is. */
  async accept(
    m: VolumeMigration,
    claim: { readonly name: string; readonly uid: string },
  ): Promise<VolumeMigration> {
    if (m.status?.step !== undefined) return this.#save(m, { ...m.status, claimUid: claim.uid })
    const message = `accepted for claim ${claim.name}`
    const change = { reason: 'Planned', message, claimUid: claim.uid } as const
    return this.#write(m, { step: 'Waiting', ...change }, this.#save)
  }

  /** An act is about to be performed. What earlier acts have left is no answer to it. */
  async intend(
    m: VolumeMigration,
    change: Omit<Change, 'step' | 'reason'>,
  ): Promise<VolumeMigration> {
    return this.#begin(m, { ...change, step: 'Requested', reason: 'IntentSaved' })
  }

  /** The record is saved that the move goes by from now on. */
  async record(
    m: VolumeMigration,
    change: Omit<Change, 'step' | 'reason'>,
  ): Promise<VolumeMigration> {
    return this.#begin(m, { ...change, step: 'Holding', reason: 'Holding' })
  }

  #begin(m: VolumeMigration, change: Change): Promise<VolumeMigration> {
    const { call: _previousCall, verifiedOnceAt: _previousLook, ...status } = m.status ?? {}
    this.#shownAt.delete(m.metadata.uid ?? '')
    return this.#write({ ...m, status }, change, (_, next) => this.#save(m, next))
  }

  /** What the machine says comes next; `more` is saved with it. What was observed counts even when it cannot be saved. */
  async go(m: VolumeMigration, to: Goto, more: Partial<Change> = {}): Promise<void> {
    const { deps, ledger } = this.#parts
    const { step, reason, message, seenAt } = to
    const verified =
      seenAt === undefined ? {} : { verifiedOnceAt: new Date(deps.clock.now()).toISOString() }
    const change: Change = { step, reason, message, ...more, ...verified }
    // first: a leader that dies between the two writes it a second time, and none is missing
    await this.#auditEnd(m, to, more.call ?? m.status?.call)
    if (step !== 'Waiting') return void (await this.#write(m, change, this.#observe))
    // nothing has reached Cinder, so nothing has started
    const { startedAt: _startedAt, elapsed: _elapsed, ...status } = m.status ?? {}
    this.#shownAt.delete(m.metadata.uid ?? '')
    await this.#write({ ...m, status }, change, (_, next) => this.#observe(m, next))
    if (m.status?.volumeId !== undefined) await ledger.remove(m.status.volumeId)
  }

  /** What became of the act whose intent is saved, regardless of who made the call. */
  async #auditEnd(m: VolumeMigration, { step, reason }: Goto, call: CallOutcome | undefined) {
    const { intent } = m.status ?? {}
    const end = endOf(step, reason)
    if (intent === undefined || end === undefined || call?.unaudited === true) return
    if (intent.act === REPLACE) return
    await this.#parts.deps.audit.end(changeOf(m, intent), end)
  }

  /** Why a waiting move ends, or goes on waiting. */
  async refuse(
    m: VolumeMigration,
    answer: Answer,
    target: Target | Untargeted,
    expiresAt: () => string,
  ): Promise<void> {
    if (!answer.over && this.#isShown(m, answer)) return
    const change: Change = {
      step: stepOf(answer),
      reason: answer.reason,
      message: answer.message,
      ...(isTarget(target) ? { volumeId: target.volume.handle, ...savingOf(target) } : {}),
      ...(m.status?.expiresAt === undefined || isJustApproved(m) ? { expiresAt: expiresAt() } : {}),
    }
    const saved = await this.#write(m, change, this.#save)
    this.#shownAt.set(m.metadata.uid ?? '', this.#parts.deps.clock.monotonic())
    if (saved !== m) this.#parts.reports.stepTaken(m, saved)
  }

  /** At most every `progressMs`, and only what a person reads. */
  async showProgress(m: VolumeMigration, why: string | undefined): Promise<void> {
    const { deps, migrations } = this.#parts
    const { step, reason, message, elapsed } = m.status ?? {}
    if (step === undefined || step === 'Waiting' || reason === undefined) return
    // our own write wakes us: a message that differs each time must not make a loop of it
    if (elapsed !== undefined && this.#shownFor(m) < this.#progressPause(m, why)) return
    const end = estimateEnd(m, [...migrations.all()])
    const change: Change = {
      step,
      reason: reason as MigrationStatusReason,
      message: why ?? message ?? '',
      ...(end === undefined ? {} : { estimatedEnd: end }),
    }
    this.#shownAt.set(m.metadata.uid ?? '', deps.clock.monotonic())
    await this.#write(m, change, this.#observe)
  }

  /** A clock that runs for hours, as that of a stuck move does, is not worth a write each minute. */
  #progressPause({ status }: VolumeMigration, why: string | undefined): number {
    const { progressMs } = this.#parts.deps.timing
    if (why !== undefined && why !== status?.message) return progressMs
    const ran = this.#parts.deps.clock.now() - Date.parse(status?.startedAt ?? '')
    // a clock that has jumped must not silence it for days
    const pause = Math.min(ran / ELAPSED_STEPS, LONGEST_PROGRESS_MS)
    return pause > progressMs ? pause : progressMs
  }

  /** Forgets what is kept of a move that has ended. */
  forget(m: VolumeMigration): void {
    this.#shownAt.delete(m.metadata.uid ?? '')
    this.#parts.observed.forget(m)
  }

  /** Messages count down ("the next attempt is in 2 h"); that alone is not worth a write each time. */
  #isShown(m: VolumeMigration, answer: Answer): boolean {
    const { step, reason } = m.status ?? {}
    if (step !== 'Waiting' || reason !== answer.reason) return false
    return this.#shownFor(m) < this.#parts.deps.timing.reportIntervalMs
  }

  #shownFor(m: VolumeMigration): number {
    const at = this.#shownAt.get(m.metadata.uid ?? '') ?? -Infinity
    return this.#parts.deps.clock.monotonic() - at
  }
}
