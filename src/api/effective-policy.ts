import type { Config } from './config.ts'
import { parseDuration, tryParseDuration } from './duration.ts'
import type { SourceName } from './names.ts'
import type { Schedule } from './schedule.ts'
import { createSchedule } from './schedule.ts'
import { POLICY_DEFAULTS } from './policy-schema.ts'
import type {
  AttachedRule,
  Mode,
  PolicyStrategy,
  StoragePolicySpec,
  TierSpec,
  Via,
  WorkloadRule,
} from './storage-policy.ts'

/** Windows after which the last one counts as no data. */
const STALE_WINDOWS = 3

/** A policy with every default filled in and every duration in ms. Tiers stay as written: policy/resolve.ts fills them. */
export type EffectivePolicy = {
  readonly mode: Mode
  readonly paused: boolean
  readonly priority: number
  readonly tiers: readonly TierSpec[]
  readonly forceTier: 'Allow' | 'Deny'
  readonly metrics: {
    readonly source: SourceName
    readonly windowMs: number
    readonly minHistoryMs: number
    readonly minCoveragePercent: number
    readonly maxStalenessMs: number
    readonly ioUnitKiB: number
  }
  /** Constants left out keep the rule's own defaults. */
  readonly decision: {
    readonly algorithm: 'BreakEven' | 'Threshold'
    readonly rho: number | undefined
    readonly muHours: number | undefined
    readonly moveCostPerGiB: number | undefined
    readonly halfLifeHours: number | undefined
  }
  readonly migration: {
    readonly strategy: PolicyStrategy
    readonly via: Via
    /** undefined = at any time. */
    readonly schedule: Schedule | undefined
    readonly cooldown: { readonly promoteMs: number; readonly demoteMs: number }
    /** Never more than config.yaml allows. */
    readonly maxConcurrent: number
    readonly attached: AttachedRule
    readonly workloads: WorkloadRule
    /** `never` when allowHostCopy is false. */
    readonly migrationPolicy: 'on-demand' | 'never'
    readonly retypeTimeoutMs: number
  }
  readonly limits: {
    readonly perNamespace: ReadonlyMap<string, number>
    readonly perPool: ReadonlyMap<string, number>
    readonly maxGiBPerSlot: number | undefined
  }
  readonly maxMonthlyCost: number | undefined
}

/**
 * `spec` with config.yaml and defaults worked in. `spec` has passed `parseStoragePolicy`; otherwise a bad schedule
 * throws `UserError`, and a bad duration counts as not given.
 */
export function effectivePolicy(spec: StoragePolicySpec, config: Config): EffectivePolicy {
  return {
    mode: spec.mode ?? POLICY_DEFAULTS.mode,
    paused: spec.paused ?? POLICY_DEFAULTS.paused,
    priority: spec.priority ?? POLICY_DEFAULTS.priority,
    tiers: spec.tiers,
    forceTier: spec.overrides?.forceTier ?? POLICY_DEFAULTS.overrides.forceTier,
    metrics: metricsOf(spec, config),
    decision: {
      algorithm: spec.decision?.algorithm ?? POLICY_DEFAULTS.decision.algorithm,
      rho: spec.decision?.rho,
      muHours: spec.decision?.muHours,
      moveCostPerGiB: spec.decision?.moveCostPerGiB,
      halfLifeHours: spec.decision?.halfLifeHours,
    },
    migration: migrationOf(spec, config),
    limits: {
      perNamespace: new Map(
        spec.limits?.perNamespace?.map((l) => [l.namespace, l.maxConcurrent] as const),
      ),
      perPool: new Map(spec.limits?.perPool?.map((l) => [l.pool, l.maxConcurrent] as const)),
      maxGiBPerSlot: spec.limits?.maxGiBPerSlot,
    },
    maxMonthlyCost: spec.budget?.maxMonthlyCost,
  }
}

function metricsOf(
  { metrics = {} }: StoragePolicySpec,
  config: Config,
): EffectivePolicy['metrics'] {
  const fallback = POLICY_DEFAULTS.metrics
  const windowMs = msOf(metrics.window, fallback.window)
  return {
    source: metrics.source ?? config.metrics.source,
    windowMs,
    minHistoryMs: msOf(metrics.minHistory, fallback.minHistory),
    minCoveragePercent: metrics.minCoveragePercent ?? fallback.minCoveragePercent,
    maxStalenessMs: tryMsOf(metrics.maxStaleness) ?? STALE_WINDOWS * windowMs,
    ioUnitKiB: metrics.ioUnitKiB ?? fallback.ioUnitKiB,
  }
}

function migrationOf(
  { migration = {} }: StoragePolicySpec,
  config: Config,
): EffectivePolicy['migration'] {
  const { cinderOptions = {} } = migration
  const fallback = POLICY_DEFAULTS.migration
  const cooldownMs = tryMsOf(migration.cooldownPeriod) ?? config.migration.cooldownPeriodMs
  const most = config.migration.concurrentMigrations
  const { allowHostCopy, migrationPolicy, retypeTimeout } = {
    ...fallback.cinderOptions,
    ...cinderOptions,
  }
  return {
    strategy: migration.strategy ?? fallback.strategy,
    via: migration.via ?? fallback.via,
    schedule: scheduleOf(migration),
    cooldown: {
      promoteMs: tryMsOf(migration.cooldown?.promote) ?? cooldownMs,
      demoteMs: tryMsOf(migration.cooldown?.demote) ?? cooldownMs,
    },
    maxConcurrent: Math.min(migration.maxConcurrent ?? most, most),
    attached: migration.attached ?? fallback.attached,
    workloads: migration.workloads ?? fallback.workloads,
    migrationPolicy: allowHostCopy ? migrationPolicy : 'never',
    retypeTimeoutMs: retypeTimeout * 1000,
  }
}

function scheduleOf({
  schedule,
  timeZone,
  slotDuration,
}: NonNullable<StoragePolicySpec['migration']>): Schedule | undefined {
  if (schedule === undefined) return undefined
  const fallback = POLICY_DEFAULTS.migration
  const slotMs = msOf(slotDuration, fallback.slotDuration)
  return createSchedule(schedule, timeZone ?? fallback.timeZone, slotMs)
}

function tryMsOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : tryParseDuration(text)
}

function msOf(text: string | undefined, fallback: string): number {
  return tryMsOf(text) ?? parseDuration(fallback, 'the default')
}
