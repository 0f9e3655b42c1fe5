import type { ConfigTier } from '../api/config.ts'
import type { POLICY_CONDITIONS } from '../api/conditions.ts'
import type { Problem } from '../errors.ts'
import type { TierSpec } from '../api/storage-policy.ts'

export type VolumeTypeName = { readonly id: string; readonly name: string }

/** All that is known about the tiers of a policy. */
export type TierSource = {
  /** As the policy lists them: fastest first. */
  readonly tiers: readonly TierSpec[]
  /** Of config.yaml, by name; what the policy leaves out. */
  readonly configTiers: Readonly<Record<string, ConfigTier>>
  /** `parameters.type` by name of the StorageClass; undefined = it has none. */
  readonly storageClasses: ReadonlyMap<string, string | undefined>
  readonly volumeTypes: readonly VolumeTypeName[]
}

/** With the reason of the condition TiersResolved. */
export type TierProblem = Problem & {
  readonly reason: keyof typeof POLICY_CONDITIONS.TiersResolved.reasons
}
