import { messageOf, stable } from '../../errors.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import { LostLeaseError } from '../../kube/types.ts'
import type { CinderVolume } from '../../openstack/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Halts } from './halts.ts'
import type { Inventory } from '../view/inventory.ts'
import type { Ledger, LedgerEntry } from './ledger.ts'
import type { Migrations } from '../view/migrations.ts'
import type { Calls } from './calls.ts'
import type { RecordBook } from './recorded-strategy.ts'
import { hiddenFrom } from './hidden.ts'
import { ownIdOf } from '../view/term.ts'
import type { Term } from '../view/term.ts'

export type OrphansParts = {
  readonly deps: ControllerDeps
  readonly ledger: Ledger
  readonly migrations: Migrations
  readonly inventory: Inventory
  readonly calls: Pick<Calls, 'isCalling'>
  readonly records: Pick<RecordBook, 'of'>
  readonly halts: Pick<Halts, 'recordDeleted'>
  readonly term: Term
  readonly onHalt: () => void
}

type Recorded = LedgerEntry & { readonly uid: string }

/** How long a volume that cannot be read holds up every start without a word. */
const UNREAD_MS = 5 * 60_000
const AT_REST = new Set(['available', 'in-use', 'gone'])

/**
 * Moves that run although their VolumeMigration is gone: watched until they rest, and counted until then. A volume rests
 * when two reads agree between which any call that was on its way has arrived.
 */
export class Orphans {
  readonly #parts: OrphansParts
  /** Since when each of them has been seen at rest, and what was reported of it. */
  readonly #resting = new Map<string, Moment>()
  readonly #reported = new Map<string, string>()
  /** Those that were last seen at rest on a type that nothing asked for: a second read makes it a halt. */
  readonly #strange = new Map<string, { readonly volume: CinderVolume; readonly at: Moment }>()
  #firstLookAt: Moment | undefined

  constructor(parts: OrphansParts) {
    this.#parts = parts
  }

  /** One of them is about to halt all moves, unless the next read shows otherwise. */
  get mayHalt(): boolean {
    return this.#strange.size > 0
  }

  /**
   * What a new leader has to know before it starts anything. Throws while one of their volumes cannot be read, for a few
   * minutes: one that never can be must not keep all others from moving.
   */
  async firstLook(signal: AbortSignal): Promise<void> {
    const { deps } = this.#parts
    this.#firstLookAt ??= momentOf(deps.clock)
    for (const entry of this.#all()) {
      if (signal.aborted) return
      const { volumeId } = entry
      try {
        this.#note(entry, await this.#read(entry, signal))
      } catch (e) {
        const why = `volume ${volumeId}, whose move was deleted: ${stable(messageOf(e))}`
        if (realSince(this.#firstLookAt, deps.clock) < UNREAD_MS) throw new Error(why, { cause: e })
        deps.log.warn({ ...entry, err: why }, 'starts moves although a deleted one cannot be read')
      }
    }
  }

  /** Throws when one of their volumes could not be read; the others are followed all the same. */
  async check(): Promise<void> {
    const { calls } = this.#parts
    const orphans = this.#all()
    this.#forgetOthers(new Set(orphans.map((e) => e.volumeId)))
    const problems: string[] = []
    for (const entry of orphans) {
      if (calls.isCalling(entry.volumeId)) this.#resting.delete(entry.volumeId)
      else
        try {
          await this.#readVolume(entry).catch(async (e: unknown) => {
            await this.#unread(entry)
            throw e
          })
        } catch (e) {
          if (e instanceof LostLeaseError) throw e
          problems.push(`volume ${entry.volumeId} of a move in flight: ${messageOf(e)}`)
        }
    }
    if (problems.length > 0) throw new Error(problems.join('; '))
  }

  #all(): LedgerEntry[] {
    const { ledger, migrations, records } = this.#parts
    const flying = new Set(migrations.inFlight().map((m) => m.status?.volumeId))
    // one with a record of its own is followed by that
    const isOrphan = ({ volumeId, uid = '' }: LedgerEntry) =>
      !flying.has(volumeId) && records.of(uid) === undefined
    return ledger.entries().filter(isOrphan)
  }

  async #readVolume(entry: LedgerEntry): Promise<void> {
    const { deps, ledger } = this.#parts
    const { volumeId } = entry
    const volume = await this.#read(entry)
    this.#note(entry, volume)
    const status = volume?.status ?? 'gone'
    if (this.#reported.get(volumeId) !== status)
      deps.log.warn({ ...entry, status }, 'a move is in flight whose VolumeMigration was deleted')
    this.#reported.set(volumeId, status)
    if (!AT_REST.has(status)) return void this.#resting.delete(volumeId)
    const since = this.#resting.get(volumeId) ?? momentOf(deps.clock)
    this.#resting.set(volumeId, since)
    if (realSince(since, deps.clock) < deps.timing.callMs) return
    if (volume !== undefined && this.#isStrange(entry, volume)) await this.#halt(entry, volume)
    await ledger.remove(volumeId)
    this.#strange.delete(volumeId)
  }

  /** undefined when two reads agree that it is gone. Throws after the first of them, and when Cinder would not show it. */
  async #read(entry: LedgerEntry, signal?: AbortSignal): Promise<CinderVolume | undefined> {
    const { deps, inventory } = this.#parts
    const volume = await inventory.readVolume(entry.volumeId, signal)
    if (volume !== undefined) return volume
    const hidden = hiddenFrom(await deps.volumes.projectId(signal), entry)
    if (hidden !== undefined) throw new Error(hidden)
    return undefined
  }

  #note(entry: LedgerEntry, volume: CinderVolume | undefined): void {
    if (volume !== undefined && this.#isStrange(entry, volume))
      this.#strange.set(entry.volumeId, { volume, at: momentOf(this.#parts.deps.clock) })
    else this.#strange.delete(entry.volumeId)
  }

  /** Every start waits for the second read of such a volume: one that does not come is for a person to investigate. */
  async #unread(entry: LedgerEntry): Promise<void> {
    const seen = this.#strange.get(entry.volumeId)
    if (seen === undefined || realSince(seen.at, this.#parts.deps.clock) < UNREAD_MS) return
    if (this.#isStrange(entry, seen.volume)) await this.#halt(entry, seen.volume)
    this.#strange.delete(entry.volumeId)
  }

  /** A third type halts, as it does where the VolumeMigration is there. An entry of another cluster says nothing. */
  #isStrange(entry: LedgerEntry, { status, typeId }: CinderVolume): entry is Recorded {
    const { uid, clusterId, fromTypeId, toTypeId } = entry
    if (!AT_REST.has(status) || ['', fromTypeId, toTypeId].includes(typeId)) return false
    return uid !== undefined && clusterId === ownIdOf(this.#parts.term, clusterId)
  }

  async #halt(entry: Recorded, { typeId }: CinderVolume): Promise<void> {
    const { halts, onHalt, deps } = this.#parts
    deps.log.error({ ...entry, typeId }, 'a deleted move ended on a type that nothing asked for')
    await halts.recordDeleted(entry)
    onHalt()
  }

  #forgetOthers(orphans: ReadonlySet<string>): void {
    for (const known of [this.#resting, this.#reported, this.#strange])
      for (const id of known.keys()) if (!orphans.has(id)) known.delete(id)
  }
}
