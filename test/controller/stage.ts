import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { StoragePolicyStatus } from '../../src/api/storage-policy.ts'
import type { Controller } from '../../src/controller/controller.ts'
import type { WorldClaim, WorldOptions, WorldVolume, World } from '../../src/sim/world.ts'
import { controllerOn, worldWith } from '../harness.ts'
import type { ControllerOptions } from '../harness.ts'
import { createLife } from '../life.ts'
import type { Gate, Life } from '../life.ts'
import { Witness } from '../simulate/witness.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'

const GROUP = '/apis/couchestor.io/v1alpha1'
export const MINUTE = 60_000
export const HOUR = 3_600_000
const LABELS = { app: 'stage' }

/** The tiers of all stages, and a selector that takes every claim of the stage. */
export const POLICY = {
  selector: { matchLabels: LABELS },
  tiers: [
    { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000 },
    { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100 },
    { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0 },
  ],
}

export type Running = {
  readonly life: Life
  readonly controller: Controller
  /** How the controller's run ended; undefined while it runs. */
  readonly end: () => 'lost' | 'stopped' | undefined
  readonly stop: () => Promise<unknown>
}
export type Start = Partial<
  Pick<
    ControllerOptions,
    | 'identity'
    | 'pod'
    | 'configYaml'
    | 'timing'
    | 'log'
    | 'registry'
    | 'strategies'
    | 'credential'
    | 'auditSink'
    | 'lease'
  >
> & {
  readonly gate?: Gate
}
type StageClaim = Partial<WorldClaim> & {
  readonly name: string
  /** How long ago it was made. Default 4 days. */
  readonly ageHours?: number
}

/** A world to play on: claims and policies come, time passes, and the real controller works. */
export class Stage {
  /** Those of the present test, where `keepPromises` asks for them. */
  static made: Stage[] | undefined
  readonly clock: VirtualClock
  readonly world: World
  readonly witness: Witness

  constructor(
    options: Pick<WorldOptions, 'apiServer' | 'csi'> & {
      at?: number
      cloud?: WorldOptions['cloud']
    } = {},
  ) {
    this.clock = createVirtualClock(options.at ?? Date.UTC(2026, 0, 20, 10, 7))
    this.world = worldWith({
      clock: this.clock,
      cloud: options.cloud ?? {},
      apiServer: options.apiServer ?? {},
      csi: options.csi ?? false,
    })
    this.witness = new Witness(this.world)
    Stage.made?.push(this)
  }

  get cloud() {
    return this.world.cloud.seams
  }

  policy(spec: object = {}, name = 'tiered'): void {
    const old = this.object(`${GROUP}/storagepolicies`, name)
    const generation = Number(old?.metadata['generation'] ?? 0) + 1
    this.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'StoragePolicy',
      metadata: { name, generation },
      spec: { ...POLICY, ...spec },
      ...(old?.['status'] === undefined ? {} : { status: old['status'] }),
    })
  }

  claim({ ageHours = 96, ...claim }: StageClaim): WorldVolume {
    const namespace = claim.namespace ?? 'default'
    const volume = this.world.addClaim({
      sizeGiB: 1,
      tier: 'hot',
      iops: 1,
      labels: LABELS,
      ...claim,
      namespace,
    })
    const created = this.pvc(claim.name, namespace)
    this.world.api.seed({
      ...created,
      metadata: {
        ...created.metadata,
        creationTimestamp: new Date(this.clock.now() - ageHours * HOUR).toISOString(),
      },
    })
    return volume
  }

  annotate(name: string, annotations: Readonly<Record<string, string | undefined>>): void {
    const claim = this.pvc(name)
    const next = { ...claim.metadata.annotations, ...annotations }
    const kept = Object.fromEntries(Object.entries(next).filter(([, v]) => v !== undefined))
    this.world.api.seed({ ...claim, metadata: { ...claim.metadata, annotations: kept } })
  }

  start(options: Start = {}): Running {
    const { gate = (_, send) => send(), identity = 'first', ...rest } = options
    const life = createLife({
      clock: this.clock,
      routes: this.world.routes,
      gate: (request, send) => {
        this.witness.leaves(identity, request)
        return gate(request, send)
      },
    })
    const controller = controllerOn({
      world: this.world,
      clock: life.clock,
      http: life.http,
      identity,
      ...rest,
    })
    const stopping = new AbortController()
    const ended = controller.run(stopping.signal)
    let end: 'lost' | 'stopped' | undefined
    const noteEnd = (how: 'lost' | 'stopped') => void (end = how)
    // a rejection is for the caller that awaits `stop`
    ended.then(noteEnd, () => {})
    return {
      life,
      controller,
      end: () => end,
      stop: async () => {
        stopping.abort()
        await this.clock.advance(5_000)
        return ended
      },
    }
  }

  /** Lets time pass until it is so. False when it is not so in time. */
  async until(isSo: () => boolean, longestMs = 10 * MINUTE, stepMs = 1_000): Promise<boolean> {
    for (let ms = 0; ms < longestMs; ms += stepMs) {
      if (isSo()) return true
      await this.clock.advance(stepMs)
    }
    return isSo()
  }

  object(path: string, name: string, namespace?: string) {
    return this.world.api
      .objects(path)
      .find(
        (o) =>
          o.metadata.name === name && (namespace ?? o.metadata.namespace) === o.metadata.namespace,
      )
  }

  pvc(name: string, namespace?: string) {
    const found = this.object('/api/v1/persistentvolumeclaims', name, namespace)
    if (found === undefined) throw new Error(`no claim ${name}`)
    return found
  }

  annotation(name: string, key: string): string | undefined {
    return this.pvc(name).metadata.annotations?.[`couchestor.io/${key}`]
  }

  /** Name of the tier whose volume type Cinder shows. */
  tier(volume: WorldVolume): string {
    const id = this.cloud.volume(volume.id)?.typeId
    return (
      POLICY.tiers.find((t) => this.cloud.volumeType(t.storageClass).id === id)?.name ?? 'other'
    )
  }

  retypes(volume: WorldVolume): number {
    return this.cloud.retypesOf(volume.id).length
  }

  /** Oldest first. */
  moves(claim?: string): VolumeMigration[] {
    const all = this.world.api.objects(`${GROUP}/volumemigrations`) as unknown as VolumeMigration[]
    // uids of the simulated API server count up
    const ordered = all.toSorted((a, b) =>
      (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1,
    )
    return ordered.filter((m) => claim === undefined || m.spec.claim.name === claim)
  }

  /** Step and reason of each move of a claim, oldest first. */
  ends(claim: string): string[] {
    return this.moves(claim).map((m) => `${m.status?.step}/${m.status?.reason}`)
  }

  move(name: string, spec: object, status?: object, metadata: object = {}): void {
    this.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name, namespace: 'default', generation: 1, ...metadata },
      spec: { policy: 'tiered', reason: 'Manual', strategy: 'cinder-retype', ...spec },
      ...(status === undefined ? {} : { status }),
    })
  }

  /** Deletes one object, by its path on the API server. */
  async remove(path: string): Promise<void> {
    const { signal } = new AbortController()
    const request = { method: 'DELETE', url: path, headers: {}, body: '', signal }
    const { status } = await this.world.api.handle(request)
    if (status !== 200) throw new Error(`DELETE ${path}: ${status}`)
  }

  ledger() {
    const all = this.world.api.objects(
      `${GROUP}/tieringcheckpoints`,
    ) as unknown as TieringCheckpoint[]
    return all.flatMap((c) => c.spec.inFlight ?? [])
  }

  policyStatus(name = 'tiered'): StoragePolicyStatus {
    return this.object(`${GROUP}/storagepolicies`, name)?.['status'] ?? {}
  }

  condition(type: string, name = 'tiered') {
    return this.policyStatus(name).conditions?.find((c) => c.type === type)
  }

  /** How many claims of the policy stay, by reason. */
  staying(name = 'tiered'): Record<string, number> {
    return Object.fromEntries(
      (this.policyStatus(name).staying ?? []).map((s) => [s.reason, s.claims]),
    )
  }

  /** Reasons of the events about a claim. */
  events(claim: string): string[] {
    type Event = { reason: string; involvedObject: { name: string } }
    return (this.world.api.objects('/api/v1/events') as unknown as Event[])
      .filter((e) => e.involvedObject.name === claim)
      .map((e) => e.reason)
  }
}
