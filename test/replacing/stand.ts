import { audited } from '../../src/controller/audited.ts'
import type { ControllerDeps } from '../../src/controller/deps.ts'
import { STRATEGIES } from '../../src/controller/strategies.ts'
import { initiatorOf } from '../../src/controller/moving/audited-move.ts'
import { replacedMoveOf } from '../../src/controller/replacing/audited-replacement.ts'
import { ReplaceAdapter } from '../../src/controller/replacing/replace-adapter.ts'
import { isTarget } from '../../src/controller/view/targets.ts'
import type { Target } from '../../src/controller/view/targets.ts'
import { listOnce } from '../../src/controller/view/watches.ts'
import type { Watches } from '../../src/controller/view/watches.ts'
import { wire } from '../../src/controller/wire.ts'
import { LostLeaseError } from '../../src/kube/types.ts'
import type { HttpRequest } from '../../src/http.ts'
import { nextReplaceStep } from '../../src/migration/snapshot-restore/machine.ts'
import { nameOf } from '../../src/migration/snapshot-restore/names.ts'
import type { Agreed, ReplaceInput } from '../../src/migration/snapshot-restore/outcome.ts'
import { parseSaved } from '../../src/migration/snapshot-restore/parse-saved.ts'
import { answered, intended, isMaker } from '../../src/migration/snapshot-restore/saved.ts'
import type {
  ReplaceAct,
  ReplaceAnswer,
  Saved,
} from '../../src/migration/snapshot-restore/saved.ts'
import type { ReplaceSight } from '../../src/migration/snapshot-restore/sight.ts'
import type { ApiServerOptions } from '../../src/sim/apiserver/apiserver.ts'
import type { CinderVolume } from '../../src/openstack/types.ts'
import { AuditLines } from '../audit-lines.ts'
import { HOUR, MINUTE, Stage } from '../controller/stage.ts'
import { outsideOn } from '../harness.ts'
import { createLife } from '../life.ts'
import type { Gate } from '../life.ts'

const TIMING: ReplaceInput['timing'] = {
  pollMs: 2_000,
  longestPollMs: MINUTE,
  soakPollMs: MINUTE,
  verifyMs: 3_000,
  mostAttempts: 3,
  mountedMs: 24 * HOUR,
  maxSoakMs: 2 * HOUR,
}
const CLUSTER = 'here'
/** Longest that a call may be under way. */
const QUIET_MS = 30_000

const SNAPSHOT_RESTORE = {
  name: 'snapshot-restore',
  bind: () => {
    throw new Error('nobody runs moves here')
  },
} as const

/** One claim `default/data` on tier hot, a move of it to cold, and what a leader follows it by. */
export class Stand {
  readonly stage: Stage
  readonly lines = new AuditLines()
  readonly deps: ControllerDeps
  /** Volumes that the CSI driver was asked to delete. */
  readonly driven: string[] = []
  readonly acts: string[] = []
  /** What it has said that it waits for. */
  waited = ''
  gate: Gate = (_, send) => send()
  wish: 'cancel' | 'rollback' | undefined
  leads = true
  adapter!: ReplaceAdapter
  target!: Target
  volume!: CinderVolume
  saved!: Saved
  /** Which credential is used. */
  credential: () => { readonly id: string; readonly secret: string }
  #watches!: Watches
  #quietUntil = 0
  #confirming: { readonly what: Agreed; readonly since: number } | undefined

  private constructor(apiServer: Partial<ApiServerOptions>) {
    const driver = {
      deleteVolume: (handle: string) => {
        this.driven.push(handle)
        return true
      },
    }
    this.stage = new Stage({ apiServer: { driver, ...apiServer } })
    this.credential = () => this.stage.cloud.operator
    const life = createLife({
      clock: this.stage.clock,
      routes: this.stage.world.routes,
      gate: (request, send) => this.gate(request, send),
    })
    const outside = outsideOn({
      world: this.stage.world,
      clock: life.clock,
      http: life.http,
      identity: 'leader',
      credential: () => this.credential(),
      strategies: [...STRATEGIES, SNAPSHOT_RESTORE],
      auditSink: this.lines,
    })
    // a lease is not what this is about
    const elector = { ...outside.elector, epoch: 1, fence: () => this.fence() }
    this.deps = audited({ ...outside, elector }, () => this.#watches)
  }

  static async open({
    claim = {},
    metadata = {},
    apiServer = {},
    via,
  }: {
    readonly claim?: object
    readonly via?: 'backup'
    readonly metadata?: Readonly<Record<string, string>>
    readonly apiServer?: Partial<ApiServerOptions>
  } = {}): Promise<Stand> {
    const stand = new Stand(apiServer)
    const { stage } = stand
    const way = { strategy: 'snapshot-restore', ...(via && { via }) } as const
    stage.policy({ mode: 'Auto', migration: way })
    const { id, pv } = stage.claim({ name: 'data', ...claim })
    // by which the project sees that there is a cinder-backup
    if (via !== undefined) stage.cloud.addBackup(id, 'nightly')
    Object.assign(stage.cloud.volume(id)!.metadata, metadata)
    stage.cloud.write(id, 'written before')
    stand.changePv({ metadata: { finalizers: ['kubernetes.io/pv-protection'] } }, pv)
    stage.move('data-1', {
      claim: { name: 'data' },
      from: 'hot',
      to: 'cold',
      ...way,
    })
    await stand.during(stand.#wire())
    return stand
  }

  async #wire(): Promise<void> {
    const { deps } = this
    this.#watches = await listOnce(deps)
    const wired = wire(deps, this.#watches)
    await wired.inventory.sweep()
    wired.policies.refresh()
    const { inventory, preflight: gatherer } = wired
    const target = wired.targets.of(this.move)
    if (!isTarget(target)) throw new Error(target.message)
    this.target = target
    this.adapter = new ReplaceAdapter({ deps, inventory, gatherer })
    const volume = await inventory.readVolume(target.volume.handle)
    if (volume === undefined) throw new Error('no volume')
    this.volume = volume
  }

  get move() {
    return this.stage.moves('data')[0]!
  }

  get pv() {
    return this.stage.object('/api/v1/persistentvolumes', 'pvc-default-data', undefined)
  }

  get claim() {
    return this.stage.pvc('data')
  }

  /** Of the PersistentVolume, what its writes name. */
  named() {
    const { uid = '', resourceVersion = '', finalizers = [] } = this.pv!.metadata
    return { uid, resourceVersion, finalizers }
  }

  /** What the claim's volume holds. */
  get data(): string {
    return this.stage.cloud.data(this.handle)
  }

  get handle(): string {
    return (this.pv!['spec'] as { csi: { volumeHandle: string } }).csi.volumeHandle
  }

  /** As somebody past us would; lists and texts are replaced. */
  changePv({ metadata = {}, spec = {} }: { metadata?: object; spec?: object }, name?: string) {
    const pv = this.stage.object('/api/v1/persistentvolumes', name ?? this.pv!.metadata.name)!
    this.stage.world.api.seed({
      ...pv,
      metadata: { ...pv.metadata, ...metadata },
      spec: { ...(pv['spec'] as object), ...spec },
    })
  }

  readonly fence = () => {
    if (!this.leads) throw new LostLeaseError('the lease was lost')
  }

  /** Lets time pass until it has ended. */
  async during<T>(work: Promise<T>): Promise<T> {
    let ended = false
    const end = () => void (ended = true)
    work.then(end, end)
    for (let s = 0; !ended && s < 600; s++) await this.stage.clock.advance(s === 0 ? 0 : 1_000)
    return work
  }

  async begin(): Promise<void> {
    const deadline = this.stage.clock.now() + 6 * HOUR
    const ids = { clusterId: CLUSTER, deadline }
    this.saved = await this.during(this.adapter.open(this.move, this.target, this.volume, ids))
  }

  look(): Promise<ReplaceSight> {
    return this.during(this.adapter.look(this.saved))
  }

  /** The intent of an act, as it is saved before its call. */
  intend(act: ReplaceAct): void {
    const { act: maker } = act
    this.saved = intended(this.saved, act, {
      requestId: this.deps.uuid(),
      at: new Date(this.stage.clock.now()).toISOString(),
      ...(isMaker(maker) ? { name: nameOf(this.saved.origin, maker) } : {}),
    })
  }

  /** The call of an act, and what is saved after it. */
  async perform(act: ReplaceAct): Promise<ReplaceAnswer> {
    this.intend(act)
    const { metadata, spec } = this.move
    const { namespace = '', name, uid = '' } = metadata
    const move = replacedMoveOf({
      move: { namespace, name, uid, spec, initiator: initiatorOf(this.move) },
    })
    const answer = await this.during(this.adapter.perform(this.saved, move, this.fence))
    this.saved = answered(this.saved, answer)
    if (answer.kind === 'Unknown') this.#quietUntil = this.stage.clock.now() + QUIET_MS
    return answer
  }

  /** Follows the move, until it rests or `isThere`. What is saved goes through JSON each time, as through the API server. */
  async follow(isThere: (saved: Saved) => boolean = () => false): Promise<void> {
    let sight: ReplaceSight | undefined
    for (let steps = 0; steps < 2_000; steps++) {
      if (isThere(this.saved)) return
      const next = nextReplaceStep(this.#input(sight))
      switch (next.kind) {
        case 'rest':
          return
        case 'look':
          sight = await this.look()
          break
        case 'save':
          this.saved = readBack(next.saved)
          sight = undefined
          break
        case 'act':
          this.acts.push(nameOfAct(next.act))
          await this.perform(next.act)
          this.saved = readBack(this.saved)
          sight = undefined
          this.#confirming = undefined
          break
        case 'wait':
          this.waited += `${next.why}\n`
          this.#confirm(next.confirm)
          await this.stage.clock.advance(next.ms)
          sight = undefined
          break
      }
    }
    throw new Error(`still ${this.saved.phase} after ${this.acts.join(', ')}`)
  }

  #input(sight: ReplaceSight | undefined): ReplaceInput {
    const now = this.stage.clock.now()
    const confirming = this.#confirming
    return {
      saved: this.saved,
      sight,
      now,
      clusterId: CLUSTER,
      objectUid: this.saved.origin.moveUid,
      quietUntil: this.#quietUntil,
      timing: TIMING,
      ...(this.wish === undefined ? {} : { wish: this.wish }),
      ...(confirming === undefined
        ? {}
        : { confirming: { what: confirming.what, ms: now - confirming.since } }),
    }
  }

  #confirm(what: Agreed | undefined): void {
    if (what === undefined) this.#confirming = undefined
    else if (this.#confirming?.what !== what)
      this.#confirming = { what, since: this.stage.clock.now() }
  }
}

function readBack(saved: Saved): Saved {
  const parsed = parseSaved(JSON.parse(JSON.stringify(saved)))
  if (!parsed.ok) throw new Error(parsed.problems.join('; '))
  return parsed.saved
}

function nameOfAct(act: ReplaceAct): string {
  if (act.act === 'createPersistentVolume') return `create ${act.shape}`
  return act.act === 'setReclaimPolicy' ? act.policy : act.act
}

/** The requests that change something from now on. */
export function writesOf(stand: Stand): HttpRequest[] {
  const seen: HttpRequest[] = []
  const { gate } = stand
  stand.gate = (request, send) => {
    if (isWrite(request)) seen.push(request)
    return gate(request, send)
  }
  return seen
}

/** In Kubernetes or Cinder. */
export function isWrite({ method, url }: HttpRequest): boolean {
  return method !== 'GET' && !/\/auth\/tokens|accessreviews/.test(url)
}
