import type { World } from '../../src/sim/world.ts'
import { POD_UNTIL } from './cluster.ts'
import type { ClaimTruth, Cluster } from './cluster.ts'

// What becomes of claims beside being used.

type Parts = { readonly world: World; readonly cluster: Cluster }

const CLAIMS = '/api/v1/persistentvolumeclaims'

/** The file system has grown as well: all three say the new size. */
export function resize({ world, cluster }: Parts, truth: ClaimTruth, sizeGiB: number): void {
  const volume = cluster.volume(truth)
  const claim = cluster.claimObject(truth)
  const stored = cluster.object('/api/v1/persistentvolumes', truth.pv)
  if (volume === undefined || claim === undefined || stored === undefined) return
  if (cluster.isServed(truth) === false) return
  if (volume.sizeGiB >= sizeGiB || !['available', 'in-use'].includes(volume.status)) return
  volume.sizeGiB = sizeGiB
  world.cloud.seams.setStatus(volume.id, volume.status)
  const capacity = { storage: `${sizeGiB}Gi` }
  const spec = claim['spec'] as object
  world.api.seed(
    { ...stored, spec: { ...(stored['spec'] as object), capacity } },
    {
      ...claim,
      spec: { ...spec, resources: { requests: capacity } },
      status: { phase: 'Bound', capacity },
    },
  )
}

/** A claim that waits for its first Pod, or for a volume that never comes. */
export function makeUnbound(
  { world, cluster }: Parts,
  namespace: string,
  name: string,
  labels: Readonly<Record<string, string>>,
): void {
  if (cluster.object(CLAIMS, name, namespace) !== undefined) return
  cluster.makeNamespace(namespace)
  world.api.seed({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace, name, labels },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'couchestor-hot',
      resources: { requests: { storage: '1Gi' } },
    },
    status: { phase: 'Pending' },
  })
}

/** A Pod whose volume is a claim of its own, and for which there is no node. */
export async function startWaitingPod(
  { world, cluster }: Parts,
  namespace: string,
  name: string,
  volume: string,
): Promise<void> {
  await cluster.request('POST', `/api/v1/namespaces/${namespace}/pods`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, annotations: { [POD_UNTIL]: 'never' } },
    spec: {
      containers: [{ name: 'c', image: 'none' }],
      volumes: [{ name: volume, ephemeral: { volumeClaimTemplate: { spec: {} } } }],
    },
  })
  const pod = cluster.object('/api/v1/pods', name, namespace)
  const claim = cluster.object(CLAIMS, `${name}-${volume}`, namespace)
  if (pod === undefined || claim === undefined) return
  const { uid = '' } = pod.metadata
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }]
  world.api.seed({ ...claim, metadata: { ...claim.metadata, ownerReferences } })
}
