import { hasEnded } from '../../api/workload-objects.ts'
import type {
  OwnedMeta,
  OwnerReference,
  PodObject,
  ReplicaSetObject,
  WorkloadObject,
} from '../../api/workload-objects.ts'

/** What keeps a Pod running. */
export type Owner =
  | { readonly kind: 'Workload'; readonly workload: WorkloadObject }
  | { readonly kind: 'ReplicaSet'; readonly replicaSet: ReplicaSetObject }
  | { readonly kind: 'Other'; readonly ref: OwnerReference }
  | { readonly kind: 'Bare' }

type Known = {
  readonly workloads: readonly WorkloadObject[]
  readonly replicaSets: readonly ReplicaSetObject[]
}

/** Followed by uid from the Pod upwards, as far as Kubernetes' own workloads go. */
export function ownerOf(pod: PodObject, known: Known): Owner {
  const ref = controllerOf(pod.metadata)
  if (ref === undefined) return { kind: 'Bare' }
  if (isOfKind(ref, 'StatefulSet')) return workloadOf(ref, known)
  if (!isOfKind(ref, 'ReplicaSet')) return { kind: 'Other', ref }
  const replicaSet = known.replicaSets.find((r) => r.metadata.uid === ref.uid)
  if (replicaSet === undefined) return { kind: 'Other', ref }
  const above = controllerOf(replicaSet.metadata)
  if (above === undefined) return { kind: 'ReplicaSet', replicaSet }
  return isOfKind(above, 'Deployment') ? workloadOf(above, known) : { kind: 'Other', ref: above }
}

/** Pods of a workload that have not ended. */
export function podsOf(
  workload: WorkloadObject,
  known: Known & { readonly pods: readonly PodObject[] },
): readonly PodObject[] {
  return known.pods.filter((pod) => {
    if (hasEnded(pod)) return false
    const owner = ownerOf(pod, known)
    return owner.kind === 'Workload' && owner.workload.metadata.uid === workload.metadata.uid
  })
}

function workloadOf(ref: OwnerReference, { workloads }: Known): Owner {
  const workload = workloads.find((w) => w.metadata.uid === ref.uid)
  return workload === undefined ? { kind: 'Other', ref } : { kind: 'Workload', workload }
}

function controllerOf({ ownerReferences = [] }: OwnedMeta): OwnerReference | undefined {
  return ownerReferences.find((r) => r.controller === true)
}

/** Other groups have a StatefulSet too, whose replicas mean something else. */
function isOfKind({ apiVersion, kind }: OwnerReference, wanted: string): boolean {
  return kind === wanted && apiVersion.startsWith('apps/')
}
