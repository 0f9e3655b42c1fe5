import type * as z from 'zod'
import type { Condition, ObjectMeta } from './object.ts'
import type { policySpec } from './policy-schema.ts'

/** What is written in YAML: a field is there or not, and nothing changes it. */
type Written<T> = T extends readonly (infer Item)[]
  ? readonly Written<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: Written<Exclude<T[K], undefined>> }
    : T

/** `spec` of a StoragePolicy as a person writes it; durations are Go durations (`30m`, `24h`). */
export type StoragePolicySpec = Written<z.input<typeof policySpec>>

type Migration = NonNullable<StoragePolicySpec['migration']>
export type PolicyStrategy = NonNullable<Migration['strategy']>
/** What a move is done by. */
export type Strategy = Exclude<PolicyStrategy, 'Auto'>
/** How a copy comes to its volume type. */
export type Via = NonNullable<Migration['via']>
export type Mode = NonNullable<StoragePolicySpec['mode']>
export type AttachedRule = NonNullable<Migration['attached']>
export type WorkloadRule = NonNullable<Migration['workloads']>
export type TierSpec = StoragePolicySpec['tiers'][number]
/** A limit that grows with the size: min(max, base + perGiB * GiB). In I/O operations (or bytes) per second. */
export type SizedLimit = NonNullable<TierSpec['iopsLimit']>
export type LabelSelector = NonNullable<StoragePolicySpec['selector']>

export type StoragePolicyStatus = {
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
  readonly managedClaims?: number
  /** Volumes per tier, counted by what Cinder says. */
  readonly tiers?: readonly {
    readonly name: string
    readonly volumes: number
    readonly gib: number
  }[]
  /** Claims that stay, per reason (`Retention`, `NoData`, …). */
  readonly staying?: readonly { readonly reason: string; readonly claims: number }[]
  readonly moving?: number
  readonly blockedPercent?: number
  /** Money per month, in the unit of the prices given; as text with two decimals. */
  readonly monthlyCost?: {
    readonly now?: string
    readonly wanted?: string
    readonly assumedPrices?: boolean
  }
  /** Extra monthly cost that retentionDays causes: claims that would have left a tier by now. */
  readonly retentionMonthlyCost?: string
  readonly medianSizeGiB?: number
  readonly lastWindowEnd?: string
  /** Fields that are accepted and validated, but not yet acted on. */
  readonly notYetActedOn?: readonly string[]
}

export type StoragePolicy = {
  readonly apiVersion: string
  readonly kind: 'StoragePolicy'
  readonly metadata: ObjectMeta
  readonly spec: StoragePolicySpec
  readonly status?: StoragePolicyStatus
}
