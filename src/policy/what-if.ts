import type { RuleConstants, Tier, VolumeState, Wish } from './types.ts'
import { observe } from './rule.ts'

/** What the rule would say if the volume went on with one steady demand. */
export type WhatIf = {
  /** I/O operations per second. */
  readonly iops: number
  readonly hours: number
  /** Index of the tier it would then want. */
  readonly to: number
}

export type WhatIfInput = {
  readonly state: VolumeState
  readonly tier: number
  readonly sizeGiB: number
  readonly tiers: readonly Tier[]
  readonly constants: RuleConstants
  readonly windowHours: number
  readonly decide: (state: VolumeState) => Wish
}

const MOST_HOURS = 60 * 24

/** After how long of `iops` the rule wants another tier; undefined = not within 60 days. */
export function whatIf(input: WhatIfInput, iops: number): WhatIf | undefined {
  const { tier, sizeGiB, tiers, constants, windowHours } = input
  let { state } = input
  for (let n = 1; n * windowHours <= MOST_HOURS; n++) {
    const end = state.lastWindowEnd + windowHours * 3600
    state = observe(state, tier, iops, sizeGiB, tiers, constants, windowHours, end)
    const { to } = input.decide(state)
    if (to !== tier) return { iops, hours: n * windowHours, to }
  }
  return undefined
}
