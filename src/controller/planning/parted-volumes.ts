import type { Clock } from '../../clock.ts'
import type { VolumeState } from '../../policy/types.ts'
import type { BoundManagedClaim } from '../view/managed.ts'
import type { PolicyMemory } from './checkpoint-store.ts'

type Parted = {
  /** Whose numbers it is made of: other tiers or constants make it void. */
  readonly memory: PolicyMemory
  readonly state: VolumeState
  /** Windows up to this end (seconds) are in it. */
  readonly through: number
  /** Monotonic ms. */
  readonly at: number
}

/** A claim that comes back within this needs only what it missed. */
const KEPT_MS = 86_400_000
const MOST_KEPT = 10_000

/**
 * What a policy knew of volumes that left it. An annotation that is taken away and set again must not make it read two
 * weeks of usage again.
 */
export class PartedVolumes {
  readonly #clock: Clock
  /** By policy and volume id, the one that left first in front. */
  readonly #kept = new Map<string, Parted>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * Moves the states of volumes that are no longer bound out of the memory. Those in `kept` stay in it too, so that another
   * process finds them.
   */
  part(
    policy: string,
    memory: PolicyMemory,
    bound: readonly BoundManagedClaim[],
    kept: ReadonlySet<string>,
  ): void {
    const known = new Set(bound.map((b) => b.bound.volume.handle))
    const at = this.#clock.monotonic()
    for (const [id, state] of memory.states) {
      if (known.has(id)) continue
      const isKept = kept.has(id)
      if (isKept && this.of(policy, memory, id) !== undefined) continue
      if (!isKept) memory.states.delete(id)
      if (memory.askedUntil === undefined) continue
      const key = keyOf(policy, id)
      this.#kept.delete(key)
      this.#kept.set(key, { memory, state, through: memory.askedUntil, at })
    }
    for (const [key, parted] of this.#kept) {
      if (at - parted.at < KEPT_MS && this.#kept.size <= MOST_KEPT) break
      this.#kept.delete(key)
    }
  }

  of(policy: string, memory: PolicyMemory, id: string): Parted | undefined {
    const parted = this.#kept.get(keyOf(policy, id))
    return parted?.memory === memory ? parted : undefined
  }

  /** They are in the policy's memory again. */
  back(policy: string, ids: Iterable<string>): void {
    for (const id of ids) this.#kept.delete(keyOf(policy, id))
  }
}

function keyOf(policy: string, id: string): string {
  return `${policy} ${id}`
}
