import { isFinished, isInFlight, isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { isForeign } from '../../migration/foreign.ts'
import { VOLUME_MIGRATION } from '../../kube/resources.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import type { Store } from '../../kube/types.ts'
import type { AuditedKube } from '../deps.ts'
import { mergePatch } from './merge-patch.ts'
import { ownIdOf } from './term.ts'
import type { Term } from './term.ts'
import { counts, readMigration, whyUnreadable } from './read-migration.ts'
import { keyOf, volumeIdOf } from './watches.ts'

/** A claim as it is now. */
export type ClaimRef = { readonly namespace: string; readonly name: string; readonly uid: string }

/** Our term of leadership. `fence` throws `LostLeaseError` when it has ended. */
export type Office = { readonly term: Term; fence(): void }

/**
 * The work list: what the watch has reported, overlaid with our own newer writes, so that a limit is never counted
 * from a view older than our last intent. Every status write is a compare-and-swap.
 */
export class Migrations {
  readonly #client: AuditedKube
  readonly #store: Store<VolumeMigration>
  /** Own writes that the watch has not shown yet. */
  readonly #ahead = new Map<string, VolumeMigration>()
  /** Version of the list that `#ahead` was last compared with. */
  #listed = NaN
  /** Requests under way, and the uids of objects that were deleted meanwhile: an answer must not bring them back. */
  #writing = 0
  readonly #deleted = new Set<string>()
  /** Moves as Cinder has shown them to be, whose status could not be saved. Void with any newer version. */
  readonly #unsaved = new Map<string, VolumeMigration>()

  readonly #office: Office

  constructor(client: AuditedKube, store: Store<VolumeMigration>, office: Office) {
    this.#client = client
    this.#store = store
    this.#office = office
    store.subscribe(({ key, before, after }) => {
      this.#revision++
      if (after === undefined) return this.#gone(key, before)
      const ours = this.#ahead.get(key)
      if (ours && !isNewer(ours, after)) this.#ahead.delete(key)
    })
  }

  /** Another number after every change: what was counted from all of them holds until then. */
  get revision(): number {
    this.#settle()
    return this.#revision
  }
  #revision = 0

  get(key: string): VolumeMigration | undefined {
    const m = this.named(key)
    return m !== undefined && counts(m) ? m : undefined
  }

  /** What has that name, whether it counts or not. */
  named(key: string): VolumeMigration | undefined {
    return this.#seen(key) ?? this.#served(key)
  }

  /** As the API server has it, where what is known now could not be saved. */
  unsaved(key: string): VolumeMigration | undefined {
    return this.#seen(key) === undefined ? undefined : this.#served(key)
  }

  *all(): IterableIterator<VolumeMigration> {
    for (const m of this.#each()) if (counts(m)) yield m
  }

  /** Those that cannot be read as they stand, begun or not. */
  unreadable(): readonly VolumeMigration[] {
    return [...this.#each()].filter((m) => whyUnreadable(m) !== undefined)
  }

  inFlight(): readonly VolumeMigration[] {
    return [...this.all()].filter(isInFlight)
  }

  open(): readonly VolumeMigration[] {
    return [...this.all()].filter((m) => !isFinished(m))
  }

  /** Moves of a volume; with the claim that is bound to it also those whose volume has not been derived yet. */
  ofVolume(id: string, claim?: ClaimRef): readonly VolumeMigration[] {
    this.#settle()
    const listed = id === '' ? [] : this.#store.byIndex('volumeId', id)
    const unnamed =
      claim === undefined ? [] : this.#store.byIndex('claim', `${claim.namespace}/${claim.name}`)
    if (this.#ahead.size + this.#unsaved.size + unnamed.length === 0) return listed.filter(counts)
    const own = [...this.#ahead.values(), ...this.#unsaved.values()]
    const keys = new Set([...listed, ...unnamed, ...own].map(keyOf))
    return [...keys]
      .flatMap((key) => this.get(key) ?? [])
      .filter((m) => (volumeIdOf(m) === '' ? isAbout(m, claim) : volumeIdOf(m) === id))
  }

  /** Creates; an object of that name that is there already is returned as it is. */
  async create(m: VolumeMigration): Promise<VolumeMigration> {
    this.#office.fence()
    try {
      return await this.#answered(this.#client.create(VOLUME_MIGRATION, m))
    } catch (e) {
      if (!(e instanceof ApiError) || e.reason !== 'AlreadyExists') throw e
      const { name, namespace } = m.metadata
      return readMigration(await this.#client.get(VOLUME_MIGRATION, name, namespace))
    }
  }

  /**
   * Counts with `status` from now on, until the object changes or it is saved. Only for what is so whether it can be
   * saved or not; never for an intent.
   */
  observe(m: VolumeMigration, status: VolumeMigrationStatus): VolumeMigration {
    const seen = { ...m, status }
    this.#unsaved.set(keyOf(m), seen)
    return seen
  }

  /** Saves `status` if nobody has written the object since `m` was read; throws ApiError Conflict otherwise. */
  async save(m: VolumeMigration, status: VolumeMigrationStatus): Promise<VolumeMigration> {
    const key = keyOf(m)
    const change = mergePatch((this.unsaved(key) ?? m).status ?? {}, status)
    if (change === undefined) return m
    this.#mayWrite(m)
    const { name, namespace, resourceVersion } = m.metadata
    try {
      const saved = await this.#answered(
        this.#client.patch<VolumeMigration>(
          VOLUME_MIGRATION,
          name,
          { metadata: { resourceVersion }, status: change },
          {
            type: 'merge',
            subresource: 'status',
            fence: this.#office.fence,
            ...(namespace === undefined ? {} : { namespace }),
          },
        ),
      )
      this.#unsaved.delete(key)
      return saved
    } catch (e) {
      if (e instanceof ApiError && e.reason === 'Conflict') await this.#refresh(m)
      if (e instanceof ApiError && e.reason === 'NotFound') this.#forget(key, m)
      throw e
    }
  }

  /** A person's field that the controller may set too: takes back a planned move that nothing has been sent for. */
  async cancel(m: VolumeMigration): Promise<void> {
    this.#mayWrite(m)
    const { name, namespace, resourceVersion } = m.metadata
    await this.#answered(
      this.#client.patch<VolumeMigration>(
        VOLUME_MIGRATION,
        name,
        { metadata: { resourceVersion }, spec: { cancel: true } },
        {
          type: 'merge',
          fence: this.#office.fence,
          ...(namespace === undefined ? {} : { namespace }),
        },
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
    this.#forget(keyOf(m), m)
    return true
  }

  *#each(): IterableIterator<VolumeMigration> {
    this.#settle()
    const shown = (key: string, m: VolumeMigration) => this.#seen(key) ?? this.#served(key) ?? m
    for (const m of this.#store.values()) yield shown(keyOf(m), m)
    for (const [key, m] of this.#ahead) if (this.#store.get(key) === undefined) yield shown(key, m)
  }

  #served(key: string): VolumeMigration | undefined {
    this.#settle()
    return this.#ahead.get(key) ?? this.#store.get(key)
  }

  #seen(key: string): VolumeMigration | undefined {
    const seen = this.#unsaved.get(key)
    if (seen === undefined) return undefined
    const { uid, resourceVersion } = this.#served(key)?.metadata ?? {}
    if (uid === seen.metadata.uid && resourceVersion === seen.metadata.resourceVersion) return seen
    this.#unsaved.delete(key)
    return undefined
  }

  /** A leader that was suspended wakes with a fresh view: compare-and-swap alone would let it write. */
  #mayWrite(m: VolumeMigration): void {
    this.#office.fence()
    const why = whyUnreadable(m)
    if (why !== undefined) throw new Error(`VolumeMigration ${keyOf(m)} cannot be read: ${why}`)
    const { intent } = m.status ?? {}
    // the epochs of another cluster, or of the object that this one is a copy of, are none of our Lease
    if (
      intent === undefined ||
      isForeign(intent, ownIdOf(this.#office.term, intent.clusterId), m.metadata.uid ?? '')
    )
      return
    if (intent.epoch > this.#office.term.epoch)
      throw new LostLeaseError(`${keyOf(m)} belongs to a later leader`)
  }

  async #refresh(m: VolumeMigration): Promise<void> {
    const { name, namespace } = m.metadata
    await this.#answered(this.#client.get<VolumeMigration>(VOLUME_MIGRATION, name, namespace))
  }

  /** The object as the server has answered; kept until the watch shows it, unless it is known to be gone by now. */
  async #answered(request: Promise<VolumeMigration>): Promise<VolumeMigration> {
    this.#writing++
    try {
      return this.#remember(readMigration(await request))
    } finally {
      this.#writing--
      if (this.#writing === 0) this.#deleted.clear()
    }
  }

  #remember(m: VolumeMigration): VolumeMigration {
    this.#settle()
    const key = keyOf(m)
    const seen = this.#store.get(key)
    const known = this.#ahead.get(key) ?? seen
    if (this.#deleted.has(m.metadata.uid ?? '')) return m
    if (seen === undefined && isListed(m, this.#listed)) return m
    if (known === undefined || isNewer(m, known)) {
      this.#ahead.set(key, m)
      this.#revision++
    }
    return m
  }

  #gone(key: string, before: VolumeMigration | undefined): void {
    if (this.#writing > 0) this.#deleted.add(before?.metadata.uid ?? '')
    if (before !== undefined) this.#forget(key, before)
  }

  /** A younger object of the same name stays. */
  #forget(key: string, m: VolumeMigration): void {
    this.#revision++
    if (this.#ahead.get(key)?.metadata.uid === m.metadata.uid) this.#ahead.delete(key)
  }

  /**
   * After a list: what is not in it and no younger than it was deleted while nobody watched, and when the versions
   * went back (a restored etcd) nothing of before holds.
   */
  #settle(): void {
    const listed = this.#store.listedVersion
    if (Object.is(listed, this.#listed)) return
    const wentBack = listed < this.#listed
    this.#listed = listed
    this.#revision++
    for (const [key, m] of this.#ahead)
      if (wentBack || (this.#store.get(key) === undefined && isListed(m, listed)))
        this.#ahead.delete(key)
  }
}

/** Only a claim's own namespace can name it, and a uid must be its own. */
function isAbout(m: VolumeMigration, claim: ClaimRef | undefined): boolean {
  if (claim === undefined) return false
  const { metadata, spec, status } = m
  const sameName = metadata.namespace === claim.namespace && spec.claim.name === claim.name
  return sameName && (spec.claim.uid ?? status?.claimUid ?? claim.uid) === claim.uid
}

/** An object of the same name that was created later has a higher version too. */
function isNewer(a: VolumeMigration, b: VolumeMigration): boolean {
  return Number(a.metadata.resourceVersion) > Number(b.metadata.resourceVersion)
}

/** Whether a list of that version would show the object if it still were there. */
function isListed(m: VolumeMigration, listed: number): boolean {
  return Number(m.metadata.resourceVersion) <= listed
}

/**
 * Of two open moves of a volume the other one goes first: it runs, or a person made it and the policy the first one, or it
 * was created before. A policy wants nothing of a volume that a person moves, so its move would never begin.
 */
export function goesBefore(other: VolumeMigration, than: VolumeMigration): boolean {
  if ((other.status?.step ?? 'Waiting') !== 'Waiting') return true
  if (isManual(other) !== isManual(than)) return isManual(other)
  const [a, b] = [other.metadata, than.metadata]
  if (a.creationTimestamp !== b.creationTimestamp)
    return (a.creationTimestamp ?? '') < (b.creationTimestamp ?? '')
  return keyOf(other) < keyOf(than)
}
