import type { VolumeMigration } from '../../api/volume-migration.ts'
import { messageOf } from '../../errors.ts'
import type { QueueResult } from '../../kube/types.ts'
import { nextWorkloadStep } from '../../migration/workloads/machine.ts'
import type { WorkloadInput, WorkloadOutcome } from '../../migration/workloads/outcome.ts'
import { answered, intended } from '../../migration/workloads/saved.ts'
import type { StopPhase, WorkloadAct, WorkloadAnswer } from '../../migration/workloads/saved.ts'
import type { ControllerDeps } from '../deps.ts'
import type { RecordBook, ReplacementRecord } from '../moving/recorded-strategy.ts'
import { unauditedText } from '../moving/start-gate.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Term } from '../view/term.ts'
import { keyOf } from '../view/watches.ts'
import { StopMoments } from './moments.ts'
import { needOf, releaseOf } from './need.ts'
import type { Notices } from './notices.ts'
import { isCalled, isDown } from './port.ts'
import type { WorkloadPort } from './port.ts'
import type { Stops, WorkloadStop } from './stop.ts'

export type StopFollowerParts = {
  readonly deps: ControllerDeps
  readonly stops: Stops
  readonly port: Pick<WorkloadPort, 'look' | 'perform'>
  readonly migrations: Migrations
  readonly records: Pick<RecordBook, 'of' | 'follow'>
  readonly notices: Pick<Notices, 'saved'>
  readonly term: Term
  /** Asks that move again (`namespace/name`). */
  readonly wakeMove: (key: string) => void
}

/** A stop as its metrics show it. Times in ms since the epoch. */
export type OpenStop = {
  readonly move: WorkloadStop['move']
  readonly phase: StopPhase
  readonly stoppedAt?: number
  /** Since when the workload should be up again. */
  readonly overdueSince?: number
}

const MINUTE = 60_000
/** Pods may take their time to end. */
const STOPPING_PATIENCE_MS = 15 * MINUTE
/** From the last Pod to the detached volume, and on to the start of each move. */
const STOPPED_PATIENCE_MS = 5 * MINUTE
/** Nothing was done, and what stood against it may pass. */
const NOT_STOPPED_PAUSE_MS = 10 * MINUTE

const DONE: QueueResult = { kind: 'done' }

/**
 * Brings each stopped workload back, whether the move that needed it is still there or not: read, ask the machine, save,
 * call, save the answer.
 */
export class StopFollower {
  readonly #parts: StopFollowerParts
  readonly #moments: StopMoments

  constructor(parts: StopFollowerParts) {
    this.#parts = parts
    this.#moments = new StopMoments(parts.deps.clock)
  }

  /** The next step of that stop; `uid` of the move that needs it. */
  async reconcile(uid: string): Promise<QueueResult> {
    const found = this.#parts.stops.of(uid)
    if (found === undefined) {
      this.#moments.forget(uid)
      return DONE
    }
    const pauseMs = this.#parts.stops.pauseMs(uid)
    if (pauseMs > 0) return { kind: 'requeue', afterMs: pauseMs }
    try {
      return await this.#step(found)
    } catch (e) {
      if (this.#isDue(found)) this.#moments.overdue(found)
      throw e
    }
  }

  async #step(found: WorkloadStop): Promise<QueueResult> {
    const stop = await this.#stamped(found)
    const before = this.#input(stop)
    let outcome = nextWorkloadStep(before)
    if (outcome.kind === 'look') {
      const sight = await this.#parts.port.look(stop)
      outcome = nextWorkloadStep({ ...before, sight })
    }
    this.#moments.note(stop, outcome)
    switch (outcome.kind) {
      case 'rest':
        return this.#rest(stop)
      case 'look':
        throw new Error('a machine that has been shown a sight asks for one')
      case 'wait':
        return { kind: 'requeue', afterMs: this.#jittered(this.#waitMs(stop, outcome)) }
      case 'save':
        await this.#save({ ...stop, saved: outcome.saved })
        return { kind: 'requeue', afterMs: 0 }
      case 'act':
        return this.#act(stop, outcome.act)
    }
  }

  /**
   * Whether something else wants the workload up that is stopped for a copy of that claim, by a read of its own: what is
   * saved may be older. Never throws.
   */
  async isFought({ uid, namespace, spec }: ReplacementRecord['move']): Promise<boolean> {
    const { stops, port } = this.#parts
    const stop = stops.ofClaim({ namespace, name: spec.claim.name })
    if (stop?.saved.phase === 'Stopped') {
      const outcome = nextWorkloadStep({ ...this.#input(stop), sight: await port.look(stop) })
      if (outcome.kind === 'save' && outcome.saved.phase === 'FoughtBack') return true
    }
    return stops.isYielding(uid)
  }

  /** Those that have not ended, for the metrics. */
  open(): readonly OpenStop[] {
    const { stops, deps } = this.#parts
    return stops.all().flatMap((stop) => {
      const { phase } = stop.saved
      if (!isDown(stop)) return []
      const stoppedAt = this.#moments.stoppedAt(stop)
      const { overdueSince } = this.#moments.of(stop)
      return {
        move: stop.move,
        phase,
        ...(stoppedAt === undefined ? {} : { stoppedAt }),
        ...(overdueSince === undefined
          ? {}
          : { overdueSince: deps.clock.now() - this.#moments.since(overdueSince) }),
      }
    })
  }

  /** From then on nothing that an earlier leader still wants to save is accepted. */
  async #stamped(stop: WorkloadStop): Promise<WorkloadStop> {
    const { stops, term, deps } = this.#parts
    if (stop.epoch === term.epoch) return stop
    const ours = { ...stop, epoch: term.epoch }
    await stops.save(ours)
    this.#moments.of(ours).silentSince = deps.clock.monotonic()
    return ours
  }

  #input(stop: WorkloadStop): WorkloadInput {
    const { timing } = this.#parts.deps
    const now = this.#moments.now(stop)
    const release = this.#release(stop)
    const confirming = this.#moments.confirming(stop)
    return {
      saved: stop.saved,
      sight: undefined,
      now,
      quietUntil: now + timing.callMs - this.#moments.since(this.#moments.of(stop).silentSince),
      ...(release === undefined ? {} : { release }),
      ...(confirming === undefined ? {} : { confirming }),
      timing: {
        pollMs: timing.firstPollMs,
        verifyMs: timing.verifyMs,
        mostAttempts: timing.mostAttempts,
      },
    }
  }

  #release(stop: WorkloadStop): WorkloadInput['release'] {
    const { records } = this.#parts
    const own = needOf(this.#ownMove(stop), records.of(stop.move.uid))
    const others = this.#otherMoves(stop).map((m) => needOf(m, records.of(m.metadata.uid ?? '')))
    if ([own, ...others].includes('Runs')) this.#moments.used(stop)
    const patience = stop.saved.phase === 'Stopping' ? STOPPING_PATIENCE_MS : STOPPED_PATIENCE_MS
    const idleMs = this.#moments.since(this.#moments.of(stop).usedAt)
    return releaseOf(own, others, idleMs < patience)
  }

  /** It may be down, and its move does not need that. */
  #isDue(stop: WorkloadStop): boolean {
    const { phase, deadline } = stop.saved
    if (!isDown(stop) || !isCalled(stop)) return false
    if (phase === 'Restoring' || this.#release(stop) !== undefined) return true
    return this.#moments.now(stop) >= deadline
  }

  /** A younger one of the same name is another. */
  #ownMove({ move }: WorkloadStop): VolumeMigration | undefined {
    const m = this.#parts.migrations.get(`${move.namespace}/${move.name}`)
    return m?.metadata.uid === move.uid ? m : undefined
  }

  /** Moves of the other claims of the same Pods that have not ended. */
  #otherMoves({ move, saved }: WorkloadStop): readonly VolumeMigration[] {
    return this.#parts.migrations
      .open()
      .filter(
        ({ metadata, spec }) =>
          metadata.namespace === move.namespace &&
          metadata.uid !== move.uid &&
          saved.claims.includes(spec.claim.name),
      )
  }

  /** The intent is saved, then the call is made, then its answer is saved. */
  async #act(stop: WorkloadStop, act: WorkloadAct): Promise<QueueResult> {
    const { deps, port } = this.#parts
    const unaudited = await deps.audit.unavailable()
    if (unaudited !== undefined && act.act === 'stop') {
      deps.log.warn({ act: act.act, move: stop.move.name }, unauditedText(unaudited))
      return { kind: 'requeue', afterMs: this.#jittered(deps.timing.recheckMs) }
    }
    const fence = () => deps.elector.fence(deps.timing.fenceMarginMs)
    fence()
    const saved = intended(stop.saved, act, {
      requestId: `req-${deps.uuid()}`,
      at: new Date(deps.clock.now()).toISOString(),
    })
    const next = await this.#save({ ...stop, saved })
    const answer = await port.perform(next, fence).catch((e: unknown): WorkloadAnswer => {
      // it may have been sent all the same
      deps.log.error({ act: act.act, err: messageOf(e) }, 'a call about a workload broke')
      return { kind: 'Unknown', message: messageOf(e) }
    })
    const isRefused = answer.kind === 'Rejected' || answer.kind === 'NotSent'
    this.#moments.called(next, isRefused)
    await this.#save({ ...next, saved: answered(next.saved, answer) })
    return { kind: 'requeue', afterMs: isRefused ? this.#pause(next) : 0 }
  }

  async #save(stop: WorkloadStop): Promise<WorkloadStop> {
    const { deps, stops, notices, migrations, records, wakeMove } = this.#parts
    const before = stops.of(stop.move.uid)
    const isFoughtBack = stop.saved.phase === 'FoughtBack' && before?.saved.phase !== 'FoughtBack'
    const next = isFoughtBack ? { ...stop, yields: this.#copied(stop) } : stop
    await stops.save(next)
    if (before?.saved.phase === next.saved.phase) return next
    this.#moments.phaseChanged(next)
    const { phase, reason, workload } = next.saved
    const { namespace, name } = next.move
    const about = `${workload.kind} ${workload.namespace}/${workload.name}`
    deps.log.info({ migration: `${namespace}/${name}`, workload: about, phase, reason }, 'workload')
    notices.saved(before, next)
    for (const uid of next.yields ?? []) records.follow(uid)
    const own = this.#ownMove(next)
    for (const m of [...(own === undefined ? [] : [own]), ...this.#otherMoves(next)])
      if (migrations.get(keyOf(m)) !== undefined) wakeMove(keyOf(m))
    return next
  }

  /** Moves whose volumes are copied by this stop. */
  #copied(stop: WorkloadStop): readonly string[] {
    const { records } = this.#parts
    const uids = [stop.move.uid, ...this.#otherMoves(stop).map((m) => m.metadata.uid ?? '')]
    return uids.filter((uid) => needOf(undefined, records.of(uid)) === 'Runs')
  }

  /**
   * Removed once its move has ended. Until then it keeps the workload from being stopped again and again: after what went
   * wrong for a while, and after a fight for as long as that move waits.
   */
  async #rest(stop: WorkloadStop): Promise<QueueResult> {
    const { stops, deps, records } = this.#parts
    const { phase, reason } = stop.saved
    const need = needOf(this.#ownMove(stop), records.of(stop.move.uid))
    const isOver = need === 'Ended' || need === 'Cancelled' || need === 'Gone'
    const pauseMs = reason === 'NeverStopped' ? NOT_STOPPED_PAUSE_MS : deps.timing.backOffMs
    const leftMs = pauseMs - this.#moments.since(this.#moments.of(stop).phaseAt)
    const isPausing = phase === 'FoughtBack' || leftMs > 0
    if (!isOver && isPausing)
      return { kind: 'requeue', afterMs: this.#jittered(deps.timing.longestPollMs) }
    await stops.remove(stop)
    this.#moments.forget(stop.move.uid)
    return DONE
  }

  /** Pods and moves wake it by themselves. */
  #waitMs(
    { saved: { phase } }: WorkloadStop,
    { ms, confirm }: Extract<WorkloadOutcome, { kind: 'wait' }>,
  ): number {
    const { recheckMs, verifyMs } = this.#parts.deps.timing
    if (confirm !== undefined) return ms
    if (phase === 'Stopped') return Math.max(ms, recheckMs)
    return phase === 'Stopping' ? Math.max(ms, verifyMs) : ms
  }

  /** What refuses once mostly refuses again. */
  #pause(stop: WorkloadStop): number {
    const { verifyMs, recheckMs } = this.#parts.deps.timing
    const { refused } = this.#moments.of(stop)
    return this.#jittered(Math.min(verifyMs * 2 ** Math.min(refused - 1, 20), recheckMs))
  }

  #jittered(ms: number): number {
    return ms * (0.9 + 0.2 * this.#parts.deps.random())
  }
}
