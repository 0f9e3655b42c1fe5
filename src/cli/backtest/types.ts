import type { RuleConstants } from '../../policy/types.ts'

/** A tier of a replay. Limits in I/O operations per second for a size in GiB; Infinity = none. */
export type ReplayTier = {
  readonly name: string
  readonly pricePerGiBMonth: number
  limitIops(sizeGiB: number): number
}

/** What is replayed, whatever the volumes: tiers fastest first, as in policy/. */
export type Setting = {
  readonly name: string
  /** Length of one interval on the clock of the replay. */
  readonly intervalHours: number
  readonly tiers: readonly ReplayTier[]
  /** Index of the tier every volume is on before interval 1. */
  readonly startTier: number
  readonly money: Pick<RuleConstants, 'rho' | 'muHours' | 'moveCostPerGiB'>
  /** True = a rule sees min(demand, limit of the tier the volume is on), as a real volume under QoS would show. */
  readonly censored: boolean
}

/** One volume: demand per interval in I/O operations per second; NaN = not measured, so that nothing is decided. */
export type Load = {
  readonly id: string
  readonly sizeGiB: number
  readonly demand: Float64Array
  /** The tier it starts on, when that differs from the setting's. */
  readonly startTier?: number
}

/** Index of the tier the volume is on before interval 1. */
export function startOf(setting: Setting, load: Load): number {
  return load.startTier ?? setting.startTier
}

/** Acts from interval `after + 1` on. Tiers are indexes, 0 = fastest. */
export type Move = { readonly after: number; readonly from: number; readonly to: number }

/** What a rule may know of a volume from the beginning. */
export type RuleFacts = {
  readonly setting: Setting
  readonly load: Load
  readonly medianSizeGiB: number
  readonly limits: readonly number[]
}

/** The memory of one volume. `k` counts intervals from 1; `tier` is the one the volume was on in it. */
export interface Rule {
  /** The tier wanted after interval k with this observation; equal to `tier` = stay. */
  decide(observed: number, k: number, tier: number): number
  /** The move that was just wanted has been made. */
  moved(from: number, to: number, k: number): void
}

export type RuleFactory = (facts: RuleFacts) => Rule
