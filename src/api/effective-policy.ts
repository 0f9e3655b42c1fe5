import type { Config } from './config.ts'
import { tryParseDuration } from './duration.ts'
import type { Schedule } from './schedule.ts'
import { createSchedule } from './schedule.ts'
import type { AttachedRule, Mode, StoragePolicySpec, Strategy, TierSpec } from './storage-policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** What holds when neither policy nor config.yaml says anything. Times in ms. */
const POLICY_DEFAULTS = {
  mode: 'Auto',
  windowMs: 30 * MINUTE,
  minHistoryMs: 24 * HOUR,
  minCoveragePercent: 80,
  /** Windows after which the last one counts as no data. */
  staleWindows: 3,
  ioUnitKiB: 256,
  slotDurationMs: 4 * HOUR,
  attached: 'Auto',
  retypeTimeoutMs: HOUR,
} as const

/** A policy with every default filled in and every duration in ms. Tiers stay as written: policy/resolve.ts fills them. */
export type EffectivePolicy = {
  readonly mode: Mode
  readonly paused: boolean
  readonly priority: number
  readonly tiers: readonly TierSpec[]
  readonly forceTier: 'Allow' | 'Deny'
  readonly metrics: {
    readonly source: 'Prometheus' | 'Gnocchi'
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
    readonly strategy: Strategy
    /** undefined = at any time. */
    readonly schedule: Schedule | undefined
    readonly cooldown: { readonly promoteMs: number; readonly demoteMs: number }
    /** Never more than config.yaml allows. */
    readonly maxConcurrent: number
    readonly attached: AttachedRule
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
    paused: spec.paused ?? false,
    priority: spec.priority ?? 0,
    tiers: spec.tiers,
    forceTier: spec.overrides?.forceTier ?? 'Allow',
    metrics: metricsOf(spec, config),
    decision: {
      algorithm: spec.decision?.algorithm ?? 'BreakEven',
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
  const windowMs = msOf(metrics.window) ?? POLICY_DEFAULTS.windowMs
  return {
    source: metrics.source ?? config.metrics.source,
    windowMs,
    minHistoryMs: msOf(metrics.minHistory) ?? POLICY_DEFAULTS.minHistoryMs,
    minCoveragePercent: metrics.minCoveragePercent ?? POLICY_DEFAULTS.minCoveragePercent,
    maxStalenessMs: msOf(metrics.maxStaleness) ?? POLICY_DEFAULTS.staleWindows * windowMs,
    ioUnitKiB: metrics.ioUnitKiB ?? POLICY_DEFAULTS.ioUnitKiB,
  }
}

function migrationOf(
  { migration = {} }: StoragePolicySpec,
  config: Config,
): EffectivePolicy['migration'] {
  const { cinderOptions = {} } = migration
  const cooldownMs = msOf(migration.cooldownPeriod) ?? config.migration.cooldownPeriodMs
  const most = config.migration.concurrentMigrations
  return {
    strategy: migration.strategy ?? 'cinder-retype',
    schedule: scheduleOf(migration),
    cooldown: {
      promoteMs: msOf(migration.cooldown?.promote) ?? cooldownMs,
      demoteMs: msOf(migration.cooldown?.demote) ?? cooldownMs,
    },
    maxConcurrent: Math.min(migration.maxConcurrent ?? most, most),
    attached: migration.attached ?? POLICY_DEFAULTS.attached,
    migrationPolicy:
      cinderOptions.allowHostCopy === false
        ? 'never'
        : (cinderOptions.migrationPolicy ?? 'on-demand'),
    retypeTimeoutMs:
      cinderOptions.retypeTimeout === undefined
        ? POLICY_DEFAULTS.retypeTimeoutMs
        : cinderOptions.retypeTimeout * 1000,
  }
}

function scheduleOf({
  schedule,
  timeZone,
  slotDuration,
}: NonNullable<StoragePolicySpec['migration']>): Schedule | undefined {
  if (schedule === undefined) return undefined
  const slotMs = msOf(slotDuration) ?? POLICY_DEFAULTS.slotDurationMs
  return createSchedule(schedule, timeZone ?? 'UTC', slotMs)
}

function msOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : tryParseDuration(text)
}
