import type { Strategy } from '../../api/storage-policy.ts'
import { isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Answer } from '../../migration/unsent.ts'
import { unsupported } from '../../migration/unsupported.ts'
import type { Tier } from '../../policy/types.ts'
import { chosenStrategy } from './chosen-strategy.ts'
import type { Inventory, VolumeRow } from './inventory.ts'
import type { Migrations } from './migrations.ts'
import type { Policies, ResolvedPolicy } from './policies.ts'
import type { Claim, Volume } from './projections.ts'
import type { Watches } from './watches.ts'

/** A claim with the volume it is really bound to. */
export type BoundClaim = {
  readonly claim: Claim
  readonly volume: Volume
  readonly row: VolumeRow | undefined
  /** Claim, PersistentVolume or namespace is being deleted. */
  readonly terminating: boolean
  /** Another claim (`namespace/name`) that has the same volume, by a PersistentVolume of its own. */
  readonly sharedWith?: string
}

/** What a VolumeMigration is about, derived from the cluster and never taken from the object's own ids. */
export type Target = BoundClaim & {
  readonly policy: ResolvedPolicy
  readonly tiers: readonly Tier[]
  readonly to: Tier
  /** undefined for a manual move from a type that is no tier. */
  readonly from: Tier | undefined
  /** What the move is done by: its own, else that of the policy. */
  readonly strategy: Strategy
}

/** `over` = it can never become right; otherwise it is worth waiting. */
export type Untargeted = Answer

export class Targets {
  readonly #watches: Watches
  readonly #policies: Policies
  readonly #inventory: Inventory

  readonly #migrations: Pick<Migrations, 'ofVolume'>
  readonly #strategies: readonly Strategy[]

  constructor(
    watches: Watches,
    policies: Policies,
    inventory: Inventory,
    migrations: Pick<Migrations, 'ofVolume'>,
    strategies: readonly Strategy[],
  ) {
    this.#migrations = migrations
    this.#strategies = strategies
    this.#watches = watches
    this.#policies = policies
    this.#inventory = inventory
  }

  /** The claim's PersistentVolume, if both name each other and Cinder's driver serves it. */
  bound(claim: Claim): BoundClaim | undefined {
    if (!claim.bound || claim.volumeName === '') return undefined
    const volume = this.#watches.volumes.store.get(claim.volumeName)
    if (volume === undefined || volume.claimUid !== claim.uid) return undefined
    const namespace = this.#watches.namespaces.store.get(claim.namespace)
    const sharedWith = this.#sharedWith(volume)
    return {
      ...(sharedWith === undefined ? {} : { sharedWith }),
      claim,
      volume,
      row: this.#inventory.row(volume.handle),
      terminating: claim.terminating || volume.terminating || namespace?.terminating === true,
    }
  }

  /** What is left of a claim that is gone holds nothing: its PersistentVolume is kept until somebody deletes it. */
  #sharedWith({ name, handle }: Volume): string | undefined {
    const { volumes, claims } = this.#watches
    return volumes.store
      .byIndex('handle', handle)
      .find((v) => v.name !== name && claims.store.get(v.claimKey)?.uid === v.claimUid)?.claimKey
  }

  /** The claim that the object names, as the watch has it. */
  claimOf(m: VolumeMigration): Claim | undefined {
    return this.#watches.claims.store.get(`${m.metadata.namespace}/${m.spec.claim.name}`)
  }

  /** `over` = it can never become right; otherwise it is worth waiting. */
  of(m: VolumeMigration): Target | Untargeted {
    const bound = this.boundFor(m)
    return isTarget(bound) ? this.#inPolicy(m, bound) : bound
  }

  /** The same whatever the policy says: for a move that has begun. */
  boundFor(m: VolumeMigration): BoundClaim | Untargeted {
    const claim = this.claimOf(m)
    if (claim === undefined)
      return {
        over: true,
        reason: 'ClaimMismatch',
        message: `claim ${m.spec.claim.name} does not exist in this namespace`,
      }
    for (const uid of [m.spec.claim.uid, m.status?.claimUid])
      if (uid !== undefined && uid !== claim.uid)
        return {
          over: true,
          reason: 'ClaimMismatch',
          message: `claim ${claim.name} was re-created: its uid is ${claim.uid}, not ${uid}`,
        }
    const bound = this.bound(claim)
    if (bound === undefined)
      return {
        over: false,
        reason: 'Unbound',
        message: `claim ${claim.name} is not bound to a Cinder PersistentVolume`,
      }
    return mismatch(m, bound) ?? shared(bound) ?? bound
  }

  /** It may come back, as GitOps deletes and applies; who plans for the claim meanwhile waits for nobody. */
  #withoutPolicy(m: VolumeMigration, claim: Claim): Untargeted {
    const gone = `StoragePolicy ${m.spec.policy} does not exist`
    const { policy } = this.#policies.match(claim)
    if (policy === undefined || isManual(m))
      return { over: false, reason: 'PolicyNotFound', message: gone }
    return {
      over: true,
      reason: 'NoLongerWanted',
      message: `${gone}, and policy ${policy.name} manages claim ${claim.name} now`,
    }
  }

  #inPolicy(m: VolumeMigration, bound: BoundClaim): Target | Untargeted {
    const policy = this.#policies.get(m.spec.policy)
    if (policy === undefined) return this.#withoutPolicy(m, bound.claim)
    const { handle } = bound.volume
    const strategy =
      m.spec.strategy ??
      chosenStrategy(policy.effective.migration.strategy, {
        hasSnapshots: this.#inventory.hasSnapshots(handle),
        moves: () => this.#migrations.ofVolume(handle, bound.claim),
        toTypeId: policy.tiers?.find((t) => t.name === m.spec.to)?.typeId,
      }).strategy
    const unsupportedBecause = unsupported(strategy, this.#strategies)
    if (unsupportedBecause !== undefined)
      return { over: true, reason: 'StrategyUnsupported', message: unsupportedBecause }
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
    return { ...bound, policy, tiers, to, from, strategy }
  }
}

/** One volume cannot follow the wishes of two owners, and what the one attaches, the other does not see. */
export function sharedText(handle: string, claim: string): string {
  return `volume ${handle} belongs to claim ${claim} too, by another PersistentVolume; it moves when one of the two is gone`
}

export function isTarget<T extends BoundClaim>(t: T | Untargeted): t is T {
  return 'claim' in t
}

/** What Cinder was asked about is still what the move is about. */
export function isSameMove(a: Target, b: Target): boolean {
  const isSameWay = a.strategy === b.strategy
  return isSameWay && a.volume.handle === b.volume.handle && a.to.typeId === b.to.typeId
}

function shared({ sharedWith, volume }: BoundClaim): Untargeted | undefined {
  if (sharedWith === undefined) return undefined
  return { over: false, reason: 'SharedVolume', message: sharedText(volume.handle, sharedWith) }
}

function mismatch(m: VolumeMigration, { volume }: BoundClaim): Untargeted | undefined {
  const { pv, id } = m.spec.volume ?? {}
  const { volumeId: accepted = volume.handle } = m.status ?? {}
  if (accepted !== volume.handle)
    return {
      over: true,
      reason: 'ClaimMismatch',
      message: `the move was accepted for volume ${accepted}; the claim's volume is ${volume.handle} now`,
    }
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
