import { isFinished } from '../api/volume-migration.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import { messageOf } from '../errors.ts'
import { ApiError } from '../kube/types.ts'
import type { QueueResult } from '../kube/types.ts'
import { nextRetypeStep } from '../migration/retype.ts'
import type { Outcome, VolumeSight } from '../migration/types.ts'
import type { Starter } from './starter.ts'
import type { Caller } from './caller.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Ledger } from './ledger.ts'
import { changed, estimateEnd } from './migration-status.ts'
import type { Change } from './migration-status.ts'
import type { Migrations } from './migrations.ts'
import type { Teller } from './teller.ts'

export type Term = {
  readonly epoch: number
  readonly clusterId: string
}

export type MoverParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly inventory: Inventory
  readonly starter: Starter
  readonly caller: Caller
  readonly ledger: Ledger
  readonly teller: Teller
  readonly term: Term
}

/** Follows each VolumeMigration to its end. The only one that writes `status.step` once a call may have been made. */
export class Mover {
  readonly #parts: MoverParts
  /** `clock.now()` from which on no earlier leader can save anything any more. */
  #since = 0

  constructor(parts: MoverParts) {
    this.#parts = parts
  }

  /**
   * A new leader puts its epoch on every move that may be running: from then on nothing an earlier leader
   * still wants to save is accepted. Call before the first reconcile.
   */
  async takeOver(): Promise<void> {
    const { migrations, term, deps } = this.#parts
    for (const m of migrations.inFlight()) await this.#stamp(m)
    this.#since = deps.clock.now()
    const count = migrations.inFlight().length
    if (count > 0)
      deps.log.info({ epoch: term.epoch, moves: count }, 'took over the moves in flight')
  }

  async #stamp(m: VolumeMigration): Promise<void> {
    const { migrations, term } = this.#parts
    const { intent } = m.status ?? {}
    if (intent === undefined || intent.epoch === term.epoch) return
    try {
      await migrations.save(m, { ...m.status, intent: { ...intent, epoch: term.epoch } })
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'NotFound') return
      if (!(e instanceof ApiError) || e.reason !== 'Conflict') throw e
      const now = migrations.get(`${m.metadata.namespace}/${m.metadata.name}`)
      if (now !== undefined && now !== m) await this.#stamp(now)
    }
  }

  async reconcile(key: string): Promise<QueueResult> {
    const m = this.#parts.migrations.get(key)
    if (m === undefined) return { kind: 'done' }
    if (isFinished(m)) return this.#retire(m)
    if ((m.status?.step ?? 'Waiting') === 'Waiting') return this.#parts.starter.tryStart(m)
    return this.#follow(m)
  }

  async #retire(m: VolumeMigration): Promise<QueueResult> {
    const { deps, migrations, ledger } = this.#parts
    this.#shown.delete(m.metadata.uid ?? '')
    this.#parts.starter.forget(m)
    this.#parts.caller.forget(m)
    const volumeId = m.status?.volumeId
    if (
      volumeId !== undefined &&
      !migrations.inFlight().some((o) => o.status?.volumeId === volumeId)
    )
      await ledger.remove(volumeId)
    const left = Date.parse(m.status?.completedAt ?? '') + deps.timing.keepMs - deps.clock.now()
    if (Number.isNaN(left)) return { kind: 'done' }
    if (left > 0) return { kind: 'requeue', afterMs: left }
    await migrations.remove(m)
    return { kind: 'done' }
  }

  async #follow(m: VolumeMigration): Promise<QueueResult> {
    const { deps, term, caller } = this.#parts
    const outcome = nextRetypeStep({
      status: m.status ?? {},
      sight: await this.#look(m),
      now: deps.clock.now(),
      clusterId: term.clusterId,
      objectUid: m.metadata.uid ?? '',
      quietUntil: (caller.calledAt(m) ?? this.#since) + deps.timing.callMs,
      timing: deps.timing,
    })
    return this.#carryOut(m, outcome)
  }

  async #carryOut(m: VolumeMigration, outcome: Outcome): Promise<QueueResult> {
    switch (outcome.kind) {
      case 'rest':
        return { kind: 'done' }
      case 'wait':
        await this.#showProgress(m, outcome.why)
        return { kind: 'requeue', afterMs: this.#jittered(outcome.ms) }
      case 'start':
        await this.#backToWaiting(m, outcome.why)
        return { kind: 'requeue', afterMs: 0 }
      case 'goto':
        await this.#save(m, {
          step: outcome.step,
          reason: outcome.reason,
          message: outcome.message,
          ...(outcome.seenAt === undefined
            ? {}
            : { verifiedOnceAt: new Date(outcome.seenAt).toISOString() }),
        })
        return {
          kind: 'requeue',
          afterMs: outcome.step === 'Verifying' ? this.#parts.deps.timing.verifyMs : 0,
        }
    }
  }

  /** Nothing has reached Cinder, so nothing has started. */
  async #backToWaiting(m: VolumeMigration, why: string): Promise<void> {
    const { deps, migrations, ledger, teller } = this.#parts
    const { startedAt: _startedAt, elapsed: _elapsed, ...status } = m.status ?? {}
    const next = changed(
      { ...m, status },
      { step: 'Waiting', reason: 'NotSent', message: why },
      deps.clock.now(),
    )
    const saved = await migrations.save(m, next)
    if (m.status?.volumeId !== undefined) await ledger.remove(m.status.volumeId)
    teller.stepTaken(m, saved)
  }

  async #look(m: VolumeMigration): Promise<VolumeSight> {
    const id = m.status?.volumeId
    if (id === undefined) return { kind: 'Unreadable', why: 'the volume id was not saved' }
    try {
      const v = await this.#parts.inventory.look(id)
      if (v === undefined) return { kind: 'Absent' }
      const { status, typeId, updatedAt, availabilityZone, sizeGiB } = v
      return {
        kind: 'Seen',
        status,
        typeId,
        updatedAt,
        availabilityZone,
        sizeGiB,
        attached: v.attachments.length > 0,
      }
    } catch (e) {
      return { kind: 'Unreadable', why: `Cinder does not answer: ${messageOf(e)}` }
    }
  }

  /** Saved first, told after: a repeat never counts or tells twice. */
  async #save(m: VolumeMigration, change: Change): Promise<void> {
    const { deps, migrations, teller } = this.#parts
    const saved = await migrations.save(m, changed(m, change, deps.clock.now()))
    teller.stepTaken(m, saved)
  }

  /** At most every `progressMs`, and only what a person reads. */
  async #showProgress(m: VolumeMigration, why: string | undefined): Promise<void> {
    const { deps, migrations } = this.#parts
    const { step, reason, message, elapsed } = m.status ?? {}
    if (step === undefined || step === 'Waiting') return
    const now = deps.clock.now()
    const end = estimateEnd(m, [...migrations.all()])
    const told = why ?? message ?? ''
    const next = changed(
      m,
      {
        step,
        reason: (reason ?? 'Copying') as Change['reason'],
        message: told,
        ...(end === undefined ? {} : { estimatedEnd: end }),
      },
      now,
    )
    const shownFor = now - this.#shownAt(m)
    if (elapsed !== undefined && told === message && shownFor < deps.timing.progressMs) return
    this.#shown.set(m.metadata.uid ?? '', now)
    await migrations.save(m, next)
  }

  readonly #shown = new Map<string, number>()
  #shownAt(m: VolumeMigration): number {
    return this.#shown.get(m.metadata.uid ?? '') ?? 0
  }

  #jittered(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.deps.random())
  }
}
