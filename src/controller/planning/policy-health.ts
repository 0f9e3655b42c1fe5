import type { Block } from '../../blockers/blocker.ts'
import type { Observation } from '../../policy/types.ts'

type Health = {
  medianSizeGiB: number
  covered: number
  /** Attached volumes that have lost their usage numbers. */
  lost: number
  attached: number
  /** undefined = no window has been counted yet. */
  frozen: boolean | undefined
  catchingUp: boolean
  /** The source that all of this is from. */
  source: string | undefined
  down: string | undefined
  windowEnd: number | undefined
  /** What the source said about the newest window besides numbers. */
  warnings: readonly string[]
}

/** Share of the volumes that should have numbers below which demotion freezes, and from which it goes on. */
const FREEZE_BELOW = 0.7
const THAW_FROM = 0.85

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

  forgetPolicies(isKept: (policy: string) => boolean): void {
    for (const name of this.#policies.keys()) if (!isKept(name)) this.#policies.delete(name)
  }

  /** Counts of one answered window. `wasFrozen`: what an earlier process left, for the first window of this one. */
  window(
    policy: string,
    windowEnd: number,
    { covered, attached, lost }: Pick<Health, 'covered' | 'attached' | 'lost'>,
    wasFrozen: boolean,
  ): void {
    const h = this.#of(policy)
    h.down = undefined
    h.windowEnd = windowEnd
    h.covered = covered
    h.attached = attached
    h.lost = lost
    const share = (h.frozen ?? wasFrozen) ? THAW_FROM : FREEZE_BELOW
    h.frozen = covered < (covered + lost) * share
  }

  /**
   * What another source said is no news of this one; which volumes had numbers still is. Returns true when the source is a
   * new one.
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

  /** undefined = it answers. */
  down(policy: string, why: string | undefined): void {
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

  freeze(policy: string): Block<'CatchingUp' | 'DemotionFrozen'> | undefined {
    const h = this.#of(policy)
    if (h.catchingUp)
      return {
        reason: 'CatchingUp',
        message: 'history is still being read; demotion waits until it is complete',
      }
    if (h.frozen !== true) return undefined
    return {
      reason: 'DemotionFrozen',
      message: `only ${h.covered} of usually ${h.covered + h.lost} volumes have usage numbers; demotion waits until they are back`,
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
        covered: 0,
        lost: 0,
        attached: 0,
        frozen: undefined,
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
