import type { CallOutcome, Intent, VolumeMigration } from '../api/volume-migration.ts'
import { messageOf } from '../errors.ts'
import type { QueueResult } from '../kube/types.ts'
import type { RetypeAnswer } from '../openstack/types.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Ledger } from './ledger.ts'
import { changed } from './migration-status.ts'
import type { Change } from './migration-status.ts'
import type { Migrations } from './migrations.ts'
import type { PreflightGatherer } from './preflight-facts.ts'
import type { Target } from './targets.ts'
import type { Teller } from './teller.ts'

export type CallerParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly inventory: Inventory
  readonly gatherer: PreflightGatherer
  readonly ledger: Ledger
  readonly teller: Teller
}

/** Makes the one call of a move whose intent is saved, and saves what became of it. */
export class Caller {
  readonly #parts: CallerParts
  readonly #calledAt = new Map<string, number>()

  constructor(parts: CallerParts) {
    this.#parts = parts
  }

  /** When this leader itself made the call (`clock.now()`); undefined when an earlier one did. */
  calledAt(m: VolumeMigration): number | undefined {
    return this.#calledAt.get(m.metadata.uid ?? '')
  }

  /** Lets go of what is remembered of a finished move. */
  forget(m: VolumeMigration): void {
    this.#calledAt.delete(m.metadata.uid ?? '')
  }

  /** The client asks the fence right before it sends, with nothing awaited in between. */
  async call(m: VolumeMigration, target: Target): Promise<QueueResult> {
    const { deps, teller } = this.#parts
    const { intent } = m.status ?? {}
    if (intent === undefined) throw new Error('a call without a saved intent')
    teller.stepTaken(undefined, m)
    this.#calledAt.set(m.metadata.uid ?? '', deps.clock.now())
    const answer =
      (await this.#changedMeanwhile(target, intent)) ?? (await this.#retype(target, intent))
    await this.#saveAnswer(m, answer)
    return { kind: 'requeue', afterMs: answer.kind === 'Accepted' ? deps.timing.firstPollMs : 0 }
  }

  #retype(target: Target, intent: Intent): Promise<RetypeAnswer> {
    const { deps, gatherer } = this.#parts
    return deps.volumes.retype({
      volumeId: target.volume.handle,
      newTypeId: intent.toTypeId,
      migrationPolicy: target.policy.effective.migration.migrationPolicy,
      requestId: intent.requestId,
      fence: () => {
        deps.elector.fence(deps.timing.fenceMarginMs)
        // Kubernetes announces an attachment before Nova makes it: the last moment to step back
        if (gatherer.isUnsafelyAttached(target)) throw new Error('a pod is about to use the volume')
      },
    })
  }

  /** Cinder retypes whatever it finds, so what preflight has seen must still be so right before the call. */
  async #changedMeanwhile(target: Target, intent: Intent): Promise<RetypeAnswer | undefined> {
    const { inventory, gatherer } = this.#parts
    const notSent = (message: string): RetypeAnswer => ({ kind: 'NotSent', message })
    try {
      const now = await inventory.look(target.volume.handle)
      if (now === undefined) return notSent('Cinder no longer knows the volume')
      if (now.updatedAt !== intent.volumeUpdatedAt)
        return notSent('the volume changed between preflight and call')
      return gatherer.isUnsafelyAttached(target, now)
        ? notSent('the volume was attached between preflight and call')
        : undefined
    } catch (e) {
      return notSent(`Cinder does not answer: ${messageOf(e)}`)
    }
  }

  async #saveAnswer(m: VolumeMigration, answer: RetypeAnswer): Promise<void> {
    const { deps, migrations, teller, ledger } = this.#parts
    const now = deps.clock.now()
    const call: CallOutcome = {
      kind: answer.kind,
      at: new Date(now).toISOString(),
      ...('httpStatus' in answer && answer.httpStatus !== undefined
        ? { httpStatus: answer.httpStatus }
        : {}),
      ...('message' in answer ? { message: answer.message.slice(0, 1000) } : {}),
      ...('cinderRequestId' in answer && answer.cinderRequestId !== undefined
        ? { cinderRequestId: answer.cinderRequestId }
        : {}),
    }
    const change = changeFor(answer)
    const saved = await migrations.save(m, changed(begun(m, change), { ...change, call }, now))
    if (change.step === 'Waiting' && m.status?.volumeId !== undefined)
      await ledger.remove(m.status.volumeId)
    teller.stepTaken(m, saved)
  }
}

/** A move that goes back to waiting has not started. */
function begun(m: VolumeMigration, change: Change): VolumeMigration {
  if (change.step !== 'Waiting') return m
  const { startedAt: _startedAt, elapsed: _elapsed, ...status } = m.status ?? {}
  return { ...m, status }
}

function changeFor(answer: RetypeAnswer): Change {
  switch (answer.kind) {
    case 'Accepted':
      return {
        step: 'Retyping',
        reason: 'Accepted',
        message: 'Cinder accepted the retype; that alone means nothing yet',
      }
    case 'Rejected':
      return answer.quota
        ? {
            step: 'Waiting',
            reason: 'QuotaExceeded',
            message: `Cinder refused for lack of quota: ${answer.message}`,
          }
        : {
            step: 'Failed',
            reason: 'Rejected',
            message: `Cinder refused the retype (${answer.httpStatus}): ${answer.message}`,
          }
    case 'NotSent':
      return { step: 'Requested', reason: 'NotSent', message: answer.message }
    case 'Unknown':
      return {
        step: 'Requested',
        reason: 'OutcomeUnknown',
        message: `no answer to the retype call (${answer.message}); watching the volume, repeating nothing that may run`,
      }
  }
}
