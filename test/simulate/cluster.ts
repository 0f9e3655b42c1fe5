import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import type { World } from '../../src/sim/world.ts'
import { Dice, seedOf } from '../seeded.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { Csi } from './csi.ts'
import { deleteInCinder, parsed } from './delete-in-cinder.ts'

/** What is true of one claim, kept beside the simulators and never asked of the product. */
export type ClaimTruth = {
  readonly key: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
  /** The one that its PersistentVolume is about, or was before it went. */
  readonly volumeId: string
  readonly pv: string
  /** The newest token that was written: what a reader must find. */
  token: string
  /** I/O operations per second from now on. */
  readonly load: { iops: number }
  /** What each volume held when the claim got another one, by its id: what a reader finds after a rollback. */
  readonly former: Map<string, string>
  /** From now on nobody scrapes it, or somebody does again. */
  readonly lose: (lost: boolean) => void
}

type NewClaim = {
  readonly namespace: string
  readonly name: string
  readonly tier: string
  readonly sizeGiB: number
  readonly iops: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ageHours: number
}

type List = {
  /** Of everything, when this was last known to be new. */
  resourceVersion: number
  /** Of the last write to the resource. */
  readonly version: number
  readonly objects: ReadonlyMap<string, KubeJson>
}
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Answer = { readonly status: number; readonly body: KubeJson }

export const POD_UNTIL = 'simulation/until'
export const NODES = ['node-1', 'node-2'] as const

/**
 * Everything of Kubernetes around the API server: people with kubectl, the scheduler, the attach/detach controller, the
 * Cinder CSI driver, and Pods that write. Its requests meet no fault; what the product sends may.
 */
export class Cluster {
  readonly #world: World
  readonly #clock: VirtualClock
  readonly #seed: number
  readonly claims = new Map<string, Mutable<ClaimTruth>>()
  /** Claims that are gone, in their order. */
  readonly gone: ClaimTruth[] = []
  /** Claims that are gone and whose volume is not deleted yet. */
  readonly #leaving = new Set<ClaimTruth>()
  readonly #lists = new Map<string, List>()
  readonly #csi: Csi | undefined
  #made = 0

  /** `csi`: a PersistentVolume may be replaced, and what is attached is what it says then. */
  constructor(world: World, clock: VirtualClock, seed: number, csi = false) {
    this.#world = world
    this.#clock = clock
    this.#seed = seed
    this.#csi = csi ? new Csi(world, this) : undefined
    for (const node of NODES) this.cordon(node, false)
  }

  get living(): ClaimTruth[] {
    return Array.from(this.claims.values())
  }

  provision({ ageHours, iops, ...rest }: NewClaim): ClaimTruth {
    this.makeNamespace(rest.namespace)
    const pv = `pvc-${++this.#made}`
    const key = `${rest.namespace}/${rest.name}`
    // read by the load from the start on, so made before the volume
    const load = { iops }
    const volume = this.#world.addClaim({ ...rest, pv, iops: () => load.iops })
    const claim = this.object('/api/v1/persistentvolumeclaims', rest.name, rest.namespace)
    if (claim === undefined) throw new Error(`claim ${key} was not made`)
    const creationTimestamp = new Date(this.#clock.now() - ageHours * 3_600_000).toISOString()
    this.#world.api.seed({ ...claim, metadata: { ...claim.metadata, creationTimestamp } })
    const truth: Mutable<ClaimTruth> = {
      key,
      namespace: rest.namespace,
      name: rest.name,
      uid: claim.metadata.uid ?? '',
      volumeId: volume.id,
      pv,
      token: this.#world.cloud.seams.data(volume.id),
      load,
      former: new Map(),
      lose: volume.lose,
    }
    this.claims.set(key, truth)
    return truth
  }

  makeNamespace(name: string): void {
    if (this.object('/api/v1/namespaces', name) !== undefined) return
    const labels = { 'kubernetes.io/metadata.name': name }
    this.#world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  }

  /** No new Pod is placed there, and what runs there is about to leave; or no more. */
  cordon(name: string, unschedulable: boolean): void {
    this.#world.api.seed({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name },
      spec: { unschedulable },
    })
  }

  /** All objects under a resource path, by `namespace/name` or `name`; read again only after a write to the resource. */
  objects(path: string): ReadonlyMap<string, KubeJson> {
    const { api } = this.#world
    const known = this.#lists.get(path)
    if (known?.resourceVersion === api.resourceVersion) return known.objects
    const version = api.versionOf(path)
    if (known?.version === version) {
      known.resourceVersion = api.resourceVersion
      return known.objects
    }
    const objects = new Map(
      api.objects(path).map((o) => [keyOf(o.metadata.namespace, o.metadata.name), o] as const),
    )
    this.#lists.set(path, { resourceVersion: api.resourceVersion, version, objects })
    return objects
  }

  object(path: string, name: string, namespace?: string): KubeJson | undefined {
    return this.objects(path).get(keyOf(namespace, name))
  }

  /** Claims without a volume. */
  get unbound(): { readonly name: string; readonly namespace: string; readonly uid: string }[] {
    return Array.from(this.objects('/api/v1/persistentvolumeclaims').values())
      .filter((o) => (o['status'] as { phase?: string }).phase === 'Pending')
      .map(({ metadata: { name, namespace = '', uid = '' } }) => ({ name, namespace, uid }))
  }

  claimObject(truth: Pick<ClaimTruth, 'name' | 'namespace' | 'uid'>): KubeJson | undefined {
    const found = this.object('/api/v1/persistentvolumeclaims', truth.name, truth.namespace)
    return found?.metadata.uid === truth.uid ? found : undefined
  }

  volume(truth: ClaimTruth) {
    return this.#world.cloud.seams.volume(truth.volumeId)
  }

  pods(truth: ClaimTruth): KubeJson[] {
    return this.#pods().filter(
      (p) => p.metadata.namespace === truth.namespace && claimNameOf(p) === truth.name,
    )
  }

  /** A person's request: what the API server refuses is refused, and nobody is surprised. */
  async request(method: string, url: string, body?: unknown, type = 'application/json') {
    const response = await this.#world.api.handle({
      method,
      url,
      headers: { 'content-type': type, accept: 'application/json' },
      body: body === undefined ? '' : JSON.stringify(body),
      signal: new AbortController().signal,
    })
    return { status: response.status, body: parsed(response.body) } as Answer
  }

  merge(url: string, patch: object): Promise<Answer> {
    return this.request('PATCH', url, patch, 'application/merge-patch+json')
  }

  annotate(truth: ClaimTruth, annotations: Readonly<Record<string, string | null>>) {
    return this.merge(claimPath(truth), { metadata: { annotations } })
  }

  async startPod(truth: ClaimTruth, options: { forMs: number; unschedulable?: boolean }) {
    const name = `pod-${++this.#made}`
    await this.request('POST', `/api/v1/namespaces/${truth.namespace}/pods`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        annotations: {
          [POD_UNTIL]:
            options.unschedulable === true ? 'never' : String(this.#clock.now() + options.forMs),
        },
      },
      spec: {
        containers: [{ name: 'c', image: 'none' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: truth.name } }],
      },
    })
  }

  /** One turn of all that runs beside the product. */
  async tick(): Promise<void> {
    for (const truth of this.claims.values()) this.#follow(truth)
    for (const pod of this.#pods()) await this.#tickPod(pod)
    for (const truth of this.living)
      if (this.claimObject(truth) === undefined) {
        this.claims.delete(truth.key)
        this.#leaving.add(truth)
        this.gone.push(truth)
      }
    for (const truth of this.#leaving)
      if (this.#csi === undefined) await this.#deleteVolume(truth)
      else if (await this.#csi.reclaim(truth)) this.#leaving.delete(truth)
  }

  /** The claim has a volume that a driver serves; undefined where nothing is ever replaced. */
  isServed(truth: ClaimTruth): boolean | undefined {
    return this.#csi?.isServed(truth)
  }

  /** As `volumeId` of the claim, and as it is in this moment. */
  volumeIdNow({ pv, volumeId }: ClaimTruth): string {
    return this.#csi?.volumeIdOf(pv) ?? volumeId
  }

  /** The claim may have got another volume, or its former one again. */
  #follow(truth: Mutable<ClaimTruth>): void {
    const id = this.volumeIdNow(truth)
    if (id === truth.volumeId) return
    truth.former.set(truth.volumeId, truth.token)
    truth.volumeId = id
    // by a rollback alone, which another oracle sees to
    truth.token = truth.former.get(id) ?? truth.token
  }

  /** The volume's data as a reader finds it, undefined when the volume is gone. */
  read(truth: ClaimTruth): string | undefined {
    return this.volume(truth) === undefined
      ? undefined
      : this.#world.cloud.seams.data(truth.volumeId)
  }

  #pods(): KubeJson[] {
    return Array.from(this.objects('/api/v1/pods').values())
  }

  async #tickPod(pod: KubeJson): Promise<void> {
    const { namespace, name, annotations = {}, deletionTimestamp } = pod.metadata
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`
    const truth = this.claims.get(`${namespace}/${claimNameOf(pod)}`)
    const until = annotations[POD_UNTIL]
    const over = until !== 'never' && Number(until) <= this.#clock.now()
    if (deletionTimestamp !== undefined || over || truth === undefined) {
      if (truth !== undefined && !(await this.#detach(truth))) return
      await this.request('DELETE', `${path}?gracePeriodSeconds=0`)
      return
    }
    if (until === 'never' || this.claimObject(truth) === undefined) return
    const { spec, status } = pod as unknown as {
      spec: { nodeName?: string }
      status?: { phase?: string }
    }
    // no node meets what a held PersistentVolume asks for
    if (spec.nodeName === undefined && this.isServed(truth) === false) return
    if (spec.nodeName === undefined)
      this.#world.api.seed({
        ...pod,
        spec: { ...spec, nodeName: this.#nodeFor(name) },
        status: { phase: 'Pending' },
      })
    else if (status?.phase === 'Running') this.#write(truth, name)
    else if (this.#attach(truth, spec.nodeName))
      this.#world.api.seed({ ...this.#pod(pod), status: { phase: 'Running' } })
  }

  #pod(pod: KubeJson): KubeJson {
    return this.object('/api/v1/pods', pod.metadata.name, pod.metadata.namespace) ?? pod
  }

  #write(truth: ClaimTruth, pod: string): void {
    const dice = new Dice(seedOf(this.#seed, `${pod} ${this.#clock.now()}`))
    if (!dice.chance(0.3) || this.volume(truth) === undefined) return
    truth.token = `${truth.key} ${dice.int(1e9)}`
    this.#world.cloud.seams.write(truth.volumeId, truth.token)
  }

  /** One of those that take Pods; the last of all where none does. */
  #nodeFor(pod: string): string {
    const all = this.objects('/api/v1/nodes')
    const open = NODES.filter((n) => {
      const { unschedulable } = (all.get(n)?.['spec'] ?? {}) as { unschedulable?: boolean }
      return unschedulable !== true
    })
    return new Dice(seedOf(this.#seed, pod)).pick(open) ?? NODES[1]
  }

  #attach(truth: ClaimTruth, nodeName: string): boolean {
    if (this.#csi !== undefined) return this.#csi.attach(truth, nodeName)
    const name = `csi-${truth.pv}`
    const attachment = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name },
      spec: {
        attacher: 'cinder.csi.openstack.org',
        nodeName,
        source: { persistentVolumeName: truth.pv },
      },
    }
    const known = this.object('/apis/storage.k8s.io/v1/volumeattachments', name)
    if (known === undefined) {
      this.#world.api.seed({ ...attachment, status: { attached: false } })
      return false
    }
    if (this.volume(truth)?.status === 'in-use') return true
    try {
      this.#world.cloud.seams.attach(truth.volumeId, `server-${nodeName}`)
    } catch {
      return false
    }
    this.#world.api.seed({ ...known, status: { attached: true } })
    return true
  }

  async #detach(truth: ClaimTruth): Promise<boolean> {
    if (this.#csi !== undefined) return this.#csi.detach(truth.pv)
    const volume = this.volume(truth)
    if (volume !== undefined && volume.status === 'in-use') {
      try {
        this.#world.cloud.seams.detach(truth.volumeId)
      } catch {
        return false
      }
    } else if (volume !== undefined && volume.status !== 'available' && this.#isAttached(truth)) {
      return false
    }
    await this.request('DELETE', `/apis/storage.k8s.io/v1/volumeattachments/csi-${truth.pv}`)
    return true
  }

  #isAttached(truth: ClaimTruth): boolean {
    const known = this.object('/apis/storage.k8s.io/v1/volumeattachments', `csi-${truth.pv}`)
    const status = known?.['status'] as { attached?: boolean } | undefined
    return status?.attached === true
  }

  /** What the reclaim policy Delete does: tried again until Cinder lets it. */
  async #deleteVolume(truth: ClaimTruth): Promise<void> {
    const volume = this.volume(truth)
    const path = `/api/v1/persistentvolumes/${truth.pv}`
    const stored = this.object('/api/v1/persistentvolumes', truth.pv)
    if (stored !== undefined && (stored['status'] as { phase?: string }).phase === 'Bound')
      this.#world.api.seed({ ...stored, status: { phase: 'Released' } })
    if (volume !== undefined) {
      if (volume.status === 'in-use') {
        await this.#detach(truth)
        return
      }
      if (volume.status !== 'available' && volume.status !== 'error') return
      if (!(await deleteInCinder(this.#world, truth.volumeId))) return
    }
    await this.request('DELETE', path)
    this.#leaving.delete(truth)
  }
}

export function claimPath({ namespace, name }: Pick<ClaimTruth, 'namespace' | 'name'>): string {
  return `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${name}`
}

function claimNameOf(pod: KubeJson): string | undefined {
  const { volumes = [] } = pod['spec'] as {
    volumes?: { name: string; ephemeral?: object; persistentVolumeClaim?: { claimName?: string } }[]
  }
  const [volume] = volumes
  return volume?.ephemeral === undefined
    ? volume?.persistentVolumeClaim?.claimName
    : `${pod.metadata.name}-${volume.name}`
}

function keyOf(namespace: string | undefined, name: string): string {
  return namespace === undefined ? name : `${namespace}/${name}`
}
