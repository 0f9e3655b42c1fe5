import type { HttpRequest } from '../../src/http.ts'
import type { SimRequest } from '../../src/sim/handler.ts'
import type { Oracle } from './oracles.ts'
import { MOVE_KEY } from './replacements.ts'
import type { StoredRecord } from './replacements.ts'
import type { Universe } from './universe.ts'

// What a replacement of volumes promises.

/** Longest that a claim is without its PersistentVolume, or a Pod waits for a held one, once all are well. */
const SOON_MS = 300_000
const PVS = '/api/v1/persistentvolumes'
const OWN_FINALIZER = 'couchestor.io/replacing'

/** Asked when Cinder receives a call of the product that makes or deletes something. */
export const REPLACING_ARRIVALS: readonly Oracle<[SimRequest]>[] = [
  { name: 'what is to be made or deleted is saved before', check: savedBefore },
  { name: 'the audit has its line before anything is made or deleted', check: auditedBefore },
  { name: 'nothing is made twice', check: madeOnce },
  { name: 'no volume is deleted that a claim has, or that is not ours', check: mayGo },
  { name: 'nothing is deleted by one read', check: readTwice },
  { name: "nobody else's snapshot or backup is deleted", check: ownSnapshot },
]

/** Asked when a request leaves a replica. */
export const REPLACING_DEPARTURES: readonly Oracle<[identity: string, HttpRequest]>[] = [
  { name: 'no PersistentVolume of another claim is touched', check: ownVolume },
  { name: 'a PersistentVolume goes only while nobody uses it', check: unused },
]

export const REPLACING_CONSTANTS: readonly Oracle<[]>[] = [
  { name: 'a claim is without its volume for moments only', check: notLost },
  { name: 'a Pod gets a held claim back', check: givenBack },
  { name: 'a former volume comes back only where somebody wants it', check: notReturned },
  { name: 'snapshots of users stay', check: snapshotsStay },
]

export const REPLACING_FINALS: readonly Oracle<[]>[] = [
  { name: 'nothing of a replacement is left behind', check: nothingLeft },
  { name: 'a replacement ends, or says what it waits for', check: endsOrSays },
]

function requestIdOf({ headers }: SimRequest): string {
  return headers['x-openstack-request-id'] ?? ''
}

function savedBefore({ monitor }: Universe, request: SimRequest): string[] {
  const id = requestIdOf(request)
  return monitor.intents.has(id) ? [] : [`${request.method} ${request.url} (${id}) was not saved`]
}

function auditedBefore({ audit }: Universe, request: SimRequest): string[] {
  const id = requestIdOf(request)
  return audit.text.includes(id) ? [] : [`${request.method} ${request.url} (${id}) has no line`]
}

function madeOnce({ world }: Universe, { method, url, body }: SimRequest): string[] {
  const [, kind] = /\/(volumes|snapshots|backups)$/.exec(url) ?? []
  if (method !== 'POST' || kind === undefined) return []
  const made = JSON.parse(body) as Record<string, { name?: string } | undefined>
  const name = (made['volume'] ?? made['snapshot'] ?? made['backup'])?.name
  const rows = world.cloud.seams[kind as Kind]()
  return rows.some((r) => r.name === name && MOVE_KEY in r.metadata)
    ? [`${name} is there already, and is made again`]
    : []
}

type Kind = 'volumes' | 'snapshots' | 'backups'

function deletedIn({ method, url }: SimRequest, kind: Kind) {
  const [, found, id] = /\/(volumes|snapshots|backups)\/([^/?]+)(\?|$)/.exec(url) ?? []
  return method === 'DELETE' && found === kind ? id : undefined
}

function mayGo(universe: Universe, request: SimRequest): string[] {
  const id = deletedIn(request, 'volumes')
  const { cluster, world } = universe
  const row = id === undefined ? undefined : world.cloud.seams.volume(id)
  if (id === undefined || row === undefined) return []
  const holder = cluster.living.find((c) => cluster.volumeIdNow(c) === id)
  if (holder !== undefined) return [`volume ${id} is deleted, and ${holder.key} has it`]
  const record = universe
    .records()
    .find(({ move, saved }) => row.metadata[MOVE_KEY] === move.uid || saved.origin.volume.id === id)
  if (record === undefined) return [`volume ${id} is deleted, and no record names it`]
  const claim = cluster.living.find((c) => c.uid === record.saved.origin.claim.uid)
  if (claim === undefined || cluster.claimObject(claim) === undefined) return []
  const kept = world.cloud.seams.volume(cluster.volumeIdNow(claim) ?? '')
  return kept === undefined ? [`volume ${id} is deleted, and ${claim.key} has no other`] : []
}

/** Between two reads that agree. */
const READ_AGAIN_MS = 3000

function readTwice({ replacements, clock, world }: Universe, request: SimRequest): string[] {
  const kinds = ['volumes', 'snapshots', 'backups'] as const
  const [id] = kinds.flatMap((kind) => deletedIn(request, kind) ?? [])
  if (id === undefined) return []
  const { seams } = world.cloud
  const rows = [...seams.snapshots(), ...seams.backups()]
  const { metadata } = seams.volume(id) ?? rows.find((r) => r.id === id) ?? {}
  const since = replacements.clearingSince.get(metadata?.[MOVE_KEY] ?? '')
  const ms = clock.monotonic() - (since ?? -Infinity)
  // times are sums of fractions
  return ms < READ_AGAIN_MS - 1 ? [`${id} is deleted ${ms} ms after it was needed`] : []
}

function ownSnapshot(universe: Universe, request: SimRequest): string[] {
  const { seams } = universe.world.cloud
  const id = deletedIn(request, 'snapshots') ?? deletedIn(request, 'backups')
  const row = [...seams.snapshots(), ...seams.backups()].find((s) => s.id === id)
  if (row === undefined) return []
  const isOurs = universe.records().some((r) => r.move.uid === row.metadata[MOVE_KEY])
  return isOurs ? [] : [`${row.name} (${id}) is deleted, and no record names it`]
}

/** Name of the PersistentVolume that a request writes. */
function writtenIn({ method, url, body = '' }: HttpRequest): string | undefined {
  const { pathname, searchParams } = new URL(url)
  if (method === 'GET' || !pathname.startsWith(PVS) || searchParams.has('dryRun')) return undefined
  if (method !== 'POST') return pathname.slice(PVS.length + 1)
  return (JSON.parse(body) as { metadata?: { name?: string } }).metadata?.name ?? ''
}

function recordOf(universe: Universe, pv: string): StoredRecord | undefined {
  return universe.records().find((r) => r.saved.origin.manifest.metadata.name === pv)
}

function ownVolume(universe: Universe, _: string, request: HttpRequest): string[] {
  const name = writtenIn(request)
  if (name === undefined) return []
  const record = recordOf(universe, name)
  if (record === undefined)
    return [`${request.method} of PersistentVolume ${name} without a record`]
  const { uid } = record.saved.origin.claim
  const owner = [...universe.cluster.living, ...universe.cluster.gone].find((c) => c.pv === name)
  if (owner?.uid !== uid)
    return [`PersistentVolume ${name} of ${owner?.key} was touched for ${uid}`]
  if (request.method !== 'POST') return []
  const { spec } = JSON.parse(request.body ?? '') as { spec?: { claimRef?: { uid?: string } } }
  return spec?.claimRef?.uid === uid ? [] : [`PersistentVolume ${name} was made for another claim`]
}

/** Between the last read and the call a Pod may appear; one that has run for long was there before. */
const APPEARED_MS = 60_000

function unused(universe: Universe, _: string, request: HttpRequest): string[] {
  const name = writtenIn(request)
  if (request.method !== 'DELETE' || name === undefined) return []
  const claim = universe.cluster.living.find((c) => c.pv === name)
  const isServed = claim !== undefined && universe.cluster.isServed(claim) === true
  if (!isServed || universe.cluster.claimObject(claim) === undefined) return []
  const since = universe.monitor.memory.usedSince.get(claim.volumeId)
  const ms = universe.clock.monotonic() - (since ?? Infinity)
  return ms > APPEARED_MS ? [`PersistentVolume ${name} goes, and ${claim.key} is in use`] : []
}

function late(universe: Universe, since: ReadonlyMap<string, number>, what: string): string[] {
  const now = universe.clock.monotonic()
  if (universe.monitor.memory.troubledIn(SOON_MS, now)) return []
  return universe.cluster.living
    .filter((c) => now - (since.get(c.uid) ?? now) > SOON_MS)
    .map((c) => `${c.key} ${what} (${stateOf(universe, c.uid)})`)
}

function stateOf(universe: Universe, claimUid: string): string {
  const record = universe.records().find((r) => r.saved.origin.claim.uid === claimUid)
  const move = universe.moves().find((m) => m.metadata.uid === record?.move.uid)
  return `${record?.saved.phase ?? 'no record'}: ${move?.status?.message ?? 'no message'}`
}

function notLost(universe: Universe): string[] {
  return late(universe, universe.replacements.lostSince, 'is without its PersistentVolume')
}

function givenBack(universe: Universe): string[] {
  return late(universe, universe.replacements.neededSince, 'is held though a Pod needs it')
}

function notReturned({ replacements }: Universe): string[] {
  return Array.from(replacements.returned)
}

function snapshotsStay({ world, snapshots }: Universe): string[] {
  if (snapshots.size === 0) return []
  const there = new Set(world.cloud.seams.snapshots().map((s) => s.id))
  return Array.from(snapshots)
    .filter((id) => !there.has(id))
    .map((id) => `snapshot ${id} is gone`)
}

function nothingLeft(universe: Universe): string[] {
  const { cluster, world } = universe
  const { seams } = world.cloud
  const open = new Set(universe.records().map((r) => r.move.uid))
  const used = new Set(cluster.living.map((c) => cluster.volumeIdNow(c)))
  const isLeft = (metadata: Readonly<Record<string, string>>) =>
    MOVE_KEY in metadata && !open.has(metadata[MOVE_KEY] ?? '')
  const former = [...cluster.living, ...cluster.gone].flatMap((c) => [
    ...c.former.keys(),
    ...(cluster.claims.has(c.key) ? [] : [c.volumeId]),
  ])
  const held = new Set(universe.records().map((r) => r.saved.origin.volume.id))
  const pinned = new Set(seams.snapshots().map((s) => s.volumeId))
  return [
    ...seams
      .volumes()
      .filter((v) => isLeft(v.metadata) && !used.has(v.id) && !pinned.has(v.id))
      .map((v) => `volume ${v.name} (${v.status})`),
    ...Array.from(new Set(former))
      .filter((id) => !used.has(id) && !held.has(id) && !pinned.has(id))
      .filter((id) => seams.volume(id) !== undefined && !(MOVE_KEY in seams.volume(id)!.metadata))
      // its copy died with cinder-volume: only an administrator can delete it
      .filter((id) => seams.volume(id)?.status !== 'retyping')
      .map((id) => `former volume ${id} (${seams.volume(id)?.status})`),
    ...seams
      .snapshots()
      .filter((s) => isLeft(s.metadata))
      .map((s) => `snapshot ${s.name} (${s.status})`),
    ...seams
      .backups()
      .filter((b) => isLeft(b.metadata))
      .map((b) => `backup ${b.name} (${b.status})`),
    ...Array.from(cluster.objects(PVS).values())
      .filter((pv) => pv.metadata.finalizers?.includes(OWN_FINALIZER) === true)
      .filter((pv) => recordOf(universe, pv.metadata.name) === undefined)
      .map((pv) => `our finalizer on PersistentVolume ${pv.metadata.name}`),
  ]
}

const MADE: ReadonlySet<string> = new Set(['cloneVolume', 'restoreBackup'])

function endsOrSays(universe: Universe): string[] {
  const { cluster, world } = universe
  const pinned = new Set(world.cloud.seams.snapshots().map((s) => s.volumeId))
  return universe.records().flatMap(({ move, saved }) => {
    const name = `${move.namespace}/${move.name}`
    const made = saved.journal.flatMap((e) => (MADE.has(e.act) ? (e.id ?? []) : []))
    const claim = cluster.living.find((c) => c.uid === saved.origin.claim.uid)
    const isUsed = claim !== undefined && cluster.pods(claim).length > 0
    const isPinned = [saved.origin.volume.id, ...made].some((id) => pinned.has(id))
    const object = universe.moves().find((m) => m.metadata.uid === move.uid)
    const says = object?.status?.message ?? ''
    if (universe.cannotBeReported(move.name)) return []
    if (object !== undefined && says === '') return [`${name} is ${saved.phase} and says nothing`]
    return isUsed || isPinned ? [] : [`${name} is still ${saved.phase} (${says})`]
  })
}
