import { isFinished, isInFlight } from '../api/volume-migration.ts'
import type { VolumeMigration, VolumeMigrationStatus } from '../api/volume-migration.ts'
import { VOLUME_MIGRATION } from '../kube/resources.ts'
import { ApiError, LostLeaseError } from '../kube/types.ts'
import type { KubeClient, Store } from '../kube/types.ts'
import { mergePatch } from './merge-patch.ts'
import { keyOf, volumeIdOf } from './watches.ts'

/** Our term of leadership. `fence` throws `LostLeaseError` when it has ended. */
export type Office = { readonly epoch: number; fence(): void }

/**
 * The work list: what the watch has told, overlaid with our own newer writes, so that a limit is never counted
 * from a picture older than our last intent. Every status write is a compare-and-swap.
 */
export class Migrations {
  readonly #client: KubeClient
  readonly #store: Store<VolumeMigration>
  /** Own writes that the watch has not shown yet. */
  readonly #ahead = new Map<string, VolumeMigration>()

  readonly #office: Office

  constructor(client: KubeClient, store: Store<VolumeMigration>, office: Office) {
    this.#client = client
    this.#store = store
    this.#office = office
    store.subscribe(({ key, after }) => {
      const ours = this.#ahead.get(key)
      if (ours && (after === undefined || !isNewer(ours, after))) this.#ahead.delete(key)
    })
  }

  get(key: string): VolumeMigration | undefined {
    return this.#ahead.get(key) ?? this.#store.get(key)
  }

  *all(): IterableIterator<VolumeMigration> {
    for (const m of this.#store.values()) yield this.#ahead.get(keyOf(m)) ?? m
    for (const [key, m] of this.#ahead) if (this.#store.get(key) === undefined) yield m
  }

  inFlight(): readonly VolumeMigration[] {
    return [...this.all()].filter(isInFlight)
  }

  open(): readonly VolumeMigration[] {
    return [...this.all()].filter((m) => !isFinished(m))
  }

  /** Moves of a volume; with `claim` (`namespace/name`) also those whose volume has not been looked up yet. */
  ofVolume(id: string, claim?: string): readonly VolumeMigration[] {
    const listed = this.#store.byIndex('volumeId', id)
    if (this.#ahead.size === 0 && claim === undefined) return listed
    const unnamed = claim === undefined ? [] : this.#store.byIndex('claim', claim)
    const keys = new Set([...listed, ...unnamed, ...this.#ahead.values()].map(keyOf))
    return [...keys]
      .flatMap((key) => this.get(key) ?? [])
      .filter((m) => volumeIdOf(m) === id || (volumeIdOf(m) === '' && claimOf(m) === claim))
  }

  /** Creates; an object of that name that is there already is returned as it is. */
  async create(m: VolumeMigration): Promise<VolumeMigration> {
    this.#office.fence()
    try {
      return this.#remember(await this.#client.create(VOLUME_MIGRATION, m))
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'AlreadyExists') throw e
      return this.#client.get<VolumeMigration>(
        VOLUME_MIGRATION,
        m.metadata.name,
        m.metadata.namespace,
      )
    }
  }

  /** Saves `status` if nobody has written the object since `m` was read; throws ApiError Conflict otherwise. */
  async save(m: VolumeMigration, status: VolumeMigrationStatus): Promise<VolumeMigration> {
    const change = mergePatch(m.status ?? {}, status)
    if (change === undefined) return m
    this.#mayWrite(m)
    const { name, namespace, resourceVersion } = m.metadata
    try {
      return this.#remember(
        await this.#client.patch<VolumeMigration>(
          VOLUME_MIGRATION,
          name,
          { metadata: { resourceVersion }, status: change },
          {
            type: 'merge',
            subresource: 'status',
            ...(namespace === undefined ? {} : { namespace }),
          },
        ),
      )
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'Conflict') await this.#refresh(m)
      if (e instanceof ApiError && e.reason === 'NotFound') this.#ahead.delete(keyOf(m))
      throw e
    }
  }

  /** A person's field that the controller may set too: takes back a planned move that nothing has been sent for. */
  async cancel(m: VolumeMigration): Promise<void> {
    this.#mayWrite(m)
    const { name, namespace, resourceVersion } = m.metadata
    this.#remember(
      await this.#client.patch<VolumeMigration>(
        VOLUME_MIGRATION,
        name,
        { metadata: { resourceVersion }, spec: { cancel: true } },
        { type: 'merge', ...(namespace === undefined ? {} : { namespace }) },
      ),
    )
  }

  /** `unchanged`: only as it was read. False when somebody has written it since. */
  async remove(m: VolumeMigration, only: { readonly unchanged?: true } = {}): Promise<boolean> {
    this.#mayWrite(m)
    const { name, namespace, uid, resourceVersion } = m.metadata
    try {
      await this.#client.delete(VOLUME_MIGRATION, name, {
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(only.unchanged && resourceVersion !== undefined ? { resourceVersion } : {}),
      })
    } catch (e) {
      if (only.unchanged && e instanceof ApiError && e.reason === 'Conflict') return false
      if (!(e instanceof ApiError) || e.reason !== 'NotFound') throw e
    }
    this.#ahead.delete(keyOf(m))
    return true
  }

  /** A leader who was suspended wakes with a fresh picture: compare-and-swap alone would let him write. */
  #mayWrite(m: VolumeMigration): void {
    this.#office.fence()
    if ((m.status?.intent?.epoch ?? 0) > this.#office.epoch)
      throw new LostLeaseError(`${keyOf(m)} belongs to a later leader`)
  }

  async #refresh(m: VolumeMigration): Promise<void> {
    const { name, namespace } = m.metadata
    this.#remember(await this.#client.get<VolumeMigration>(VOLUME_MIGRATION, name, namespace))
  }

  #remember(m: VolumeMigration): VolumeMigration {
    const key = keyOf(m)
    const seen = this.#store.get(key)
    if (seen === undefined || isNewer(m, seen)) this.#ahead.set(key, m)
    return m
  }
}

function claimOf({ metadata, spec }: VolumeMigration): string {
  return `${metadata.namespace}/${spec.claim.name}`
}

function isNewer(a: VolumeMigration, b: VolumeMigration): boolean {
  return (
    a.metadata.uid !== b.metadata.uid ||
    Number(a.metadata.resourceVersion) > Number(b.metadata.resourceVersion)
  )
}
