import type { Clock } from '../../src/clock.ts'
import type { VolumeTypeRow } from '../../src/sim/cloud/model.ts'
import type { Seams } from '../../src/sim/cloud/seams.ts'
import { TIERS, typeNameOf } from './names.ts'

/** The volume types of the tiers, whatever an administrator calls them now, and what the project may do with them. */
export class VolumeTypes {
  readonly #seams: Seams
  readonly #clock: Clock
  readonly #types: ReadonlyMap<string, VolumeTypeRow>
  /** Since when the project may not use a type, by its id. */
  readonly #hiddenSince = new Map<string, number>()

  constructor(seams: Seams, clock: Clock) {
    this.#seams = seams
    this.#clock = clock
    this.#types = new Map(TIERS.map((tier) => [tier, seams.volumeType(typeNameOf(tier))]))
  }

  of(tier: string): VolumeTypeRow {
    const type = this.#types.get(tier)
    if (type === undefined) throw new Error(`no tier is called ${tier}`)
    return type
  }

  /** Its id stays, and so do its quota and the volumes; the StorageClasses name one that is not there any more. */
  rename(tier: string): void {
    this.of(tier).name = `${typeNameOf(tier)}-old`
  }

  hide(tier: string): void {
    const type = this.of(tier)
    type.isPublic = false
    if (!this.#hiddenSince.has(type.id)) this.#hiddenSince.set(type.id, this.#clock.monotonic())
  }

  /** Ms for which the project has not been allowed to use the type. */
  hiddenMs({ id, isPublic }: VolumeTypeRow): number {
    const now = this.#clock.monotonic()
    return isPublic ? 0 : now - (this.#hiddenSince.get(id) ?? now)
  }

  /** Public, under their own names. */
  restore(): void {
    this.#hiddenSince.clear()
    for (const [tier, type] of this.#types) {
      type.isPublic = true
      type.name = typeNameOf(tier)
    }
  }

  raiseQuotas(): void {
    const { couchestor } = this.#seams
    for (const { name } of this.#types.values())
      this.#seams.setQuota(couchestor.project.id, {
        [`gigabytes_${name}`]: -1,
        [`volumes_${name}`]: -1,
      })
  }
}
