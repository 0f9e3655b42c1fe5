import { isPlausibleDemand } from './rule.ts'
import type { Observation, RuleConstants, Tier } from './types.ts'

/** Means over one window. */
export type WindowActivity = {
  readonly operationsPerSecond: number
  readonly bytesPerSecond: number
  readonly coveragePercent: number
}

/**
 * I/O operations per second that count: large sequential reads are not cold, so bytes count as operations of
 * `ioUnitKiB` each. The same unit holds in thresholds, limits and backtests.
 */
export function demandOf(
  activity: Pick<WindowActivity, 'operationsPerSecond' | 'bytesPerSecond'>,
  ioUnitKiB: number,
): number {
  return Math.max(activity.operationsPerSecond, activity.bytesPerSecond / (ioUnitKiB * 1024))
}

/** Since when each side says that the volume is attached nowhere, in seconds; undefined = attached, or not known. */
export type AttachmentFacts = {
  readonly detachedSinceByKubernetes: number | undefined
  readonly detachedSinceByCinder: number | undefined
}

export type WindowFacts = {
  /** What the source said: of this volume nothing (`activity` undefined), or that it is down. */
  readonly answer:
    | {
        readonly kind: 'Answer'
        readonly activity: WindowActivity | undefined
        /** Why there is none, as far as the source knows. */
        readonly missing?: string | undefined
      }
    | { readonly kind: 'Down'; readonly why: string }
  readonly attachment: AttachmentFacts
  /** Seconds since the epoch, and seconds. */
  readonly windowEnd: number
  readonly windowSeconds: number
}

export type ObservationRules = {
  readonly minCoveragePercent: number
  readonly ioUnitKiB: number
  /** How long a volume must have been detached before a window without series counts as zero. */
  readonly detachedGraceSeconds: number
}

/**
 * What a window says about a volume. Only numbers with enough coverage are `Measured`; detached by both
 * Kubernetes and Cinder for the grace period and the whole window after it is `Detached`, a measured zero;
 * everything else is no data, which is never zero.
 */
export function classify(facts: WindowFacts, rules: ObservationRules): Observation {
  const { answer } = facts
  const activity = answer.kind === 'Answer' ? answer.activity : undefined
  if (activity) return measured(activity, rules)
  if (isDetached(facts, rules)) return { kind: 'Detached' }
  if (answer.kind === 'Down') return { kind: 'SourceDown', why: answer.why }
  return { kind: 'NoData', why: answer.missing ?? UNKNOWN_WHY }
}

const UNKNOWN_WHY = 'the volume is not known to be detached, and has no usage numbers'

function measured(activity: WindowActivity, rules: ObservationRules): Observation {
  const { operationsPerSecond, bytesPerSecond, coveragePercent } = activity
  const iops = demandOf(activity, rules.ioUnitKiB)
  if (!isPlausibleDemand(iops) || operationsPerSecond < 0 || bytesPerSecond < 0)
    return {
      kind: 'NoData',
      why: `the source says ${operationsPerSecond} operations and ${bytesPerSecond} bytes per second, which cannot be right`,
    }
  if (coveragePercent >= rules.minCoveragePercent)
    return { kind: 'Measured', iops, coveragePercent }
  const why = `coverage ${Math.floor(coveragePercent)} % of ${rules.minCoveragePercent} %`
  return { kind: 'NoData', why, coveragePercent }
}

function isDetached(facts: WindowFacts, rules: ObservationRules): boolean {
  const { detachedSinceByKubernetes, detachedSinceByCinder } = facts.attachment
  if (detachedSinceByKubernetes === undefined || detachedSinceByCinder === undefined) return false
  const since = Math.max(detachedSinceByKubernetes, detachedSinceByCinder)
  return since + rules.detachedGraceSeconds <= facts.windowEnd - facts.windowSeconds
}

/**
 * A volume that reaches the limit of its tier shows the limit, not what it wants: from `saturationShare` of it on,
 * `saturationFactor` times the limit is assumed. `capIops` undefined = no limit is known to hold it back.
 */
export function assumedDemand(
  observed: number,
  capIops: number | undefined,
  constants: Pick<RuleConstants, 'saturationShare' | 'saturationFactor'>,
): number {
  if (capIops === undefined || !Number.isFinite(capIops)) return observed
  if (observed < constants.saturationShare * capIops) return observed
  return Math.max(observed, constants.saturationFactor * capIops)
}

/** The demand that the rule may learn from, undefined when nothing was measured. `tier` is the one it was on. */
export function demandFrom(
  observation: Observation,
  tier: Pick<Tier, 'capIops'> | undefined,
  sizeGiB: number,
  constants: RuleConstants,
): number | undefined {
  if (observation.kind === 'Detached') return 0
  if (observation.kind !== 'Measured') return undefined
  return assumedDemand(observation.iops, tier?.capIops?.(sizeGiB), constants)
}
