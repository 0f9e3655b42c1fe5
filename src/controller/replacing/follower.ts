import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import { LostLeaseError } from '../../kube/types.ts'
import type { QueueResult } from '../../kube/types.ts'
import { givesBack } from '../../migration/snapshot-restore/gives-back.ts'
import { nextReplaceStep } from '../../migration/snapshot-restore/machine.ts'
import { nameOf } from '../../migration/snapshot-restore/names.ts'
import type {
  ReplaceInput,
  ReplaceOutcome,
  ReplaceTiming,
} from '../../migration/snapshot-restore/outcome.ts'
import { answered, entryOf, intended, MAKERS } from '../../migration/snapshot-restore/saved.ts'
import type {
  Phase,
  ReplaceAct,
  ReplaceAnswer,
  Saved,
} from '../../migration/snapshot-restore/saved.ts'
import type { ReplaceSight } from '../../migration/snapshot-restore/sight.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Ledger } from '../moving/ledger.ts'
import { unauditedText } from '../moving/start-gate.ts'
import type { Steps } from '../moving/steps.ts'
import type { Takeover } from '../moving/takeover.ts'
import type { Migrations } from '../view/migrations.ts'
import { ownIdOf } from '../view/term.ts'
import type { Term } from '../view/term.ts'
import { changeOfAct, replacedMoveOf } from './audited-replacement.ts'
import { Moments } from './moments.ts'
import type { ReplacePort } from './port.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'
import type { Records } from './records.ts'
import { fieldsOf, shownOf } from './shown.ts'

export type FollowerParts = {
  readonly deps: ControllerDeps
  readonly records: Records
  readonly port: ReplacePort
  readonly migrations: Migrations
  readonly takeover: Pick<Takeover, 'stamped'>
  readonly steps: Pick<Steps, 'go' | 'showProgress'>
  readonly ledger: Pick<Ledger, 'remove'>
  /** Something else wants the workload up that was stopped for that move (uid). */
  readonly isYielding: (moveUid: string) => boolean
  /** The same, by a read of that workload. Never throws. */
  readonly isFought: (move: ReplacementRecord['move']) => Promise<boolean>
  readonly term: Term
}

/** A replacement as its metrics show it. Times in ms since the epoch. */
export type OpenReplacement = {
  readonly move: ReplacementRecord['move']
  readonly phase: Phase
  readonly progressedAt: number
  readonly keptBySnapshots: boolean
  readonly gapSince?: number
}

const DONE: QueueResult = { kind: 'done' }

/**
 * Brings each record of a replacement to its end, whether its VolumeMigration is still there or not: read, ask the machine,
 * save, call, save the answer. The object only shows it, and whatever keeps the object from being written holds nothing up.
 */
export class Follower {
  readonly #parts: FollowerParts
  readonly #moments: Moments

  constructor(parts: FollowerParts) {
    this.#parts = parts
    this.#moments = new Moments(parts.deps.clock)
  }

  /** The next step of that move; `uid` of its VolumeMigration. */
  async reconcile(uid: string): Promise<QueueResult> {
    const found = this.#parts.records.of(uid)
    if (found === undefined) {
      this.#moments.forget(uid)
      return DONE
    }
    const pauseMs = this.#parts.records.pauseMs(uid)
    if (pauseMs > 0) return { kind: 'requeue', afterMs: pauseMs }
    const record = await this.#stamped(found)
    await this.#show(record)
    const { phase } = record.saved
    return phase === 'Succeeded' || phase === 'Failed' ? this.#end(record) : this.#step(record)
  }

  /** Those that have not ended, for the metrics. */
  open(): readonly OpenReplacement[] {
    const { records, deps } = this.#parts
    const passed = (since: number) => deps.clock.now() - (deps.clock.monotonic() - since)
    return records.all().map((record) => {
      const { progressAt, gapSince, isKept } = this.#moments.of(record)
      return {
        move: record.move,
        phase: record.saved.phase,
        progressedAt: passed(progressAt),
        keptBySnapshots: isKept,
        ...(gapSince === undefined ? {} : { gapSince: passed(gapSince) }),
      }
    })
  }

  /** From then on nothing that an earlier leader still wants to save is accepted. */
  async #stamped(record: ReplacementRecord): Promise<ReplacementRecord> {
    const { records, term, deps } = this.#parts
    if (record.epoch === term.epoch) return record
    const saved = watchedSince(record.saved, this.#moments.now(record))
    const ours = { ...record, saved, epoch: term.epoch }
    await records.save(ours)
    this.#moments.of(ours).silentSince = deps.clock.monotonic()
    return ours
  }

  async #step(record: ReplacementRecord): Promise<QueueResult> {
    const { port } = this.#parts
    const before = this.#input(record)
    let outcome = nextReplaceStep(before)
    let sight: ReplaceSight | undefined
    if (outcome.kind === 'look') {
      sight = await port.look(record.saved)
      this.#noteGap(record, sight)
      outcome = nextReplaceStep({ ...before, sight })
      // mostly the Pods of who wants the workload up are seen before its replicas are
      if (isNeeded(outcome) && (await this.#parts.isFought(record.move)))
        outcome = nextReplaceStep({ ...before, sight, wish: 'yield' })
    }
    // a read that showed nothing neither begins nor ends a series
    if (sight?.kube.kind !== 'Unreadable') this.#moments.toConfirm(record, outcome)
    switch (outcome.kind) {
      case 'rest':
        return DONE
      case 'look':
        throw new Error('a machine that has been shown a sight asks for one')
      case 'wait':
        await this.#progress(record, outcome.why)
        return { kind: 'requeue', afterMs: this.#jittered(this.#patience(record, outcome)) }
      case 'save':
        await this.#save({ ...record, saved: outcome.saved })
        return { kind: 'requeue', afterMs: 0 }
      case 'act':
        return this.#act(record, outcome.act)
    }
  }

  #input(record: ReplacementRecord): ReplaceInput {
    const { deps, term } = this.#parts
    const now = this.#moments.now(record)
    const silentMs = deps.clock.monotonic() - this.#moments.of(record).silentSince
    const wish = this.#wish(record)
    const confirming = this.#moments.confirming(record)
    return {
      saved: record.saved,
      sight: undefined,
      now,
      clusterId: ownIdOf(term, record.saved.origin.clusterId),
      objectUid: record.move.uid,
      quietUntil: now + deps.timing.callMs - silentMs,
      ...(wish === undefined ? {} : { wish }),
      ...(confirming === undefined ? {} : { confirming }),
      timing: this.#timing(),
    }
  }

  #timing(): ReplaceTiming {
    const { timing, config } = this.#parts.deps
    const { firstPollMs: pollMs, longestPollMs, verifyMs, mostAttempts } = timing
    const { soakMountedMs: mountedMs, soakMaxAgeMs: maxSoakMs } = config().migration
    const soakPollMs = SOAK_POLL_MS
    return { pollMs, longestPollMs, soakPollMs, verifyMs, mostAttempts, mountedMs, maxSoakMs }
  }

  /** Who deletes the object of a move that is not finished does not want it any more. */
  #wish(record: ReplacementRecord): ReplaceInput['wish'] {
    const m = this.#moveOf(record)
    if (record.saved.phase === 'Soaking') return m?.spec.rollback === true ? 'rollback' : undefined
    const isGone = m === undefined || m.metadata.deletionTimestamp !== undefined
    if (isGone || m.spec.cancel === true) return 'cancel'
    return this.#parts.isYielding(record.move.uid) ? 'yield' : undefined
  }

  /** The intent is saved, then the call is made, then its answer is saved. */
  async #act(record: ReplacementRecord, act: ReplaceAct): Promise<QueueResult> {
    const { deps, port } = this.#parts
    const unaudited = await deps.audit.unavailable()
    if (unaudited !== undefined && !givesBack(record.saved, act)) {
      await this.#progress(record, unauditedText(unaudited))
      return { kind: 'requeue', afterMs: this.#jittered(deps.timing.recheckMs) }
    }
    const fence = () => deps.elector.fence(deps.timing.fenceMarginMs)
    fence()
    const { origin } = record.saved
    const maker = MAKERS.find((m) => m === act.act)
    const saved = intended(record.saved, act, {
      requestId: `req-${deps.uuid()}`,
      at: new Date(deps.clock.now()).toISOString(),
      ...(maker === undefined ? {} : { name: nameOf(origin, maker) }),
    })
    const next = await this.#save({ ...record, saved })
    const answer = await port
      .perform(next.saved, replacedMoveOf(next), fence)
      .catch((e: unknown): ReplaceAnswer => {
        // it may have been sent all the same
        deps.log.error({ act: act.act, err: messageOf(e) }, 'a call of a replacement broke')
        return { kind: 'Unknown', message: messageOf(e) }
      })
    const isRefused = answer.kind === 'Rejected' || answer.kind === 'NotSent'
    this.#moments.called(next, isRefused)
    await this.#save({ ...next, saved: answered(next.saved, answer) })
    return { kind: 'requeue', afterMs: isRefused ? this.#pause(next) : 0 }
  }

  /** What takes long is read less often; while a claim may be needed still every few seconds. */
  #patience(record: ReplacementRecord, { ms, confirm }: ReplaceOutcome & { kind: 'wait' }): number {
    if (confirm === 'again') return Math.min(ms, HELD_POLL_MS)
    if (confirm !== undefined || record.saved.phase === 'Soaking') return ms
    const passed = this.#parts.deps.clock.monotonic() - this.#moments.of(record).savedAt
    const isLong = KEEPING.has(record.saved.phase)
    const longest = isLong ? this.#timing().longestPollMs : HELD_POLL_MS
    return Math.max(ms, Math.min(passed / 10, longest))
  }

  /** What refuses once mostly refuses again. */
  #pause(record: ReplacementRecord): number {
    const { verifyMs, longestPollMs } = this.#timing()
    const { refused } = this.#moments.of(record)
    return this.#jittered(Math.min(verifyMs * 2 ** Math.min(refused - 1, 20), longestPollMs))
  }

  async #save(record: ReplacementRecord): Promise<ReplacementRecord> {
    const { deps, records } = this.#parts
    const before = records.of(record.move.uid)?.saved
    await this.#auditRetype(record, before)
    await records.save(record)
    this.#moments.saved(record, before)
    const { phase, reason, intent, answer } = record.saved
    const { namespace, name } = record.move
    const what = before?.phase === phase ? { act: intent?.act, answer: answer?.kind } : { reason }
    deps.log.info({ migration: `${namespace}/${name}`, phase, ...what }, 'replacement step')
    return record
  }

  /** Accepted is not done: what became of the retype shows when the copy is taken, or given up. */
  async #auditRetype(record: ReplacementRecord, before: Saved | undefined): Promise<void> {
    const { phase, reason, intent } = record.saved
    if (before?.phase !== 'Copying' || before.intent?.act !== 'retype') return
    // only a verified copy is marked
    const isVerified = phase === 'Switching' || intent?.act === 'markTakenOver'
    if (phase === 'Copying' && !isVerified) return
    const outcome = isVerified ? 'success' : 'unknown'
    await this.#parts.deps.audit.end(changeOfAct(before, replacedMoveOf(record)), {
      outcome,
      reason: { type: 'couchestor.io', code: reason ?? 'Verified' },
    })
  }

  async #end(record: ReplacementRecord): Promise<QueueResult> {
    const { records, migrations, deps } = this.#parts
    const m = this.#moveOf(record)
    const isShown = m === undefined || m.status?.step === record.saved.phase
    const { namespace, name } = record.move
    if (!isShown || migrations.unsaved(`${namespace}/${name}`) !== undefined)
      return { kind: 'requeue', afterMs: this.#jittered(deps.timing.recheckMs) }
    await records.remove(record)
    this.#moments.forget(record.move.uid)
    return DONE
  }

  /** What the object shows is what is saved. That it cannot be written holds nothing up. */
  async #show(record: ReplacementRecord): Promise<void> {
    const { ledger, steps, takeover } = this.#parts
    const { saved } = record
    if (!isCopying(saved)) await this.#quietly(record, () => ledger.remove(volumeOf(saved)))
    const m = this.#moveOf(record)
    if (m === undefined) return
    const to = shownOf(saved)
    const { step, reason, intent } = m.status ?? {}
    const { requestId } = intent ?? {}
    if (step === to.step && reason === to.reason && requestId === record.intent.requestId) return
    await this.#quietly(record, async () => {
      const ours = await takeover.stamped(m)
      if (ours === undefined) return
      const fields = fieldsOf(saved, this.#timing().maxSoakMs)
      const own = { ...record.intent, epoch: record.epoch }
      await steps.go(ours, to, { ...fields, intent: own, startedAt: record.intent.at })
    })
  }

  async #progress(record: ReplacementRecord, why: string): Promise<void> {
    const m = this.#moveOf(record)
    if (m !== undefined) await this.#quietly(record, () => this.#parts.steps.showProgress(m, why))
  }

  async #quietly(record: ReplacementRecord, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (e) {
      if (e instanceof LostLeaseError) throw e
      const { namespace, name } = record.move
      this.#parts.deps.log.warn(
        { migration: `${namespace}/${name}`, err: messageOf(e) },
        'a replacement goes on, but its VolumeMigration does not show it',
      )
    }
  }

  /** The object of that move; a younger one of the same name is another. */
  #moveOf({ move }: ReplacementRecord): VolumeMigration | undefined {
    const m = this.#parts.migrations.get(`${move.namespace}/${move.name}`)
    return m?.metadata.uid === move.uid ? m : undefined
  }

  #noteGap(record: ReplacementRecord, { kube }: ReplaceSight): void {
    if (kube.kind === 'Unreadable') return
    const { claim, pv } = kube
    this.#moments.gap(record, claim !== undefined && (pv === undefined || claim.phase === 'Lost'))
  }

  #jittered(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.deps.random())
  }
}

function isNeeded(outcome: ReplaceOutcome): boolean {
  return outcome.kind === 'save' && outcome.saved.reason === 'ClaimNeeded'
}

/** A Pod that needs a held claim waits no longer until it is seen. */
const HELD_POLL_MS = 10_000

/** A Pod or attachment that comes or goes wakes a soak, and the end of the claim; for days there is nothing else to see. */
const SOAK_POLL_MS = 5 * 60_000

/** The claim has a volume, or nobody has it any more. */
const KEEPING: ReadonlySet<Saved['phase']> = new Set(['CleaningUp', 'Abandoning'])

/** What Cinder copies the data of the volume for. */
const COPIERS = MAKERS.filter((act) => act !== 'createSnapshot')
const DELETIONS: ReadonlySet<ReplaceAct['act']> = new Set<ReplaceAct['act']>([
  'deleteVolume',
  'deleteBackup',
])

/** Until the copy takes over the move counts with what runs in Cinder; one that is given up, until it is at rest there. */
function isCopying(saved: Saved): boolean {
  const { phase, keeps, reason, journal } = saved
  if (phase === 'Holding' || phase === 'Copying' || phase === 'Switching') return true
  if (phase === 'Succeeded' || phase === 'Failed' || keeps === 'copy' || reason === 'RolledBack')
    return false
  // nothing is deleted before it rests
  const isDeleted = (id: string | undefined) =>
    journal.some((e) => DELETIONS.has(e.act) && e.of === id)
  return COPIERS.some((act) => {
    const made = entryOf(saved, act)
    return (made?.state === 'Asked' || made?.state === 'Done') && !isDeleted(made.id)
  })
}

/** Nobody knows what was mounted between two leaders: it counts from now on. */
function watchedSince(saved: Saved, now: number): Saved {
  return saved.soak?.mountedSince === undefined
    ? saved
    : { ...saved, soak: { ...saved.soak, mountedSince: now } }
}

function volumeOf({ origin }: Saved): string {
  return origin.volume.id
}
