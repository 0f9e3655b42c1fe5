import type { MigrationStatusReason, MoveReason } from '../../api/reasons.ts'
import { isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { approval, observing } from '../../blockers/policy.ts'
import { busy } from '../../blockers/volume.ts'
import { FOREIGN_INTENT, isForeign } from '../../migration/foreign.ts'
import type { Answer } from '../../migration/unsent.ts'
import { rfc3339 } from '../../time.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import { refuse } from './admission.ts'
import type { Refusal } from './admission.ts'
import type { AdmissionFacts } from './admission-facts.ts'
import type { ApprovalGuard } from '../view/approval-guard.ts'
import { CinderBlocks } from './cinder-blocks.ts'
import type { ControllerDeps } from '../deps.ts'
import { expiry, isJustApproved, scheduleFor } from './expiry.ts'
import { goesFirst } from './goes-first.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Ledger } from './ledger.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import { ownersWord } from './owners-word.ts'
import type { Policies } from '../view/policies.ts'
import type { Quotas } from '../view/quotas.ts'
import type { Target } from '../view/targets.ts'
import type { BoundStrategy } from './adapter.ts'
import type { Calls } from './calls.ts'
import { hiddenFrom } from './hidden.ts'
import { QuotaGate } from './quota-gate.ts'
import { unread, waiting } from './unread.ts'
import { ownIdOf } from '../view/term.ts'
import type { Term } from '../view/term.ts'

/** What the gate itself says of a waiting move, and what it means. */
export const GATE_REASONS = {
  WatchStale:
    'Waiting: the API server has sent no news of claims, volumes, policies or migrations for five minutes; nothing starts from an old view.',
  AuditUnavailable:
    'Waiting: no line can be written to the audit (a full disk, a closed pipe), so that no call is made. Tried again every ten seconds; running moves are followed.',
} as const satisfies Partial<Record<MoveReason, string>>

export type StartGateParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly inventory: Inventory
  readonly policies: Policies
  readonly admission: AdmissionFacts
  readonly quotas: Quotas
  readonly ledger: Ledger
  readonly approvals: ApprovalGuard
  readonly calls: Calls
  readonly term: Term
  readonly times: MoveTimes
  readonly verdicts: Verdicts
  /** Why what owners and administrators say now is not known. */
  readonly deaf: () => string | undefined
}

/** A volume as Cinder has it now, and the project that it was asked for. */
export type FoundVolume = { readonly volume: CinderVolume; readonly projectId: string }

/** Nothing stands in the way but that the volume is attached. */
export type OnlyAttached = Answer & { readonly volume: CinderVolume }

/** The decision of a policy, taken again. */
export interface Verdicts {
  /** undefined when the move is still wanted, else why not. */
  stillWanted(m: VolumeMigration, target: Target): Refusal | undefined
}

/** What stands between a waiting move and its first act: everything is asked here, and nothing is written. */
export class StartGate {
  readonly #parts: StartGateParts
  #turn: Promise<unknown> = Promise.resolve()

  readonly #blocks: CinderBlocks
  readonly #quota: QuotaGate

  constructor(parts: StartGateParts) {
    this.#parts = parts
    this.#blocks = new CinderBlocks(parts.deps)
    this.#quota = new QuotaGate(parts)
  }

  /** Counting the limits and saving the intent happen one move at a time. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Over, or not to be asked again yet, whatever it is about. */
  ended(m: VolumeMigration): Answer | undefined {
    if (m.spec.cancel === true)
      return { over: true, reason: 'Cancelled', message: 'cancelled before any call to Cinder' }
    if (m.metadata.deletionTimestamp !== undefined)
      return { over: true, reason: 'Cancelled', message: 'deleted before any call to Cinder' }
    const { term } = this.#parts
    const { intent } = m.status ?? {}
    const id = ownIdOf(term, intent?.clusterId)
    if (intent !== undefined && isForeign(intent, id, m.metadata.uid ?? ''))
      return { over: true, reason: 'ForeignIntent', message: FOREIGN_INTENT }
    return this.#quotaPause(m) ?? this.#callPause(m) ?? this.#deaf()
  }

  /** Checked with the target, whose policy knows when the next slot opens. */
  expired(m: VolumeMigration, target: Target | undefined): Answer | undefined {
    const { deps, times } = this.#parts
    const saved = rfc3339(m.status?.expiresAt ?? '')
    if (isManual(m) || saved === undefined || isJustApproved(m)) return undefined
    const { expireMs } = deps.timing
    const schedule = target && scheduleFor(m, target)
    // the schedule may have come, or changed, since the end was saved
    const end = Math.min(
      expiry(schedule, saved - expireMs, expireMs),
      expiry(schedule, times.firstSeen(m), expireMs),
    )
    if (times.now(m) <= end) return undefined
    return {
      over: true,
      reason: 'Expired',
      message: 'its turn or approval did not come in time; the policy decides again',
    }
  }

  /** When the wait that begins now ends. */
  expiresAt(m: VolumeMigration, target: Target | undefined): string {
    const { clock, timing } = this.#parts.deps
    const schedule = target && scheduleFor(m, target)
    return new Date(expiry(schedule, clock.now(), timing.expireMs)).toISOString()
  }

  /** Order, owner, verdict, mode and limits, all from memory. */
  notYet(m: VolumeMigration, target: Target): Answer | undefined {
    const deaf = this.#deaf()
    if (deaf !== undefined) return deaf
    const older = goesFirst(m, target, this.#parts)
    if (older !== undefined) return older
    if (isManual(m)) {
      const owner = waiting(ownersWord(target, this.#parts.policies))
      if (owner !== undefined) return owner
    }
    // a move that is not wanted any more asks nobody for approval
    const unwanted = waiting(this.#parts.verdicts.stillWanted(m, target))
    if (unwanted?.over) return unwanted
    // limits in GiB are counted once Cinder has shown the size
    const limits = target.row === undefined ? undefined : this.limits(m, target)
    return this.#mode(m, target) ?? unwanted ?? limits
  }

  limits(m: VolumeMigration, target: Target, volume?: CinderVolume): Answer | undefined {
    return waiting(refuse(this.#parts.admission.inputFor(m, target, volume)))
  }

  /** The volume as Cinder has it now, when it is where the move begins and no blocker of its strategy holds. */
  async volumeFor(
    m: VolumeMigration,
    target: Target,
    bound: BoundStrategy,
  ): Promise<FoundVolume | OnlyAttached | Answer> {
    const before = this.#blocks.of(m, target)
    const still = before && (await this.#quota.again(m, target, before))
    if (still !== undefined) return still
    const found = await this.#freshVolume(m, target)
    if (isAnswer(found)) return found
    const { volume } = found
    const blocked = placed(target, volume) ?? (await blockOf(bound, target, volume))
    this.#blocks.note(m, target, blocked)
    return blocked ?? found
  }

  /** What Cinder's quotas have against it now, with the moves that have begun. To be asked in turn. */
  quota(
    m: VolumeMigration,
    target: Target,
    { sizeGiB }: CinderVolume,
  ): Promise<Answer | undefined> {
    return this.#quota.refusal(m, target, sizeGiB)
  }

  /** A call without its line in the audit is not made. */
  async unaudited(): Promise<Answer | undefined> {
    const why = await this.#parts.deps.audit.unavailable()
    if (why === undefined) return undefined
    return { over: false, reason: 'AuditUnavailable', message: unauditedText(why) }
  }

  /** Forgets what is kept of a finished move. */
  forget(m: VolumeMigration): void {
    this.#blocks.forget(m)
  }

  async #freshVolume(
    { status }: VolumeMigration,
    { volume }: Target,
  ): Promise<FoundVolume | Answer> {
    try {
      const projectId = await this.#parts.deps.volumes.projectId()
      const found = await this.#parts.inventory.readVolume(volume.handle)
      if (found !== undefined) return { volume: found, projectId }
      const hidden = hiddenFrom(projectId, status?.intent)
      if (hidden !== undefined) return { over: false, reason: 'MissingPermission', message: hidden }
      const message = `Cinder does not know volume ${volume.handle}`
      return { over: true, reason: 'Disappeared', message }
    } catch (e) {
      return unread(e)
    }
  }

  /** A claim that was paused, or a policy that was stopped, would be moved by what stood there before. */
  #deaf(): Answer | undefined {
    const why = this.#parts.deaf()
    if (why === undefined) return undefined
    const message = `the current state of claims and policies is not known: ${why}`
    return { over: false, reason: 'WatchStale', message }
  }

  /** A server that is limited or not there now is not asked again at once; what was said of it stays. */
  #callPause(m: VolumeMigration): Answer | undefined {
    if (this.#parts.calls.pauseMs(m) === 0) return undefined
    const { reason = 'NotSent', message = '' } = m.status ?? {}
    return { over: false, reason: reason as MigrationStatusReason, message }
  }

  /** Cinder's 413 says "try at once"; quota does not grow by asking. */
  #quotaPause(m: VolumeMigration): Answer | undefined {
    const { call, reason, message } = m.status ?? {}
    if (call?.kind !== 'Rejected' || reason !== 'QuotaExceeded') return undefined
    const { deps, times } = this.#parts
    if (!(deps.clock.now() < times.past(call.at) + deps.timing.quotaPauseMs)) return undefined
    return { over: false, reason: 'QuotaExceeded', message: message ?? '' }
  }

  #mode(m: VolumeMigration, target: Target): Answer | undefined {
    const { name, effective } = target.policy
    const { mode } = effective
    const observed = waiting(observing({ name, mode, to: target.to.name }))
    if (observed !== undefined) return observed
    if (isManual(m)) return undefined
    const unguarded = this.#parts.approvals.refusal
    return waiting(approval({ mode, approved: m.spec.approved === true, unguarded }))
  }
}

export function unauditedText(why: string): string {
  return `no move starts while the audit cannot be written: ${why}`
}

export function isAnswer<A extends Answer>(found: FoundVolume | A): found is A {
  return 'over' in found
}

export function isOnlyAttached(answer: Answer | OnlyAttached): answer is OnlyAttached {
  return 'volume' in answer
}

function placed({ from, to }: Target, volume: CinderVolume): Answer | undefined {
  if (volume.typeId === '' && volume.typeName !== '')
    return {
      over: false,
      reason: 'CinderDown',
      message: `Cinder does not say which volume type "${volume.typeName}" is (an older server, or a type that this project may not see)`,
    }
  if (volume.typeId === to.typeId)
    return (
      waiting(busy(volume)) ?? {
        over: true,
        reason: 'AlreadyThere',
        message: `the volume is on ${to.typeName} already`,
      }
    )
  if (from !== undefined && volume.typeId !== from.typeId)
    return {
      over: true,
      reason: 'MovedElsewhere',
      message: `the volume is on type ${volume.typeName}, not on ${from.typeName}`,
    }
  return undefined
}

async function blockOf(
  bound: BoundStrategy,
  target: Target,
  volume: CinderVolume,
): Promise<Answer | OnlyAttached | undefined> {
  try {
    const blocks = await bound.blocks(target, volume)
    const first = waiting(blocks[0])
    return first !== undefined && blocks.every((b) => b.reason === 'Attached')
      ? { ...first, volume }
      : first
  } catch (e) {
    return unread(e)
  }
}
