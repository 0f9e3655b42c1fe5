import type { VolumeMigration } from '../../api/volume-migration.ts'
import { isWaiting } from '../../api/volume-migration.ts'
import { messageOf, stable } from '../../errors.ts'
import { plan, shown } from '../../migration/workloads/plan.ts'
import type { Stop } from '../../migration/workloads/plan.ts'
import { recordOf } from '../../migration/workloads/saved.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { ControllerDeps } from '../deps.ts'
import { initiatorOf } from '../moving/audited-move.ts'
import type { WorkloadStops } from '../moving/workload-stops.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Target } from '../view/targets.ts'
import type { Term } from '../view/term.ts'
import type { Notices } from './notices.ts'
import { isDown } from './port.ts'
import type { WorkloadPort } from './port.ts'
import type { Stops } from './stop.ts'

type Parts = {
  readonly deps: ControllerDeps
  readonly stops: Stops
  readonly port: Pick<WorkloadPort, 'facts' | 'missingRights'>
  readonly migrations: Pick<Migrations, 'get'>
  readonly notices: Pick<Notices, 'saved'>
  readonly term: Term
}

/** From the first call to the detached volume. */
const STOP_MS = 20 * 60_000
const LONGEST_PAUSE_MS = 5 * 60_000

type Refused = {
  readonly answer: Answer
  /** What else was stopped at the time. */
  readonly beside: string
  readonly until: number
  readonly pauseMs: number
}

/** Decides whether the workload of a waiting move is stopped, and saves that it is to be. Calls nothing. */
export class Stopper implements WorkloadStops {
  readonly #parts: Parts
  /** By uid of the move. Twelve reads and seventeen questions about rights are not asked for fifty moves every half minute. */
  readonly #refused = new Map<string, Refused>()
  /** What else was stopped when it was planned. */
  readonly #beside = new WeakMap<Stop, string>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  holding({ claim }: Target): Answer | undefined {
    const { saved } = this.#parts.stops.ofClaim(claim) ?? {}
    if (saved?.phase !== 'Restoring') return undefined
    const message = `${shown(saved.workload)} is scaled back up; the move does not make its Pods wait`
    return { over: false, reason: 'PodPending', message }
  }

  under({ claim }: Target): Answer | undefined {
    const { saved } = this.#parts.stops.ofClaim(claim) ?? {}
    if (saved === undefined) return undefined
    const at = shown(saved.workload)
    switch (saved.phase) {
      case 'Stopping':
        return stopping(`${at} is stopped for the move; waiting until its Pods are gone`)
      case 'Stopped':
        return stopping(`${at} is stopped; waiting until the volume is detached`)
      case 'FoughtBack':
        return { over: false, reason: 'WorkloadFoughtBack', message: saved.message ?? '' }
      case 'Restoring':
      case 'Restored':
        return attachedStill(
          `${saved.message ?? `${at} is scaled back up`}. It is stopped again after a pause`,
        )
    }
  }

  async plan(m: VolumeMigration, target: Target, attached: Answer): Promise<Stop | Answer> {
    const { policy, claim } = target
    if (policy.effective.migration.workloads === 'WaitForDetach') return attached
    const { uid = '' } = m.metadata
    const beside = this.#stoppedIn(claim.namespace)
    const last = this.#refused.get(uid)
    const known = last?.beside === beside ? last : undefined
    const now = this.#parts.deps.clock.monotonic()
    if (known !== undefined && now < known.until) return known.answer
    const planned = await this.#plan(uid, policy.name, claim)
    if (!('over' in planned)) {
      this.#refused.delete(uid)
      this.#beside.set(planned, beside)
      return planned
    }
    const { recheckMs } = this.#parts.deps.timing
    const pauseMs =
      known?.answer.message === planned.message
        ? Math.min(known.pauseMs * 2, LONGEST_PAUSE_MS)
        : recheckMs / 2
    this.#refused.set(uid, { answer: planned, beside, until: now + pauseMs, pauseMs })
    return planned
  }

  isCurrent(stop: Stop): boolean {
    return this.#beside.get(stop) === this.#stoppedIn(stop.workload.namespace)
  }

  async open(m: VolumeMigration, target: Target, stop: Stop, deadlineMs: number): Promise<void> {
    const { deps, stops, notices, term } = this.#parts
    const { namespace = '', name, uid = '' } = m.metadata
    const { spec } = m
    const record = {
      move: {
        namespace,
        name,
        uid,
        claim: target.claim.name,
        policy: target.policy.name,
        ...(spec.from === undefined ? {} : { from: spec.from }),
        to: spec.to,
        initiator: initiatorOf(m),
      },
      epoch: term.epoch,
      saved: recordOf(stop, { uid, deadline: deps.clock.now() + STOP_MS + deadlineMs }),
    }
    await stops.open(record)
    notices.saved(undefined, record)
    stops.follow(uid)
  }

  held(): readonly VolumeMigration[] {
    const { stops, migrations } = this.#parts
    return stops
      .all()
      .filter(isDown)
      .flatMap(({ move }) => {
        const m = migrations.get(`${move.namespace}/${move.name}`)
        return m?.metadata.uid === move.uid && isWaiting(m) ? [m] : []
      })
  }

  forget(m: VolumeMigration): void {
    this.#refused.delete(m.metadata.uid ?? '')
  }

  /** The stops that are under way there: what stands against another one changes with them. */
  #stoppedIn(namespace: string): string {
    return this.#parts.stops
      .all()
      .filter((s) => s.move.namespace === namespace && isDown(s))
      .map((s) => s.move.uid)
      .toSorted()
      .join()
  }

  async #plan(
    moveUid: string,
    policy: string,
    { namespace, name }: Target['claim'],
  ): Promise<Stop | Answer> {
    const { port } = this.#parts
    try {
      const lacking = await port.missingRights()
      if (lacking.length > 0)
        return {
          over: false,
          reason: 'MissingPermission',
          message: `the role of the controller lacks what stopping a workload needs (policy ${policy} has migration.workloads: Restart): ${lacking.join(', ')}; set workloads.restart.enabled in the chart, or apply deploy/workload-restart.yaml`,
        }
      const planned = plan(await port.facts({ policy, namespace, claim: name, moveUid }))
      if (planned.kind === 'Stop') return planned.stop
      return attachedStill(planned.refusals[0]?.message ?? 'its workload cannot be stopped')
    } catch (e) {
      return attachedStill(`what uses it cannot be read: ${stable(messageOf(e))}`)
    }
  }
}

function stopping(message: string): Answer {
  return { over: false, reason: 'WorkloadStopping', message }
}

function attachedStill(why: string): Answer {
  return {
    over: false,
    reason: 'Attached',
    message: `the volume is attached, and moves at its next detach; its workload is not stopped for it: ${why}`,
  }
}
