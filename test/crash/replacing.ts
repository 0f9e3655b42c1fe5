import { isFinished } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import type { World, WorldVolume } from '../../src/sim/world.ts'
import { worldWith } from '../harness.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import type { Play } from './killing.ts'

const START = Date.UTC(2026, 0, 20, 10, 7)
const LABELS = { app: 'crash' }
const GROUP = '/apis/couchestor.io/v1alpha1'
const CLAIM = '/api/v1/namespaces/default/persistentvolumeclaims/data'
const MOVE = `${GROUP}/namespaces/default/volumemigrations/by-hand`
const POD = '/api/v1/namespaces/default/pods'
const DRIVER = 'cinder.csi.openstack.org'
const METADATA = 'couchestor.io/move'

/** What the claim must have in the end. */
type End = {
  readonly end: `${'Succeeded' | 'Failed'}/${string}`
  /** `both`: a copy, and by the reclaim policy Retain the former volume too. */
  readonly keeps: 'original' | 'copy' | 'both' | 'nothing'
}

type Options = End & {
  /** Of the PersistentVolume. */
  readonly reclaim?: 'Delete' | 'Retain'
  readonly via?: 'backup'
  /** What people and Pods do, before each request that leaves a process. */
  readonly acts?: (scene: Replacement, request?: HttpRequest) => Promise<void>
}

/** A claim that somebody moves by hand to another volume, beside a claim that nothing may happen to. */
export class Replacement implements Play {
  readonly configYaml = 'migration: {soak_max_age: 2m}\ntasks: {resources: {every: 1m}}'
  readonly clock: VirtualClock
  readonly world: World
  readonly volume: WorldVolume
  /** What was written last to what the claim stood for then. */
  token = 'orders'
  /** How many requests had left by the moment from which on this scene differs from all others. */
  from = 0
  /** Everything that was done once. */
  readonly done = new Set<string>()
  readonly #options: Options
  readonly #uid: string
  readonly #beside: { readonly id: string; readonly snapshotId: string; readonly pv: string }
  readonly #problems = new Set<string>()
  #passed = 0
  /** What the copy was made of. */
  #atSwitch: string | undefined

  constructor(options: Options) {
    this.#options = options
    this.clock = createVirtualClock(START)
    this.world = worldWith({ clock: this.clock, csi: true })
    const { cloud, api } = this.world
    const claim = { namespace: 'default', sizeGiB: 1, tier: 'hot', iops: 3000 }
    this.volume = this.world.addClaim({ ...claim, name: 'data', labels: LABELS })
    cloud.seams.write(this.volume.id, this.token)
    const beside = this.world.addClaim({ ...claim, name: 'beside' })
    const snapshotId = cloud.seams.addSnapshot(beside.id, 'nightly').id
    this.#beside = { id: beside.id, snapshotId, pv: JSON.stringify(this.#object(PVS, beside.pv)) }
    const pv = this.#object(PVS, this.volume.pv)!
    const spec = pv['spec'] as object
    const persistentVolumeReclaimPolicy = options.reclaim ?? 'Delete'
    api.seed({ ...pv, spec: { ...spec, persistentVolumeReclaimPolicy } })
    this.#uid = this.claim()?.metadata.uid ?? ''
    // by which the project sees that there is a cinder-backup
    if (options.via !== undefined) cloud.seams.addBackup(beside.id, 'nightly')
    api.seed(POLICY, {
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: 'by-hand', namespace: 'default', generation: 1 },
      spec: {
        policy: 'tiered',
        reason: 'Manual',
        strategy: 'snapshot-restore',
        ...(options.via && { via: options.via }),
        claim: { name: 'data' },
        to: 'cold',
      },
    })
  }

  async turn(): Promise<void> {
    this.#watch()
    await this.#options.acts?.(this)
    this.#watch()
  }

  async passes(request: HttpRequest): Promise<void> {
    this.#watch()
    if (this.#options.acts === undefined && isRecord(request)) this.from ||= this.#passed
    await this.#options.acts?.(this, request)
    this.#passed++
  }

  missing(): string[] {
    const { end, keeps } = this.#options
    const m = this.move()
    const is = `${m?.status?.step}/${m?.status?.reason}`
    const handle = this.handle()
    const isThere = this.world.cloud.seams.volume(this.volume.id) !== undefined
    const other = isThere ? 'both' : 'copy'
    const shape = handle === undefined ? 'nothing' : handle === this.volume.id ? 'original' : other
    // no Pod could write to a copy that never had a PersistentVolume
    const isKept = shape === keeps || (keeps === 'both' && shape === 'original')
    return [
      ...(m !== undefined && is !== end ? [`the move is ${is}`] : []),
      ...(isKept ? [] : [`the claim has ${shape}`]),
      ...this.left(),
    ]
  }

  /** What of ours is still there. */
  left(): string[] {
    const { seams } = this.world.cloud
    const records = this.world.api
      .objects(`${GROUP}/tieringcheckpoints`)
      .filter((c) => c.metadata.name.startsWith('replacement-'))
    const isKept = (id: string) =>
      id === this.handle() || (this.#options.keeps === 'both' && id === this.volume.id)
    return [
      ...records.map((c) => `record ${c.metadata.name} is left`),
      ...seams
        .volumes()
        .filter((v) => !isKept(v.id) && v.id !== this.#beside.id)
        .map((v) => `volume ${v.name} is left (${v.status})`),
      ...seams
        .snapshots()
        .filter((s) => METADATA in s.metadata)
        .map((s) => `snapshot ${s.name} is left (${s.status})`),
      ...seams
        .backups()
        .filter((b) => METADATA in b.metadata)
        .map((b) => `backup ${b.name} is left (${b.status})`),
    ]
  }

  /** What must hold at every moment. */
  broken(): string[] {
    this.#watch()
    return [...this.#problems, ...this.#twice(), ...this.#besides()]
  }

  /** As `missing`, where trouble may end the move in any way. */
  unfinished(): string[] {
    const m = this.move()
    return [
      ...(m !== undefined && !isFinished(m) ? [`the move is ${m.status?.step}`] : []),
      ...(this.handle() === undefined ? ['the claim is held'] : []),
      ...this.left(),
    ]
  }

  wrong(): string[] {
    this.#watch()
    const { keeps, reclaim = 'Delete' } = this.#options
    const pv = this.#object(PVS, this.volume.pv)
    const claim = this.claim()
    const { spec } = (pv ?? {}) as { spec?: { persistentVolumeReclaimPolicy?: string } }
    return [
      ...this.#problems,
      ...this.#twice(),
      ...this.#besides(),
      ...(claim !== undefined && phaseOf(claim) !== 'Bound' ? [`the claim is Lost`] : []),
      ...(keeps !== 'nothing' && spec?.persistentVolumeReclaimPolicy !== reclaim
        ? [`the reclaim policy is ${spec?.persistentVolumeReclaimPolicy}`]
        : []),
      ...(pv?.metadata.finalizers?.includes('couchestor.io/replacing') === true
        ? ['our finalizer is left']
        : []),
    ]
  }

  move(): VolumeMigration | undefined {
    return this.#object(`${GROUP}/volumemigrations`, 'by-hand') as unknown as
      VolumeMigration | undefined
  }

  step(): string {
    return this.move()?.status?.step ?? ''
  }

  claim(): KubeJson | undefined {
    return this.#object('/api/v1/persistentvolumeclaims', 'data')
  }

  /** The copy is there, finished or not. */
  isCopied(): boolean {
    return this.world.cloud.seams.volumes().some((v) => METADATA in v.metadata)
  }

  /** There is a backup of it, finished or not. */
  isBackedUp(): boolean {
    return this.world.cloud.seams.backups().some((b) => METADATA in b.metadata)
  }

  /** The volume in Cinder that can be attached through the PersistentVolume now; undefined = held, or in the gap. */
  handle(): string | undefined {
    const pv = this.#object(PVS, this.volume.pv)
    const { csi } = (pv?.['spec'] ?? {}) as { csi?: { driver: string; volumeHandle: string } }
    return csi?.driver === DRIVER ? csi.volumeHandle : undefined
  }

  /** Once, whatever comes. */
  async once(what: string, does: () => Promise<unknown>): Promise<void> {
    if (this.done.has(what)) return
    this.done.add(what)
    this.from ||= this.#passed
    await does()
  }

  async request(method: string, url: string, body?: object): Promise<void> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
    await this.world.api.handle({
      method,
      url,
      headers: { 'content-type': type, accept: 'application/json' },
      body: body === undefined ? '' : JSON.stringify(body),
      signal: new AbortController().signal,
    })
  }

  startPod(): Promise<void> {
    return this.request('POST', POD, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'job' },
      spec: {
        containers: [{ name: 'c', image: 'none' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    })
  }

  /** A Pod that was created gets the volume as soon as Kubernetes can attach it, writes, and leaves. */
  async runPod(): Promise<void> {
    const id = this.handle()
    const claim = this.claim()
    if (!this.done.has('the Pod needs it') || id === undefined || claim === undefined) return
    const pv = this.#object(PVS, this.volume.pv)
    if (phaseOf(claim) !== 'Bound' || pv?.metadata.deletionTimestamp !== undefined) return
    await this.once('the Pod has run', async () => {
      const { seams } = this.world.cloud
      seams.attach(id, 'server-1')
      this.token = `${this.token}, more orders`
      seams.write(id, this.token)
      seams.detach(id)
      await this.request('DELETE', `${POD}/job?gracePeriodSeconds=0`)
    })
  }

  cancel(): Promise<void> {
    return this.request('PATCH', MOVE, { spec: { cancel: true } })
  }

  rollback(): Promise<void> {
    return this.request('PATCH', MOVE, { spec: { rollback: true } })
  }

  deleteMove(): Promise<void> {
    return this.request('DELETE', MOVE)
  }

  deleteClaim(): Promise<void> {
    return this.request('DELETE', CLAIM)
  }

  /** What a reader finds, at any moment. */
  #watch(): void {
    const { seams } = this.world.cloud
    const handle = this.handle()
    if (handle !== undefined && handle !== this.volume.id) this.#atSwitch ??= this.token
    const claim = this.claim()
    if (claim === undefined) return
    if (claim.metadata.uid !== this.#uid) this.#problems.add('the claim is another one')
    const isBack = this.done.has('rollback') && handle !== undefined && handle === this.volume.id
    const token = isBack ? this.#atSwitch : this.token
    const readable = handle === undefined ? seams.volumes() : [seams.volume(handle)]
    if (readable.some((v) => v?.data === token)) return
    const found = readable.map((v) => v?.data).join()
    this.#problems.add(`a reader finds "${found}" instead of "${token}" (${handle ?? 'held'})`)
  }

  #twice(): string[] {
    const made = (path: RegExp) =>
      this.world.cloud.seams
        .journal()
        .filter((e) => e.method === 'POST' && path.test(e.path) && (e.status ?? 0) < 300)
        .filter((e) => e.status !== undefined && e.dropped !== 'before').length
    const volumes = this.#options.via === 'backup' ? 2 : 1
    const counts = {
      snapshots: made(/\/snapshots$/),
      backups: made(/\/backups$/),
      copies: made(/\/volumes$/) - (volumes - 1),
    }
    const retypes = this.world.cloud.seams
      .volumes()
      .flatMap((v) => this.world.cloud.seams.retypesOf(v.id))
      .filter((e) => e.status === 202).length
    return Object.entries({ ...counts, retypes })
      .filter(([, n]) => n > 1)
      .map(([what, n]) => `${n} ${what} were made`)
  }

  #besides(): string[] {
    const { seams } = this.world.cloud
    const { id, snapshotId, pv } = this.#beside
    const now = JSON.stringify(this.#object(PVS, 'pvc-default-beside'))
    const asked = seams.journal().some((e) => e.path.includes(id) || e.path.includes(snapshotId))
    return [
      ...(seams.volume(id)?.data === `data of ${id}` ? [] : ["another claim's data is gone"]),
      ...(seams.snapshots().some((s) => s.id === snapshotId) ? [] : ["another's snapshot is gone"]),
      ...(now === pv ? [] : ["another claim's PersistentVolume was changed"]),
      ...(asked ? ["another's volume or snapshot was asked for in Cinder"] : []),
    ]
  }

  #object(path: string, name: string): KubeJson | undefined {
    return this.world.api.objects(path).find((o) => o.metadata.name === name)
  }
}

const PVS = '/api/v1/persistentvolumes'

const POLICY = {
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'StoragePolicy',
  metadata: { name: 'tiered' },
  spec: {
    selector: { matchLabels: LABELS },
    tiers: [
      { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000 },
      { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100 },
      { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0 },
    ],
    metrics: { window: '24h' },
    migration: { strategy: 'snapshot-restore' },
  },
}

function phaseOf(claim: KubeJson): string {
  return (claim['status'] as { phase?: string } | undefined)?.phase ?? ''
}

function isRecord({ method, body = '' }: HttpRequest): boolean {
  return method === 'POST' && body.includes('"TieringCheckpoint"') && body.includes('replacement-')
}
