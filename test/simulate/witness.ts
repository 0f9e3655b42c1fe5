import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { SimRequest, SimResponse } from '../../src/sim/handler.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import {
  ARRIVAL_IN_WORLD,
  CONSTANT_IN_WORLD,
  DEPARTURE_IN_WORLD,
  FINAL_IN_WORLD,
} from './oracles-world.ts'
import type { Seen, WorldView } from './oracles-world.ts'

const GROUP = '/apis/couchestor.io/v1alpha1'
const LEASE = '/apis/coordination.k8s.io/v1/namespaces/couchestor-system/leases'

/** Stands on the way to the services of a world and asks the oracles of the simulation about what passes. */
export class Witness implements WorldView, Seen {
  readonly world: World
  readonly intents = new Set<string>()
  readonly arrivals = new Map<string, number>()
  readonly #violations = new Set<string>()

  constructor(world: World) {
    this.world = world
    const { kube, volume } = WORLD_ORIGINS
    const { [kube]: toKube, [volume]: toCinder } = world.routes
    if (toKube === undefined || toCinder === undefined) throw new Error('a service has no route')
    world.routes[kube] = async (request) => this.#stored(request, await toKube(request))
    world.routes[volume] = (request) => {
      this.#arrives(request)
      return toCinder(request)
    }
  }

  /** What has been broken so far, by the name of its oracle. */
  violations(): string[] {
    for (const { name, check } of CONSTANT_IN_WORLD)
      for (const what of check(this)) this.#violations.add(`${name}: ${what}`)
    return Array.from(this.#violations)
  }

  /** As `violations`, once nothing runs any more. */
  violationsAtEnd(): string[] {
    const last = FINAL_IN_WORLD.flatMap(({ name, check }) =>
      check(this).map((what) => `${name}: ${what}`),
    )
    return [...this.violations(), ...last]
  }

  /** A request leaves a process. */
  leaves(identity: string, request: HttpRequest): void {
    for (const { name, check } of DEPARTURE_IN_WORLD)
      for (const what of check(this, identity, request)) this.#violations.add(`${name}: ${what}`)
  }

  moves(): VolumeMigration[] {
    return this.#all(`${GROUP}/volumemigrations`)
  }

  ledger() {
    return this.#all<TieringCheckpoint>(`${GROUP}/tieringcheckpoints`).flatMap(
      (c) => c.spec.inFlight ?? [],
    )
  }

  holder(): string | undefined {
    const [lease] = this.#all<{ spec?: { holderIdentity?: string } }>(LEASE)
    return lease?.spec?.holderIdentity
  }

  #all<T>(path: string): T[] {
    return this.world.api.objects(path) as unknown as T[]
  }

  #stored(request: SimRequest, response: SimResponse): SimResponse {
    if (request.method !== 'GET' && response.status < 300)
      for (const id of intentsIn(request.body)) this.intents.add(id)
    return response
  }

  #arrives({ url, body, headers }: SimRequest): void {
    const [, volumeId] = /\/volumes\/([^/]+)\/action$/.exec(url) ?? []
    if (volumeId === undefined || !body.includes('os-retype')) return
    const requestId = headers['x-openstack-request-id'] ?? ''
    this.arrivals.set(requestId, (this.arrivals.get(requestId) ?? 0) + 1)
    const move = this.moves().find((m) => m.status?.intent?.requestId === requestId)
    const arrival = { requestId, move, claim: this.#claimOf(volumeId) }
    for (const { name, check } of ARRIVAL_IN_WORLD)
      for (const what of check(this, arrival)) this.#violations.add(`${name}: ${what}`)
  }

  #claimOf(volumeId: string) {
    type Stored = { spec?: { csi?: { volumeHandle?: string }; claimRef?: Record<string, string> } }
    const ref = this.#all<Stored>('/api/v1/persistentvolumes').find(
      (v) => v.spec?.csi?.volumeHandle === volumeId,
    )?.spec?.claimRef
    if (ref === undefined) return undefined
    const { namespace = '', name = '', uid = '' } = ref
    return { key: `${namespace}/${name}`, namespace, uid }
  }
}

/** Request ids of the intents that a write brings. */
export function intentsIn(body: string): string[] {
  return Array.from(body.matchAll(/"requestId":"([^"]+)"/g), ([, id]) => id ?? '')
}
