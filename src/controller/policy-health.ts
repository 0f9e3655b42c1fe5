import type { Block } from '../policy/candidate.ts'
import type { Observation } from '../policy/types.ts'

type Health = {
  medianSizeGiB: number
  /** Most volumes with usage numbers, fading slowly, so that a fleet may shrink. */
  usual: number
  covered: number
  attached: number
  frozen: boolean
  catchingUp: boolean
  /** The source that all of this is from. */
  source: string | undefined
  down: string | undefined
  windowEnd: number | undefined
  /** What the source said about the newest window besides numbers. */
  warnings: readonly string[]
}

/** Share of the usual number of covered volumes below which demotion freezes, and from which it goes on. */
const FREEZE_BELOW = 0.7
const THAW_FROM = 0.85
const FADE = 0.99

/** How far the usage numbers of each policy can be trusted now. */
export class PolicyHealth {
  readonly #policies = new Map<string, Health>()
  readonly #observations = new Map<string, Observation>()

  observation(volumeId: string): Observation | undefined {
    return this.#observations.get(volumeId)
  }

  note(volumeId: string, observation: Observation): void {
    this.#observations.set(volumeId, observation)
  }

  forget(keep: (volumeId: string) => boolean): void {
    for (const id of this.#observations.keys()) if (!keep(id)) this.#observations.delete(id)
  }

  /** Counts of one answered window. Returns true when demotion has just been frozen or thawed. */
  window(policy: string, windowEnd: number, covered: number, attached: number): boolean {
    const h = this.#of(policy)
    h.down = undefined
    h.windowEnd = windowEnd
    h.covered = covered
    h.attached = attached
    const before = h.frozen
    h.usual = Math.max(h.usual * FADE, covered)
    h.frozen = covered < h.usual * (before ? THAW_FROM : FREEZE_BELOW)
    return h.frozen !== before
  }

  /**
   * What another source said is no news of this one; how many volumes usually have numbers still is. Returns true when the
   * source is a new one.
   */
  readsFrom(policy: string, source: string): boolean {
    const h = this.#of(policy)
    if (h.source === source) return false
    h.source = source
    h.down = undefined
    h.windowEnd = undefined
    h.warnings = []
    return true
  }

  warn(policy: string, warnings: readonly string[]): void {
    this.#of(policy).warnings = warnings
  }

  down(policy: string, why: string): void {
    this.#of(policy).down = why
  }

  catchingUp(policy: string, on: boolean): void {
    this.#of(policy).catchingUp = on
  }

  /** Kept as it is until it is off by a factor of two, so that one new volume does not shift every threshold. */
  noteMedian(policy: string, median: number): void {
    const h = this.#of(policy)
    if (h.medianSizeGiB === 0 || median > h.medianSizeGiB * 2 || median < h.medianSizeGiB / 2)
      h.medianSizeGiB = median
  }

  medianSizeGiB(policy: string): number {
    return this.#of(policy).medianSizeGiB
  }

  freeze(policy: string): Block | undefined {
    const h = this.#of(policy)
    if (h.catchingUp)
      return {
        reason: 'CatchingUp',
        message: 'history is still being read; demotion waits until it is complete',
      }
    if (!h.frozen) return undefined
    return {
      reason: 'DemotionFrozen',
      message: `only ${h.covered} of usually ${Math.round(h.usual)} volumes have usage numbers; demotion waits until they are back`,
    }
  }

  state(policy: string): Readonly<Health> {
    return this.#of(policy)
  }

  #of(policy: string): Health {
    let h = this.#policies.get(policy)
    if (h === undefined) {
      h = {
        medianSizeGiB: 0,
        usual: 0,
        covered: 0,
        attached: 0,
        frozen: false,
        catchingUp: true,
        source: undefined,
        down: undefined,
        windowEnd: undefined,
        warnings: [],
      }
      this.#policies.set(policy, h)
    }
    return h
  }
}
