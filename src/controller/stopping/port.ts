import type { OwnedMeta } from '../../api/workload-objects.ts'
import { messageOf, stable } from '../../errors.ts'
import {
  PERSISTENT_VOLUME_CLAIM,
  resourceName,
  DEPLOYMENT,
  STATEFUL_SET,
} from '../../kube/resources.ts'
import { found } from '../../kube/uncached.ts'
import { createWorkloads, WORKLOAD_RIGHTS } from '../../kube/workloads.ts'
import type { Workloads } from '../../kube/workloads.ts'
import { sightOf, writeOf } from '../../migration/workloads/outcome.ts'
import type { WorkloadSight } from '../../migration/workloads/outcome.ts'
import { refusalsNow } from '../../migration/workloads/plan.ts'
import type { WorkloadFacts } from '../../migration/workloads/plan.ts'
import { entryOf } from '../../migration/workloads/saved.ts'
import type { WorkloadAct, WorkloadAnswer } from '../../migration/workloads/saved.ts'
import type { Change } from '../../audit/change.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Policies } from '../view/policies.ts'
import type { Stops, WorkloadStop } from './stop.ts'

type Ports = {
  readonly deps: ControllerDeps
  readonly policies: Pick<Policies, 'get'>
  readonly stops: Pick<Stops, 'all'>
}

type Asked = {
  readonly policy: string
  readonly namespace: string
  readonly claim: string
  /** Of the move itself: what it has stopped stands against nothing. */
  readonly moveUid: string
}

/** How the stop of a workload reaches Kubernetes. Decides nothing: that is `plan` and `nextWorkloadStep`. */
export class WorkloadPort {
  readonly #ports: Ports
  /** For reads, and for what is asked without being stored. */
  readonly #workloads: Workloads

  constructor(ports: Ports) {
    this.#ports = ports
    this.#workloads = createWorkloads(ports.deps.kube)
  }

  /** Rights that the role lacks, as they are shown. Throws when that cannot be asked. */
  missingRights(): Promise<readonly string[]> {
    return this.#workloads.missing(WORKLOAD_RIGHTS)
  }

  /** Everything that has a say, asked now. Throws when the claim cannot be read. */
  async facts({ policy, namespace, claim, moveUid }: Asked): Promise<WorkloadFacts> {
    const { deps, stops } = this.#ports
    const seen = await this.#workloads.read(namespace)
    const object = await found(deps.kube.get(PERSISTENT_VOLUME_CLAIM, claim, namespace))
    const { ownerReferences = [] } = (object?.metadata ?? {}) as Partial<OwnedMeta>
    const here = stops.all().filter((s) => s.move.namespace === namespace && isDown(s))
    const own = here.findIndex((s) => s.move.uid === moveUid)
    // of two that are only planned the first counts for the second, and not the other way round: one of them goes on
    const others = here.filter((s, i) => i !== own && (own < 0 || i < own || isCalled(s)))
    return {
      policy: this.#policy(policy),
      claim: { namespace, name: claim, owners: ownerReferences },
      seen,
      stopped: others.flatMap((s) => s.saved.pods),
      ...(deps.pod === undefined ? {} : { self: deps.pod }),
    }
  }

  /** Never throws. What stands against the stop is asked as long as it has not been called for. */
  async look({ move, saved }: WorkloadStop): Promise<WorkloadSight> {
    try {
      const workload = await this.#workloads.get(saved.workload)
      const pods = await this.#workloads.pods(saved.workload.namespace)
      const refusals = isCalled({ saved })
        ? []
        : refusalsNow(saved, await this.facts({ ...move, moveUid: move.uid }))
      return sightOf(saved, workload, pods, refusals)
    } catch (e) {
      return { kind: 'Unreadable', why: stable(messageOf(e)) }
    }
  }

  /**
   * Makes the call of `saved.intent` once, or provably not at all. Throws only where no intent waits for its call. `fence`
   * throws when we do not lead any more.
   */
  async perform(stop: WorkloadStop, fence: () => void): Promise<WorkloadAnswer> {
    const { intent } = stop.saved
    if (intent === undefined) throw new Error('a call without an intent')
    const { kube } = this.#ports.deps
    const change = changeOfAct(stop, intent)
    // an owner who was stopped does not wait for an audit that cannot be written
    const client = intent.act === 'stop' ? kube.about(change) : kube.givingBack(change)
    const answer = await createWorkloads(client).write({ ...writeOf(stop.saved, intent), fence })
    return answer.kind === 'NotSent' ? { kind: 'NotSent', message: answer.message } : answer
  }

  /** A policy that is gone allows nothing. */
  #policy(name: string): WorkloadFacts['policy'] {
    const { migration } = this.#ports.policies.get(name)?.effective ?? {}
    const { workloads = 'WaitForDetach', schedule } = migration ?? {}
    const now = new Date(this.#ports.deps.clock.now())
    const opensAt = schedule?.nextOpen(now)?.getTime()
    return {
      name,
      workloads,
      schedule: {
        open: schedule?.isOpen(now) ?? true,
        ...(opensAt === undefined ? {} : { opensAt }),
      },
    }
  }
}

/** Its Pods may be missing, or be about to. */
export function isDown({ saved }: WorkloadStop): boolean {
  return saved.phase !== 'Restored' && saved.phase !== 'FoughtBack'
}

/** Its Pods may be about to go whatever anyone reads now. */
export function isCalled({ saved }: Pick<WorkloadStop, 'saved'>): boolean {
  return (entryOf(saved, 'stop')?.state ?? 'None') !== 'None'
}

const RESOURCE = { Deployment: DEPLOYMENT, StatefulSet: STATEFUL_SET }

/** The act, from what is saved before it: a later leader comes to the same. */
function changeOfAct({ move, saved }: WorkloadStop, { act }: WorkloadAct): Change {
  const { kind, namespace, name, uid } = saved.workload
  const requestId = entryOf(saved, act)?.requestId ?? ''
  return {
    id: requestId,
    requestId,
    action: `update/${act}`,
    initiator: move.initiator,
    target: {
      typeURI: `data/${resourceName(RESOURCE[kind])}`,
      id: uid,
      name: `${namespace}/${name}`,
    },
    claim: { namespace: move.namespace, name: move.claim },
    migration: { namespace: move.namespace, name: move.name, uid: move.uid },
    from: { tier: move.from },
    to: { tier: move.to },
  }
}
