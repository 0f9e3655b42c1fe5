import { FIELD_MANAGER } from '../../src/api/names.ts'
import type { StoragePolicy, StoragePolicySpec } from '../../src/api/storage-policy.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { cinderAdmin } from './cinder-admin.ts'
import type { AdminVolume, CinderAdmin } from './cinder-admin.ts'
import { eventually } from './eventually.ts'
import { apply, kubectl, kubectlJson } from './kubectl.ts'
import { findImage, sha256, writeRandom } from './rbd.ts'
import type { RbdImage } from './rbd.ts'

/** A claim that the CSI driver has made a volume for. */
export type FleetClaim = {
  readonly name: string
  readonly uid: string
  readonly pv: string
  readonly volumeId: string
}

export type ClaimEvent = {
  readonly reason: string
  readonly type: string
  readonly message: string
  readonly firstTimestamp: string
}

/** Claims, policies and pods of one test file, under one prefix, and the end of them all. */
export interface Fleet {
  readonly namespace: string
  readonly cinder: CinderAdmin
  /** Creates the namespace; removes what an aborted run has left. */
  up(): Promise<void>
  /** Pods, moves, claims, volumes, policies, checkpoints: nothing is left, whatever has failed before. */
  down(): Promise<void>
  policy(name: string, spec: Partial<StoragePolicySpec>): Promise<void>
  policyWhen(
    name: string,
    what: string,
    fits: (p: StoragePolicy) => boolean,
    seconds?: number,
  ): Promise<StoragePolicy>
  /** Bound, with random data in the first MiB of its image. */
  claim(
    name: string,
    policy: string,
    storageClass?: string,
    volumeMode?: 'Filesystem' | 'Block',
  ): Promise<FleetClaim>
  /** The same of a claim that a workload has made. */
  bound(name: string): Promise<FleetClaim>
  /** A volume that the claims came by later: it is to be gone in the end as well. */
  adopt(volumeId: string): void
  annotations(claim: string): Promise<Readonly<Record<string, string>>>
  annotate(claim: string, values: Readonly<Record<string, string | null>>): Promise<void>
  image(volumeId: string): Promise<RbdImage>
  /** SHA-256 of all the data, wherever Cinder has put it. */
  digest(volumeId: string): Promise<string>
  migrations(claim: string): Promise<readonly VolumeMigration[]>
  /** The one VolumeMigration of the claim, once it fits; throws when there are several. */
  migrationWhen(
    claim: string,
    what: string,
    fits: (m: VolumeMigration) => boolean,
    seconds?: number,
  ): Promise<VolumeMigration>
  /** Oldest first. */
  events(claim: string): Promise<readonly ClaimEvent[]>
  eventWhen(claim: string, reason: string, seconds?: number): Promise<ClaimEvent>
  /** Resting on the type, by what the administrator sees. */
  volumeOn(volumeId: string, type: string, seconds?: number): Promise<AdminVolume>
  /** A pod at work: placed on the lab's node, its volume attached by the real attacher. */
  pod(name: string, claim: string, volumeId: string): Promise<void>
  removePod(name: string): Promise<void>
}

type Pvc = {
  metadata: { uid: string; annotations?: Record<string, string> }
  spec: { volumeName: string }
  status: { phase: string }
}

const TIERS: StoragePolicySpec['tiers'] = [{ name: 'hot' }, { name: 'warm' }, { name: 'cold' }]

/** Tiers whose types carry a scoped extra spec, with which this Cinder moves attached volumes safely. */
export const LIVE_TIERS: StoragePolicySpec['tiers'] = [
  { name: 'hot', cinderVolumeType: 'couchestor-live-hot', iopsThreshold: 100 },
  { name: 'warm', cinderVolumeType: 'couchestor-live-warm', iopsThreshold: 10 },
  { name: 'cold', cinderVolumeType: 'couchestor-live-cold', iopsThreshold: 0 },
]

export async function createFleet(namespace: string): Promise<Fleet> {
  const cinder = await cinderAdmin()
  const policies = new Set<string>()
  const volumes = new Set<string>()
  const inNamespace = (...args: string[]) => kubectl(['-n', namespace, ...args])

  const image = async (id: string): Promise<RbdImage> => {
    const volume = await cinder.volume(id)
    const found = await findImage(id, volume?.['os-vol-mig-status-attr:name_id'])
    if (found === undefined) throw new Error(`no image of volume ${id}`)
    return found
  }
  const migrations = async (claim: string) => {
    const { items } = await kubectlJson<{ items: VolumeMigration[] }>([
      '-n',
      namespace,
      'get',
      'vmig',
    ])
    return items.filter((m) => m.spec.claim.name === claim)
  }
  const events = async (claim: string) => {
    const of = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${claim}`
    const { items } = await kubectlJson<{
      items: (ClaimEvent & { source?: { component?: string }; metadata: { name: string } })[]
    }>(['-n', namespace, 'get', 'events', `--field-selector=${of}`])
    // names end with the time in ms, in hex: firstTimestamp alone has whole seconds
    const at = (name: string) => Number.parseInt(name.split('.').at(-2) ?? '', 16) || 0
    // not any that only sounds like ours: the provisioner's has the machine's name in it
    return items
      .filter((e) => e.source?.component === FIELD_MANAGER)
      .toSorted((a, b) => at(a.metadata.name) - at(b.metadata.name))
  }
  /** The driver deletes the volume with its claim, in growing pauses while it is attached; by force what it cannot. */
  const removed = async (id: string) => {
    const gone = async () => (await cinder.volume(id)) === undefined
    await eventually(`volume ${id} is gone`, gone).catch(() => cinder.deleteVolume(id))
  }
  const wipe = async () => {
    await inNamespace('delete', 'pods', '--all', '--force', '--grace-period=0')
    const patience = { timeoutMs: 240_000 }
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found'], patience)
    await Promise.all([...volumes].map((id) => removed(id)))
    volumes.clear()
    for (const name of policies) {
      await kubectl(['delete', 'stp', name, '--ignore-not-found'])
      const checkpoints = [`${name}-0`, `${name}.shadow`]
      await kubectl(['delete', 'tieringcheckpoint', ...checkpoints, '--ignore-not-found'])
    }
  }

  const bound: Fleet['bound'] = async (name) => {
    const pvc = await eventually(`claim ${name} is bound`, async () => {
      const found = await kubectlJson<Pvc>(['-n', namespace, 'get', 'pvc', name])
      return found.status.phase === 'Bound' && found
    })
    const { spec } = await kubectlJson<{ spec: { csi: { volumeHandle: string } } }>([
      'get',
      'pv',
      pvc.spec.volumeName,
    ])
    const volumeId = spec.csi.volumeHandle
    volumes.add(volumeId)
    // Kubernetes binds the claim before Cinder has made the volume
    await eventually(`volume ${volumeId} is made`, async () => {
      const status = (await cinder.volume(volumeId))?.status
      return status !== undefined && status !== 'creating'
    })
    await writeRandom(await image(volumeId))
    return { name, uid: pvc.metadata.uid, pv: pvc.spec.volumeName, volumeId }
  }

  return {
    namespace,
    cinder,
    bound,
    up: async () => {
      await wipe()
      await kubectl(['create', 'namespace', namespace])
    },
    down: async () => {
      // a volume that a failed test has left in mid-move would keep its PersistentVolume for ever
      for (const id of volumes) {
        const status = (await cinder.volume(id))?.status
        if (status === 'retyping') await cinder.resetState(id, 'available', 'none')
      }
      await wipe()
    },
    policy: async (name, spec) => {
      policies.add(name)
      await apply({
        apiVersion: 'couchestor.io/v1alpha1',
        kind: 'StoragePolicy',
        metadata: { name },
        spec: { tiers: TIERS, ...spec, migration: { cooldownPeriod: '0s', ...spec.migration } },
      })
    },
    policyWhen: (name, what, fits, seconds = 180) =>
      eventually(
        `policy ${name} ${what}`,
        async () => {
          const policy = await kubectlJson<StoragePolicy>(['get', 'stp', name])
          return fits(policy) && policy
        },
        seconds,
      ),
    adopt: (volumeId) => void volumes.add(volumeId),
    claim: async (name, policy, storageClass = 'couchestor-hot', volumeMode = 'Filesystem') => {
      await apply({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name, namespace, annotations: { 'couchestor.io/policy': policy } },
        spec: {
          storageClassName: storageClass,
          volumeMode,
          accessModes: ['ReadWriteOnce'],
          resources: { requests: { storage: '1Gi' } },
        },
      })
      return bound(name)
    },
    annotations: async (claim) =>
      (await kubectlJson<Pvc>(['-n', namespace, 'get', 'pvc', claim])).metadata.annotations ?? {},
    annotate: async (claim, values) => {
      const pairs = Object.entries(values).map(([k, v]) => (v === null ? `${k}-` : `${k}=${v}`))
      await inNamespace('annotate', '--overwrite', 'pvc', claim, ...pairs)
    },
    image,
    digest: async (id) => sha256(await image(id)),
    migrations,
    migrationWhen: (claim, what, fits, seconds) =>
      eventually(
        `the move of claim ${claim} ${what}`,
        async () => {
          const all = await migrations(claim)
          if (all.length > 1) throw new Error(`${all.length} moves of claim ${claim}`)
          const [m] = all
          if (m !== undefined && !fits(m)) throw new Error(JSON.stringify(m.status))
          return m
        },
        seconds,
      ),
    events,
    eventWhen: (claim, reason, seconds) =>
      eventually(
        `event ${reason} on claim ${claim}`,
        async () => (await events(claim)).find((e) => e.reason === reason),
        seconds,
      ),
    volumeOn: (id, type, seconds = 180) =>
      cinder.volumeWhen(
        id,
        `rests on ${type}`,
        (v) => v.volume_type === type && (v.status === 'available' || v.status === 'in-use'),
        seconds,
      ),
    pod: async (name, claimName, volumeId) => {
      const volumeMounts = [{ name: 'v', mountPath: '/v' }]
      await apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace },
        spec: {
          nodeName: 'lab-node',
          containers: [{ name: 'c', image: 'none', volumeMounts }],
          volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
        },
      })
      await cinder.volumeWhen(volumeId, 'is attached', (v) => v.attachments.length > 0)
      // the lab has no kubelet to say so
      const status = JSON.stringify({ status: { phase: 'Running' } })
      await inNamespace('patch', 'pod', name, '--subresource=status', '--type=merge', '-p', status)
    },
    removePod: async (name) =>
      void (await inNamespace('delete', 'pod', name, '--force', '--grace-period=0')),
  }
}
