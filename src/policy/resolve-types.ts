import type { TierProblem, TierSource, VolumeTypeName } from './tier-source.ts'
import { nearest } from '../api/nearest.ts'
import type { ConfigTier } from '../api/config.ts'
import type { Problem } from '../errors.ts'
import type { TierSpec } from '../api/storage-policy.ts'

export type ResolvedType = {
  readonly type: VolumeTypeName | undefined
  readonly problem: TierProblem | undefined
}

/**
 * The volume type of each tier, in order: named by the policy, else by config.yaml, else by the StorageClass.
 * A name may also be the id of the type.
 */
export function resolveTypes(source: TierSource): readonly ResolvedType[] {
  const found = source.tiers.map((tier, i) => resolveType(source, tier, i))
  return found.map((one, i) => {
    const twin = found.findIndex((other) => other.type && other.type.id === one.type?.id)
    if (twin < 0 || twin === i) return one
    const names = `${source.tiers[twin]?.name} and ${source.tiers[i]?.name}`
    return {
      type: one.type,
      problem: {
        reason: 'SameVolumeType',
        what: `spec.tiers[${i}] (${source.tiers[i]?.name}): tiers ${names} both have volume type "${one.type?.name}", so a move between them would change nothing`,
        fix: 'give each tier its own volume type',
      },
    }
  })
}

function resolveType(source: TierSource, tier: TierSpec, index: number): ResolvedType {
  const named = typeName(source, tier, index)
  if ('problem' in named)
    return { type: undefined, problem: { reason: 'NoVolumeType', ...named.problem } }
  const { name, field } = named
  const byId = source.volumeTypes.find((t) => t.id === name)
  if (byId) return { type: byId, problem: undefined }
  const byName = source.volumeTypes.filter((t) => t.name === name)
  const [type] = byName
  if (type && byName.length === 1) return { type, problem: undefined }
  const problem: TierProblem = type
    ? { reason: 'VolumeTypeAmbiguous', ...ambiguous(field, byName) }
    : { reason: 'VolumeTypeNotFound', ...unknown(source, field, name) }
  return { type: undefined, problem }
}

type Named = { readonly name: string; readonly field: string } | { readonly problem: Problem }

function typeName(source: TierSource, tier: TierSpec, index: number): Named {
  const at = `spec.tiers[${index}]`
  const config: ConfigTier = source.configTiers[tier.name] ?? {}
  if (tier.cinderVolumeType !== undefined)
    return { name: tier.cinderVolumeType, field: `${at}.cinderVolumeType` }
  if (config.cinderVolumeType !== undefined)
    return {
      name: config.cinderVolumeType,
      field: `tiers.${tier.name}.cinder_volume_type of config.yaml`,
    }
  const className = tier.storageClass ?? config.storageClass
  const fix = `set ${at}.cinderVolumeType, or tiers.${tier.name}.cinder_volume_type in config.yaml`
  if (className === undefined)
    return { problem: { what: `${at} (${tier.name}): no volume type is given`, fix } }
  if (!source.storageClasses.has(className))
    return {
      problem: {
        what: `${at}.storageClass: no StorageClass "${className}" in the cluster${hint(className, [...source.storageClasses.keys()])}`,
        fix: `create it, or ${fix}`,
      },
    }
  const name = source.storageClasses.get(className)
  if (name === undefined)
    return { problem: { what: `${at}.storageClass: "${className}" has no parameters.type`, fix } }
  return { name, field: `parameters.type of StorageClass "${className}" (${at})` }
}

function unknown(source: TierSource, field: string, name: string): Problem {
  const meant = hint(
    name,
    source.volumeTypes.map((t) => t.name),
  )
  return {
    what: `${field}: Cinder knows no volume type "${name}" that this project may use${meant}`,
    fix: 'correct the name, or have the type created or shared with the project',
  }
}

function ambiguous(field: string, types: readonly VolumeTypeName[]): Problem {
  const [first] = types
  const ids = types.map((t) => t.id).join(', ')
  return {
    what: `${field}: ${types.length} volume types are named "${first?.name}" (${ids})`,
    fix: 'write the id of the one that is meant',
  }
}

function hint(name: string, candidates: readonly string[]): string {
  const meant = nearest(name, candidates)
  return meant === undefined ? '' : ` (did you mean "${meant}"?)`
}
