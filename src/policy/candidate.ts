import type { Mode } from '../api/storage-policy.ts'
import type { AttachedSafety } from '../blockers/attached-safety.ts'
import type { Block } from '../blockers/blocker.ts'
import type { Pause, Resizing } from '../blockers/claim.ts'
import type { SnapshotsSeen } from '../blockers/volume.ts'
import type { Copied } from './kept-copies.ts'
import type { Observation, Tier, VolumeState, Wish } from './types.ts'

export type ClaimFacts = {
  readonly optedOut: boolean
  readonly bound: boolean
  /** Bound to a volume of another driver. */
  readonly otherDriver?: boolean
  /** Why the volume is not the claim's alone; left out where it is. */
  readonly shared?: string
  readonly terminating: boolean
  readonly resizing: Resizing
  readonly paused: Pause
}

/** No policy has a say in the claim, or none that can be acted on. */
export type NoUsablePolicy =
  | 'NoPolicy'
  | 'PolicyNotFound'
  | 'PolicyConflict'
  | 'PolicyInvalid'
  | 'StrategyUnsupported'
  | 'TiersUnresolved'

export type PolicyFacts = {
  readonly name: string
  readonly mode: Mode
  readonly paused: boolean
  /** The global switch of config.yaml. */
  readonly stopped: boolean
  /** Why nobody can check who sets force-tier, where that is so and not accepted; then it moves nothing. */
  readonly unguarded?: string
  readonly minHistorySeconds: number
  readonly windowSeconds: number
  /** How old the last measured window may be; Infinity = no matter. */
  readonly maxStalenessSeconds: number
  readonly promoteCooldownSeconds: number
  readonly demoteCooldownSeconds: number
}

/** What `couchestor.io/force-tier` and `force-until` say. */
export type Force = {
  readonly tier: string
  /** Seconds; undefined = without end, NaN = written, but not readable. */
  readonly until?: number
  /** What is wrong with the end. */
  readonly problem?: string
}

export type VolumeFacts = {
  readonly status: string
  /** Empty where Cinder does not report it. */
  readonly typeId: string
  readonly typeName: string
  /** A VolumeAttachment exists, or Cinder lists an attachment. */
  readonly attached: boolean
  readonly multiattach: boolean
  readonly encrypted: boolean
  readonly groupId?: string
  readonly snapshots: SnapshotsSeen
}

/**
 * All that is known about one claim when it is judged. Whether a move while attached is safe is asked only when
 * one is wanted. Times are seconds since the epoch.
 */
export type Candidate = {
  readonly now: number
  readonly claim: ClaimFacts
  /** Why no usable policy manages it (NoPolicy, PolicyNotFound, TiersUnresolved, …). */
  readonly unmatched?: Block<NoUsablePolicy>
  readonly policy: PolicyFacts
  /** Left out where the policy denies it. */
  readonly force?: Force
  readonly tiers: readonly Tier[]
  /** Index of the tier by the type id in Cinder; -1 = the type belongs to none. */
  readonly tier: number
  readonly sizeGiB: number
  readonly observation: Observation
  readonly state: VolumeState
  readonly wish: Wish
  /** undefined = Cinder does not know it. */
  readonly volume: VolumeFacts | undefined
  /** End of the last move, by us or by hand; NaN = recorded, but not readable. */
  readonly lastMoveEnd?: number
  readonly backOff?: { readonly until: number; readonly why: string }
  /** Sentence about the move that is open for this volume. */
  readonly inFlight?: string
  /** Demotion waits (CatchingUp, DemotionFrozen). */
  readonly freeze?: Block<'CatchingUp' | 'DemotionFrozen'>
  readonly schedule: { readonly open: boolean; readonly opensAt?: number }
  readonly attachedSafety: (to: number) => AttachedSafety
  /** Left out, and undefined, where a move there would not be by a copy. */
  readonly copied?: (to: number) => Copied | undefined
}

/** Where the claim is wanted, and by whom. `to` equals the current tier when nothing is wanted. */
export type Want = { readonly to: number; readonly forced: boolean }

/** A force that has not ended. An unreadable end is no end. */
export function activeForce(c: Pick<Candidate, 'force' | 'now'>): Force | undefined {
  const { force } = c
  return force && !(force.until !== undefined && force.until <= c.now) ? force : undefined
}

/** The forced tier while a force is active, else what the rule wants. An unknown forced tier wants nothing. */
export function wantOf(c: Candidate): Want {
  const force = activeForce(c)
  const to = force ? c.tiers.findIndex((t) => t.name === force.tier) : c.wish.to
  const known = c.tiers[to] !== undefined
  return { to: known ? to : c.tier, forced: force !== undefined }
}
