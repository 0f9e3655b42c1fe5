import { isFinished, isInFlight } from '../../src/api/volume-migration.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { Retype } from './monitor.ts'
import { isOf, MOVE_ARRIVALS, MOVE_CONSTANTS, MOVE_DEPARTURES } from './move-oracles.ts'
import { TIERS } from './names.ts'
import { policyStatusTrue } from './oracles-truth.ts'
import {
  ARRIVAL_IN_WORLD,
  CONSTANT_IN_WORLD,
  DEPARTURE_IN_WORLD,
  FINAL_IN_WORLD,
} from './oracles-world.ts'
import { forbiddenFor, mayBeAnybodys, policyOf, UNMANAGED } from './permission.ts'
import { REPLACING_CONSTANTS, REPLACING_DEPARTURES, REPLACING_FINALS } from './replacing-oracles.ts'
import { STATUS_ORACLES } from './status-oracles.ts'
import type { Universe } from './universe.ts'

export type Oracle<T extends unknown[]> = {
  readonly name: string
  readonly check: (universe: Universe, ...what: T) => readonly string[]
}

export const EXITS = 'a process that lost the lease exits'

/** As long as the newest word of an owner may take to reach the product; watches may gap and relist meanwhile. */
const HEARD_MS = 300_000
/** Most requests of one replica for one path in ten minutes. */
const MOST_WRITES = 60
/** While the API server is not well, and soon after: three tries for each write. */
const MOST_LOST_WRITES = 120
const MOST_READS = 400
/** Of what replacements share: each of some forty steps reads what is there, and several run at once. */
const MOST_SHARED_READS = 4000
const MOST_LOGINS = 30
/** While Keystone is not well, and soon after: three tries for each question that is asked again after half a minute. */
const MOST_LOST_LOGINS = 60
/** A first start reads 14 days of history for each policy, by windows of 15 minutes at the least. */
const MOST_QUERIES = 6000

/** From the first check to the soak, with what its object shows. */
const WRITES_OF_A_COPY = 70

/** Asked when Cinder receives a retype. */
export const ARRIVAL_ORACLES: readonly Oracle<[Retype]>[] = [
  ...ARRIVAL_IN_WORLD.map(({ name, check }) => ({
    name,
    check: ({ monitor }: Universe, retype: Retype) => check(monitor, retype),
  })),
  { name: 'nothing is moved that may not be', check: allowed },
  { name: 'no more moves at once than allowed', check: withinLimit },
  { name: 'the audit has its line before the call', check: audited },
  ...MOVE_ARRIVALS,
]

/** Asked when a request leaves a replica. */
export const DEPARTURE_ORACLES: readonly Oracle<[identity: string, HttpRequest]>[] = [
  ...DEPARTURE_IN_WORLD,
  { name: 'requests are bounded', check: boundedRequests },
  ...MOVE_DEPARTURES,
  ...REPLACING_DEPARTURES,
]

/** Asked all the time. */
export const CONSTANT_ORACLES: readonly Oracle<[]>[] = [
  { name: 'every claim reads its newest token', check: newestToken },
  ...CONSTANT_IN_WORLD,
  { name: EXITS, check: exits },
  ...MOVE_CONSTANTS,
  ...REPLACING_CONSTANTS,
]

/** Asked once, when the world has been quiet for long. */
export const FINAL_ORACLES: readonly Oracle<[]>[] = [
  { name: 'somebody leads', check: someLeader },
  { name: 'an open move says what it waits for', check: openMovesSay },
  { name: 'moves of a volume do not wait for each other', check: oneMayBegin },
  { name: 'what is stuck is counted', check: stuckIsCounted },
  { name: 'the status of a policy is true', check: policyStatusTrue },
  { name: 'the tier shown is the tier', check: tierShown },
  ...FINAL_IN_WORLD,
  { name: 'what is wanted and free to move has moved', check: wantedMoved },
  { name: 'what is forced and stays says why', check: forcedSaysWhy },
  { name: 'a quiet world is left alone', check: steady },
  { name: 'series are bounded', check: boundedSeries },
  ...STATUS_ORACLES,
  ...REPLACING_FINALS,
]

function allowed(universe: Universe, { claim, volumeId, move }: Retype): string[] {
  if (claim === undefined) return [`volume ${volumeId} belongs to no living claim`]
  const { forbiddenSince } = universe.monitor
  const now = universe.clock.monotonic()
  const freeForAll = move !== undefined && mayBeAnybodys(universe, claim, move)
  return forbiddenFor(universe, claim)
    .filter((why) => why !== UNMANAGED || !freeForAll)
    .filter((why) => now - (forbiddenSince.get(`${claim.uid} ${why}`) ?? now) > HEARD_MS)
    .map((why) => `${claim.key} was moved although ${why}`)
}

function withinLimit(universe: Universe, { claim }: Retype): string[] {
  if (claim === undefined) return []
  const object = universe.cluster.claimObject(claim)
  const { annotations = {}, labels = {} } = object?.metadata ?? {}
  const policy = policyOf(
    universe.policies(),
    annotations['couchestor.io/policy'],
    labels,
    claim.namespace,
  )
  const most = policy?.spec.migration?.maxConcurrent
  if (policy === undefined || most === undefined || universe.limitLoweredLately()) return []
  const running = universe.cluster.living.filter(
    (c) =>
      c !== claim &&
      universe.cluster.volume(c)?.status === 'retyping' &&
      isOf(universe, c, policy.metadata.name),
  )
  return running.length < most
    ? []
    : [`${claim.key} started beside ${running.length} of ${most} of ${policy.metadata.name}`]
}

function audited({ audit }: Universe, { requestId }: Retype): string[] {
  return audit.text.includes(requestId) ? [] : [`retype ${requestId} has no line in the audit`]
}

function newestToken({ cluster }: Universe): string[] {
  return cluster.living
    .filter((claim) => cluster.read(claim) !== claim.token)
    .map((claim) => `${claim.key} reads "${cluster.read(claim)}" instead of "${claim.token}"`)
}

function boundedRequests(universe: Universe, identity: string, request: HttpRequest): string[] {
  const { pathname } = new URL(request.url)
  const most = mostOf(universe, request.method, pathname)
  return universe.monitor.sentLately(identity, request) > most
    ? [`more than ${most} in ten minutes: ${request.method} ${pathname}`]
    : []
}

// an older Cinder names the type of a volume only, and names change: which type it is has to be asked each time
// a Cinder that refuses a microversion is asked for its versions before the next read
const SHARED =
  /\/v3\/$|\/(snapshots|volumes)\/detail$|\/(types|persistentvolumes|volumeattachments|pods|selfsubjectaccessreviews)$/
const ASKED = /\/(persistentvolumes|selfsubjectaccessreviews)$/

function mostOf(universe: Universe, method: string, path: string): number {
  if (path.endsWith('/auth/tokens'))
    return universe.isStruckLately('keystone') ? MOST_LOST_LOGINS : MOST_LOGINS
  if (path.startsWith('/api/v1/query')) return MOST_QUERIES
  // asked before each replacement, and nothing is stored by it
  const isAsked = method === 'POST' && ASKED.test(path)
  if (method === 'GET' || isAsked)
    return universe.setup.replacing && SHARED.test(path) ? MOST_SHARED_READS : MOST_READS
  return universe.isStruckLately('kube') ? MOST_LOST_WRITES : MOST_WRITES
}

function exits(universe: Universe): string[] {
  return universe.overdueExits().map((r) => `${r.identity} lost the lease and lives on`)
}

function someLeader(universe: Universe): string[] {
  const leader = universe.leader()
  return leader === undefined ? [`the lease names ${universe.holder()}, which does not live`] : []
}

function openMovesSay(universe: Universe): string[] {
  return universe
    .moves()
    .filter((m) => !isFinished(m) && !universe.cannotBeReported(m.metadata.name))
    .filter((m) => !isInFlight(m) && (m.status?.reason ?? '') === '')
    .map((m) => `${m.metadata.namespace}/${m.metadata.name} is open without a reason`)
}

function oneMayBegin(universe: Universe): string[] {
  const open = universe.moves().filter((m) => !isFinished(m))
  const rest = open.filter((m) => isInFlight(m) || m.status?.reason !== 'InFlight')
  const keyOf = (m: (typeof open)[number]) => `${m.metadata.namespace}/${m.spec.claim.name}`
  const going = new Set(rest.map(keyOf))
  return open
    .map(keyOf)
    .filter((key, i, all) => all.indexOf(key) !== i && !going.has(key))
    .map((key) => `the open moves of ${key} all wait for another`)
}

function stuckIsCounted(universe: Universe): string[] {
  const stuck = universe.moves().filter((m) => m.status?.step === 'Stuck').length
  const series = universe.sample('couchestor_migrations_in_flight')
  const counted = series
    .filter((s) => s.labels['step'] === 'Stuck')
    .reduce((sum, s) => sum + s.value, 0)
  // what a webhook keeps from the object is known to the leader
  const unsaved = universe
    .moves()
    .filter((m) => isInFlight(m) && universe.cannotBeReported(m.metadata.name)).length
  return stuck <= counted && counted <= stuck + unsaved
    ? []
    : [`${stuck} moves are stuck, the metric says ${counted}`]
}

function tierShown(universe: Universe): string[] {
  return universe.cluster.living.flatMap((claim) => {
    const shown = universe.cluster.claimObject(claim)?.metadata.annotations?.['couchestor.io/tier']
    const volume = universe.cluster.volume(claim)
    if (shown === undefined || volume === undefined || volume.status === 'retyping') return []
    const is = TIERS.find((t) => universe.types.of(t).id === volume.typeId)
    return shown === is ? [] : [`${claim.key} shows ${shown} and is on ${is}`]
  })
}

function wantedMoved(universe: Universe): string[] {
  return universe.probes.flatMap(({ claim, tier }) => {
    const volume = universe.cluster.volume(claim)
    if (volume?.typeId === universe.types.of(tier).id) return []
    const moves = universe
      .moves()
      .filter((m) => m.spec.claim.name === claim.name)
      .map((m) => `${m.status?.step}/${m.status?.reason}`)
    const ready = universe
      .policies()
      .find((p) => p.metadata.name === universe.policyNameOf(claim))
      ?.status?.conditions?.find((c) => c.type === 'Ready')
    return [
      `${claim.key} is not on ${tier} (${volume?.status}; moves: ${moves.join() || 'none'}; policy ${ready?.reason}: ${ready?.message})`,
    ]
  })
}

function forcedSaysWhy(universe: Universe): string[] {
  const events = Array.from(universe.cluster.objects('/api/v1/events').values()) as unknown as {
    involvedObject: { uid?: string }
  }[]
  return universe.cluster.living.flatMap((claim) => {
    const { annotations = {}, deletionTimestamp } =
      universe.cluster.claimObject(claim)?.metadata ?? {}
    const tier = annotations['couchestor.io/force-tier'] ?? ''
    // the server takes no event in a namespace that is going, and nobody waits for the move of a claim that is
    const namespace = universe.cluster.object('/api/v1/namespaces', claim.namespace)
    if ((deletionTimestamp ?? namespace?.metadata.deletionTimestamp) !== undefined) return []
    if (!['hot', 'warm', 'cold'].includes(tier) || universe.policyNameOf(claim) === undefined)
      return []
    // a force that has ended has nothing to say, and who paused the claim said so on the same object
    if (annotations['couchestor.io/force-until'] !== undefined) return []
    if (annotations['couchestor.io/paused'] === 'true') return []
    if (universe.cluster.volume(claim)?.typeId === universe.types.of(tier).id) return []
    const said =
      universe.moves().some((m) => (m.spec.claim.uid ?? m.status?.claimUid) === claim.uid) ||
      events.some((e) => e.involvedObject.uid === claim.uid)
    return said ? [] : [`${claim.key} is forced to ${tier} and nothing says why it is not there`]
  })
}

function steady({ monitor, cluster }: Universe): string[] {
  const most = 30 + 3 * cluster.claims.size + WRITES_OF_A_COPY * monitor.quietCopies
  return monitor.quietWrites > most
    ? [`${monitor.quietWrites} writes in half an hour for ${cluster.claims.size} claims`]
    : []
}

function boundedSeries(universe: Universe): string[] {
  const most = 2000 + 50 * universe.cluster.claims.size
  const page = universe.page
  const series = page.split('\n').filter((l) => l !== '' && !l.startsWith('#')).length
  return series > most ? [`${series} series for ${universe.cluster.claims.size} claims`] : []
}
