import type { GuardLine } from './guard-lines.ts'
import type { UsageNow } from './read-usage.ts'

/** One column: the mean of a stretch of time; undefined = no usage numbers. */
export type Point = {
  readonly endSeconds: number
  readonly iops: number | undefined
  readonly coveragePercent?: number
}

/** A level worth seeing, such as what the next tier serves. */
export type Level = { readonly name: string; readonly iops: number }

/** Everything that is known about why one volume is where it is. Money per month in the unit of the prices. */
export type Explanation = {
  readonly apiVersion: 'couchestor.io/v1alpha1'
  readonly kind: 'Explanation'
  readonly at: string
  readonly namespace: string
  readonly claim: string
  readonly policy: string
  readonly volumeId: string
  readonly sizeGiB: number
  readonly tier: string
  /** Empty when it is wanted nowhere else. */
  readonly wants: string
  readonly reason: string
  /** The verdict for people who pay the bill. */
  readonly sentence: string
  /** What else the owner of the claim should know. */
  readonly notes: readonly string[]
  readonly guards: readonly GuardLine[]
  readonly costs: readonly TierCost[]
  readonly wouldChange: readonly string[]
  readonly lastMoves: readonly LastMove[]
  readonly openMove: LastMove | null
  /** null when no policy manages the claim. */
  readonly usage: UsageNow | null
  readonly history: readonly Point[]
  readonly levels: readonly Level[]
}

export type TierCost = {
  readonly tier: string
  /** For the storage alone. */
  readonly storage: number
  /** What throttling there would have been worth, at the rate of the discounted history; null without history. */
  readonly throttling: number | null
  readonly total: number | null
  /** I/O operations per second; null = no limit. */
  readonly serves: number | null
}

export type LastMove = {
  readonly name: string
  readonly from: string
  readonly to: string
  readonly asked: string
  readonly step: string
  readonly reason: string
  readonly at: string
  readonly approvedBy: string
}
