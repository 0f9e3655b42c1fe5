import type { ConfigTier } from '../api/config.ts'
import type { Problem } from '../errors.ts'
import { TIER_DEFAULTS } from '../api/policy-tiers.ts'
import type { TierSpec } from '../api/storage-policy.ts'
import { resolvePrices } from './resolve-prices.ts'
import { resolveTypes } from './resolve-types.ts'
import { sizedLimit } from './sized-limit.ts'
import type { TierProblem, TierSource, VolumeTypeName } from './tier-source.ts'
import type { Tier } from './types.ts'

export type ResolvedTiers =
  | { readonly ok: true; readonly tiers: readonly Tier[]; readonly pricesAssumed: boolean }
  | {
      readonly ok: false
      /** Of the first problem, for the condition TiersResolved. */
      readonly reason: TierProblem['reason']
      readonly problems: readonly TierProblem[]
    }

const SECONDS_PER_DAY = 86_400

/**
 * The tiers of a policy with every field filled in, or all that a person must fix, one message each with field,
 * value and fix. Pure: what is not in `source` is not known.
 */
export function resolveTiers(source: TierSource): ResolvedTiers {
  const types = resolveTypes(source)
  const prices = resolvePrices(source.tiers)
  const limits = resolveLimits(source)
  const problems = [
    ...invalid(nameProblems(source.tiers)),
    ...types.flatMap((t) => t.problem ?? []),
    ...prices.problems,
    ...invalid(limits.problems),
  ]
  const [first] = problems
  if (first) return { ok: false, reason: first.reason, problems }
  const tiers = source.tiers.flatMap((spec, i): readonly Tier[] => {
    const type = types[i]?.type
    const limitIops = limits.limits[i]
    const price = prices.prices[i]
    if (!type || !limitIops || price === undefined) return []
    return [tierOf(spec, source.configTiers[spec.name] ?? {}, type, price, limitIops)]
  })
  return { ok: true, tiers, pricesAssumed: prices.assumed }
}

function invalid(problems: readonly Problem[]): readonly TierProblem[] {
  return problems.map((problem) => ({ reason: 'TiersInvalid', ...problem }))
}

function tierOf(
  spec: TierSpec,
  config: ConfigTier,
  type: VolumeTypeName,
  pricePerGiBMonth: number,
  limitIops: (sizeGiB: number) => number,
): Tier {
  const storageClass = spec.storageClass ?? config.storageClass
  const iopsThreshold = spec.iopsThreshold ?? config.iopsThreshold
  const maxGiB = spec.capacity?.maxGiB
  return {
    name: spec.name,
    typeId: type.id,
    typeName: type.name,
    pricePerGiBMonth,
    limitIops,
    retentionSeconds: (spec.retentionDays ?? TIER_DEFAULTS.retentionDays) * SECONDS_PER_DAY,
    headroomPercent: spec.capacity?.headroomPercent ?? TIER_DEFAULTS.capacity.headroomPercent,
    ...(storageClass !== undefined && { storageClass }),
    ...(spec.iopsLimit && { capIops: limitIops }),
    ...(iopsThreshold !== undefined && { iopsThreshold }),
    ...(maxGiB !== undefined && { maxGiB }),
  }
}

function nameProblems(tiers: readonly TierSpec[]): readonly Problem[] {
  if (tiers.length === 0)
    return [{ what: 'spec.tiers: is empty', fix: 'list at least two tiers, fastest first' }]
  return tiers.flatMap((tier, i) => {
    const first = tiers.findIndex((other) => other.name === tier.name)
    return first < i
      ? [
          {
            what: `spec.tiers[${i}].name: "${tier.name}" is taken by spec.tiers[${first}]`,
            fix: 'give each tier its own name',
          },
        ]
      : []
  })
}

type Limits = {
  readonly limits: readonly ((sizeGiB: number) => number)[]
  readonly problems: readonly Problem[]
}

/** A given limit, else the threshold from which the next faster tier is meant; the fastest serves everything. */
function resolveLimits(source: TierSource): Limits {
  const problems: Problem[] = []
  const threshold = (i: number) => {
    const tier = source.tiers[i]
    return tier && (tier.iopsThreshold ?? source.configTiers[tier.name]?.iopsThreshold)
  }
  const limits = source.tiers.map((tier, i) => {
    if (tier.iopsLimit) return sizedLimit(tier.iopsLimit)
    if (i === 0) return () => Infinity
    const limit = threshold(i - 1)
    if (limit === undefined)
      problems.push({
        what: `spec.tiers[${i}] (${tier.name}): nothing says what it can serve`,
        fix: `set spec.tiers[${i - 1}].iopsThreshold, or spec.tiers[${i}].iopsLimit`,
      })
    return () => limit ?? NaN
  })
  return { limits, problems: [...problems, ...orderProblems(source.tiers, limits)] }
}

const PROBES_GIB = [1, 10, 100, 1000, 10_000]

/** A tier that serves more than the one before it at every size: the list is in the wrong order. */
function orderProblems(
  tiers: readonly TierSpec[],
  limits: readonly ((sizeGiB: number) => number)[],
): readonly Problem[] {
  return tiers.flatMap((tier, i) => {
    const limit = limits[i]
    const faster = limits[i - 1]
    if (!limit || !faster || !PROBES_GIB.every((size) => limit(size) > faster(size))) return []
    return [
      {
        what: `spec.tiers[${i}] (${tier.name}): serves ${limit(100)} operations per second for 100 GiB, more than ${tiers[i - 1]?.name} before it with ${faster(100)}`,
        fix: 'list the tiers fastest first, with thresholds that fall',
      },
    ]
  })
}
