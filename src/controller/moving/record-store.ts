import { isDeepStrictEqual } from 'node:util'
import { API_VERSION } from '../../api/names.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import type { Clock } from '../../clock.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import type { KubeClient } from '../../kube/types.ts'

/** What is on the API server is not what was meant to be there: a field that it dropped, or somebody else's change. */
export class RecordError extends Error {
  override readonly name = 'RecordError'
}

export type ReadRecord<R> =
  { readonly ok: true; readonly record: R } | { readonly ok: false; readonly why: string }

/** Of one move, and of the leader that follows it now. */
type Followed = { readonly move: { readonly uid: string }; readonly epoch: number }

/** How records of a kind are kept in TieringCheckpoints. */
export type RecordKind<R> = {
  /** In place of a policy's name. */
  readonly policy: string
  /** Of `spec`. */
  readonly field: 'replacement' | 'stop'
  /** Name of the record of a move. */
  readonly nameOf: (moveUid: string) => string
  /** What is read back is checked: people can edit it, and another version may have written it. */
  readonly read: (item: TieringCheckpoint) => ReadRecord<R>
}

export type RecordClient = Pick<KubeClient, 'list' | 'get' | 'create' | 'patch' | 'delete'>

/**
 * Records of moves on the API server, one for each move: each is written by compare-and-swap alone, by the leader that has
 * put its epoch on it.
 */
export class RecordStore<R extends Followed> {
  readonly #client: RecordClient
  readonly #kind: RecordKind<R>
  /** Throws when we do not lead any more. */
  readonly #fence: () => void
  readonly #known = new Map<string, { readonly record: R; readonly version: string }>()
  readonly #unreadable = new Map<string, string>()
  readonly #clock: Clock
  readonly #unsaved = new Map<string, { readonly times: number; readonly until: number }>()
  readonly #onOpen: (moveUid: string) => void
  #loaded = false

  constructor(
    kind: RecordKind<R>,
    client: RecordClient,
    fence: () => void,
    clock: Clock,
    onOpen: (moveUid: string) => void = () => {},
  ) {
    this.#kind = kind
    this.#client = client
    this.#fence = fence
    this.#clock = clock
    this.#onOpen = onOpen
  }

  /** Until then nothing is known of any. */
  get loaded(): boolean {
    return this.#loaded
  }

  all(): readonly R[] {
    return Array.from(this.#known.values(), ({ record }) => record)
  }

  of(moveUid: string): R | undefined {
    return this.#known.get(moveUid)?.record
  }

  /** Names of those that cannot be read as they stand, and why: nothing is done with them, nor with their claims. */
  unreadable(): ReadonlyMap<string, string> {
    return this.#unreadable
  }

  /** Puts it into the queue of its follower. */
  follow(moveUid: string): void {
    this.#onOpen(moveUid)
  }

  async load(): Promise<void> {
    let next: string | undefined
    do {
      const page = await this.#client.list<TieringCheckpoint>(TIERING_CHECKPOINT, {
        limit: 20,
        ...(next === undefined ? {} : { continue: next }),
      })
      for (const item of page.items) this.#take(item)
      next = page.continue
    } while (next !== undefined && next !== '')
    this.#loaded = true
  }

  /** Resolves when it is on the API server as it was meant. Throws RecordError when that has dropped part of it. */
  async open(record: R): Promise<void> {
    this.#fence()
    const wanted = objectOf(this.#kind, record)
    const { name } = wanted.metadata
    const fence = this.#fence
    let created: TieringCheckpoint
    try {
      created = await this.#client.create(TIERING_CHECKPOINT, wanted, { fence })
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'AlreadyExists') throw e
      // of an earlier try, whose answer was lost
      created = await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, name)
      if (!this.#isSame(created, record)) this.#take(created)
      if (!this.#isSame(created, record)) throw e
    }
    const { resourceVersion: version = '' } = created.metadata
    if (this.#isSame(created, record))
      return void this.#known.set(record.move.uid, { record, version })
    await this.#client.delete(TIERING_CHECKPOINT, name, { fence })
    throw new RecordError(
      `the CRD of TieringCheckpoint is older than the controller and keeps no spec.${this.#kind.field}: apply the CRDs of this version`,
    )
  }

  /** Ms until the record of that move is worth another write: what was refused is tried with growing pauses. */
  pauseMs(moveUid: string): number {
    return Math.max(0, (this.#unsaved.get(moveUid)?.until ?? 0) - this.#clock.monotonic())
  }

  /** The record from now on. Throws LostLeaseError when a later leader has written it meanwhile. */
  async save(record: R): Promise<void> {
    const { uid } = record.move
    try {
      await this.#save(record)
      this.#unsaved.delete(uid)
    } catch (e) {
      const times = (this.#unsaved.get(uid)?.times ?? 0) + 1
      const ms = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(times - 1, 20), LONGEST_PAUSE_MS)
      this.#unsaved.set(uid, { times, until: this.#clock.monotonic() + ms })
      throw e
    }
  }

  async #save(record: R): Promise<void> {
    const { uid } = record.move
    const known = this.#known.get(uid)
    if (known === undefined) throw new Error(`no record of move ${uid} is known`)
    this.#fence()
    try {
      const saved = await this.#client.patch<TieringCheckpoint>(
        TIERING_CHECKPOINT,
        this.#kind.nameOf(uid),
        [
          { op: 'test', path: '/metadata/resourceVersion', value: known.version },
          { op: 'replace', path: `/spec/${this.#kind.field}`, value: record },
        ],
        { type: 'json', fence: this.#fence },
      )
      if (!this.#isSame(saved, record))
        throw new RecordError(`the API server changed record ${uid}`)
      this.#known.set(uid, { record, version: saved.metadata.resourceVersion ?? '' })
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      // it is all that is known of a claim that may be without its volume
      if (e.reason === 'NotFound' && e.byServer) return this.open(record)
      if (!REFUSED_AS_STALE.has(e.status) || !(await this.#isSaved(record, known, e))) throw e
    }
  }

  /** Of a move that has ended. */
  async remove(record: R): Promise<void> {
    this.#fence()
    try {
      await this.#client.delete(TIERING_CHECKPOINT, this.#kind.nameOf(record.move.uid))
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
    this.#known.delete(record.move.uid)
    this.#unsaved.delete(record.move.uid)
  }

  /** A write of ours whose answer was lost is what holds from then on; one of another leader ends ours. */
  async #isSaved(wanted: R, known: { readonly record: R }, refusal: ApiError): Promise<boolean> {
    const uid = wanted.move.uid
    const name = this.#kind.nameOf(uid)
    const now = await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, name)
    const read = this.#kind.read(now)
    if (!read.ok) throw new RecordError(`TieringCheckpoint ${name} cannot be read: ${read.why}`)
    const { record } = read
    if (record.epoch !== known.record.epoch && record.epoch !== wanted.epoch)
      throw new LostLeaseError(`the record of move ${uid} belongs to a later leader`, {
        cause: refusal,
      })
    this.#known.set(uid, { record, version: now.metadata.resourceVersion ?? '' })
    return this.#isSame(now, wanted)
  }

  #take(item: TieringCheckpoint): void {
    const { name, resourceVersion: version = '' } = item.metadata
    if (item.spec.policy !== this.#kind.policy) return
    const read = this.#kind.read(item)
    if (!read.ok) return void this.#unreadable.set(name, read.why)
    const { record } = read
    const { uid } = record.move
    // a copy that somebody keeps would stand for the move once the record itself is gone
    if (name === this.#kind.nameOf(uid)) this.#known.set(uid, { record, version })
    else this.#unreadable.set(name, `it is of move ${uid}, whose record has another name`)
  }

  #isSame(object: TieringCheckpoint, record: R): boolean {
    // as JSON: what is undefined is not there
    return isDeepStrictEqual(object.spec[this.#kind.field], JSON.parse(JSON.stringify(record)))
  }
}

const FIRST_PAUSE_MS = 500
/** A claim may be without its volume until the record can be saved. */
const LONGEST_PAUSE_MS = 15_000

/** By its conflict, and by the failed test of a JSON patch. */
const REFUSED_AS_STALE: ReadonlySet<number> = new Set([409, 422])

function objectOf<R extends Followed>(
  { policy, field, nameOf }: RecordKind<R>,
  record: R,
): TieringCheckpoint {
  return {
    apiVersion: API_VERSION,
    kind: 'TieringCheckpoint',
    metadata: { name: nameOf(record.move.uid) },
    spec: {
      policy,
      shard: 0,
      rule: 'none',
      windowEnd: '1970-01-01T00:00:00Z',
      volumes: 1,
      data: '',
      [field]: record,
    },
  }
}
