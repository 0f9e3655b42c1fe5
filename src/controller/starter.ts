import type { MigrationStatusReason } from '../api/reasons.ts'
import { isFinished } from '../api/volume-migration.ts'
import type { Intent, VolumeMigration } from '../api/volume-migration.ts'
import { messageOf } from '../errors.ts'
import type { QueueResult } from '../kube/types.ts'
import { preflight } from '../migration/preflight.ts'
import { deadlineMs, FOREIGN_INTENT, isForeign } from '../migration/retype.ts'
import type { CinderVolume } from '../openstack/types.ts'
import { monthlyCost } from '../policy/rank.ts'
import { refuse } from './admission.ts'
import type { Caller } from './caller.ts'
import type { Refusal } from './admission.ts'
import type { AdmissionFacts } from './admission-facts.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Ledger } from './ledger.ts'
import { changed } from './migration-status.ts'
import type { Change } from './migration-status.ts'
import type { Migrations } from './migrations.ts'
import type { Term } from './mover.ts'
import type { PreflightGatherer } from './preflight-facts.ts'
import { isTarget } from './targets.ts'
import type { Target, Targets, Untargeted } from './targets.ts'
import type { Teller } from './teller.ts'
import { keyOf } from './watches.ts'

export type StarterParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly inventory: Inventory
  readonly targets: Targets
  readonly admission: AdmissionFacts
  readonly gatherer: PreflightGatherer
  readonly ledger: Ledger
  readonly teller: Teller
  readonly caller: Caller
  readonly term: Term
  /** The verdict taken again: undefined when the move is still wanted, else why not. */
  readonly stillWanted: (m: VolumeMigration, target: Target) => Refusal | undefined
}

/** Ends, or lets wait, with that reason. */
type Answer = {
  readonly over: boolean
  readonly reason: MigrationStatusReason
  readonly message: string
}

/** Brings a waiting move to its one call: target, approval, verdict, limits, preflight, intent, call, outcome. */
export class Starter {
  readonly #parts: StarterParts
  /** Counting the limits and saving the intent happen one move at a time. */
  #gate: Promise<unknown> = Promise.resolve()

  constructor(parts: StarterParts) {
    this.#parts = parts
  }

  async tryStart(m: VolumeMigration): Promise<QueueResult> {
    const target = this.#parts.targets.of(m)
    const early = this.#ended(m) ?? (isTarget(target) ? this.#notYet(m, target) : target)
    if (early !== undefined || !isTarget(target)) return this.#answer(m, early!, target)
    const volume = await this.#freshVolume(target)
    if ('over' in volume) return this.#answer(m, volume, target)
    const blocked = this.#placed(target, volume) ?? (await this.#preflight(target, volume))
    if (blocked !== undefined) return this.#answer(m, blocked, target)
    return this.#throughTheGate(m, target, volume)
  }

  #ended(m: VolumeMigration): Answer | undefined {
    if (m.spec.cancel === true)
      return { over: true, reason: 'Cancelled', message: 'cancelled before any call to Cinder' }
    const { deps, term } = this.#parts
    const { intent } = m.status ?? {}
    if (intent !== undefined && isForeign(intent, term.clusterId, m.metadata.uid ?? ''))
      return { over: true, reason: 'ForeignIntent', message: FOREIGN_INTENT }
    const expires = Date.parse(m.status?.expiresAt ?? '')
    if (m.spec.reason !== 'Manual' && deps.clock.now() > expires)
      return {
        over: true,
        reason: 'Expired',
        message: 'its turn or approval did not come in time; the policy decides anew',
      }
    return this.#quotaPause(m)
  }

  /** Cinder's 413 says "try at once"; quota does not grow by asking. */
  #quotaPause(m: VolumeMigration): Answer | undefined {
    const { call, reason, message } = m.status ?? {}
    if (call?.kind !== 'Rejected' || reason !== 'QuotaExceeded') return undefined
    const { clock, timing } = this.#parts.deps
    if (clock.now() >= Date.parse(call.at) + timing.quotaPauseMs) return undefined
    return { over: false, reason: 'QuotaExceeded', message: message ?? '' }
  }

  #notYet(m: VolumeMigration, target: Target): Answer | undefined {
    const older = this.#afterOlder(m, target)
    if (older !== undefined) return older
    // a move that is not wanted any more asks nobody for approval
    const unwanted = waiting(this.#parts.stillWanted(m, target))
    if (unwanted?.over) return unwanted
    return this.#mode(m, target) ?? unwanted ?? this.#limits(m, target)
  }

  /** One move at a time per volume, the oldest first. */
  #afterOlder(m: VolumeMigration, { volume, claim }: Target): Answer | undefined {
    const older = this.#parts.migrations
      .ofVolume(volume.handle, `${claim.namespace}/${claim.name}`)
      .find((o) => o.metadata.uid !== m.metadata.uid && !isFinished(o) && isInFlightOrOlder(o, m))
    if (older === undefined) return undefined
    const manual = m.spec.reason === 'Manual'
    return {
      over: !manual,
      reason: manual ? 'InFlight' : 'Superseded',
      message: `VolumeMigration ${keyOf(older)} of the same volume goes first`,
    }
  }

  #mode(m: VolumeMigration, target: Target): Answer | undefined {
    const { mode } = target.policy.effective
    if (mode === 'Observe')
      return {
        over: false,
        reason: 'Observe',
        message: `policy ${target.policy.name} only observes (mode: Observe)`,
      }
    if (mode === 'Approve' && m.spec.reason !== 'Manual' && m.spec.approved !== true)
      return { over: false, reason: 'AwaitingApproval', message: 'waits for spec.approved: true' }
    return undefined
  }

  #limits(m: VolumeMigration, target: Target): Answer | undefined {
    return waiting(refuse(this.#parts.admission.inputFor(m, target)))
  }

  async #freshVolume(target: Target): Promise<CinderVolume | Answer> {
    try {
      const volume = await this.#parts.inventory.look(target.volume.handle)
      return (
        volume ?? {
          over: true,
          reason: 'Disappeared',
          message: `Cinder does not know volume ${target.volume.handle}`,
        }
      )
    } catch (e) {
      return { over: false, reason: 'CinderDown', message: messageOf(e) }
    }
  }

  #placed({ from, to }: Target, volume: CinderVolume): Answer | undefined {
    if (volume.typeId === to.typeId)
      return volume.status === 'available' || volume.status === 'in-use'
        ? { over: true, reason: 'AlreadyThere', message: `the volume is on ${to.typeName} already` }
        : { over: false, reason: 'Busy', message: `the volume is "${volume.status}" in Cinder` }
    if (from !== undefined && volume.typeId !== from.typeId)
      return {
        over: true,
        reason: 'MovedElsewhere',
        message: `the volume is on type ${volume.typeName}, not on ${from.typeName}`,
      }
    return undefined
  }

  async #preflight(target: Target, volume: CinderVolume): Promise<Answer | undefined> {
    try {
      const [first] = preflight(await this.#parts.gatherer.gather(target, volume))
      return waiting(first)
    } catch (e) {
      return { over: false, reason: 'CinderDown', message: messageOf(e) }
    }
  }

  #throughTheGate(m: VolumeMigration, target: Target, volume: CinderVolume): Promise<QueueResult> {
    const turn = this.#gate.then(() => this.#saveIntent(m, target, volume))
    this.#gate = turn.catch(() => {})
    return turn.then((saved) =>
      'metadata' in saved ? this.#parts.caller.call(saved, target) : saved,
    )
  }

  /** The limits are counted a last time, now that nobody else can pass; then the intent goes to the API server. */
  async #saveIntent(
    m: VolumeMigration,
    target: Target,
    volume: CinderVolume,
  ): Promise<VolumeMigration | QueueResult> {
    const { deps, migrations, ledger } = this.#parts
    const refused = this.#afterOlder(m, target) ?? this.#limits(m, target)
    if (refused !== undefined) return this.#answer(m, refused, target)
    deps.elector.fence(deps.timing.fenceMarginMs)
    const now = deps.clock.now()
    const intent = this.#intentFor(m, target, volume, now)
    const { call: _previousCall, verifiedOnceAt: _previousLook, ...status } = m.status ?? {}
    await ledger.put({
      namespace: target.claim.namespace,
      migration: m.metadata.name,
      volumeId: volume.id,
      fromTypeId: intent.fromTypeId,
      toTypeId: intent.toTypeId,
      at: intent.at,
    })
    const change: Change = {
      step: 'Requested',
      reason: 'IntentSaved',
      message: `about to ask Cinder for ${target.to.typeName}`,
      intent,
      volumeId: volume.id,
      sizeGiB: volume.sizeGiB,
      ...savingOf(target),
      startedAt: intent.at,
    }
    try {
      return await migrations.save(m, changed({ ...m, status }, change, now))
    } catch (e) {
      await ledger.remove(volume.id)
      throw e
    }
  }

  #intentFor(m: VolumeMigration, target: Target, volume: CinderVolume, now: number): Intent {
    const { deps, term } = this.#parts
    const { retypeTimeoutMs } = target.policy.effective.migration
    return {
      attempt: (m.status?.intent?.attempt ?? 0) + 1,
      requestId: `req-${deps.uuid()}`,
      clusterId: term.clusterId,
      objectUid: m.metadata.uid ?? '',
      epoch: term.epoch,
      at: new Date(now).toISOString(),
      deadline: new Date(now + deadlineMs(volume.sizeGiB, retypeTimeoutMs)).toISOString(),
      fromTypeId: volume.typeId,
      toTypeId: target.to.typeId,
      volumeUpdatedAt: volume.updatedAt,
      availabilityZone: volume.availabilityZone,
      attached: volume.attachments.length > 0,
    }
  }

  async #answer(
    m: VolumeMigration,
    answer: Answer,
    target: Target | Untargeted,
  ): Promise<QueueResult> {
    const { deps, migrations, teller } = this.#parts
    const now = deps.clock.now()
    const again = {
      kind: 'requeue',
      afterMs: deps.timing.recheckMs * (0.9 + 0.2 * deps.random()),
    } as const
    if (!answer.over && this.#toldLately(m, answer, now)) return again
    const change: Change = {
      step: answer.over ? (answer.reason === 'AlreadyThere' ? 'Succeeded' : 'Failed') : 'Waiting',
      reason: answer.reason,
      message: answer.message,
      ...(isTarget(target) ? { volumeId: target.volume.handle, ...savingOf(target) } : {}),
      ...(m.status?.expiresAt === undefined
        ? { expiresAt: new Date(now + deps.timing.expireMs).toISOString() }
        : {}),
    }
    const saved = await migrations.save(m, changed(m, change, now))
    this.#toldAt.set(m.metadata.uid ?? '', now)
    if (saved !== m) teller.stepTaken(m, saved)
    return answer.over ? { kind: 'requeue', afterMs: 0 } : again
  }

  readonly #toldAt = new Map<string, number>()

  /** Messages count down ("the next attempt is in 2 h"); that alone is not worth a write each time. */
  #toldLately(m: VolumeMigration, answer: Answer, now: number): boolean {
    const { step, reason } = m.status ?? {}
    if (step !== 'Waiting' || reason !== answer.reason) return false
    return now - (this.#toldAt.get(m.metadata.uid ?? '') ?? 0) < this.#parts.deps.timing.retellMs
  }

  /** Lets go of what is remembered of a finished move. */
  forget(m: VolumeMigration): void {
    this.#toldAt.delete(m.metadata.uid ?? '')
  }
}

/** For the storage alone, as the bill will show it. */
function savingOf({ from, to, row }: Target): { monthlySaving?: string } {
  if (from === undefined || row === undefined) return {}
  const saving = monthlyCost(from, row.sizeGiB) - monthlyCost(to, row.sizeGiB)
  return { monthlySaving: saving.toFixed(2) }
}

function waiting(
  refusal: { reason: MigrationStatusReason; message: string } | undefined,
): Answer | undefined {
  if (refusal === undefined) return undefined
  return {
    over: refusal.reason === 'NoLongerWanted',
    reason: refusal.reason,
    message: refusal.message,
  }
}

function isInFlightOrOlder(other: VolumeMigration, than: VolumeMigration): boolean {
  if ((other.status?.step ?? 'Waiting') !== 'Waiting') return true
  const [a, b] = [other.metadata, than.metadata]
  if (a.creationTimestamp !== b.creationTimestamp)
    return (a.creationTimestamp ?? '') < (b.creationTimestamp ?? '')
  return keyOf(other) < keyOf(than)
}
