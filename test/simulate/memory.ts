import { isInFlight } from '../../src/api/volume-migration.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import { BROKEN, TIERS } from './names.ts'
import type { Retype } from './monitor.ts'
import type { Universe } from './universe.ts'

/** The last call for a volume that Cinder received. */
export type Call = {
  readonly atMs: number
  readonly moveUid: string | undefined
  /** The policy that managed the claim then. */
  readonly policy: string | undefined
  readonly typeId: string | undefined
}

type Rest = { readonly typeId: string; readonly firstMs: number; readonly lastMs: number }

/** A server that does not say when to retry is left alone for a while all the same. */
const SHORTEST_PAUSE_MS = 10_000

/** What oracles must know of the past. Times are ms on the monotonic clock. */
export class Memory {
  /** By volume. */
  readonly calls = new Map<string, Call>()
  /** When a volume was first seen on the type that it was moved to, by volume. */
  readonly movedAt = new Map<string, number>()
  /** The claim that was there when the product first said something of a move, by uid of the move. */
  readonly acceptedFor = new Map<string, string>()
  /** Since when the volume of a move in flight is at rest while no fault strikes, by uid of the move. */
  readonly restingSince = new Map<string, number>()
  /** Since when a move cannot be read, by its uid. */
  readonly brokenSince = new Map<string, number>()
  /** When a call for a volume last left a replica, by volume. */
  readonly sent = new Map<string, number>()
  /** The unbroken row of reads that show a volume at rest on one type, by volume. */
  readonly restShown = new Map<string, Rest>()
  /** Until when a client that was asked to retry later may not repeat the call of a move, by replica and uid of the move. */
  readonly laterUntil = new Map<string, number>()
  /** Since when a volume is in use, by volume. */
  readonly usedSince = new Map<string, number>()
  /** Volumes whose last call has arrived, and was accepted. */
  readonly accepted = new Set<string>()
  /** Statuses that calls were answered with, by request id. */
  readonly answers = new Map<string, number>()
  /** When a volume last changed its type or size, by volume. */
  readonly #changed = new Map<string, { readonly shape: string; readonly atMs: number }>()
  #troubleAt = -Infinity

  received({ volumeId, toType, move, claim }: Retype, universe: Universe): void {
    const typeId = TIERS.map((t) => universe.types.of(t)).find(
      ({ id, name }) => toType === id || toType === name,
    )?.id
    const atMs = universe.clock.monotonic()
    const policy = claim && universe.policyNameOf(claim)
    this.calls.set(volumeId, { atMs, moveUid: move?.metadata.uid, policy, typeId })
  }

  /** Cinder has shown this volume to the product. */
  shown({ id, status, typeId }: { id: string; status: string; typeId: string }, now: number): void {
    const row = this.restShown.get(id)
    if (!RESTING.has(status)) this.restShown.delete(id)
    else
      this.restShown.set(id, {
        typeId,
        firstMs: row?.typeId === typeId ? row.firstMs : now,
        lastMs: now,
      })
  }

  /** A call of the product has its answer. */
  answered(
    universe: Universe,
    identity: string,
    request: HttpRequest,
    { status, headers: said }: HttpResponse,
  ): void {
    const id = request.headers?.['x-openstack-request-id'] ?? ''
    this.answers.set(id, status)
    // a server that refuses a call for its token or its rate has not made it
    if (status === 401 || status === 413 || status === 429) this.neverSent(request)
    if (status === 202) this.accepted.add(volumeIn(request))
    if (status !== 413 && status !== 429) return
    const askedMs = Number(said['retry-after'] ?? 0) * 1000
    const until = universe.clock.monotonic() + Math.max(SHORTEST_PAUSE_MS, askedMs)
    const uid = universe.uidOfMove(id)
    if (uid !== undefined) this.laterUntil.set(`${identity} ${uid}`, until)
  }

  /** Nobody took the connection: the call has not been made, and may be made at once. */
  neverSent(request: HttpRequest): void {
    this.sent.delete(volumeIn(request))
  }

  changedAt(volumeId: string): number {
    return this.#changed.get(volumeId)?.atMs ?? -Infinity
  }

  /** Whether something disturbed the product in the last `ms`. */
  troubledIn(ms: number, now: number): boolean {
    return now - this.#troubleAt <= ms
  }

  tick(universe: Universe): void {
    const now = universe.clock.monotonic()
    const { seams } = universe.world.cloud
    if (universe.troubled()) this.#troubleAt = now
    this.#noteShapes(universe, now)
    for (const [volumeId, { typeId, atMs }] of this.calls) {
      const volume = seams.volume(volumeId)
      const there = volume?.typeId === typeId && volume?.status !== 'retyping'
      if (there && (this.movedAt.get(volumeId) ?? -1) < atMs) this.movedAt.set(volumeId, now)
    }
    const moves = universe.moves()
    for (const move of moves) this.#accepted(universe, move)
    this.#noteBroken(universe, moves, now)
    const resting = this.troubledIn(0, now) ? [] : moves.filter((m) => isAtRest(universe, m))
    const uids = new Set(resting.map((m) => m.metadata.uid ?? ''))
    for (const uid of uids) if (!this.restingSince.has(uid)) this.restingSince.set(uid, now)
    for (const uid of this.restingSince.keys()) if (!uids.has(uid)) this.restingSince.delete(uid)
  }

  #noteBroken(universe: Universe, moves: readonly VolumeMigration[], now: number): void {
    for (const { metadata } of moves) {
      const uid = metadata.uid ?? ''
      if (!universe.undo.has(BROKEN + metadata.name)) this.brokenSince.delete(uid)
      else if (!this.brokenSince.has(uid)) this.brokenSince.set(uid, now)
    }
  }

  #noteShapes({ cluster, world }: Universe, now: number): void {
    for (const { volumeId } of cluster.living) {
      const { typeId = '', sizeGiB = 0 } = world.cloud.seams.volume(volumeId) ?? {}
      const shape = `${typeId} ${sizeGiB}`
      if (this.#changed.get(volumeId)?.shape !== shape)
        this.#changed.set(volumeId, { shape, atMs: now })
      if (world.cloud.seams.volume(volumeId)?.status !== 'in-use') this.usedSince.delete(volumeId)
      else if (!this.usedSince.has(volumeId)) this.usedSince.set(volumeId, now)
    }
  }

  #accepted(universe: Universe, { metadata, spec, status }: VolumeMigration): void {
    const uid = metadata.uid ?? ''
    if ((status?.reason ?? '') === '' || this.acceptedFor.has(uid)) return
    const claim = universe.cluster.claims.get(`${metadata.namespace}/${spec.claim.name}`)
    if (claim !== undefined) this.acceptedFor.set(uid, claim.uid)
  }
}

const RESTING = new Set(['available', 'in-use'])

function isAtRest(universe: Universe, move: VolumeMigration): boolean {
  // what is replaced rests most of the time
  if (move.status?.intent?.act === 'replace') return false
  if (!isInFlight(move) || universe.undo.has(BROKEN + move.metadata.name)) return false
  const volume = universe.world.cloud.seams.volume(move.status?.volumeId ?? '')
  return volume === undefined || RESTING.has(volume.status)
}

function volumeIn({ url }: HttpRequest): string {
  return /\/volumes\/([^/]+)\/action$/.exec(url)?.[1] ?? ''
}
