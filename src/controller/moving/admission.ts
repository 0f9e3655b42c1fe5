import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { MigrationReason } from '../../api/volume-migration.ts'
import type { Stated } from '../../blockers/blocker.ts'
import { withFacts } from '../../blockers/blocker.ts'
import { policyPaused, schedule, stopped } from '../../blockers/policy.ts'
import type { Opening } from '../../blockers/policy.ts'
import type { FreeSpace } from '../view/pools.ts'
import { breaker, halted, thrash } from './gates-failures.ts'
import {
  batch,
  concurrency,
  namespaceLimit,
  policyConcurrency,
  poolLimit,
  ramp,
} from './gates-places.ts'
import { budget, capacity, poolLow, slotLimit } from './gates-room.ts'

/** One move as the limits see it; sizes GiB, times ms since the epoch. */
export type Move = {
  readonly policy: string
  readonly namespace: string
  readonly from: string
  readonly to: string
  /** Cinder's id of the type it goes to, which tiers of other names may have as well. */
  readonly toTypeId?: string
  /** undefined = not known, which is neither small nor large: no limit in GiB can be counted with it. */
  readonly sizeGiB: number | undefined
  readonly reason: MigrationReason
  /** Past its deadline in Cinder: a person must repair it, and nobody else waits for that. */
  readonly isStuck?: boolean
  readonly volumeId?: string
  readonly startedAt?: number
  /** When volumes were last counted, Cinder showed this one on its new tier already. */
  readonly isCounted?: true
}

export type EndedMove = Move & {
  readonly endedAt: number
  /** `Other`: it ended without success, but not because moves between the two tiers fail. */
  readonly ended: 'Succeeded' | 'Failed' | 'Unexplained' | 'Other'
  /** Uid of its VolumeMigration, which is gone. */
  readonly gone?: string
}

export type Limits = {
  readonly stopped: boolean
  readonly policyPaused: boolean
  /** undefined = no schedule. */
  readonly schedule: (Opening & { readonly slotStartedAt: number }) | undefined
  readonly maxConcurrent: number
  readonly policyMaxConcurrent: number
  readonly perNamespace: ReadonlyMap<string, number>
  readonly perPool: ReadonlyMap<string, number>
  readonly maxGiBPerSlot: number | undefined
  /** Moves that may begin in the present window (ms); undefined = any number. */
  readonly batch:
    { readonly size: number; readonly startedAt: number; readonly endsAt: number } | undefined
  /** Room on the target tier beside all volumes of the cluster, as counted at `countedAt`; undefined = no limit given. */
  readonly targetRoomGiB: number | undefined
  /** Of a move down, where config.yaml wants some of the target's pools to stay free and Cinder shows them. */
  readonly pool: { readonly minGiB: number; readonly free: FreeSpace } | undefined
  /** Volumes of the policy, as counted at `countedAt`. */
  readonly volumes: number
  /** When volumes and their GiB were last counted, ms; moves that ended later are in no count yet. undefined = not yet. */
  readonly countedAt: number | undefined
  /** Minutes since Cinder's volumes were last listed, where that is too long ago for what was counted to hold. */
  readonly staleMinutes: number | undefined
  /** undefined = no budget, or no prices. */
  readonly budget: Budget | undefined
}

/** Money per month in the unit of the prices. */
export type Budget = {
  readonly maxMonthlyCost: number
  /** By the tiers the volumes were on at `countedAt`. */
  readonly monthlyCost: number
  readonly pricePerGiBMonth: ReadonlyMap<string, number>
}

export type AdmissionInput = {
  readonly move: Move
  /**
   * Moves that may be running in Cinder now, whatever asked for them. Stuck ones count for room and money, where they may
   * arrive yet, and hold no place.
   */
  readonly inFlight: readonly Move[]
  readonly ended: readonly EndedMove[]
  readonly limits: Limits
  readonly now: number
}

export type Refusal = { readonly reason: MigrationStatusReason; readonly message: string }

/** Gates that do not clear on their own come first: they are the most useful answer, and the planner uses them. */
export const GATES: readonly Stated<[AdmissionInput]>[] = [
  withFacts(stopped, ({ limits }) => limits),
  withFacts(policyPaused, ({ limits, move }) => ({
    name: move.policy,
    paused: limits.policyPaused,
  })),
  withFacts(halted, ofPolicy),
  withFacts(breaker, ofPolicy),
  withFacts(thrash, ofPolicy),
  capacity,
  poolLow,
  budget,
  slotLimit,
  withFacts(schedule, ({ limits, move }) =>
    move.reason === 'Policy' && limits.schedule
      ? { name: move.policy, schedule: limits.schedule }
      : undefined,
  ),
  withFacts(batch, ofPolicy),
  withFacts(ramp, ofPolicy),
  concurrency,
  policyConcurrency,
  namespaceLimit,
  poolLimit,
]

/** Manual and forced moves bypass these gates. */
function ofPolicy(input: AdmissionInput): AdmissionInput | undefined {
  return input.move.reason === 'Policy' ? input : undefined
}

/** The one step in front of the intent where every limit is counted. undefined = go. */
export function refuse(input: AdmissionInput): Refusal | undefined {
  for (const gate of GATES) {
    const refusal = gate(input)
    if (refusal) return refusal
  }
  return undefined
}

/** The limits of one namespace and of the two tiers alone: what no free place of the policy changes. */
export function crowded(input: AdmissionInput): Refusal | undefined {
  return namespaceLimit(input) ?? poolLimit(input)
}
