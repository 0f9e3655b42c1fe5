import { ApiClient } from '../contract/apiserver-client.ts'
import { labTarget } from '../contract/target-apiserver.ts'
import { PARKED_DRIVER } from '../../src/migration/snapshot-restore/manifest.ts'
import { theLab } from './env.ts'
import { createWatches } from './watches.ts'

type Meta = { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
type Condition = { readonly type: string; readonly status: string }
export type RunPod = {
  readonly metadata: Meta
  readonly spec: {
    readonly nodeName?: string
    readonly volumes?: readonly {
      readonly persistentVolumeClaim?: { readonly claimName: string }
    }[]
  }
  readonly status?: { readonly conditions?: readonly Condition[] }
}
type Attachment = {
  readonly metadata: Meta
  readonly spec: {
    readonly attacher: string
    readonly nodeName: string
    readonly source: { readonly persistentVolumeName?: string }
  }
  readonly status?: { readonly attached?: boolean }
}
type Claim = { readonly metadata: Meta; readonly spec: { readonly volumeName?: string } }

/** As a Service and a disruption budget count it. */
export const isReady = ({ metadata, status }: RunPod): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true

/**
 * The part of a kubelet that a workload waits for, for Pods of a namespace whose image nobody has: they are ready once the
 * real attacher has attached their volumes to their node, and gone once they are to end. Resolves to its end.
 */
export async function runPods(namespace: string): Promise<() => Promise<void>> {
  const target = labTarget(theLab())
  const api = new ApiClient(target.http, target.url)
  const watches = createWatches()
  const inNamespace = `/api/v1/namespaces/${namespace}`
  const pods = new Map<string, RunPod>()
  const claims = new Map<string, Claim>()
  const attachments = new Map<string, Attachment>()

  const kept =
    <T extends { readonly metadata: Meta }>(all: Map<string, T>) =>
    ({ type, object }: { readonly type: string; readonly object: T }) => {
      if (type === 'DELETED') all.delete(object.metadata.name)
      else all.set(object.metadata.name, object)
      for (const pod of pods.values()) step(pod)
    }
  const isAttached = (pod: RunPod, claim: string) => {
    const pv = claims.get(claim)?.spec.volumeName
    return [...attachments.values()].some(
      ({ spec, status }) =>
        spec.source.persistentVolumeName === pv &&
        spec.nodeName === pod.spec.nodeName &&
        spec.attacher !== PARKED_DRIVER &&
        status?.attached === true,
    )
  }
  const done = new Set<string>()
  /** Each step of a Pod is sent once; what it changes comes back by the watch. */
  const send = (what: string, { metadata }: RunPod, request: () => Promise<unknown>) => {
    const key = `${what} ${metadata.uid}`
    if (done.has(key)) return
    done.add(key)
    request().catch(() => done.delete(key))
  }
  const step = (pod: RunPod) => {
    const { name, uid, deletionTimestamp } = pod.metadata
    const path = `${inNamespace}/pods/${name}`
    if (deletionTimestamp !== undefined) {
      send('end', pod, () => api.delete(path, { gracePeriodSeconds: 0, preconditions: { uid } }))
      return
    }
    const used = (pod.spec.volumes ?? []).flatMap((v) => v.persistentVolumeClaim?.claimName ?? [])
    if (pod.spec.nodeName === undefined || !used.every((claim) => isAttached(pod, claim))) return
    const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: 'True',
    }))
    const running = { metadata: { uid }, status: { phase: 'Running', conditions } }
    send('ready', pod, () => api.patch(`${path}/status`, running))
  }

  await watches.open(`${inNamespace}/persistentvolumeclaims`, {}, kept(claims))
  await watches.open('/apis/storage.k8s.io/v1/volumeattachments', {}, kept(attachments))
  await watches.open(`${inNamespace}/pods`, {}, kept(pods))
  return async () => {
    await watches.close()
    await target.close()
  }
}
