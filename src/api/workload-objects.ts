import type { ObjectMeta } from './object.ts'
import type { LabelSelector } from './storage-policy.ts'

/** A read that failed, and why. What is not known never permits anything. */
export type Unread = { readonly unread: string }

export type OwnerReference = {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}
export type OwnedMeta = ObjectMeta & { readonly ownerReferences?: readonly OwnerReference[] }

/** Raw JSON, as far as stopping a workload reads it. */
export type PodObject = {
  readonly metadata: OwnedMeta
  readonly spec: {
    readonly volumes?: readonly {
      readonly persistentVolumeClaim?: { readonly claimName?: string }
    }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string }[]
  }
}

export type ReplicaSetObject = {
  readonly metadata: OwnedMeta
  readonly spec: { readonly replicas?: number }
}

export const SCALABLE = ['Deployment', 'StatefulSet'] as const
export type WorkloadKind = (typeof SCALABLE)[number]

export type WorkloadObject = {
  readonly kind: WorkloadKind
  readonly metadata: OwnedMeta
  readonly spec: {
    readonly replicas?: number
    /** Of a Deployment: its rollout stands still. */
    readonly paused?: boolean
    /** Of a StatefulSet: the first ordinal; 0 where it is left out. */
    readonly ordinals?: { readonly start?: number }
    readonly persistentVolumeClaimRetentionPolicy?: { readonly whenScaled?: string }
  }
}

export type BudgetObject = {
  readonly metadata: ObjectMeta
  readonly spec?: {
    readonly minAvailable?: number | string
    readonly maxUnavailable?: number | string
    readonly selector?: LabelSelector
  }
}

type ScaleTarget = { readonly apiVersion?: string; readonly kind?: string; readonly name?: string }

export type AutoscalerObject = {
  readonly metadata: ObjectMeta
  readonly spec: { readonly scaleTargetRef: ScaleTarget; readonly minReplicas?: number }
}

/** Of KEDA. */
export type ScaledObject = {
  readonly metadata: ObjectMeta
  readonly spec?: { readonly scaleTargetRef?: ScaleTarget }
}

/**
 * Everything in one namespace that has a say in stopping a workload. The workloads are read before all else: who writes
 * one in the version that is shown here knows that nothing was written to it during the other reads.
 */
export type WorkloadsSeen = {
  readonly namespace: { readonly metadata: ObjectMeta } | Unread
  readonly workloads: readonly WorkloadObject[] | Unread
  readonly replicaSets: readonly ReplicaSetObject[] | Unread
  readonly pods: readonly PodObject[] | Unread
  readonly budgets: readonly BudgetObject[] | Unread
  readonly autoscalers: readonly AutoscalerObject[] | Unread
  readonly scaledObjects: readonly ScaledObject[] | Unread
}

/** How many Pods a workload is to have; `start` is that of a StatefulSet, where it is given. */
export type Scale = { readonly replicas: number; readonly start?: number }

export function scaleOf({ spec: { replicas = 1, ordinals } }: WorkloadObject): Scale {
  return ordinals?.start === undefined ? { replicas } : { replicas, start: ordinals.start }
}

export function isSameScale(a: Scale, b: Scale): boolean {
  return a.replicas === b.replicas && (a.start ?? 0) === (b.start ?? 0)
}

export function isUnread(of: object): of is Unread {
  return 'unread' in of
}

/** Succeeded and Failed Pods do not use anything any more. */
export function hasEnded({ status }: Pick<PodObject, 'status'>): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed'
}

/** Names of the claims that a Pod names itself; those that live and die with it are not among them. */
export function claimsOf({ spec }: Pick<PodObject, 'spec'>): readonly string[] {
  return (spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? [])
}
