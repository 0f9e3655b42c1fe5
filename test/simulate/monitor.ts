import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import type { SimRequest, SimResponse } from '../../src/sim/handler.ts'
import type { ClaimTruth } from './cluster.ts'
import type { Service } from './faults.ts'
import { ARRIVAL_ORACLES, CONSTANT_ORACLES, DEPARTURE_ORACLES } from './oracles.ts'
import { Memory } from './memory.ts'
import { forbiddenFor, unforcedFor } from './permission.ts'
import { REPLACING_ARRIVALS } from './replacing-oracles.ts'
import { MOVE_KEY } from './replacements.ts'
import { QuotaWatch } from './quota-watch.ts'
import type { Universe } from './universe.ts'
import { intentsIn } from './witness.ts'

export type Violation = { readonly oracle: string; readonly what: string; readonly atMs: number }

/** One `os-retype` in the moment in which Cinder receives it. */
export type Retype = {
  readonly volumeId: string
  readonly toType: string
  readonly requestId: string
  readonly claim: ClaimTruth | undefined
  readonly move: VolumeMigration | undefined
}

/** Counted per replica, method and path, in buckets of this length. */
const BUCKET_MS = 600_000
const NOTES = 400

/** Sees all that the product sends and all that is true, and asks the oracles. */
export class Monitor {
  readonly violations: Violation[] = []
  readonly notes: string[] = []
  /** Request ids of intents that the API server has stored. */
  readonly intents = new Set<string>()
  /** Retypes as they arrived, by the client's request id. */
  readonly arrivals = new Map<string, number>()
  /** Writes to the API server in the last half hour of a world in which nothing changes. */
  quietWrites = 0
  /** Copies that were begun in the same time. */
  quietCopies = 0
  /** Questions to Prometheus in the same time. */
  quietQueries = 0
  /** Since when each claim may not be moved, by claim key and reason; ms. */
  readonly forbiddenSince = new Map<string, number>()
  /** Copies that replacements have begun. */
  copies = 0
  readonly memory = new Memory()
  readonly quotas = new QuotaWatch()
  /** Questions to Prometheus so far. */
  queries = 0
  readonly #universe: Universe
  readonly #ignored: ReadonlySet<string>
  #lastNote = ''
  #repeated = 0
  /** Requests in this bucket, by replica, method and path. */
  readonly #requests = new Map<string, number>()
  #bucket = 0
  #writes = 0

  constructor(universe: Universe, ignored: ReadonlySet<string>) {
    this.#universe = universe
    this.#ignored = ignored
  }

  /** Writes to the API server so far, without leases and events. */
  get writes(): number {
    return this.#writes
  }

  report(oracle: string, what: string): void {
    if (this.#ignored.has(oracle)) return
    if (this.violations.some((v) => v.oracle === oracle && v.what === what)) return
    const atMs = this.#universe.clock.monotonic()
    this.violations.push({ oracle, what, atMs })
    this.note(`VIOLATION ${oracle}: ${what}`)
  }

  /** Repetitions of the last note are only counted. */
  note(text: string): void {
    if (text === this.#lastNote) this.notes.pop()
    this.#repeated = text === this.#lastNote ? this.#repeated + 1 : 1
    this.#lastNote = text
    const minutes = (this.#universe.clock.monotonic() / 60_000).toFixed(2)
    this.notes.push(`${minutes} min  ${text}${this.#repeated > 1 ? ` (${this.#repeated})` : ''}`)
    if (this.notes.length > NOTES) this.notes.shift()
  }

  /** A request leaves a replica. */
  leaves(identity: string, service: Service, request: HttpRequest): void {
    const { method, url } = request
    const bucket = Math.floor(this.#universe.clock.monotonic() / BUCKET_MS)
    if (bucket !== this.#bucket) {
      this.#bucket = bucket
      this.#requests.clear()
    }
    if (/\/leases[/?]/.test(url)) return
    if (service === 'prometheus') this.queries++
    if (service === 'kube' && method !== 'GET' && !url.includes('/events')) this.#writes++
    const key = keyOf(identity, request)
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1)
    for (const { name, check } of DEPARTURE_ORACLES)
      for (const what of check(this.#universe, identity, request)) this.report(name, what)
  }

  /** Requests of a replica with this method and path in the present ten minutes. */
  sentLately(identity: string, request: HttpRequest): number {
    return this.#requests.get(keyOf(identity, request)) ?? 0
  }

  ignores(oracle: string): boolean {
    return this.#ignored.has(oracle)
  }

  /** Remembers the intents in a write that the API server has stored. */
  async saved(request: HttpRequest, answer: Promise<HttpResponse>): Promise<HttpResponse> {
    const response = await answer
    if (request.method !== 'GET' && response.status < 300) this.#stored(request)
    return response
  }

  #stored({ url, body = '' }: HttpRequest): void {
    for (const id of intentsIn(body)) this.intents.add(id)
    if (url.includes('/tieringcheckpoints/replacement-'))
      this.#universe.replacements.saved(body, this.#universe.clock.monotonic())
  }

  arrivesAtCinder(request: SimRequest): void {
    const isMade = request.method === 'POST' && !request.url.endsWith('/action')
    if (isMade || request.method === 'DELETE') this.#makes(request)
    const [, volumeId] = /\/volumes\/([^/]+)\/action$/.exec(request.url) ?? []
    if (volumeId === undefined || !request.body.includes('os-retype')) return
    const body = JSON.parse(request.body) as { 'os-retype'?: { new_type?: string } }
    const requestId = request.headers['x-openstack-request-id'] ?? ''
    const retype: Retype = {
      volumeId,
      toType: body['os-retype']?.new_type ?? '',
      requestId,
      claim: this.#universe.cluster.living.find((c) => c.volumeId === volumeId),
      move: this.#universe.moveOf(requestId),
    }
    this.arrivals.set(requestId, (this.arrivals.get(requestId) ?? 0) + 1)
    const { metadata = {} } = this.#universe.world.cloud.seams.volume(volumeId) ?? {}
    // the copy of a replacement belongs to no claim yet
    if (retype.claim === undefined && MOVE_KEY in metadata) return this.#makes(request)
    this.note(`retype of ${retype.claim?.key ?? volumeId} to ${retype.toType} (${requestId})`)
    for (const { name, check } of ARRIVAL_ORACLES)
      for (const what of check(this.#universe, retype)) this.report(name, what)
    this.memory.received(retype, this.#universe)
    this.quotas.received(this.#universe, retype)
  }

  /** What a replacement makes or deletes, and the retype of its copy. */
  #makes(request: SimRequest): void {
    const { pathname } = new URL(request.url, 'http://cinder.sim')
    if (request.method === 'POST' && pathname.endsWith('/snapshots')) this.copies++
    this.note(`${request.method} ${pathname.replace(/^\/v3\/[^/]+/, '')}`)
    for (const { name, check } of REPLACING_ARRIVALS)
      for (const what of check(this.#universe, request)) this.report(name, what)
  }

  /** Remembers what Cinder shows of a volume. */
  async shown({ method, url }: SimRequest, answer: Promise<SimResponse>): Promise<SimResponse> {
    const response = await answer
    const [, id = ''] = /\/volumes\/([0-9a-f-]{36})$/.exec(url) ?? []
    const volume = this.#universe.world.cloud.seams.volume(id)
    if (method === 'GET' && response.status === 200 && volume !== undefined)
      this.memory.shown(volume, this.#universe.clock.monotonic())
    return response
  }

  tick(): void {
    this.#rememberForbidden()
    this.memory.tick(this.#universe)
    this.quotas.tick(this.#universe)
    this.#universe.replacements.tick(this.#universe)
    for (const { name, check } of CONSTANT_ORACLES)
      for (const what of check(this.#universe)) this.report(name, what)
  }

  #rememberForbidden(): void {
    const now = this.#universe.clock.monotonic()
    const current = new Set<string>()
    for (const claim of this.#universe.cluster.living)
      for (const reason of [
        ...forbiddenFor(this.#universe, claim),
        ...unforcedFor(this.#universe, claim),
      ])
        current.add(`${claim.uid} ${reason}`)
    for (const { metadata } of this.#universe.moves())
      if (metadata.deletionTimestamp !== undefined) current.add(`${metadata.uid} is being deleted`)
    for (const key of current) if (!this.forbiddenSince.has(key)) this.forbiddenSince.set(key, now)
    for (const key of this.forbiddenSince.keys())
      if (!current.has(key)) this.forbiddenSince.delete(key)
  }
}

function keyOf(identity: string, { method, url }: HttpRequest): string {
  const query = url.indexOf('?')
  return `${identity} ${method} ${query < 0 ? url : url.slice(0, query)}`
}
