import { API_VERSION } from '../../api/names.ts'
import { parseLedger } from '../../api/parse.ts'
import { MOVES_IN_FLIGHT } from '../../api/tiering-checkpoint.ts'
import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { TIERING_CHECKPOINT } from '../../kube/resources.ts'
import { ApiError } from '../../kube/types.ts'
import type { KubeClient, KubeObject } from '../../kube/types.ts'
import { isRefusal } from './refusals.ts'

export type LedgerEntry = NonNullable<TieringCheckpoint['spec']['inFlight']>[number]
export type Halt = NonNullable<TieringCheckpoint['spec']['unexplained']>[number]

/** Is notified how each write ended, and says while none should be tried. */
export type LedgerSaves = {
  readonly ended: (e?: unknown) => void
  readonly isPausing: () => boolean
}

const NOT_NOTED: LedgerSaves = { ended: () => {}, isPausing: () => false }

/**
 * The moves that may be running in Cinder, outside any namespace: when a namespace is deleted under a running
 * move, its VolumeMigration goes, and this is what still knows of it. So it is with the ends that nothing explains.
 */
export class Ledger {
  readonly #client: KubeClient
  /** Throws when we do not lead any more. */
  readonly #fence: () => void
  #entries = new Map<string, LedgerEntry>()
  #halts: readonly Halt[] = []
  #pending: Promise<void> = Promise.resolve()
  #version: string | undefined
  /** What the API server has is not what we know. */
  #unsaved = false
  #loaded = false
  /** Moves that came to rest before the ledger could be read. */
  readonly #restedEarly = new Set<string>()

  readonly #saves: LedgerSaves
  /** Why the API server refused the last write. */
  #refused: Error | undefined

  constructor(client: KubeClient, fence: () => void, saves: LedgerSaves = NOT_NOTED) {
    this.#client = client
    this.#fence = fence
    this.#saves = saves
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()]
  }

  /** Another array after every change. */
  halts(): readonly Halt[] {
    return this.#halts
  }

  async load(): Promise<void> {
    const found = await this.#read()
    this.#version = found?.metadata.resourceVersion
    const listed = found?.spec.inFlight ?? []
    const running = listed.filter((e) => !this.#restedEarly.has(e.volumeId))
    this.#restedEarly.clear()
    this.#entries = new Map(running.map((e) => [e.volumeId, e]))
    const early = this.#halts
    const halts = found?.spec.unexplained ?? []
    this.#halts = [...halts, ...early.filter((h) => !halts.some((o) => o.uid === h.uid))]
    this.#loaded = true
    // the next write says so too, should this one fail
    if (running.length < listed.length || early.length > 0) void this.#write()
  }

  /** Counts from now on; resolves when it is on the API server. */
  async halt(halt: Halt): Promise<void> {
    const known = this.#halts.some((h) => h.uid === halt.uid)
    if (!known && this.#halts.length >= MOST_HALTS) return
    if (!known) this.#halts = [...this.#halts, halt]
    if (!this.#loaded) throw new Error('the ledger of moves is not read yet')
    if (known && !this.#unsaved) return this.#pending
    return this.#write()
  }

  /** Counts until it is gone from the API server. */
  async lift(halt: Halt): Promise<void> {
    if (!this.#loaded) throw new Error('the ledger of moves is not read yet')
    const before = this.#halts
    this.#halts = before.filter((h) => h.uid !== halt.uid)
    try {
      await this.#write()
    } catch (e) {
      if (!this.#halts.some((h) => h.uid === halt.uid)) this.#halts = [...this.#halts, halt]
      throw e
    }
  }

  /** Resolves when the entry is on the API server. */
  put(entry: LedgerEntry): Promise<void> {
    if (!this.#loaded) return Promise.reject(new Error('the ledger of moves is not read yet'))
    this.#entries.set(entry.volumeId, entry)
    const written = this.#write()
    // nothing is sent without it, so it counts for nothing
    written.catch(
      () => this.#entries.get(entry.volumeId) === entry && this.#entries.delete(entry.volumeId),
    )
    return written
  }

  /** Resolves when the entry is gone from the API server; before `load`, when that will be so after it. */
  remove(volumeId: string): Promise<void> {
    if (!this.#loaded) {
      this.#restedEarly.add(volumeId)
      return this.#pending
    }
    const known = this.#entries.delete(volumeId)
    return known || this.#unsaved ? this.#write() : this.#pending
  }

  /** One write at a time, each with all that is known when it starts. */
  #write(): Promise<void> {
    const next = this.#pending.catch(() => {}).then(() => this.#noted())
    this.#pending = next
    // the caller is notified of a failure; the next one starts again
    next.catch(() => {})
    return next
  }

  async #noted(): Promise<void> {
    // every move asks for a write, and a server that refuses one refuses them all
    if (this.#refused !== undefined && this.#saves.isPausing()) {
      this.#unsaved = true
      throw this.#refused
    }
    try {
      await this.#save()
      this.#refused = undefined
      this.#saves.ended()
    } catch (e) {
      this.#refused = isRefusal(e) && e instanceof Error ? e : undefined
      this.#saves.ended(e)
      throw e
    }
  }

  async #save(): Promise<void> {
    try {
      await this.#swap()
    } catch (e) {
      if (!(e instanceof ApiError) || !STALE.has(e.reason)) throw e
      // a write of an earlier leader that came late, or one of ours whose answer was lost
      // what it holds is ours to say: one that somebody has broken meanwhile is written over
      this.#version = (await this.#found())?.metadata.resourceVersion
      await this.#swap()
    }
  }

  /** Compare-and-swap, so that no write of another time is ever repeated over ours. */
  async #swap(): Promise<void> {
    this.#unsaved = true
    this.#fence()
    const inFlight = this.entries()
    const unexplained = this.#halts
    const saved =
      this.#version === undefined
        ? await this.#client.create(TIERING_CHECKPOINT, ledgerOf(inFlight, unexplained))
        : await this.#client.patch<TieringCheckpoint>(
            TIERING_CHECKPOINT,
            MOVES_IN_FLIGHT,
            { metadata: { resourceVersion: this.#version }, spec: { inFlight, unexplained } },
            { type: 'merge', fence: this.#fence },
          )
    this.#version = saved.metadata.resourceVersion
    this.#unsaved = false
  }

  async #read(): Promise<TieringCheckpoint | undefined> {
    const found = await this.#found()
    if (found === undefined) return undefined
    const parsed = parseLedger(found)
    if (parsed.ok) return parsed.checkpoint
    throw new Error(
      `TieringCheckpoint ${MOVES_IN_FLIGHT}: ${parsed.problems.join('; ')}; correct it, or delete it once no volume is "retyping" in Cinder`,
    )
  }

  async #found(): Promise<KubeObject | undefined> {
    try {
      return await this.#client.get<KubeObject>(TIERING_CHECKPOINT, MOVES_IN_FLIGHT)
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
      return undefined
    }
  }
}

/** One alone halts everything. */
const MOST_HALTS = 100

const STALE = new Set(['Conflict', 'AlreadyExists', 'NotFound'])

function ledgerOf(
  inFlight: readonly LedgerEntry[],
  unexplained: readonly Halt[],
): TieringCheckpoint {
  return {
    apiVersion: API_VERSION,
    kind: 'TieringCheckpoint',
    metadata: { name: MOVES_IN_FLIGHT },
    spec: {
      policy: MOVES_IN_FLIGHT,
      shard: 0,
      rule: 'none',
      windowEnd: '1970-01-01T00:00:00Z',
      volumes: 0,
      data: '',
      inFlight,
      unexplained,
    },
  }
}
