import { policyTiers, tiersOf, typesInUse } from './checks/policy-tiers.ts'
import type { Facts, FleetVolume } from './facts.ts'

/** One tier of one policy, with what it stands for and what lies on it. */
export type TierRow = {
  readonly policy: string
  readonly tier: string
  readonly storageClass: string | null
  readonly volumeType: string
  readonly typeId: string
  /** Per GiB and month; null = nobody gave prices. */
  readonly price: number | null
  readonly volumes: number
  readonly gib: number
}

/** One volume type that the credential sees, as `openstack volume type list` shows it, and more. */
export type TypeRow = {
  readonly name: string
  readonly id: string
  readonly public: boolean
  /** `policy/tier`. */
  readonly tiers: readonly string[]
  /** Tiers, config.yaml or StorageClasses name it. */
  readonly used: boolean
  readonly extraSpecs: Readonly<Record<string, string>>
}

export function tierRows(facts: Facts): readonly TierRow[] {
  const policies = policyTiers(facts)
  if (!policies.known) return []
  const claims = facts.fleet.known ? facts.fleet.value.claims : []
  return policies.value.flatMap((p) => {
    const { name } = p.fact.policy.metadata
    const own = claims.flatMap((c) => (c.policy === name && c.volume ? [c.volume] : []))
    const assumed = p.resolved.ok && p.resolved.pricesAssumed
    return tiersOf(p).map((tier) => {
      const here = own.filter((v: FleetVolume) => v.typeId === tier.typeId)
      return {
        policy: name,
        tier: tier.name,
        storageClass: tier.storageClass ?? null,
        volumeType: tier.typeName,
        typeId: tier.typeId,
        price: assumed ? null : tier.pricePerGiBMonth,
        volumes: here.length,
        gib: here.reduce((sum, v) => sum + v.sizeGiB, 0),
      }
    })
  })
}

export function typeRows(facts: Facts): readonly TypeRow[] {
  const { types } = facts.cloud
  if (!types.known) return []
  const tiers = tierRows(facts)
  const used = new Set(typesInUse(facts).map((t) => t.id))
  return types.value
    .map((t) => ({
      name: t.name,
      id: t.id,
      public: t.isPublic,
      tiers: tiers.filter((r) => r.typeId === t.id).map((r) => `${r.policy}/${r.tier}`),
      used: used.has(t.id),
      extraSpecs: t.extraSpecs,
    }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}
