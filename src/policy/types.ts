/**
 * The vocabulary of deciding. Pure data: no client, no clock. Tiers are indexed fastest first (0 = fastest).
 * Times are whole seconds since the epoch, sizes GiB, demand I/O operations per second.
 */

/** A tier with every field resolved; see resolve.ts for where each one comes from. */
export type Tier = {
  readonly name: string
  readonly typeId: string
  readonly typeName: string
  readonly storageClass?: string
  readonly pricePerGiBMonth: number
  /** Demand it can serve for a volume of that size; Infinity = no limit. */
  limitIops(sizeGiB: number): number
  /** The QoS limit that really caps what is observed; undefined when none was given. */
  capIops?(sizeGiB: number): number
  readonly retentionSeconds: number
  readonly iopsThreshold?: number
  readonly maxGiB?: number
  readonly headroomPercent: number
}

export type RuleConstants = {
  /** Hours of full price premium that one fully throttled hour is worth. */
  readonly rho: number
  /** Price of a move in hours of full premium. */
  readonly muHours: number
  readonly moveCostPerGiB: number
  readonly halfLifeHours: number
  readonly up0: number
  readonly upPerDay: number
  readonly down0: number
  readonly downPerDay: number
  /** Exponents with which size (over the median) and rho (over 20) raise what a demotion must show. */
  readonly gamma: number
  readonly rhoGamma: number
  /** How many times its own uncertainty a lead must show beside the price of the move, upwards and downwards. */
  readonly doubtUp: number
  readonly doubtDown: number
  readonly brakeFactor: number
  readonly brakeHours: number
  readonly saturationShare: number
  readonly saturationFactor: number
}

/** All the engine remembers of a volume; packed into checkpoints by state.ts. */
export type VolumeState = {
  /** Discounted cost per tier since first seen. */
  readonly cost: readonly number[]
  /**
   * Discounted sum of squared cost differences of each pair of tiers, (0,1), (0,2), …, (1,2), …: the square of how
   * far the lead of one over the other may be chance.
   */
  readonly spread: readonly number[]
  /** Discounted hours of history, at most about 69.5 with a half-life of 48 h. */
  readonly hours: number
  /** Discounted sum of demand times hours; divided by `hours` it is the mean demand. */
  readonly demandHours: number
  /** Tier before the last move, -1 = never moved. */
  readonly previousTier: number
  readonly movedAt: number
  /** Tier at the last measured window or move, -1 = not known. */
  readonly tier: number
  /** Time with enough data, ever, seconds. */
  readonly coveredSeconds: number
  /** Measured time since demand last exceeded the limit of the next slower tier, or since the last move, seconds. */
  readonly quietSeconds: number
  readonly lastWindowEnd: number
  /** End of the last window in which it was attached and had numbers, 0 = never. */
  readonly measuredAt: number
  /**
   * When demand last exceeded the limit of the next slower tier (seconds), 0 = not since first seen.
   * A move sets it to its own time: against the limit below the new tier nothing is known yet.
   */
  readonly lastExceededAt: number
  readonly firstSeenAt: number
}

export type Observation =
  | { readonly kind: 'Measured'; readonly iops: number; readonly coveragePercent: number }
  | { readonly kind: 'Detached' }
  /** `coveragePercent` is there when samples arrived, but too few of them. */
  | { readonly kind: 'NoData'; readonly why: string; readonly coveragePercent?: number }
  | { readonly kind: 'SourceDown'; readonly why: string }

/** What the rule wants, before any guard, with the numbers that explain it. */
export type Wish = {
  /** Index of the wanted tier; equal to the current one when it wants nothing. */
  readonly to: number
  /** The tier that the numbers compare with: the wanted one, else the best other; -1 when there is none. */
  readonly other: number
  /** Money that tier leads by, over the discounted history; negative when it would have cost more. */
  readonly lead: number
  /** Lead that is needed to move. */
  readonly needed: number
  readonly moveCost: number
  readonly historyHours: number
  /** Mean demand over the discounted history. */
  readonly meanIops: number
  /** Algorithm Threshold only: the limit that the mean was compared with. */
  readonly limitIops?: number
}
