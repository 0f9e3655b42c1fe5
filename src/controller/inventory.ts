import { messageOf } from '../errors.ts'
import type { CinderSnapshot, CinderVolume, CinderVolumeType } from '../openstack/types.ts'
import type { ControllerDeps } from './deps.ts'

/** What is kept of a Cinder volume between two looks. */
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
> & { readonly groupId: string | undefined; readonly attached: boolean }

/** The controller's picture of Cinder: a slow full sweep, and single volumes looked at when it matters. */
export class Inventory {
  readonly #deps: ControllerDeps
  #rows = new Map<string, VolumeRow>()
  #withSnapshots = new Set<string>()
  #types: readonly CinderVolumeType[] = []
  #microversion: readonly [number, number] = [3, 0]
  #sweptAt: number | undefined
  /** Looks made while a sweep runs; they are newer than its pages. */
  #looked: Map<string, VolumeRow | undefined> | undefined
  #problem: string | undefined = 'Cinder has not been read yet'

  constructor(deps: ControllerDeps) {
    this.#deps = deps
  }

  get types(): readonly CinderVolumeType[] {
    return this.#types
  }

  get microversion(): readonly [number, number] {
    return this.#microversion
  }

  /** Why the picture is old or empty; undefined when the last sweep worked. */
  get problem(): string | undefined {
    return this.#problem
  }

  get sweptAt(): number | undefined {
    return this.#sweptAt
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

  hasSnapshots(id: string): boolean {
    return this.#withSnapshots.has(id)
  }

  /** Reads types, snapshots and all volumes. Keeps the old picture and tells why when Cinder does not answer. */
  async sweep(signal?: AbortSignal): Promise<boolean> {
    const { volumes, clock, log } = this.#deps
    const abort = signal === undefined ? {} : { signal }
    const looked = new Map<string, VolumeRow | undefined>()
    this.#looked = looked
    try {
      this.#microversion = await volumes.maxMicroversion(signal)
      this.#types = await volumes.listVolumeTypes(signal)
      const snapshots = await volumes.listSnapshots(abort)
      const rows = new Map<string, VolumeRow>()
      for await (const page of volumes.listVolumes(abort))
        for (const v of page) rows.set(v.id, rowOf(v))
      for (const [id, row] of looked) {
        if (row === undefined) rows.delete(id)
        else rows.set(id, row)
      }
      this.#withSnapshots = new Set(snapshots.map((s) => s.volumeId))
      this.#rows = rows
      this.#sweptAt = clock.now()
      this.#problem = undefined
      return true
    } catch (e) {
      this.#problem = messageOf(e)
      log.warn(
        { err: this.#problem },
        'Cinder could not be read; the last picture is kept and nothing new starts',
      )
      return false
    }
  }

  /** One volume as Cinder shows it now; undefined when it is gone. Throws when Cinder does not answer. */
  async look(id: string, signal?: AbortSignal): Promise<CinderVolume | undefined> {
    const volume = await this.#deps.volumes.getVolume(id, signal)
    const row = volume && rowOf(volume)
    this.#looked?.set(id, row)
    if (row === undefined) this.#rows.delete(id)
    else this.#rows.set(id, row)
    return volume
  }

  async snapshotsOf(id: string, signal?: AbortSignal): Promise<readonly CinderSnapshot[]> {
    const found = await this.#deps.volumes.listSnapshots({
      volumeId: id,
      ...(signal ? { signal } : {}),
    })
    if (found.length > 0) this.#withSnapshots.add(id)
    else this.#withSnapshots.delete(id)
    return found
  }
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
    attachments: v.attachments.length > 0 ? v.attachments : NOWHERE,
    attached: v.attachments.length > 0,
  }
}
