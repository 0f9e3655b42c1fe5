import { load } from 'js-yaml'
import type { Config } from '../../api/config.ts'
import { effectivePolicy } from '../../api/effective-policy.ts'
import type { EffectivePolicy } from '../../api/effective-policy.ts'
import { parseStoragePolicy } from '../../api/parse.ts'
import type { StoragePolicy } from '../../api/storage-policy.ts'
import { messageOf, UserError, sentenceOf } from '../../errors.ts'
import { constantsOf, deciderOf } from '../../policy/algorithm.ts'
import { resolveTiers } from '../../policy/resolve.ts'
import type { RuleConstants, Tier } from '../../policy/types.ts'
import { NO_GUARDS } from './guards.ts'
import type { GuardSettings } from './guards.ts'
import { leadRule } from './rules/lead.ts'
import type { RuleFactory, Setting } from './types.ts'

/** A StoragePolicy as a replay needs it. */
export type PolicySetting = {
  readonly policy: StoragePolicy
  readonly effective: EffectivePolicy
  readonly tiers: readonly Tier[]
  readonly constants: RuleConstants
  readonly setting: Setting
  /** The algorithm of the policy with its constants. */
  readonly rule: RuleFactory
  /** True = the policy names no prices, so that money is only a ratio. */
  readonly pricesAssumed: boolean
}

/**
 * Reads the file of a StoragePolicy. Volume types need not exist anywhere: a replay needs prices and limits only.
 * `startTier` by name (default: the fastest). Throws one `UserError` with field, value and fix.
 */
export function readPolicy(
  text: string,
  name: string,
  config: Config,
  startTier: string | undefined,
): PolicySetting {
  const policy = parsed(text, name)
  const effective = effectivePolicy(policy.spec, config)
  const resolved = resolveTiers({
    tiers: effective.tiers.map((t) => ({ ...t, cinderVolumeType: t.name })),
    configTiers: config.tiers,
    storageClasses: new Map(),
    volumeTypes: effective.tiers.map((t) => ({ id: t.name, name: t.name })),
  })
  if (!resolved.ok) throw wrong(name, resolved.problems.map(sentenceOf).join('; '))
  const { tiers } = resolved
  const constants = constantsOf(effective.decision)
  const { rho, muHours, moveCostPerGiB } = constants
  return {
    policy,
    effective,
    tiers,
    constants,
    pricesAssumed: resolved.pricesAssumed,
    setting: {
      name: policy.metadata.name,
      intervalHours: effective.metrics.windowMs / 3_600_000,
      tiers,
      startTier: startIndex(tiers, startTier),
      money: { rho, muHours, moveCostPerGiB },
      censored: false,
    },
    rule: leadRule(constants, deciderOf(effective.decision.algorithm)),
  }
}

function parsed(text: string, name: string): StoragePolicy {
  let raw: unknown
  try {
    raw = load(text)
  } catch (e) {
    throw wrong(name, `is not YAML: ${messageOf(e)}`)
  }
  const result = parseStoragePolicy(raw)
  if (!result.ok) throw wrong(name, result.problems.join('; '))
  return result.policy
}

function startIndex(tiers: readonly Tier[], name: string | undefined): number {
  if (name === undefined) return 0
  const index = tiers.findIndex((t) => t.name === name)
  if (index >= 0) return index
  const names = tiers.map((t) => t.name).join(', ')
  throw new UserError('FlagsInvalid', `--start: "${name}" is no tier of the policy`, {
    fix: `write one of ${names}`,
  })
}

/** The guards that the policy asks for. `startMs`: wall time of the start of the replay, for its schedule. */
export function guardsOfPolicy(
  { effective, tiers }: Pick<PolicySetting, 'effective' | 'tiers'>,
  startMs: number,
): GuardSettings {
  const { schedule, cooldown } = effective.migration
  return {
    minHistorySeconds: effective.metrics.minHistoryMs / 1000,
    promoteCooldownSeconds: cooldown.promoteMs / 1000,
    demoteCooldownSeconds: cooldown.demoteMs / 1000,
    retentionSeconds: tiers.map((t) => t.retentionSeconds),
    isOpen:
      schedule === undefined
        ? NO_GUARDS.isOpen
        : (at: number) => schedule.isOpen(new Date(startMs + at * 1000)),
  }
}

function wrong(name: string, what: string): UserError {
  return new UserError('BacktestPolicyInvalid', `${name}: ${what}`)
}
