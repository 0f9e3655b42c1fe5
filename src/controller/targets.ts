import type { MigrationStatusReason } from '../api/reasons.ts'
import type { VolumeMigration } from '../api/volume-migration.ts'
import type { Tier } from '../policy/types.ts'
import type { Inventory, VolumeRow } from './inventory.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import type { Claim, Volume } from './projections.ts'
import type { Watches } from './watches.ts'

/** A claim with the volume it is really bound to. */
export type BoundClaim = {
  readonly claim: Claim
  readonly volume: Volume
  readonly row: VolumeRow | undefined
}

/** What a VolumeMigration is about, derived from the cluster and never taken from the object's own ids. */
export type Target = BoundClaim & {
  readonly policy: ResolvedPolicy
  readonly tiers: readonly Tier[]
  readonly to: Tier
  /** undefined for a manual move from a type that is no tier. */
  readonly from: Tier | undefined
}

export type Untargeted = {
  readonly over: boolean
  readonly reason: MigrationStatusReason
  readonly message: string
}

export class Targets {
  readonly #watches: Watches
  readonly #policies: Policies
  readonly #inventory: Inventory

  constructor(watches: Watches, policies: Policies, inventory: Inventory) {
    this.#watches = watches
    this.#policies = policies
    this.#inventory = inventory
  }

  /** The claim's PersistentVolume, if both name each other and Cinder's driver serves it. */
  bound(claim: Claim): BoundClaim | undefined {
    if (!claim.bound || claim.volumeName === '') return undefined
    const volume = this.#watches.volumes.store.get(claim.volumeName)
    if (volume === undefined || volume.claimUid !== claim.uid) return undefined
    return { claim, volume, row: this.#inventory.row(volume.handle) }
  }

  /** `over` = it can never become right; otherwise it is worth waiting. */
  of(m: VolumeMigration): Target | Untargeted {
    const claim = this.#watches.claims.store.get(`${m.metadata.namespace}/${m.spec.claim.name}`)
    if (claim === undefined)
      return {
        over: true,
        reason: 'ClaimMismatch',
        message: `claim ${m.spec.claim.name} does not exist in this namespace`,
      }
    if (m.spec.claim.uid !== undefined && m.spec.claim.uid !== claim.uid)
      return {
        over: true,
        reason: 'ClaimMismatch',
        message: `claim ${claim.name} was re-created: its uid is ${claim.uid}, not ${m.spec.claim.uid}`,
      }
    const bound = this.bound(claim)
    if (bound === undefined)
      return {
        over: false,
        reason: 'Unbound',
        message: `claim ${claim.name} is not bound to a Cinder PersistentVolume`,
      }
    return mismatch(m, bound) ?? this.#inPolicy(m, bound)
  }

  #inPolicy(m: VolumeMigration, bound: BoundClaim): Target | Untargeted {
    const policy = this.#policies.get(m.spec.policy)
    if (policy === undefined)
      return {
        over: false,
        reason: 'PolicyNotFound',
        message: `StoragePolicy ${m.spec.policy} does not exist`,
      }
    const { tiers } = policy
    if (tiers === undefined)
      return {
        over: false,
        reason: 'TiersUnresolved',
        message: policy.problems.join('; ') || 'its tiers are not resolved yet',
      }
    const to = tiers.find((t) => t.name === m.spec.to)
    const from = tiers.find((t) => t.name === m.spec.from)
    if (to === undefined || (m.spec.from !== undefined && from === undefined)) {
      const unknown = to === undefined ? `to: "${m.spec.to}"` : `from: "${m.spec.from}"`
      return {
        over: true,
        reason: 'UnknownTier',
        message: `spec.${unknown} is no tier of policy ${policy.name}; it has ${tiers.map((t) => t.name).join(', ')}`,
      }
    }
    return { ...bound, policy, tiers, to, from }
  }
}

export function isTarget(t: Target | Untargeted): t is Target {
  return 'claim' in t
}

function mismatch(m: VolumeMigration, { volume }: BoundClaim): Untargeted | undefined {
  const { pv, id } = m.spec.volume ?? {}
  if (pv !== undefined && pv !== volume.name)
    return {
      over: true,
      reason: 'ClaimMismatch',
      message: `the claim is bound to PersistentVolume ${volume.name}, not to ${pv}`,
    }
  if (id !== undefined && id !== volume.handle)
    return {
      over: true,
      reason: 'ClaimMismatch',
      message: `the claim's volume is ${volume.handle}, not ${id}`,
    }
  return undefined
}
