import type { StoragePolicy } from '../../src/api/storage-policy.ts'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { sleep } from '../../src/clock.ts'
import type { Controller } from '../../src/controller/controller.ts'
import type { Clock } from '../../src/clock.ts'
import { ConnectionError } from '../../src/http.ts'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import type { Registry } from '../../src/metrics.ts'
import type { SimRequest } from '../../src/sim/handler.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import { AuditLines } from '../audit-lines.ts'
import { controllerOn, worldWith } from '../harness.ts'
import { createLife, patient } from '../life.ts'
import type { Life } from '../life.ts'
import { Dice, seedOf } from '../seeded.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { Cluster } from './cluster.ts'
import type { ClaimTruth } from './cluster.ts'
import { isCall, serviceOf, strikes } from './episodes.ts'
import type { Episode } from './episodes.ts'
import type { Service } from './faults.ts'
import { VolumeTypes } from './volume-types.ts'
import { AUDIT, BROKEN, PROBE } from './names.ts'
import { Monitor } from './monitor.ts'
import { policyOf } from './permission.ts'
import { Replacements } from './replacements.ts'
import type { StoredRecord } from './replacements.ts'

const START = Date.UTC(2026, 0, 20, 10, 7)
const GROUP = '/apis/couchestor.io/v1alpha1'
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/couchestor-system/leases'
/** From another's taking the lease to the end of the process, with the longest pause of a process on top. */
const EXIT_MS = 180_000

export type Setup = {
  readonly replicas: number
  readonly attached: 'unsafe' | 'nova' | 'refused'
  /** Highest minor of Cinder's microversion. */
  readonly maxMinor: number
  /** How long an attached volume shows its new type before its move is over. */
  readonly completionMs: number
  readonly detached: 'assisted' | 'generic'
  /** Some policies replace volumes, and the sidecars of the CSI driver run. */
  readonly replacing: boolean
  readonly configYaml: string
}

export type Replica = {
  readonly identity: string
  readonly life: Life
  readonly registry: Registry
  readonly stopping: AbortController
  readonly controller: Controller
  /** It has said that it leads; one whose answers from the API server were all lost never did. */
  led: boolean
  /** When another replica took the lease from it; ms on the monotonic clock. */
  lostAt: number | undefined
}

export type Moment = (life: Life, request: HttpRequest) => void

const BLOCK_MISSING = {
  status: 422,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    status: 'error',
    errorType: 'execution',
    error: 'expanding series: open block: no such file or directory',
  }),
}

const COUNTED_OVER_MS = 600_000

/** One simulated cloud and cluster, with the replicas of the product in it. */
export class Universe {
  readonly clock: VirtualClock
  readonly world: World
  readonly cluster: Cluster
  readonly monitor: Monitor
  readonly replicas = new Set<Replica>()
  readonly episodes = new Set<Episode>()
  /** Notified of each request of a replica that was answered, while an action waits for its moment. */
  readonly moments = new Set<Moment>()
  /** What the script has set and must take away again. */
  readonly undo = new Map<string, () => void>()
  /** Claims that nobody touches and that must move, and where to. */
  readonly probes: { readonly claim: ClaimTruth; readonly tier: string }[] = []
  /** The audit of all replicas. */
  readonly audit = new AuditLines()
  /** The leader's metrics page, as last scraped. */
  page = ''
  /** When a limit was last changed; ms on the monotonic clock. */
  limitChangedAt = -Infinity
  /** Retypes by an administrator, and settings of the wall clock, so far. */
  handRetypes = 0
  jumps = 0
  readonly types: VolumeTypes
  readonly replacements = new Replacements()
  /** Ids of those that users have taken. */
  readonly snapshots = new Set<string>()
  /** Kinds of objects that cannot be written for a while. */
  readonly refusals = new Set<string>()
  /** Samples older than this cannot be asked for. */
  historyMs = Infinity
  readonly setup: Setup
  readonly #seed: number
  #started = 0

  constructor(seed: number, setup: Setup, ignored: ReadonlySet<string> = new Set()) {
    this.#seed = seed
    this.setup = setup
    this.clock = createVirtualClock(START)
    const { attached, detached, maxMinor, completionMs, replacing } = setup
    const latencies = { completion: completionMs }
    const cloud = { migration: { attached, detached }, maxMinor, latencies }
    this.world = worldWith({ clock: this.clock, cloud, csi: replacing })
    this.types = new VolumeTypes(this.world.cloud.seams, this.clock)
    this.cluster = new Cluster(this.world, this.clock, seed, replacing)
    this.monitor = new Monitor(this, ignored)
    const cinder = this.world.cloud.cinder
    this.world.routes[WORLD_ORIGINS.volume] = (request) => {
      this.monitor.arrivesAtCinder(request)
      return this.monitor.shown(request, cinder(request))
    }
    const prometheus = this.world.routes[WORLD_ORIGINS.prometheus]
    if (prometheus !== undefined)
      this.world.routes[WORLD_ORIGINS.prometheus] = (request) =>
        this.#tooOld(request) ? Promise.resolve(BLOCK_MISSING) : prometheus(request)
  }

  startReplica(): void {
    const identity = `replica-${++this.#started}`
    const registry = createRegistry()
    const stopping = new AbortController()
    const life: Life = createLife({
      clock: this.clock,
      routes: this.world.routes,
      gate: (request, send) => this.#gate(identity, life, request, send),
    })
    const controller = controllerOn({
      world: this.world,
      clock: life.clock,
      http: life.http,
      identity,
      registry,
      random: new Dice(seedOf(this.#seed, identity)).next,
      configYaml: this.setup.configYaml,
      auditSink: this.audit,
    })
    const replica: Replica = {
      identity,
      life,
      registry,
      stopping,
      controller,
      led: false,
      lostAt: undefined,
    }
    this.replicas.add(replica)
    controller.run(stopping.signal).then(
      () => this.#ended(replica),
      (e: unknown) => {
        this.monitor.report('no crash', `${identity} crashed: ${String(e)}`)
        this.#ended(replica)
      },
    )
  }

  /** SIGKILL; its Pod is started again. */
  kill(replica: Replica): void {
    this.#ended(replica)
  }

  seedPolicy(name: string, spec: object): void {
    const generation = Math.round(this.clock.monotonic()) + 1
    this.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'StoragePolicy',
      metadata: { name, generation },
      spec,
    })
  }

  dropSnapshots(): void {
    const { seams } = this.world.cloud
    for (const id of this.snapshots) seams.removeSnapshot(id)
    this.snapshots.clear()
  }

  takeSnapshot(claim: ClaimTruth): void {
    this.takeSnapshotOf(claim.volumeId)
  }

  takeSnapshotOf(volumeId: string): void {
    this.snapshots.add(this.world.cloud.seams.addSnapshot(volumeId).id)
  }

  limitLoweredLately(): boolean {
    return this.clock.monotonic() - this.limitChangedAt < 600_000
  }

  /** What the policy of the probes shows of its verdicts. */
  verdicts(): string {
    const { staying, tiers } = this.policies().find((p) => p.metadata.name === PROBE)?.status ?? {}
    return JSON.stringify({ staying, tiers })
  }

  async scrape(): Promise<void> {
    this.page = (await this.leader()?.registry.metrics()) ?? ''
  }

  holder(): string | undefined {
    const [lease] = this.#all<{ spec?: { holderIdentity?: string } }>(LEASE)
    return lease?.spec?.holderIdentity
  }

  leader(): Replica | undefined {
    const holder = this.holder()
    return Array.from(this.replicas).find((r) => r.identity === holder)
  }

  moves(): VolumeMigration[] {
    return this.#all(`${GROUP}/volumemigrations`)
  }

  /** Whose intent has this request id. */
  moveOf(requestId: string): VolumeMigration | undefined {
    return this.moves().find((m) => m.status?.intent?.requestId === requestId)
  }

  /** Of the move whose intent has this request id, in its status or in the journal of its record. */
  uidOfMove(requestId: string): string | undefined {
    const isOfCall = (e: { readonly requestId: string }) => e.requestId === requestId
    const record = this.records().find(({ saved }) => saved.journal.some(isOfCall))
    return this.moveOf(requestId)?.metadata.uid ?? record?.move.uid
  }

  policies(): StoragePolicy[] {
    return this.#all(`${GROUP}/storagepolicies`)
  }

  policyNameOf(claim: Pick<ClaimTruth, 'name' | 'namespace' | 'uid'>): string | undefined {
    const { annotations = {}, labels = {} } = this.cluster.claimObject(claim)?.metadata ?? {}
    return policyOf(this.policies(), annotations['couchestor.io/policy'], labels, claim.namespace)
      ?.metadata.name
  }

  ledger() {
    return this.#all<TieringCheckpoint>(`${GROUP}/tieringcheckpoints`).flatMap(
      (c) => c.spec.inFlight ?? [],
    )
  }

  /** Of replacements that have not ended. */
  records(): StoredRecord[] {
    return this.#all<TieringCheckpoint>(`${GROUP}/tieringcheckpoints`).flatMap(
      ({ spec }) => (spec.replacement as StoredRecord | undefined) ?? [],
    )
  }

  /** Whether anything between the product and the services, or in its processes, is disturbed now. */
  troubled(): boolean {
    const now = this.clock.monotonic()
    return (
      Array.from(this.episodes).some((e) => e.untilMs > now) ||
      Array.from(this.undo.keys()).some((key) => key.startsWith('cinder ')) ||
      Array.from(this.replicas).some((r) => r.life.paused) ||
      this.leader() === undefined ||
      this.refusals.size > 0 ||
      this.undo.has(AUDIT)
    )
  }

  readonly #struckAt = new Map<Service, number>()

  /** Whether a fault has struck this service within the time that requests are counted over. To be asked at each request. */
  isStruckLately(service: Service): boolean {
    const now = this.clock.monotonic()
    const isStruck = Array.from(this.episodes).some(
      (e) => e.untilMs > now && (e.service ?? service) === service,
    )
    if (isStruck) this.#struckAt.set(service, now)
    return now - (this.#struckAt.get(service) ?? -Infinity) < COUNTED_OVER_MS
  }

  /** Whether nothing of this move can be saved: writes are refused, or nobody can read it. */
  cannotBeReported(move: string): boolean {
    return this.undo.has(`status of ${move}`) || this.undo.has(BROKEN + move)
  }

  /** What the leader's metrics page shows of one family. */
  sample(name: string): { labels: Record<string, string>; value: number }[] {
    return this.page
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .map((line) => ({
        labels: Object.fromEntries(
          Array.from(line.matchAll(/(\w+)="([^"]*)"/g), ([, key, value]) => [key, value]),
        ) as Record<string, string>,
        value: Number(line.slice(line.lastIndexOf(' ') + 1)),
      }))
  }

  /** The replicas that lost the lease longer ago than a process may take to exit. */
  overdueExits(): Replica[] {
    const holder = this.holder()
    const now = this.clock.monotonic()
    for (const r of this.replicas)
      if (r.controller.ready().why === 'leading') Object.assign(r, { led: true, lostAt: undefined })
      else if (r.led && r.identity !== holder) r.lostAt ??= now
    return Array.from(this.replicas).filter(
      (r) => !r.life.paused && r.lostAt !== undefined && now - r.lostAt > EXIT_MS,
    )
  }

  async #remembered(
    identity: string,
    request: HttpRequest,
    answer: Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    try {
      const response = await answer
      this.monitor.memory.answered(this, identity, request, response)
      return response
    } catch (e) {
      if (e instanceof ConnectionError && !e.sent) this.monitor.memory.neverSent(request)
      throw e
    }
  }

  #tooOld({ url, body }: SimRequest): boolean {
    const { searchParams } = new URL(url, WORLD_ORIGINS.prometheus)
    const seconds = Number(new URLSearchParams(body).get('time') ?? searchParams.get('time'))
    return seconds > 0 && this.clock.now() - seconds * 1000 > this.historyMs
  }

  #all<T>(path: string): T[] {
    return Array.from(this.cluster.objects(path).values()) as unknown as T[]
  }

  #ended(replica: Replica): void {
    replica.life.kill()
    if (this.replicas.delete(replica)) this.startReplica()
  }

  #gate(
    identity: string,
    life: Life,
    request: HttpRequest,
    send: () => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    const service = serviceOf(request)
    this.monitor.leaves(identity, service, request)
    // the run is over; what repeats without a pause would never let it end
    if (this.monitor.violations.length > 0) return new Promise(() => {})
    const watch = request.url.includes('watch=true')
    const now = this.clock.monotonic()
    for (const episode of this.episodes) {
      if (episode.untilMs <= now) this.episodes.delete(episode)
      else if (watch && episode.fault.watches !== true) continue
      else if (strikes(episode, identity, service, request))
        return this.#struck(episode, identity, service, request, life.clock)
    }
    if (watch) return send()
    const answer = this.monitor.saved(request, send()).finally(() => {
      for (const moment of this.moments) moment(life, request)
    })
    return isCall(request) ? this.#remembered(identity, request, answer) : answer
  }

  #struck(
    { fault, dice, mood }: Episode,
    identity: string,
    service: Service,
    request: HttpRequest,
    clock: Clock,
  ): Promise<HttpResponse> {
    const { signal: _signal, timeoutMs: _timeout, ...bare } = request
    const deliver = () => this.monitor.saved(request, inProcess(this.world.routes).request(bare))
    const wait = (ms: number) => sleep(this.clock, ms)
    this.monitor.note(`  ${fault.name}: ${request.method} ${new URL(request.url).pathname}`)
    const answer = patient(
      fault.strike({ request, service, dice, mood, deliver, wait }),
      request,
      clock,
    )
    return isCall(request) ? this.#remembered(identity, request, answer) : answer
  }
}
