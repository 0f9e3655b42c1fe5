import type { TierProblem } from '../../../policy/tier-source.ts'
import { resolveTiers } from '../../../policy/resolve.ts'
import type { ResolvedTiers } from '../../../policy/resolve.ts'
import { resolveTypes } from '../../../policy/resolve-types.ts'
import { known } from '../fact.ts'
import type { Fact } from '../fact.ts'
import type { Facts, PolicyFact, TypeFact } from '../facts.ts'

/** The tiers of one policy, or what keeps them from being resolved. */
export type PolicyTiers = { readonly fact: PolicyFact; readonly resolved: ResolvedTiers }

/** Tiers of every policy that can be read, resolved as the controller does. */
export function policyTiers({ cluster, cloud, config }: Facts): Fact<readonly PolicyTiers[]> {
  const { policies, classes } = cluster
  if (!policies.known) return policies
  if (!classes.known) return classes
  if (!cloud.types.known) return cloud.types
  const source = {
    configTiers: config.config.tiers,
    storageClasses: new Map(classes.value.map((c) => [c.name, c.type])),
    volumeTypes: cloud.types.value,
  }
  return known(
    policies.value
      .filter((p) => p.problems.length === 0)
      .map((fact) => ({
        fact,
        resolved: resolveTiers({ ...source, tiers: fact.policy.spec.tiers }),
      })),
  )
}

/** What is wrong with the types of config.yaml's tiers; reported where there is no policy yet that could say it. */
export function configTierProblems({ cluster, cloud, config }: Facts): readonly TierProblem[] {
  if (!cloud.types.known) return []
  const named = Object.entries(config.config.tiers).filter(
    ([, tier]) => tier.cinderVolumeType !== undefined,
  )
  const classes = cluster.classes.known ? cluster.classes.value : []
  return resolveTypes({
    tiers: named.map(([name]) => ({ name })),
    configTiers: config.config.tiers,
    storageClasses: new Map(classes.map((c) => [c.name, c.type])),
    volumeTypes: cloud.types.value,
  }).flatMap((t) => t.problem ?? [])
}

/** Types that tiers, config.yaml or Cinder's StorageClasses name, each once. */
export function typesInUse(facts: Facts): readonly TypeFact[] {
  const { cluster, cloud, config } = facts
  if (!cloud.types.known) return []
  const tiers = policyTiers(facts)
  const resolved = tiers.known ? tiers.value.flatMap((t) => tiersOf(t)) : []
  const names = new Set([
    ...resolved.map((t) => t.typeId),
    ...Object.values(config.config.tiers).map((t) => t.cinderVolumeType),
    ...(cluster.classes.known ? cluster.classes.value.map((c) => c.type) : []),
  ])
  return cloud.types.value.filter((t) => names.has(t.id) || names.has(t.name))
}

export function tiersOf({ resolved }: PolicyTiers) {
  return resolved.ok ? resolved.tiers : []
}
