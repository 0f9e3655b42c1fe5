import { replacementRecord, stopRecord } from '../../api/tiering-checkpoint.ts'
import type { Intent, VolumeMigration } from '../../api/volume-migration.ts'
import { unwritten } from '../../blockers/unwritten.ts'
import { messageOf } from '../../errors.ts'
import { LostLeaseError } from '../../kube/types.ts'
import type { QueueResult } from '../../kube/types.ts'
import type { Act } from '../../migration/strategy.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import type { Acceptance } from './acceptance.ts'
import type { Change } from './migration-status.ts'
import type { Reports } from '../view/reports.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Ledger } from './ledger.ts'
import type { ObservedSaves } from './observed-saves.ts'
import { recorded } from './recorded.ts'
import { isRefusal } from './refusals.ts'
import { savingOf } from './saving-of.ts'
import { isSameMove, isTarget } from '../view/targets.ts'
import type { Target, Targets, Untargeted } from '../view/targets.ts'
import type { BoundStrategy, CallingStrategy } from './adapter.ts'
import { initiatorOf } from './audited-move.ts'
import { firstIntent, REPLACE } from './intents.ts'
import { RecordError } from './record-store.ts'
import type { RecordBook, RecordedStrategy } from './recorded-strategy.ts'
import { unread } from './unread.ts'
import { isAnswer, isOnlyAttached } from './start-gate.ts'
import type { FoundVolume, OnlyAttached, StartGate } from './start-gate.ts'
import type { Steps } from './steps.ts'
import type { Takeover } from './takeover.ts'
import type { Term } from '../view/term.ts'
import type { BoundStrategies } from './strategies.ts'
import type { WorkloadStops } from './workload-stops.ts'

/** A move whose first intent is saved. */
export type Begun = {
  /** undefined when the move has never begun before. */
  readonly before: VolumeMigration | undefined
  readonly move: VolumeMigration
  readonly bound: CallingStrategy
  readonly target: Target
}

/** A watch lags behind what a person has just done by moments. */
const SOON: QueueResult = { kind: 'requeue', afterMs: 1_000 }

export type StartingParts = {
  readonly deps: ControllerDeps
  readonly targets: Targets
  readonly acceptance: Acceptance
  readonly gate: StartGate
  readonly strategies: BoundStrategies
  readonly records: RecordBook
  readonly stops: WorkloadStops
  readonly ledger: Ledger
  readonly observed: ObservedSaves
  readonly steps: Steps
  readonly reports: Reports
  readonly takeover: Takeover
  readonly term: Term
  /** A deleted move is about to halt all moves. */
  readonly mayHalt: () => boolean
}

/** Brings a waiting move to its first intent: target, approval, verdict, limits, preflight, ledger. */
export class Starting {
  readonly #parts: StartingParts

  constructor(parts: StartingParts) {
    this.#parts = parts
  }

  /** Nothing is known that is about to stop everything. */
  get mayStart(): boolean {
    return !this.#parts.mayHalt()
  }

  /** The move with its first intent saved, or when to ask again. */
  async start(m: VolumeMigration): Promise<Begun | QueueResult> {
    const { observed } = this.#parts
    try {
      const result = await this.#start(m)
      observed.forget(m)
      return result
    } catch (e) {
      if (isRefusal(e)) observed.refused(m, e)
      throw e
    }
  }

  /** Forgets what is kept of a finished move. */
  forget(m: VolumeMigration): void {
    this.#parts.gate.forget(m)
    this.#parts.stops.forget(m)
  }

  async #start(found: VolumeMigration): Promise<Begun | QueueResult> {
    const { gate, targets, acceptance, strategies } = this.#parts
    // a leader before has saved its record, and died before the move showed it
    const { records } = this.#parts
    const { uid = '' } = found.metadata
    if (records.of(uid) !== undefined) {
      records.follow(uid)
      return { kind: 'done' }
    }
    const ended = gate.ended(found)
    if (ended !== undefined) return this.#refuse(found, ended, targets.of(found))
    const m = await this.#accepted(found)
    if (!('metadata' in m)) return this.#refuse(found, m, m)
    const target = targets.of(m)
    if (!isTarget(target)) {
      if (target.over && !(await acceptance.isCurrent(m))) return SOON
      return this.#refuse(m, gate.expired(m, undefined) ?? target, target)
    }
    const early =
      gate.expired(m, target) ??
      gate.notYet(m, target) ??
      this.#replaced(target) ??
      this.#parts.stops.holding(target)
    if (early !== undefined) return this.#refuse(m, early, target)
    const unaudited = await gate.unaudited()
    if (unaudited !== undefined) return this.#refuse(m, unaudited, target)
    const bound = strategies.get(target.strategy)
    if (bound === undefined) throw new Error(`no machine is bound for ${target.strategy}`)
    const seen = await gate.volumeFor(m, target, bound)
    if (!isAnswer(seen)) return gate.inTurn(() => this.#saveIntent(m, target, bound, seen))
    if (isOnlyAttached(seen)) return this.#stopWorkload(m, target, bound, seen)
    return this.#refuse(m, seen, target)
  }

  /** The volume would be moved if nothing used it: its workload is stopped, where that is allowed. */
  async #stopWorkload(
    m: VolumeMigration,
    asked: Target,
    bound: BoundStrategy,
    { volume, ...attached }: OnlyAttached,
  ): Promise<QueueResult> {
    const { deps, gate, stops, targets } = this.#parts
    const under = stops.under(asked)
    if (under !== undefined) return this.#refuse(m, under, asked)
    const stop = await stops.plan(m, asked, attached)
    if ('over' in stop) return this.#refuse(m, stop, asked)
    return gate.inTurn(async () => {
      const overQuota = await gate.quota(m, asked, volume)
      if (overQuota !== undefined) return this.#refuse(m, overQuota, asked)
      const target = targets.of(m)
      if (!this.mayStart || !isTarget(target) || !isSameMove(target, asked)) return SOON
      const refused = gate.notYet(m, target) ?? gate.limits(m, target, volume)
      if (refused !== undefined) return this.#refuse(m, refused, target)
      if (stops.under(target) !== undefined || !stops.isCurrent(stop)) return SOON
      deps.elector.fence(deps.timing.fenceMarginMs)
      try {
        await stops.open(m, target, stop, bound.deadlineMs(target, volume))
      } catch (e) {
        const answer = notSaved(e, stopRecord(m.metadata.uid ?? ''))
        if (answer === undefined) throw e
        return this.#refuse(m, answer, target)
      }
      return this.#refuse(m, stops.under(target) ?? attached, target)
    })
  }

  async #accepted(m: VolumeMigration): Promise<VolumeMigration | Untargeted> {
    const { acceptance, steps } = this.#parts
    const claim = await acceptance.claimOf(m)
    if (claim === undefined || 'over' in claim) return claim ?? m
    return acceptance.kept(await steps.accept(m, claim), claim)
  }

  /** The limits are counted a last time, now that nobody else can pass; then the intent goes to the API server. */
  async #saveIntent(
    m: VolumeMigration,
    asked: Target,
    bound: BoundStrategy,
    seen: FoundVolume,
  ): Promise<Begun | QueueResult> {
    const { deps, ledger, targets, gate, steps, term } = this.#parts
    const { volume } = seen
    const overQuota = await gate.quota(m, asked, volume)
    if (overQuota !== undefined) return this.#refuse(m, overQuota, asked)
    // Cinder took its time over the answers, and people may have changed claim and policy meanwhile
    const target = targets.of(m)
    if (!this.mayStart || !isTarget(target) || !isSameMove(target, asked)) return SOON
    const refused = gate.notYet(m, target) ?? gate.limits(m, target, volume)
    if (refused !== undefined) return this.#refuse(m, refused, target)
    deps.elector.fence(deps.timing.fenceMarginMs)
    const intent = firstIntent(m, this.#firstAct(m, target, bound), target, seen, {
      now: deps.clock.now(),
      deadlineMs: bound.deadlineMs(target, volume),
      requestId: `req-${deps.uuid()}`,
      term,
    })
    // what may run in Cinder is in the ledger first, so that it outlives its namespace
    const unrecorded = await recorded(ledger, {
      namespace: target.claim.namespace,
      migration: m.metadata.name,
      volumeId: volume.id,
      fromTypeId: intent.fromTypeId,
      toTypeId: intent.toTypeId,
      at: intent.at,
      uid: intent.objectUid,
      policy: m.spec.policy,
      clusterId: intent.clusterId,
      ...(intent.projectId === undefined ? {} : { projectId: intent.projectId }),
    })
    if (unrecorded !== undefined) return this.#refuse(m, { over: false, ...unrecorded }, target)
    const change = {
      intent,
      volumeId: volume.id,
      sizeGiB: volume.sizeGiB,
      ...savingOf(target),
      startedAt: intent.at,
    }
    const before = m.status?.intent === undefined ? undefined : m
    try {
      if (bound.kind === 'recorded') return await this.#open(m, target, bound, volume, change)
      const message = `about to ask Cinder for ${target.to.typeName}`
      const saved = await steps.intend(m, { ...change, message })
      // an older CustomResourceDefinition drops fields of the intent that its act goes by
      const move = { ...saved, status: { ...saved.status, intent } }
      return { before, move, bound, target }
    } catch (e) {
      await ledger.remove(volume.id)
      throw e
    }
  }

  /** An earlier move of the claim has its record, whether its object is still there or not. */
  #replaced({ claim }: Target): Answer | undefined {
    const record = this.#parts.records.ofClaim(claim.uid)
    if (record === undefined) return undefined
    const { move, saved } = record
    const message = `VolumeMigration ${move.name} is ${saved.phase}: until it ends no other move of the claim begins`
    return { over: false, reason: 'InFlight', message }
  }

  #firstAct(m: VolumeMigration, target: Target, bound: BoundStrategy): Act | typeof REPLACE {
    if (bound.kind === 'recorded') return REPLACE
    const first = bound.next(m, this.#parts.takeover.circumstances(m))
    if (first.kind !== 'act') throw new Error(`${target.strategy} does not begin with an act`)
    return first.act
  }

  /** From the moment that its record is saved the move is followed, whatever becomes of its object. */
  async #open(
    m: VolumeMigration,
    target: Target,
    bound: RecordedStrategy,
    volume: CinderVolume,
    { intent, ...change }: Omit<Change, 'step' | 'reason' | 'message'> & { intent: Intent },
  ): Promise<QueueResult> {
    const { records, steps, reports, term, ledger } = this.#parts
    const { namespace = '', name, uid = '' } = m.metadata
    const message =
      'the volume is held next, while it is copied; Kubernetes may report ClaimLost for up to 15 s, and no data is lost'
    try {
      const saved = await bound.open(m, target, volume, intent)
      const move = { namespace, name, uid, spec: m.spec, initiator: initiatorOf(m) }
      await records.open({ move, intent, epoch: term.epoch, saved })
    } catch (e) {
      const answer = notSaved(e, replacementRecord(uid))
      if (answer === undefined) throw e
      await ledger.remove(volume.id)
      return this.#refuse(m, answer, target)
    }
    try {
      const begun = await steps.record(m, { ...change, intent, message })
      reports.stepTaken(m.status?.intent === undefined ? undefined : m, begun)
    } finally {
      // whether the object shows it or not
      records.follow(uid)
    }
    return { kind: 'done' }
  }

  async #refuse(
    m: VolumeMigration,
    answer: Answer,
    target: Target | Untargeted,
  ): Promise<QueueResult> {
    const { gate, steps, deps } = this.#parts
    const until = () => gate.expiresAt(m, isTarget(target) ? target : undefined)
    await steps.refuse(m, answer, target, until)
    const afterMs = answer.over ? 0 : deps.timing.recheckMs * (0.9 + 0.2 * deps.random())
    return { kind: 'requeue', afterMs }
  }
}

/** Nothing has begun: why, and that it is tried again. */
function notSaved(e: unknown, record: string): Answer | undefined {
  if (e instanceof LostLeaseError) return undefined
  if (!isRefusal(e) && !(e instanceof RecordError)) return unread(e)
  const object = `TieringCheckpoint ${record}`
  const refusal = unwritten({ object, why: messageOf(e) })
  return refusal && { over: false, ...refusal }
}
