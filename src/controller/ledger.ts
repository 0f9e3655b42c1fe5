import { API_VERSION } from '../api/names.ts'
import type { TieringCheckpoint } from '../api/tiering-checkpoint.ts'
import { TIERING_CHECKPOINT } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient } from '../kube/types.ts'

export type LedgerEntry = NonNullable<TieringCheckpoint['spec']['inFlight']>[number]

const NAME = 'moves-in-flight'

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

  constructor(client: KubeClient, fence: () => void) {
    this.#client = client
    this.#fence = fence
  }

  entries(): readonly LedgerEntry[] {
    return [...this.#entries.values()]
  }

  async load(): Promise<void> {
    try {
      const found = await this.#client.get<TieringCheckpoint>(TIERING_CHECKPOINT, NAME)
      this.#entries = new Map((found.spec.inFlight ?? []).map((e) => [e.volumeId, e]))
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
  }

  /** Resolves when the entry is on the API server. */
  put(entry: LedgerEntry): Promise<void> {
    this.#entries.set(entry.volumeId, entry)
    return this.#write()
  }

  remove(volumeId: string): Promise<void> {
    return this.#entries.delete(volumeId) ? this.#write() : Promise.resolve()
  }

  /** One write at a time, each with all that is known when it starts. */
  #write(): Promise<void> {
    const next = this.#pending.catch(() => {}).then(() => this.#apply())
    this.#pending = next
    return next
  }

  async #apply(): Promise<void> {
    this.#fence()
    const object: TieringCheckpoint = {
      apiVersion: API_VERSION,
      kind: 'TieringCheckpoint',
      metadata: { name: NAME },
      spec: {
        policy: NAME,
        shard: 0,
        rule: 'none',
        windowEnd: '1970-01-01T00:00:00Z',
        volumes: 0,
        data: '',
        inFlight: this.entries(),
      },
    }
    await this.#client.patch(TIERING_CHECKPOINT, NAME, object, { type: 'apply', force: true })
  }
}
