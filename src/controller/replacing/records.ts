import { REPLACEMENTS, replacementRecord } from '../../api/tiering-checkpoint.ts'
import { RecordStore } from '../moving/record-store.ts'
import type { RecordClient } from '../moving/record-store.ts'
import type { RecordBook, ReplacementRecord } from '../moving/recorded-strategy.ts'
import { readRecord } from './read-record.ts'

const KIND = {
  policy: REPLACEMENTS,
  field: 'replacement',
  nameOf: replacementRecord,
  read: readRecord,
} as const

/** The records of moves that give a claim another volume. */
export class Records extends RecordStore<ReplacementRecord> implements RecordBook {
  constructor(client: RecordClient, fence: () => void, onOpen?: (moveUid: string) => void) {
    super(KIND, client, fence, onOpen)
  }

<<<<<<< HEAD
  ofClaim(key: string): ReplacementRecord | undefined {
    return this.all().find(({ saved: { origin } }) => {
      const { namespace, name } = origin.claim
      return `${namespace}/${name}` === key
    })
=======
  ofClaim(uid: string): ReplacementRecord | undefined {
    return this.all().find(({ saved: { origin } }) => origin.claim.uid === uid)
  }

  /** All of claims that have, or had, that name: `namespace/name`. */
  ofName(key: string): readonly ReplacementRecord[] {
    return this.all().filter(({ saved: { origin } }) => keyOfClaim(origin.claim) === key)
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
  async open(record: ReplacementRecord): Promise<void> {
    this.#fence()
    const wanted = objectOf(record)
    const { name } = wanted.metadata
    const fence = this.#fence
    let created: TieringCheckpoint
    try {
      created = await this.#client.create(TIERING_CHECKPOINT, wanted, { fence })
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'AlreadyExists') throw e
      // of an earlier try, whose answer was lost
      created = await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, name)
      if (!isSame(created, record)) this.#take(created)
      if (!isSame(created, record)) throw e
    }
    const { resourceVersion: version = '' } = created.metadata
    if (isSame(created, record)) return void this.#known.set(record.move.uid, { record, version })
    await this.#client.delete(TIERING_CHECKPOINT, name, { fence })
    throw new RecordError(
      'the CRD of TieringCheckpoint is older than the controller and keeps no spec.replacement: apply the CRDs of this version',
    )
  }

  /** The record from now on. Throws LostLeaseError when a later leader has written it meanwhile. */
  async save(record: ReplacementRecord): Promise<void> {
    const uid = record.move.uid
    const known = this.#known.get(uid)
    if (known === undefined) throw new Error(`no record of move ${uid} is known`)
    this.#fence()
    try {
      const saved = await this.#client.patch<TieringCheckpoint>(
        TIERING_CHECKPOINT,
        replacementRecord(uid),
        [
          { op: 'test', path: '/metadata/resourceVersion', value: known.version },
          { op: 'replace', path: '/spec/replacement', value: record },
        ],
        { type: 'json', fence: this.#fence },
      )
      if (!isSame(saved, record)) throw new RecordError(`the API server changed record ${uid}`)
      this.#known.set(uid, { record, version: saved.metadata.resourceVersion ?? '' })
    } catch (e) {
      if (!(e instanceof ApiError)) throw e
      // it is all that is known of a claim that may be without its volume
      if (e.reason === 'NotFound' && e.byServer) return this.open(record)
      if (!REFUSED_AS_STALE.has(e.status) || !(await this.#isSaved(record, known, e))) throw e
    }
  }

  /** Of a move that has ended. */
  async remove(record: ReplacementRecord): Promise<void> {
    this.#fence()
    try {
      await this.#client.delete(TIERING_CHECKPOINT, replacementRecord(record.move.uid))
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
    this.#known.delete(record.move.uid)
  }

  /** A write of ours whose answer was lost is what holds from then on; one of another leader ends ours. */
  async #isSaved(wanted: ReplacementRecord, known: Known, refusal: ApiError): Promise<boolean> {
    const uid = wanted.move.uid
    const name = replacementRecord(uid)
    const now = await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, name)
    const read = readRecord(now)
    if (!read.ok) throw new RecordError(`TieringCheckpoint ${name} cannot be read: ${read.why}`)
    const { record } = read
    if (record.epoch !== known.record.epoch && record.epoch !== wanted.epoch)
      throw new LostLeaseError(`the record of move ${uid} belongs to a later leader`, {
        cause: refusal,
      })
    this.#known.set(uid, { record, version: now.metadata.resourceVersion ?? '' })
    return isSame(now, wanted)
  }

  #take(item: TieringCheckpoint): void {
    const { name, resourceVersion: version = '' } = item.metadata
    if (item.spec.policy !== REPLACEMENTS) return
    const read = readRecord(item)
    if (read.ok) this.#known.set(read.record.move.uid, { record: read.record, version })
    else this.#unreadable.set(name, read.why)
>>>>>>> w-attack
  }
}
