import { isDeepStrictEqual } from 'node:util'
import { messageOf, stable } from '../../errors.ts'
import { momentOf, realSince } from '../../kube/elapsed.ts'
import type { Moment } from '../../kube/elapsed.ts'
import { isAttached } from '../../openstack/attached.ts'
import { AuthenticationError, CinderError } from '../../openstack/errors.ts'
import { rfc3339 } from '../../time.ts'
import type { CinderSnapshot, CinderVolume, CinderVolumeType } from '../../openstack/types.ts'
import type { ControllerDeps } from '../deps.ts'

/** What is kept of a Cinder volume between two reads. */
export type VolumeRow = Pick<
  CinderVolume,
  | 'id'
  | 'status'
  | 'sizeGiB'
  | 'typeId'
  | 'typeName'
  | 'availabilityZone'
  | 'createdAt'
  | 'updatedAt'
  | 'multiattach'
  | 'encrypted'
  | 'attachments'
> & {
  readonly groupId: string | undefined
  readonly projectId: string | undefined
  readonly attached: boolean
}

const NOT_READ = 'Cinder has not been read yet'
/** Nobody asks for such a volume any more. */
const FORGET_MISSING_MS = 3_600_000

/** The controller's snapshot of Cinder: a slow full sweep, and single volumes read when it matters. */
export class Inventory {
  readonly #deps: ControllerDeps
  #rows = new Map<string, VolumeRow>()
  /** When the oldest snapshot of each volume was made, ms; undefined where Cinder does not show that. */
  #withSnapshots = new Map<string, number | undefined>()
  #snapshots: readonly CinderSnapshot[] = []
  #types: readonly CinderVolumeType[] = []
  #microversion: readonly [number, number] = [3, 0]
  #swept: Moment | undefined
  /** Looks made while a sweep runs; they are newer than its pages. */
  #reread: Map<string, VolumeRow | undefined> | undefined
  /** Volumes that Cinder does not know, and since when. */
  readonly #missing = new Map<string, Moment>()
  readonly #problems = new Map([
    ['types', NOT_READ],
    ['volumes', NOT_READ],
  ])

  constructor(deps: ControllerDeps) {
    this.#deps = deps
  }

  get types(): readonly CinderVolumeType[] {
    return this.#types
  }

  get microversion(): readonly [number, number] {
    return this.#microversion
  }

  /** Why the snapshot is old or empty; undefined when types and volumes could be listed the last time. */
  get problem(): string | undefined {
    return this.#problems.values().next().value
  }

  get sweptAt(): number | undefined {
    return this.#swept?.wall
  }

  /** Real time since all volumes were last listed, ms; Infinity = never. */
  get age(): number {
    return this.#swept === undefined ? Infinity : realSince(this.#swept, this.#deps.clock)
  }

  get size(): number {
    return this.#rows.size
  }

  row(id: string): VolumeRow | undefined {
    return this.#rows.get(id)
  }

  ids(): Iterable<string> {
    return this.#rows.keys()
  }

  /** As of the last sweep. */
  get snapshots(): readonly CinderSnapshot[] {
    return this.#snapshots
  }

  hasSnapshots(id: string): boolean {
    return this.#withSnapshots.has(id)
  }

  /** Time of its oldest snapshot, ms; undefined where it has none, or Cinder does not show it. */
  oldestSnapshot(id: string): number | undefined {
    return this.#withSnapshots.get(id)
  }

  /** Reads types, snapshots and all volumes. Throws when one of them cannot be read; what was read before stays then. */
  async sweep(signal?: AbortSignal): Promise<void> {
    await this.sweepTypes(signal)
    await this.sweepVolumes(signal)
  }

  sweepTypes(signal?: AbortSignal): Promise<void> {
    return this.#noted('types', () => this.readTypes(signal))
  }

  /** One list after the other: two at once would not know of each other which looks are newer than their pages. */
  sweepVolumes(signal?: AbortSignal): Promise<void> {
    const turn = this.#turn.then(() => this.#noted('volumes', () => this.#readVolumes(signal)))
    this.#turn = turn.catch(() => {})
    return turn
  }
  #turn: Promise<void> = Promise.resolve()

  /** No new move starts while one of the two cannot be listed. */
  async #noted(what: 'types' | 'volumes', read: () => Promise<void>): Promise<void> {
    try {
      await read()
      this.#problems.delete(what)
    } catch (e) {
      this.#problems.set(what, stable(messageOf(e)))
      throw e
    }
  }

  async #readVolumes(signal?: AbortSignal): Promise<void> {
    const { volumes, clock } = this.#deps
    const abort = signal === undefined ? {} : { signal }
    const reread = new Map<string, VolumeRow | undefined>()
    this.#reread = reread
    const snapshots = await volumes.listSnapshots(abort)
    const rows = new Map<string, VolumeRow>()
    for await (const page of volumes.listVolumes(abort))
      for (const v of page) rows.set(v.id, rowOf(v))
    for (const [id, row] of reread) {
      if (row === undefined) rows.delete(id)
      else rows.set(id, row)
    }
    for (const [id, since] of this.#missing)
      if (rows.has(id) || realSince(since, clock) > FORGET_MISSING_MS) this.#missing.delete(id)
    const ofVolumes = Map.groupBy(snapshots, (s) => s.volumeId)
    this.#withSnapshots = new Map([...ofVolumes].map(([id, of]) => [id, oldestOf(of)]))
    this.#snapshots = snapshots
    this.#rows = rows
    this.#swept = momentOf(clock)
  }

  /**
   * One volume as Cinder shows it now; undefined when two reads, some seconds apart, agree that it is gone. Throws when
   * Cinder does not answer, and after the first of the two.
   */
  async readVolume(id: string, signal?: AbortSignal): Promise<CinderVolume | undefined> {
    const volume = await this.#deps.volumes.getVolume(id, signal)
    if (volume === undefined) this.#confirmMissing(id)
    else this.#missing.delete(id)
    const row = volume && rowOf(volume)
    this.#reread?.set(id, row)
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
    return volume
  }

  /** The volume types as they are now: one that was made, hidden or shown since the last sweep is known by it. */
  async readTypes(signal?: AbortSignal): Promise<void> {
    const types = await this.#deps.volumes.listVolumeTypes(signal)
    this.#microversion = await this.#deps.volumes.maxMicroversion(signal)
    // as long as nothing has changed it is the same array
    if (!isDeepStrictEqual(types, this.#types)) this.#types = types
  }

  /** What the credential may not read, or Cinder does not offer; moves go on without. */
  get unreadable(): readonly string[] {
    return [...this.#unreadable.keys()]
  }
  readonly #unreadable = new Map<string, string>()

  /**
   * A read that only spares us a refusal. An answer by which it will not work now or later gives undefined, and is
   * reported; anything else is thrown.
   */
  async optional<T>(what: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      const value = await read()
      // Cinder's 403 to a member
      if (value === undefined) this.#noteUnreadable(what, '403')
      else this.#unreadable.delete(what)
      return value
    } catch (e) {
      if (!isRefusedForGood(e)) throw e
      this.#noteUnreadable(what, messageOf(e))
      return undefined
    }
  }

  /** Nobody asks for it any more. */
  forgetUnreadable(what: string): void {
    this.#unreadable.delete(what)
  }

  #noteUnreadable(what: string, why: string): void {
    if (!this.#unreadable.has(what))
      this.#deps.log.warn({ what, err: why }, 'not readable with this credential; going on without')
    this.#unreadable.set(what, why)
  }

  #confirmMissing(id: string): void {
    const { clock, timing } = this.#deps
    const first = this.#missing.get(id) ?? momentOf(clock)
    this.#missing.set(id, first)
    if (realSince(first, clock) < timing.verifyMs)
      throw new Error('Cinder answered once that it does not know the volume (404); reading again')
  }

  async snapshotsOf(id: string, signal?: AbortSignal): Promise<readonly CinderSnapshot[]> {
    const found = await this.#deps.volumes.listSnapshots({
      volumeId: id,
      ...(signal ? { signal } : {}),
    })
    if (found.length > 0) this.#withSnapshots.set(id, oldestOf(found))
    else this.#withSnapshots.delete(id)
    return found
  }
}

function oldestOf(snapshots: readonly CinderSnapshot[]): number | undefined {
  const times = snapshots.flatMap((s) => rfc3339(s.createdAt ?? '') ?? [])
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The service answered, and neither that it is overloaded nor that it is away. */
function isRefusedForGood(e: unknown): boolean {
  if (e instanceof AuthenticationError) return e.refusedBy === 'service'
  if (!(e instanceof CinderError) || e.status === undefined) return false
  return !e.retryable || e.status === 501 || e.status === 505 || e.status < 300
}

const NOWHERE: CinderVolume['attachments'] = []

function rowOf(v: CinderVolume): VolumeRow {
  return {
    id: v.id,
    status: v.status,
    sizeGiB: v.sizeGiB,
    typeId: v.typeId,
    typeName: v.typeName,
    availabilityZone: v.availabilityZone,
    createdAt: v.createdAt,
    updatedAt: v.updatedAt,
    multiattach: v.multiattach,
    encrypted: v.encrypted,
    groupId: v.groupId,
    projectId: v.projectId,
    attachments: v.attachments.length > 0 ? v.attachments : NOWHERE,
    attached: isAttached(v),
  }
}
