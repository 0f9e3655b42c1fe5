import { createHash } from 'node:crypto'
import type { World } from '../../src/sim/world.ts'

export type FleetOptions = {
  readonly volumes: number
  /** False: claims that no policy selects and volumes that Cinder does not list; for the caches alone. */
  readonly managed: boolean
  /** Age of the claims: how much history the controller finds. */
  readonly ageSeconds: number
}

/** A claim that is attached nowhere, so that it may be moved at once. */
export type Movable = { readonly namespace: string; readonly name: string; readonly id: string }

const DRIVER = 'cinder.csi.openstack.org'
const TIERS = ['hot', 'warm', 'cold'] as const
const PER_NAMESPACE = 250
const SCRAPE_SECONDS = 60

/** Claims, volumes and attachments as a cluster has them, managedFields and all: 1.9 and 2.4 kB a piece. */
export function seedFleet(world: World, options: FleetOptions): readonly Movable[] {
  const movable: Movable[] = []
  const createdAt = new Date(Date.now() - options.ageSeconds * 1000).toISOString()
  const created = `${createdAt.slice(0, 19)}Z`
  for (let i = 0; i < options.volumes; i++) {
    const namespace = `team-${Math.floor(i / PER_NAMESPACE)}`
    if (i % PER_NAMESPACE === 0)
      world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
    const id = seedOne(world, options, i, namespace, created)
    if (options.managed && isDetached(i) && tierOf(i) === 'hot')
      movable.push({ namespace, name: `data-${i}`, id })
  }
  world.api.seed(RELEASED_LEASE)
  if (options.managed) world.api.seed(POLICY)
  return movable
}

function isDetached(i: number): boolean {
  return i % 3 === 0
}

function tierOf(i: number): (typeof TIERS)[number] {
  return TIERS[Math.floor(i / 3) % TIERS.length]!
}

function seedOne(
  world: World,
  { managed }: FleetOptions,
  i: number,
  namespace: string,
  created: string,
): string {
  const tier = tierOf(i)
  const uid = uuidOf(`claim ${i}`)
  const pv = `pvc-${uid}`
  const name = `data-${i}`
  const sizeGiB = 1 + (i % 100)
  const id = managed
    ? world.cloud.seams.addVolume({ name: pv, sizeGiB, type: `couchestor-${tier}` }).id
    : uuidOf(`volume ${i}`)
  const facts = { namespace, name, uid, pv, id, sizeGiB, tier, created, managed }
  world.api.seed(claimOf(facts), volumeOf(facts))
  if (!managed || isDetached(i)) return id
  const node = `node-${i % 50}`
  world.api.seed(attachmentOf(pv, node))
  world.cloud.seams.attach(id, `server-${node}`)
  addLoad(world, id, node, i % 2 === 0 ? 800 : 2)
  return id
}

/** The same at every start: two versions that are compared get the same fleet. */
function uuidOf(seed: string): string {
  const hex = createHash('sha256').update(seed).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

type Facts = {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly pv: string
  readonly id: string
  readonly sizeGiB: number
  readonly tier: string
  readonly created: string
  readonly managed: boolean
}

function claimOf(f: Facts) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      namespace: f.namespace,
      name: f.name,
      uid: f.uid,
      creationTimestamp: f.created,
      labels: {
        'app.kubernetes.io/name': 'database',
        'app.kubernetes.io/instance': f.namespace,
        ...(f.managed ? { bench: 'managed' } : {}),
      },
      annotations: {
        'pv.kubernetes.io/bind-completed': 'yes',
        'pv.kubernetes.io/bound-by-controller': 'yes',
        'volume.beta.kubernetes.io/storage-provisioner': DRIVER,
        'volume.kubernetes.io/storage-provisioner': DRIVER,
        'volume.kubernetes.io/selected-node': 'worker-17',
      },
      finalizers: ['kubernetes.io/pvc-protection'],
      managedFields: managedFields(f.created, 'f:volumeName'),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: `couchestor-${f.tier}`,
      volumeMode: 'Filesystem',
      volumeName: f.pv,
      resources: { requests: { storage: `${f.sizeGiB}Gi` } },
    },
    status: {
      phase: 'Bound',
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: `${f.sizeGiB}Gi` },
    },
  }
}

function volumeOf(f: Facts) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: f.pv,
      creationTimestamp: f.created,
      annotations: {
        'pv.kubernetes.io/provisioned-by': DRIVER,
        'volume.kubernetes.io/provisioner-deletion-secret-name': '',
        'volume.kubernetes.io/provisioner-deletion-secret-namespace': '',
      },
      finalizers: ['kubernetes.io/pv-protection', 'external-attacher/cinder-csi-openstack-org'],
      managedFields: managedFields(f.created, 'f:csi'),
    },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: `${f.sizeGiB}Gi` },
      storageClassName: `couchestor-${f.tier}`,
      persistentVolumeReclaimPolicy: 'Delete',
      volumeMode: 'Filesystem',
      claimRef: {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: f.namespace,
        name: f.name,
        uid: f.uid,
        resourceVersion: '1234567',
      },
      csi: {
        driver: DRIVER,
        volumeHandle: f.id,
        fsType: 'ext4',
        volumeAttributes: {
          'storage.kubernetes.io/csiProvisionerIdentity': `1700000000000-1234-${DRIVER}`,
        },
      },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            {
              matchExpressions: [
                { key: 'topology.cinder.csi.openstack.org/zone', operator: 'In', values: ['nova'] },
              ],
            },
          ],
        },
      },
    },
    status: { phase: 'Bound' },
  }
}

/** What controller-manager, provisioner and attacher leave behind: about half of an object's metadata. */
function managedFields(time: string, owned: string) {
  return ['kube-scheduler', 'kube-controller-manager', 'csi-provisioner'].map((manager, i) => ({
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': {
        'f:annotations': {
          [`f:volume.kubernetes.io/mark-${i}`]: {},
          'f:pv.kubernetes.io/bind-completed': {},
          'f:pv.kubernetes.io/bound-by-controller': {},
        },
      },
      'f:spec': {
        'f:accessModes': {},
        'f:resources': { 'f:requests': { '.': {}, 'f:storage': {} } },
        [owned]: {},
      },
    },
  }))
}

function attachmentOf(pv: string, node: string) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: `csi-${pv}` },
    spec: { attacher: DRIVER, nodeName: node, source: { persistentVolumeName: pv } },
    status: { attached: true },
  }
}

function addLoad(world: World, id: string, node: string, iops: number): void {
  const add = (name: string, factor: number) =>
    world.prometheus.seams.addSeries(
      `couchestor_volume_${name}_total`,
      { volume_id: id, node, device: 'vdb' },
      { intervalSeconds: SCRAPE_SECONDS, value: (t) => iops * factor * t, monotonic: true },
    )
  add('reads_completed', 0.5)
  add('writes_completed', 0.5)
  add('read_bytes', 4096)
  add('written_bytes', 4096)
}

/** As an earlier controller leaves it at its end, so that the new one need not wait for it to run out. */
const RELEASED_LEASE = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'couchestor-controller', namespace: 'couchestor-system' },
  spec: {
    holderIdentity: '',
    leaseDurationSeconds: 1,
    acquireTime: '2026-01-01T00:00:00.000000Z',
    renewTime: '2026-01-01T00:00:00.000000Z',
    leaseTransitions: 1,
  },
}

const POLICY = {
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'StoragePolicy',
  metadata: { name: 'bench' },
  spec: {
    cloudProvider: 'openstack',
    selector: { matchLabels: { bench: 'managed' } },
    tiers: TIERS.map((tier, i) => ({
      name: tier,
      storageClass: `couchestor-${tier}`,
      cinderVolumeType: `couchestor-${tier}`,
      iopsThreshold: [500, 50, 0][i],
    })),
    migration: { strategy: 'cinder-retype', maxConcurrent: 100 },
  },
}
