import { replacementRecord } from '../../api/tiering-checkpoint.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import type { QueueResult } from '../../kube/types.ts'
import type { Act, Outcome } from '../../migration/strategy.ts'
import { recordMissing } from '../../migration/record-missing.ts'
import { leftAlone } from '../../migration/unsupported.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Halts } from './halts.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import type { ObservedSaves } from './observed-saves.ts'
import type { Quotas } from '../view/quotas.ts'
import { whyUnreadable } from '../view/read-migration.ts'
import type { BoundClaim, Targets, Untargeted } from '../view/targets.ts'
import type { Reports } from '../view/reports.ts'
import type { ActAnswer, CallingStrategy } from './adapter.ts'
import type { Calls } from './calls.ts'
import type { Endings } from './endings.ts'
import { callOf, laterIntent, REPLACE } from './intents.ts'
import { ofOwner } from './owners-doing.ts'
import type { RecordBook } from './recorded-strategy.ts'
import type { Starting } from './starting.ts'
import type { Steps } from './steps.ts'
import type { Takeover } from './takeover.ts'
import { strategyOf } from './strategies.ts'
import type { BoundStrategies } from './strategies.ts'

export type RunnerParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly targets: Targets
  readonly starting: Starting
  readonly calls: Calls
  readonly quotas: Pick<Quotas, 'called' | 'forget'>
  readonly strategies: BoundStrategies
  readonly records: RecordBook
  readonly halts: Halts
  readonly observed: ObservedSaves
  readonly steps: Steps
  readonly endings: Endings
  readonly takeover: Takeover
  readonly reports: Reports
  readonly times: MoveTimes
  /** The claim is gone or on its way: its owner ended the move, not Cinder. */
  readonly isOwnerGone: (m: VolumeMigration) => boolean
  /** Everything that a start is decided by has been read. */
  readonly hasRead: () => boolean
}

/** A move whose intent is saved, and what its act is done to. */
type Performed = {
  /** undefined when the move has never begun before. */
  readonly before: VolumeMigration | undefined
  readonly move: VolumeMigration
  readonly bound: CallingStrategy
  readonly target: BoundClaim | Untargeted
}

const DONE: QueueResult = { kind: 'done' }

/** Brings each VolumeMigration to its end by what its strategy says, and makes its acts happen: nobody else does. */
export class Runner {
  readonly #parts: RunnerParts

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  async reconcile(key: string): Promise<QueueResult> {
    const { migrations, hasRead, endings, starting } = this.#parts
    const m = migrations.get(key)
    if (m === undefined || whyUnreadable(m) !== undefined) return DONE
    if (isFinished(m))
      return migrations.unsaved(key) === undefined ? this.#retire(m) : endings.save(m)
    if ((m.status?.step ?? 'Waiting') !== 'Waiting') return this.#follow(m)
    if (!hasRead() || !starting.mayStart) return this.#later()
    const begun = await starting.start(m)
    return 'move' in begun ? this.#perform(begun) : begun
  }

  #retire(m: VolumeMigration): Promise<QueueResult> {
    this.forget(m)
    return this.#parts.endings.retire(m)
  }

  /** Forgets what is kept of a move that has ended, or whose object is gone. */
  forget(m: VolumeMigration): void {
    this.#parts.takeover.forget(m)
    this.#parts.steps.forget(m)
    this.#parts.times.forget(m)
    this.#parts.calls.forget(m)
    this.#parts.quotas.forget(m)
    this.#parts.starting.forget(m)
  }

  /** The act whose intent is saved, and what became of it. */
  async #perform({ before, move: m, bound, target }: Performed): Promise<QueueResult> {
    const { deps, calls, reports } = this.#parts
    const { intent, volumeId = '' } = m.status ?? {}
    if (intent === undefined) throw new Error('an act without a saved intent')
    reports.stepTaken(before, m)
    const act = (intent.act ?? 'retype') as Act
    const fence = () => deps.elector.fence(deps.timing.fenceMarginMs)
    return calls.during(volumeId, async () => {
      const answer = await bound
        .perform({ act, move: m, intent, target }, fence)
        .catch((e: unknown) => {
          // it may have been sent all the same
          this.#ended(m, { kind: 'Unknown', message: messageOf(e) })
          throw e
        })
      this.#ended(m, answer)
      return this.#saveAnswer(m, bound, answer)
    })
  }

  #ended(m: VolumeMigration, answer: ActAnswer): void {
    this.#parts.calls.ended(m, answer)
    this.#parts.quotas.called(m, answer)
  }

  /** The answer is saved together with what the machine reads from it. */
  async #saveAnswer(
    m: VolumeMigration,
    bound: CallingStrategy,
    answer: ActAnswer,
  ): Promise<QueueResult> {
    const { deps, steps, observed, takeover } = this.#parts
    const call = callOf(answer, deps.clock.now())
    const answered = { ...m, status: { ...m.status, call } }
    const read = bound.next(answered, takeover.circumstances(m))
    if (read.kind === 'goto') await steps.go(m, read, { call })
    else await observed.save(m, answered.status)
    if (answer.kind === 'NotSent' && answer.unaudited) return this.#later()
    return { kind: 'requeue', afterMs: answer.kind === 'Accepted' ? deps.timing.firstPollMs : 0 }
  }

  async #follow(found: VolumeMigration): Promise<QueueResult> {
    const { takeover, targets, isOwnerGone, hasRead } = this.#parts
    const m = await takeover.stamped(found)
    if (m === undefined || isFinished(m)) return DONE
    const strategy = strategyOf(m)
    if (m.status?.intent?.act === REPLACE) return this.#followRecord(m)
    const bound = this.#parts.strategies.get(strategy)
    if (bound?.kind !== 'calling') {
      const { status = {} } = m
      const outcome = leftAlone(strategy, { ...takeover.circumstances(m), status })
      return this.#carryOut(m, outcome)
    }
    const circumstances = takeover.circumstances(m)
    const known = bound.next(m, circumstances)
    const { outcome, isUnreadable } =
      known.kind === 'look'
        ? await bound.lookAndNext(m, circumstances)
        : { outcome: known, isUnreadable: false }
    if (!isUnreadable) takeover.toConfirm(m, outcome)
    if (outcome.kind === 'act')
      // what it is done to is known only when everything has been read
      return hasRead() ? this.#nextAct(m, bound, outcome.act, targets.boundFor(m)) : this.#later()
    return this.#carryOut(
      m,
      ofOwner(outcome, () => isOwnerGone(m)),
    )
  }

  /** It is brought to its end by its record. Without that nobody knows what has been done. */
  async #followRecord(m: VolumeMigration): Promise<QueueResult> {
    const { records, deps } = this.#parts
    const { uid = '' } = m.metadata
    if (records.of(uid) !== undefined) {
      records.follow(uid)
      return DONE
    }
    if (!records.loaded) return this.#later()
    if (m.status?.step === 'Stuck') return { kind: 'requeue', afterMs: deps.timing.longestPollMs }
    return this.#carryOut(m, recordMissing(replacementRecord(uid)))
  }

  /** An act after the first one asks nobody: what has begun is brought to its end. */
  async #nextAct(
    m: VolumeMigration,
    bound: CallingStrategy,
    act: Act,
    target: BoundClaim | Untargeted,
  ): Promise<QueueResult> {
    const { deps, steps } = this.#parts
    deps.elector.fence(deps.timing.fenceMarginMs)
    const intent = laterIntent(m, act, deps.clock.now(), `req-${deps.uuid()}`)
    const move = await steps.intend(m, { message: `about to perform ${act}`, intent })
    return this.#perform({ before: m, move, bound, target })
  }

  async #carryOut(
    m: VolumeMigration,
    outcome: Exclude<Outcome, { kind: 'act' }>,
  ): Promise<QueueResult> {
    switch (outcome.kind) {
      case 'rest':
        return DONE
      case 'look':
        throw new Error('a machine that has been shown a sight asks for one')
      case 'wait':
        await this.#parts.steps.showProgress(m, outcome.why)
        return { kind: 'requeue', afterMs: this.#jittered(outcome.ms) }
      case 'goto':
        // first: the object may go with its namespace at any moment
        if (outcome.reason === 'Unexplained') await this.#parts.halts.record(m)
        await this.#parts.steps.go(m, outcome)
        return {
          kind: 'requeue',
          afterMs: outcome.step === 'Verifying' ? this.#parts.deps.timing.verifyMs : 0,
        }
    }
  }

  #later(): QueueResult {
    return { kind: 'requeue', afterMs: this.#jittered(this.#parts.deps.timing.recheckMs) }
  }

  #jittered(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.deps.random())
  }
}
