import { ANNOTATION } from '../../api/names.ts'
import { claimsOf, hasEnded, isSameScale, isUnread, scaleOf } from '../../api/workload-objects.ts'
import type {
  OwnerReference,
  PodObject,
  Scale,
  Unread,
  WorkloadKind,
  WorkloadObject,
  WorkloadsSeen,
} from '../../api/workload-objects.ts'
import { schedule } from '../../blockers/policy.ts'
import type { Opening } from '../../blockers/policy.ts'
import { autoscalerRefusals, scaledObjectRefusals } from './autoscalers.ts'
import { budgetRefusal } from './budgets.ts'
import type { StoppedPod } from './budgets.ts'
import { consentRefusal, vetoes } from './consent.ts'
import { changeOf } from './change.ts'
import { ownerOf, podsOf } from './owners.ts'
import type { Owner } from './owners.ts'
import { refusal } from './refusal.ts'
import type { Refusal } from './refusal.ts'

export type WorkloadFacts = {
  readonly policy: {
    readonly name: string
    /** `migration.workloads` */
    readonly workloads: 'WaitForDetach' | 'Restart'
    readonly schedule: Opening
  }
  /** The claim whose volume is to be detached. */
  readonly claim: {
    readonly namespace: string
    readonly name: string
    readonly owners: readonly OwnerReference[]
  }
  readonly seen: WorkloadsSeen
  /** Pods of the namespace that other moves keep stopped now, or stop first, by their records. */
  readonly stopped: readonly StoppedPod[]
  /** Name of the Pod that asks. */
  readonly self?: string
}

export type WorkloadRef = {
  readonly kind: WorkloadKind
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

/** The one change by which a workload is stopped, and what stops by it. */
export type Stop = {
  readonly workload: WorkloadRef
  readonly before: Scale
  readonly after: Scale
  readonly pods: readonly (StoppedPod & { readonly name: string })[]
  /** Every claim that nothing uses any more then: all of them can move by this one stop. */
  readonly claims: readonly string[]
}

export type Plan =
  | { readonly kind: 'Stop'; readonly stop: Stop }
  /** In the order in which a person would want to hear them; never empty. */
  | { readonly kind: 'Refused'; readonly refusals: readonly Refusal[] }

/** Everything that was read. */
type Read = {
  readonly [K in keyof WorkloadsSeen]: Exclude<WorkloadsSeen[K], Unread>
}

/** Whether the workload that uses a claim may be stopped for a move, and how. */
export function plan(facts: WorkloadFacts): Plan {
  const early = [...forbidden(facts), ...foreignClaim(facts)]
  const read = readOf(facts.seen)
  if ('refusals' in read) return refused(...early, ...read.refusals)
  const { namespace, name } = facts.claim
  const users = read.pods.filter((p) => !hasEnded(p) && claimsOf(p).includes(name))
  if (users.length === 0)
    return refused(...early, refusal('NotUsed', `no Pod uses claim ${namespace}/${name}`))
  const workload = workloadOf(users, read)
  if ('reason' in workload) return refused(...early, workload)
  const change = changeOf(workload, users, podsOf(workload, read))
  if ('reason' in change) return refused(...early, ...ofWorkload(workload, read), change)
  const refusals = [
    ...early,
    ...ofWorkload(workload, read),
    ...ofSelf(workload, change, facts.self),
    ...ofStop(workload, change, read, facts.stopped),
  ]
  if (refusals.length > 0) return refused(...refusals)
  return { kind: 'Stop', stop: stopOf(workload, change, read) }
}

/**
 * Why what was planned before must not be done now; empty = it may. Asked with fresh reads right before the call, whose
 * version of the workload the call names.
 */
export function refusalsNow(planned: Stop, facts: WorkloadFacts): readonly Refusal[] {
  const now = plan(facts)
  if (now.kind === 'Refused') return now.refusals
  const { workload, before, after, pods } = now.stop
  const uids = (of: Stop['pods']) =>
    of
      .map((p) => p.uid)
      .toSorted()
      .join()
  const isSame =
    workload.uid === planned.workload.uid &&
    isSameScale(before, planned.before) &&
    isSameScale(after, planned.after) &&
    uids(pods) === uids(planned.pods)
  return isSame
    ? []
    : [refusal('WorkloadBusy', `${shown(workload)} has changed since its stop was planned`)]
}

/** `Deployment shop/web` */
export function shown({ kind, namespace, name }: WorkloadRef): string {
  return `${kind} ${namespace}/${name}`
}

function refused(...refusals: readonly Refusal[]): Plan {
  return { kind: 'Refused', refusals }
}

function* forbidden({ policy }: WorkloadFacts): Generator<Refusal> {
  if (policy.workloads === 'WaitForDetach')
    yield refusal(
      'RestartNotAllowed',
      `policy ${policy.name} has spec.migration.workloads: WaitForDetach; set it to Restart to let its moves stop workloads`,
    )
  const closed = schedule(policy)
  if (closed !== undefined) yield refusal('OutsideSchedule', closed.message)
}

function* foreignClaim({ claim }: WorkloadFacts): Generator<Refusal> {
  const at = `claim ${claim.namespace}/${claim.name}`
  for (const { kind, name } of claim.owners) {
    if (kind === 'StatefulSet') continue
    if (kind === 'Pod')
      yield refusal('ClaimsDeleted', `${at} is deleted with Pod ${name} (ownerReferences)`)
    else
      yield refusal(
        'WorkloadOwned',
        `${at} belongs to ${kind} ${name} (ownerReferences); stop that one yourself, and the volume moves when it is detached`,
      )
  }
}

function readOf(seen: WorkloadsSeen): Read | { readonly refusals: readonly Refusal[] } {
  const refusals = Object.entries(seen).flatMap(([what, list]) =>
    isUnread(list)
      ? [
          refusal(
            'WorkloadUnknown',
            `${WHAT[what as keyof WorkloadsSeen]} cannot be read: ${list.unread}`,
          ),
        ]
      : [],
  )
  return refusals.length > 0 ? { refusals } : (seen as Read)
}

const WHAT: Readonly<Record<keyof WorkloadsSeen, string>> = {
  namespace: 'the namespace',
  workloads: 'Deployments and StatefulSets',
  replicaSets: 'ReplicaSets',
  pods: 'Pods',
  budgets: 'PodDisruptionBudgets',
  autoscalers: 'HorizontalPodAutoscalers',
  scaledObjects: 'ScaledObjects',
}

/** The one workload that all of these Pods belong to. */
function workloadOf(users: readonly PodObject[], read: Read): WorkloadObject | Refusal {
  const found = new Map<string, WorkloadObject>()
  for (const pod of users) {
    const owner = ownerOf(pod, read)
    if (owner.kind !== 'Workload') return unsupported(pod, owner)
    found.set(owner.workload.metadata.uid ?? '', owner.workload)
  }
  const [workload, ...others] = [...found.values()]
  if (workload === undefined || others.length > 0)
    return refusal(
      'WorkloadUnsupported',
      `the claim is used by ${found.size} workloads (${[...found.values()].map((w) => `${w.kind} ${w.metadata.name}`).join(', ')}), and only one is stopped at a time; scale all of them to 0 yourself`,
    )
  return workload
}

const FINITE = new Set(['Job', 'CronJob'])

function unsupported(pod: PodObject, owner: Exclude<Owner, { kind: 'Workload' }>): Refusal {
  const { name } = pod.metadata
  switch (owner.kind) {
    case 'Bare':
      return refusal(
        'WorkloadUnsupported',
        `Pod ${name} has no owner, and nothing would start it again; delete it yourself, or run it by a Deployment`,
      )
    case 'ReplicaSet':
      return refusal(
        'WorkloadUnsupported',
        `Pod ${name} belongs to ReplicaSet ${owner.replicaSet.metadata.name} without a Deployment; scale it to 0 yourself`,
      )
    case 'Other': {
      const { kind, name: above } = owner.ref
      if (FINITE.has(kind))
        return refusal(
          'WorkloadUnsupported',
          `Pod ${name} belongs to ${kind} ${above}; the volume moves when that has ended`,
        )
      if (kind === 'DaemonSet')
        return refusal(
          'WorkloadUnsupported',
          `Pod ${name} belongs to DaemonSet ${above}, which has no replicas to set; the volume moves when it is detached`,
        )
      return refusal(
        'WorkloadOwned',
        `Pod ${name} belongs to ${kind} ${above}, which is no Deployment or StatefulSet that can be read; stop that one yourself, and the volume moves when it is detached`,
      )
    }
  }
}

/** What speaks against any stop of the workload. */
function* ofWorkload(workload: WorkloadObject, { namespace }: Read): Generator<Refusal> {
  const { kind, metadata, spec } = workload
  const at = shown(refOf(workload))
  for (const owner of metadata.ownerReferences ?? [])
    yield refusal(
      'WorkloadOwned',
      `${at} belongs to ${owner.kind} ${owner.name} (ownerReferences), which would set its replicas back; stop that one yourself`,
    )
  if (metadata.deletionTimestamp !== undefined)
    yield refusal('WorkloadBusy', `${at} is being deleted`)
  const marker = metadata.annotations?.[ANNOTATION.stoppedFor]
  if (marker !== undefined)
    yield refusal(
      'WorkloadBusy',
      `${at} is annotated ${ANNOTATION.stoppedFor}: "${marker}"; wait until that move has restored it, or remove the annotation if there is no such move`,
    )
  // scaled up from 0 all of its Pods are of the newest template, which the pause keeps from them
  if (kind === 'Deployment' && spec.paused === true)
    yield refusal(
      'WorkloadBusy',
      `${at} has spec.paused: true, and would come back with the template whose rollout is paused; resume the rollout, or undo it`,
    )
  yield* consentRefusal(at, metadata, namespace.metadata)
  const policy = spec.persistentVolumeClaimRetentionPolicy?.whenScaled
  if (kind === 'StatefulSet' && policy !== undefined && policy !== 'Retain')
    yield refusal(
      'ClaimsDeleted',
      `${at} has spec.persistentVolumeClaimRetentionPolicy.whenScaled: ${policy}, by which scaling down deletes claims; set it to Retain`,
    )
}

type Change = { readonly after: Scale; readonly stops: readonly PodObject[] }

/** By name alone: at worst a Pod elsewhere is spared that is called the same. */
function* ofSelf(
  workload: WorkloadObject,
  { stops }: Change,
  self: string | undefined,
): Generator<Refusal> {
  if (self === undefined || !stops.some((p) => p.metadata.name === self)) return
  yield refusal(
    'WorkloadUnsupported',
    `${shown(refOf(workload))} runs the controller itself (Pod ${self}), and nobody would bring it back; the volume moves when it is detached`,
  )
}

/** What speaks against stopping these Pods. */
function* ofStop(
  workload: WorkloadObject,
  { after, stops }: Change,
  read: Read,
  stopped: readonly StoppedPod[],
): Generator<Refusal> {
  const at = shown(refOf(workload))
  yield* vetoes(stops)
  for (const budget of read.budgets) {
    const why = budgetRefusal(budget, stops, read, stopped)
    if (why !== undefined)
      yield refusal(
        'DisruptionBudget',
        `PodDisruptionBudget ${budget.metadata.name} ${why}; ${at} is stopped when the budget allows it`,
      )
  }
  for (const why of [
    ...autoscalerRefusals(read.autoscalers, workload, after),
    ...scaledObjectRefusals(read.scaledObjects, workload),
  ])
    yield refusal('Autoscaled', `${at}: ${why}`)
}

function stopOf(workload: WorkloadObject, { after, stops }: Change, { pods }: Read): Stop {
  const uids = new Set(stops.map((p) => p.metadata.uid))
  const others = pods.filter((p) => !hasEnded(p) && !uids.has(p.metadata.uid))
  const kept = new Set(others.flatMap(claimsOf))
  const claims = new Set(stops.flatMap(claimsOf).filter((c) => !kept.has(c)))
  return {
    workload: refOf(workload),
    before: scaleOf(workload),
    after,
    pods: stops.map(({ metadata: { name, uid = '', labels = {} } }) => ({ name, uid, labels })),
    claims: [...claims].toSorted(),
  }
}

function refOf({
  kind,
  metadata: { namespace = '', name, uid = '' },
}: WorkloadObject): WorkloadRef {
  return { kind, namespace, name, uid }
}
