import type { ClaimTruth } from './cluster.ts'
import type { Universe } from './universe.ts'

/** What oracles read from the record of a replacement. */
export type StoredRecord = {
  readonly move: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly saved: {
    readonly phase: string
    readonly origin: {
      readonly claim: { readonly namespace: string; readonly name: string; readonly uid: string }
      readonly volume: { readonly id: string }
      readonly manifest: { readonly metadata: { readonly name: string } }
    }
    readonly journal: readonly {
      readonly act: string
      readonly requestId: string
      readonly id?: string
    }[]
  }
}

/** Cinder metadata of what a replacement makes: uid of its move. */
export const MOVE_KEY = 'couchestor.io/move'

/** What oracles must know of the past of replacements. Times are ms on the monotonic clock. */
export class Replacements {
  /** Uids of the claims whose former volume somebody wanted back. */
  readonly rollbacks = new Set<string>()
  /** Since when a claim has been without its PersistentVolume, by its uid. */
  readonly lostSince = new Map<string, number>()
  /** Since when a Pod has waited for a claim that nothing serves, by uid of the claim. */
  readonly neededSince = new Map<string, number>()
  /** Claims that have a volume again that they had before, though nobody wanted it back. */
  readonly returned = new Set<string>()
  /** Since when a replacement deletes what is not needed any more, by uid of its move. */
  readonly clearingSince = new Map<string, number>()
  readonly #volumes = new Map<string, Set<string>>()
  readonly #last = new Map<string, string>()

  tick(universe: Universe): void {
    if (!universe.setup.replacing) return
    const now = universe.clock.monotonic()
    const { cluster } = universe
    note(
      this.lostSince,
      cluster.living.filter((c) => isLost(universe, c)),
      now,
    )
    const needed = cluster.living.filter(
      (c) => cluster.isServed(c) === false && cluster.pods(c).some((p) => isAlive(p)),
    )
    note(this.neededSince, needed, now)
    for (const claim of cluster.living) this.#noteVolume(claim)
  }

  /** The API server has stored this write of a record. */
  saved(body: string, now: number): void {
    const [, uid = ''] = /"moveUid":"([^"]+)"/.exec(body) ?? []
    if (!/"phase":"(CleaningUp|Abandoning)"/.test(body)) this.clearingSince.delete(uid)
    else if (!this.clearingSince.has(uid)) this.clearingSince.set(uid, now)
  }

  #noteVolume({ uid, key, volumeId }: ClaimTruth): void {
    const had = this.#volumes.get(uid) ?? new Set()
    const last = this.#last.get(uid)
    if (last !== undefined && last !== volumeId && had.has(volumeId) && !this.rollbacks.has(uid))
      this.returned.add(`${key} has volume ${volumeId} again, and nobody wanted it back`)
    this.#volumes.set(uid, had.add(volumeId))
    this.#last.set(uid, volumeId)
  }
}

/** Its PersistentVolume is not there, or it has not noticed yet that it is there again. */
function isLost({ cluster }: Universe, claim: ClaimTruth): boolean {
  const object = cluster.claimObject(claim)
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) return false
  const { phase } = object['status'] as { phase?: string }
  return phase === 'Lost' || cluster.object('/api/v1/persistentvolumes', claim.pv) === undefined
}

function isAlive({ metadata }: { metadata: { deletionTimestamp?: string } }): boolean {
  return metadata.deletionTimestamp === undefined
}

function note(since: Map<string, number>, claims: readonly ClaimTruth[], now: number): void {
  const uids = new Set(claims.map((c) => c.uid))
  for (const uid of uids) if (!since.has(uid)) since.set(uid, now)
  for (const uid of since.keys()) if (!uids.has(uid)) since.delete(uid)
}
