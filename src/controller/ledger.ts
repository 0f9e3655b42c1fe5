import { API_VERSION } from '../api/names.ts'
import type { TieringCheckpoint } from '../api/tiering-checkpoint.ts'
import { TIERING_CHECKPOINT } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient } from '../kube/types.ts'

export type LedgerEntry = NonNullable<TieringCheckpoint['spec']['inFlight']>[number]

/** Name of the checkpoint, and what it has in place of a policy's name. */
export const MOVES_IN_FLIGHT = 'moves-in-flight'

/**
 * The moves that may be running in Cinder, outside any namespace: when a namespace is deleted under a running
 * move, its VolumeMigration goes, and this is what still knows of it.
 */
export class Ledger {
  readonly #client: KubeClient
  /** Throws when we do not lead any more. */
  readonly #fence: () => void
  #entries = new Map<string, LedgerEntry>()
  #pending: Promise<void> = Promise.resolve()
  #version: string | undefined
  /** What the API server has is not what we know. */
  #unsaved = false

  constructor(client: KubeClient, fence: () => void) {
    this.#client = client
    this.#fence = fence
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()]
  }

  async load(): Promise<void> {
    const found = await this.#read()
    this.#version = found?.metadata.resourceVersion
    this.#entries = new Map((found?.spec.inFlight ?? []).map((e) => [e.volumeId, e]))
  }

  /** Resolves when the entry is on the API server. */
  put(entry: LedgerEntry): Promise<void> {
    this.#entries.set(entry.volumeId, entry)
    return this.#write()
  }

  /** Resolves when the entry is gone from the API server. */
  remove(volumeId: string): Promise<void> {
    const known = this.#entries.delete(volumeId)
    return known || this.#unsaved ? this.#write() : this.#pending
  }

  /** One write at a time, each with all that is known when it starts. */
  #write(): Promise<void> {
    const next = this.#pending.catch(() => {}).then(() => this.#save())
    this.#pending = next
    // whoever asked hears of a failure; the next one starts anew
    next.catch(() => {})
    return next
  }

  async #save(): Promise<void> {
    try {
      await this.#swap()
    } catch (e) {
      if (!(e instanceof ApiError) || !STALE.has(e.reason)) throw e
      // a write of an earlier leader that came late, or one of ours whose answer was lost
      this.#version = (await this.#read())?.metadata.resourceVersion
      await this.#swap()
    }
  }

  /** Compare-and-swap, so that no write of another time is ever repeated over ours. */
  async #swap(): Promise<void> {
    this.#unsaved = true
    this.#fence()
    const inFlight = this.entries()
    const saved =
      this.#version === undefined
        ? await this.#client.create(TIERING_CHECKPOINT, ledgerOf(inFlight))
        : await this.#client.patch<TieringCheckpoint>(
            TIERING_CHECKPOINT,
            MOVES_IN_FLIGHT,
            { metadata: { resourceVersion: this.#version }, spec: { inFlight } },
            { type: 'merge' },
          )
    this.#version = saved.metadata.resourceVersion
    this.#unsaved = false
  }

  async #read(): Promise<TieringCheckpoint | undefined> {
    try {
      return await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, MOVES_IN_FLIGHT)
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
      return undefined
    }
  }
}

const STALE = new Set(['Conflict', 'AlreadyExists', 'NotFound'])

function ledgerOf(inFlight: readonly LedgerEntry[]): TieringCheckpoint {
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
    },
  }
}
