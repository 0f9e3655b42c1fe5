import type { Problem } from '../errors.ts'
import { POLICY_DEFAULTS } from './policy-schema.ts'
import type { StoragePolicySpec } from './storage-policy.ts'

/** Fields that `spec` sets and that are validated, but have no effect yet, with what happens instead. For the status. */
export function notYetActedOn(spec: StoragePolicySpec): Problem[] {
  const { migration } = spec
  const strategy = migration?.strategy ?? POLICY_DEFAULTS.migration.strategy
  return [
    ...when(
      spec.erasureCoding?.enabled,
      'erasureCoding: Cinder has no such switch',
      'use a volume type on an erasure-coded pool',
    ),
    ...when(spec.multiRegion?.enabled, 'multiRegion: volumes stay in the region of the cluster'),
    ...when(
      spec.tiers.some((t) => t.regions),
      'tiers[].regions: every tier is used in the region of the cluster',
    ),
    ...when(
      spec.tiers.some((t) => t.throughputLimit),
      'tiers[].throughputLimit: only iopsLimit is used',
    ),
    ...when(
      strategy === 'cinder-transfer',
      `migration.strategy: nothing moves by ${strategy}`,
      'use cinder-retype or snapshot-restore',
    ),
  ]
}

function when(set: unknown, what: string, fix?: string): Problem[] {
  return set ? [{ what, fix }] : []
}
