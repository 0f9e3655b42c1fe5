import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import { isInFlight } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { World } from '../../src/sim/world.ts'
import { conditionsMatch, prematureSuccess } from './oracles-truth.ts'
import { MOVE_KEY } from './replacements.ts'

// Promises that hold in every world, asked by the simulation, the crash suite and the suites of two leaders.

/** What the oracles have to know of a world. */
export type WorldView = {
  readonly world: World
  moves(): VolumeMigration[]
  ledger(): NonNullable<TieringCheckpoint['spec']['inFlight']>
  /** Identity of who holds the lease. */
  holder(): string | undefined
}

/** What has been seen on the way to the services. */
export type Seen = {
  /** Request ids of intents that the API server has stored. */
  readonly intents: ReadonlySet<string>
  /** Retypes as they arrived, by the client's request id. */
  readonly arrivals: ReadonlyMap<string, number>
}

/** One `os-retype` in the moment in which Cinder receives it. */
export type Arrival = {
  readonly requestId: string
  readonly move: VolumeMigration | undefined
  readonly claim:
    { readonly key: string; readonly namespace: string; readonly uid: string } | undefined
}

type Oracle<V, T extends unknown[]> = {
  readonly name: string
  readonly check: (view: V, ...what: T) => readonly string[]
}

/** Asked when Cinder receives a retype. */
export const ARRIVAL_IN_WORLD: readonly Oracle<Seen, [Arrival]>[] = [
  { name: 'an intent is saved before its call', check: intentSaved },
  { name: 'one call per attempt', check: onceOnly },
  { name: "a move touches its own namespace's claim only", check: ownNamespace },
  { name: 'a move touches the claim it was made for only', check: ownClaim },
]

/** Asked when a request leaves a process. */
export const DEPARTURE_IN_WORLD: readonly Oracle<WorldView, [identity: string, HttpRequest]>[] = [
  { name: 'only the leader writes', check: leaderOnly },
  { name: 'a move that is over in words is over in Cinder', check: prematureSuccess },
]

/** Asked all the time. */
export const CONSTANT_IN_WORLD: readonly Oracle<WorldView, []>[] = [
  { name: 'no two moves of one volume are in flight', check: oneFlight },
  { name: 'conditions say what the step says', check: conditionsMatch },
]

/** Asked once, when nothing runs any more. */
export const FINAL_IN_WORLD: readonly Oracle<WorldView, []>[] = [
  { name: 'the ledger holds running moves only', check: ledgerHolds },
]

function intentSaved({ intents }: Seen, { requestId }: Arrival): string[] {
  return intents.has(requestId) ? [] : [`retype ${requestId} has no saved intent`]
}

function onceOnly({ arrivals }: Seen, { requestId }: Arrival): string[] {
  const times = arrivals.get(requestId) ?? 0
  return times > 1 ? [`retype ${requestId} arrived ${times} times`] : []
}

function ownNamespace(_: Seen, { claim, move }: Arrival): string[] {
  if (claim === undefined || move === undefined) return []
  const { namespace } = move.metadata
  return namespace === claim.namespace ? [] : [`a move in ${namespace} moved ${claim.key}`]
}

function ownClaim(_: Seen, { claim, move }: Arrival): string[] {
  if (claim === undefined || move === undefined) return []
  const uid = move.spec.claim.uid ?? move.status?.claimUid
  return uid === undefined || uid === claim.uid
    ? []
    : [`${move.metadata.name} was made for claim ${uid} and moved ${claim.uid}`]
}

/** Candidates write the lease, events are words about what has happened, and a dry run stores nothing. */
const ANYBODYS = /\/leases(\/|\?|$)|\/events(\/|\?|$)|reviews(\?|$)|[?&]dryRun=All/

/** One that was suspended wakes with an old view: whatever it writes then is against its successor. */
function leaderOnly(view: WorldView, identity: string, { method, url }: HttpRequest): string[] {
  const isCall = method !== 'GET' && url.startsWith('http://cinder.sim')
  const isWrite = method !== 'GET' && url.startsWith('http://kube.sim') && !ANYBODYS.test(url)
  if (!isCall && !isWrite) return []
  const holder = view.holder()
  return holder === identity
    ? []
    : [`${identity} sent ${method} ${url} while ${holder} held the lease`]
}

function oneFlight(view: WorldView): string[] {
  const ids = view
    .moves()
    .filter(isInFlight)
    .map((m) => m.status?.volumeId)
  return ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `volume ${id}`)
}

function ledgerHolds(view: WorldView): string[] {
  const { seams } = view.world.cloud
  const retyping = seams.volumes().filter((v) => v.status === 'retyping')
  const flying = new Set(
    view
      .moves()
      .filter(isInFlight)
      .map((m) => `${m.metadata.namespace}/${m.metadata.name}`),
  )
  return (
    view
      .ledger()
      .filter((e) => !flying.has(`${e.namespace}/${e.migration}`))
      // one whose object was deleted may run for as long as Cinder likes
      .filter((e) => seams.volume(e.volumeId)?.status !== 'retyping')
      // so may the copy of one that was given up
      .filter((e) => !retyping.some((v) => v.metadata[MOVE_KEY] === e.uid))
      .map((e) => `the ledger keeps ${e.namespace}/${e.migration}`)
  )
}
