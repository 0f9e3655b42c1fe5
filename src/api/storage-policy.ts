import type { Condition, ObjectMeta } from './object.ts'

export type Strategy = 'cinder-retype' | 'cinder-transfer' | 'snapshot-restore'
export type Mode = 'Auto' | 'Approve' | 'Observe'
export type AttachedRule = 'Auto' | 'Never' | 'Allow'

/** A limit that grows with the size: min(max, base + perGiB * GiB). In I/O operations (or bytes) per second. */
export type SizedLimit = { readonly base?: number; readonly perGiB?: number; readonly max?: number }

export type TierSpec = {
  readonly name: string
  readonly storageClass?: string
  readonly cinderVolumeType?: string
  readonly iopsThreshold?: number
  readonly retentionDays?: number
  readonly regions?: readonly string[]
  readonly costPerGiBMonth?: number
  readonly iopsLimit?: SizedLimit
  readonly throughputLimit?: SizedLimit
  readonly capacity?: { readonly maxGiB?: number; readonly headroomPercent?: number }
}

export type LabelSelector = {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
    readonly values?: readonly string[]
  }[]
}

/** `spec` of a StoragePolicy as a person writes it; durations are Go durations (`30m`, `24h`). */
export type StoragePolicySpec = {
  readonly cloudProvider?: 'openstack'
  readonly mode?: Mode
  readonly paused?: boolean
  readonly priority?: number
  readonly selector?: LabelSelector
  readonly namespaceSelector?: LabelSelector
  readonly storageClassNames?: readonly string[]
  readonly tiers: readonly TierSpec[]
  readonly overrides?: { readonly forceTier?: 'Allow' | 'Deny' }
  readonly metrics?: {
    readonly source?: 'Prometheus' | 'Gnocchi'
    readonly window?: string
    readonly minHistory?: string
    readonly minCoveragePercent?: number
    readonly maxStaleness?: string
    readonly ioUnitKiB?: number
  }
  readonly decision?: {
    readonly algorithm?: 'BreakEven' | 'Threshold'
    readonly rho?: number
    readonly muHours?: number
    readonly moveCostPerGiB?: number
    readonly halfLifeHours?: number
  }
  readonly migration?: {
    readonly strategy?: Strategy
    readonly schedule?: string
    readonly timeZone?: string
    readonly slotDuration?: string
    readonly cooldownPeriod?: string
    readonly cooldown?: { readonly promote?: string; readonly demote?: string }
    readonly maxConcurrent?: number
    readonly attached?: AttachedRule
    readonly cinderOptions?: {
      readonly migrationPolicy?: 'on-demand' | 'never'
      readonly allowHostCopy?: boolean
      /** Seconds. */
      readonly retypeTimeout?: number
    }
  }
  readonly limits?: {
    readonly perNamespace?: readonly {
      readonly namespace: string
      readonly maxConcurrent: number
    }[]
    /** A pool is named by the tier that lives on it. */
    readonly perPool?: readonly { readonly pool: string; readonly maxConcurrent: number }[]
    readonly maxGiBPerSlot?: number
  }
  readonly budget?: { readonly maxMonthlyCost?: number }
  readonly erasureCoding?: {
    readonly enabled?: boolean
    readonly coldTierOnly?: boolean
    readonly dataShards?: number
    readonly parityShards?: number
  }
  readonly multiRegion?: {
    readonly enabled?: boolean
    readonly primaryRegion?: string
    readonly replicaRegions?: readonly string[]
  }
}

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
