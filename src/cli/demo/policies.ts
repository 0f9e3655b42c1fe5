import { API_VERSION } from '../../api/names.ts'
import type { StoragePolicy, StoragePolicySpec } from '../../api/storage-policy.ts'

/** What the tiers of the demo cost and can do; the policies say the same to the controller. */
export const TIERS = [
  { name: 'hot', price: 0.25, threshold: 1000, retentionDays: 3 },
  { name: 'warm', price: 0.1, threshold: 100, retentionDays: 3 },
  { name: 'cold', price: 0.04, threshold: 0, retentionDays: 0 },
] as const

/** Operations per second that a volume on that tier can have: the threshold of the next faster tier. */
export function limitOf(tier: string): number {
  const index = TIERS.findIndex((t) => t.name === tier)
  return TIERS[index - 1]?.threshold ?? Infinity
}

export function priceOf(tier: string): number {
  return TIERS.find((t) => t.name === tier)?.price ?? 0
}

export const MANAGED_LABEL = { tiering: 'on' }

const COMMON = {
  tiers: TIERS.map(({ name, price, threshold, retentionDays }) => ({
    name,
    storageClass: `couchestor-${name}`,
    cinderVolumeType: `couchestor-${name}`,
    iopsThreshold: threshold,
    retentionDays,
    costPerGiBMonth: price,
  })),
  metrics: { window: '1h' },
} as const satisfies StoragePolicySpec

/** `tiering` for all with the label; `cautious`, which is not configured to trust attached moves, by name. */
export const POLICIES: readonly StoragePolicy[] = [
  policy('tiering', {
    ...COMMON,
    selector: { matchLabels: MANAGED_LABEL },
    migration: { maxConcurrent: 3, cooldownPeriod: '24h', attached: 'Allow' },
  }),
  policy('cautious', {
    ...COMMON,
    migration: { maxConcurrent: 1, cooldownPeriod: '24h', attached: 'Auto' },
  }),
]

function policy(name: string, spec: StoragePolicySpec): StoragePolicy {
  return { apiVersion: API_VERSION, kind: 'StoragePolicy', metadata: { name }, spec }
}

export const CONFIG_YAML = `
cloud_provider: openstack
migration:
  concurrent_migrations: 4
tasks:
  resources: {every: 20m}
  types: {every: 20m}
  orphans: {every: 10m}
`
