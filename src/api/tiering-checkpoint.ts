import type { ObjectMeta } from './object.ts'

/** Cluster-scoped: the engine's memory, and a copy of the intents in flight that survives a deleted namespace. */
export type TieringCheckpoint = {
  readonly apiVersion: string
  readonly kind: 'TieringCheckpoint'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly policy: string
    readonly shard: number
    /** Hash of the tiers and constants the numbers were made with; other tiers = the numbers are void. */
    readonly rule: string
    /** End of the last window that is in the numbers, RFC 3339. */
    readonly windowEnd: string
    readonly volumes: number
    /** Base64 of the packed states, at most 256 KiB. */
    readonly data: string
    readonly inFlight?: readonly {
      readonly namespace: string
      readonly migration: string
      readonly volumeId: string
      readonly fromTypeId: string
      readonly toTypeId: string
      readonly at: string
    }[]
  }
}
