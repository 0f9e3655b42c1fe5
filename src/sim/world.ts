import type { Clock } from '../clock.ts'
import { createApiServer } from './apiserver/apiserver.ts'
import type { ApiServer, ApiServerOptions } from './apiserver/apiserver.ts'
import { createCloud } from './cloud/cloud.ts'
import type { Cloud } from './cloud/cloud.ts'
import type { CloudOptions } from './cloud/options.ts'
import type { SimHandler } from './handler.ts'
import { createPrometheus } from './prometheus/prometheus.ts'
import type { PrometheusSim } from './prometheus/prometheus.ts'

export type WorldOptions = {
  /** Time of volumes and usage. */
  readonly clock: Clock
  /** Time of watches and bookmarks; default `clock`. */
  readonly apiClock?: Clock
  /** Parsed CustomResourceDefinitions. */
  readonly crds: readonly unknown[]
  readonly apiServer?: Partial<ApiServerOptions>
  readonly cloud?: Partial<CloudOptions>
  /** The PersistentVolume controller and the CSI sidecars run, and delete volumes. Default: nobody does. */
  readonly csi?: boolean
  /** Seconds between two samples of usage. Default 60. */
  readonly scrapeSeconds?: number
}

export type WorldClaim = {
  readonly namespace: string
  readonly name: string
  readonly sizeGiB: number
  /** `hot`, `warm` or `cold`: volume type and StorageClass `couchestor-<tier>`. */
  readonly tier: string
  /** I/O operations per second: steady, or at a time (seconds); undefined = no series. */
  readonly iops?: number | ((seconds: number) => number) | undefined
  readonly annotations?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Node it is attached to. */
  readonly node?: string
  /** `spec` of its PersistentVolume that names the volume; default: the CSI driver's. */
  readonly source?: (volumeId: string) => object
  /** Name of the PersistentVolume. Default `pvc-<namespace>-<name>`. */
  readonly pv?: string
}

export type WorldVolume = {
  readonly id: string
  readonly pv: string
  detach(): void
  /** From now on nobody scrapes it; `false` = somebody does again. */
  lose(lost?: boolean): void
}

/** Kubernetes, OpenStack and Prometheus that know of the same volumes, with what CSI would have made of each claim. */
export type World = {
  readonly api: ApiServer
  readonly cloud: Cloud
  readonly prometheus: PrometheusSim
  addClaim(claim: WorldClaim): WorldVolume
  /** Handlers by origin, for `inProcess`. */
  readonly routes: Record<string, SimHandler>
}

export const WORLD_ORIGINS = {
  kube: 'http://kube.sim',
  identity: 'http://keystone.sim',
  volume: 'http://cinder.sim',
  metric: 'http://gnocchi.sim',
  prometheus: 'http://prometheus.sim',
} as const

const DRIVER = 'cinder.csi.openstack.org'
const TIERS = ['hot', 'warm', 'cold']
/** Bytes per operation in the made-up load: small, so that operations count. */
const OPERATION_BYTES = 8192

export function createWorld(options: WorldOptions): World {
  const { clock } = options
  const cloud = createCloud({
    clock,
    origin: WORLD_ORIGINS,
    ...options.cloud,
  })
  const driver = { deleteVolume: (handle: string) => cloud.seams.deleteVolume(handle) }
  const api = createApiServer({
    clock: options.apiClock ?? clock,
    crds: options.crds,
    ...(options.csi === true ? { driver } : {}),
    ...options.apiServer,
  })
  const prometheus = createPrometheus({ clock })
  api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'couchestor-system' } })
  api.seed(...TIERS.map(storageClass))
  return {
    api,
    cloud,
    prometheus,
    addClaim: (claim) =>
      addClaim({ api, cloud, prometheus, clock }, claim, options.scrapeSeconds ?? 60),
    routes: {
      [WORLD_ORIGINS.kube]: api.handle,
      [WORLD_ORIGINS.identity]: cloud.keystone,
      [WORLD_ORIGINS.volume]: cloud.cinder,
      [WORLD_ORIGINS.metric]: cloud.gnocchi,
      [WORLD_ORIGINS.prometheus]: prometheus.handle,
    },
  }
}

function storageClass(tier: string) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: `couchestor-${tier}` },
    provisioner: DRIVER,
    parameters: { type: `couchestor-${tier}` },
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'WaitForFirstConsumer',
    allowVolumeExpansion: true,
  }
}

type Parts = Pick<World, 'api' | 'cloud' | 'prometheus'> & { readonly clock: Clock }

function addClaim(
  { api, cloud, prometheus, clock }: Parts,
  claim: WorldClaim,
  scrapeSeconds: number,
): WorldVolume {
  const { namespace, name, sizeGiB } = claim
  const { pv = `pvc-${namespace}-${name}` } = claim
  const volume = cloud.seams.addVolume({ name: pv, sizeGiB, type: `couchestor-${claim.tier}` })
  if (api.objects('/api/v1/namespaces').every((n) => n.metadata.name !== namespace))
    api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  api.seed(claimObject(claim, pv))
  const uid = api
    .objects(`/api/v1/namespaces/${namespace}/persistentvolumeclaims`)
    .find((c) => c.metadata.name === name)?.metadata.uid
  api.seed(volumeObject(claim, pv, volume.id, uid ?? ''))
  const scraped = { until: Infinity }
  if (claim.iops !== undefined)
    addLoad(prometheus, volume.id, claim.node ?? 'node-1', claim.iops, scrapeSeconds, scraped)
  const { node } = claim
  if (node !== undefined) {
    if (api.objects('/api/v1/nodes').every((n) => n.metadata.name !== node))
      api.seed({ apiVersion: 'v1', kind: 'Node', metadata: { name: node } })
    api.seed(attachmentObject(pv, node))
    cloud.seams.attach(volume.id, `server-${node}`)
  }
  return {
    id: volume.id,
    pv,
    lose: (lost = true) => {
      scraped.until = lost ? clock.now() / 1000 : Infinity
    },
    detach: () => {
      cloud.seams.detach(volume.id)
      void api.handle({
        method: 'DELETE',
        url: `/apis/storage.k8s.io/v1/volumeattachments/csi-${pv}`,
        headers: {},
        body: '',
        signal: new AbortController().signal,
      })
    },
  }
}

function claimObject(
  { namespace, name, sizeGiB, tier, annotations, labels }: WorldClaim,
  pv: string,
) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace, name, annotations: { ...annotations }, labels: { ...labels } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: `couchestor-${tier}`,
      volumeName: pv,
      resources: { requests: { storage: `${sizeGiB}Gi` } },
    },
    status: { phase: 'Bound', capacity: { storage: `${sizeGiB}Gi` } },
  }
}

function volumeObject(
  { namespace, name, sizeGiB, tier, source = csiSource }: WorldClaim,
  pv: string,
  id: string,
  claimUid: string,
) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: pv },
    spec: {
      accessModes: ['ReadWriteOnce'],
      capacity: { storage: `${sizeGiB}Gi` },
      storageClassName: `couchestor-${tier}`,
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid: claimUid },
      ...source(id),
    },
    status: { phase: 'Bound' },
  }
}

const csiSource = (id: string) => ({ csi: { driver: DRIVER, volumeHandle: id } })

function attachmentObject(pv: string, node: string) {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: `csi-${pv}` },
    spec: { attacher: DRIVER, nodeName: node, source: { persistentVolumeName: pv } },
    status: { attached: true },
  }
}

/** Counters of the agent preset: the integral of `iops`, half reads and half writes. */
function addLoad(
  prometheus: PrometheusSim,
  id: string,
  node: string,
  iops: number | ((seconds: number) => number),
  step: number,
  scraped: { readonly until: number },
): void {
  const labels = { volume_id: id, node, device: 'vdb' }
  const total = typeof iops === 'number' ? (t: number) => iops * t : integral(iops, step)
  const add = (name: string, factor: number) =>
    prometheus.seams.addSeries(name, labels, {
      intervalSeconds: step,
      get toSeconds() {
        return scraped.until
      },
      value: (t: number) => total(t) * factor,
      monotonic: true,
    })
  add('couchestor_volume_reads_completed_total', 0.5)
  add('couchestor_volume_writes_completed_total', 0.5)
  add('couchestor_volume_read_bytes_total', 0.5 * OPERATION_BYTES)
  add('couchestor_volume_written_bytes_total', 0.5 * OPERATION_BYTES)
}

/** Sum of a load from some start on, at multiples of `step`, computed once per step. */
function integral(iops: (seconds: number) => number, step: number): (seconds: number) => number {
  const sums: number[] = []
  let origin: number | undefined
  return (seconds) => {
    const index = Math.floor(seconds / step)
    origin ??= index - Math.ceil((15 * 86_400) / step)
    for (let i = sums.length; i <= index - origin; i++)
      sums.push((sums[i - 1] ?? 0) + iops((origin + i) * step) * step)
    return sums[Math.max(0, index - origin)] ?? 0
  }
}
