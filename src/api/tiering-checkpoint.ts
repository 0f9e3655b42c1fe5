import type { ObjectMeta } from './object.ts'

/** Names of the two that belong to no policy, and what they have in place of a policy's name. */
export const MOVES_IN_FLIGHT = 'moves-in-flight'
export const SCHEDULED_TASKS = 'scheduled-tasks'

/** In place of a policy's name, and no policy can have it: the records of moves that give a claim another volume. */
export const REPLACEMENTS = 'replacements/'
/** The same for the records of workloads that are stopped for a move. */
export const STOPS = 'stops/'

/** A policy may have the same name as those two; its checkpoints have others. */
export function isOfPolicy({
  metadata,
  spec,
}: {
  readonly metadata: Pick<ObjectMeta, 'name'>
  readonly spec: Pick<TieringCheckpoint['spec'], 'policy'>
}): boolean {
  if (spec.policy === REPLACEMENTS || spec.policy === STOPS) return false
  return metadata.name !== MOVES_IN_FLIGHT && metadata.name !== SCHEDULED_TASKS
}

/** Name of the record of a move that gives a claim another volume. */
export function replacementRecord(moveUid: string): string {
  return `replacement-${moveUid}`
}

/** Name of the record of the workload that a move has stopped. */
export function stopRecord(moveUid: string): string {
  return `workload-stop-${moveUid}`
}

/** A scheduled task as the leader last saved it. Times RFC 3339. */
export type ReportedTask = {
  readonly name: string
  /** A duration, such as `5m`. */
  readonly every: string
  /** Missing unless it runs. */
  readonly runningSince?: string
  /** Beginning and length of its last run that has ended. */
  readonly lastRun?: string
  readonly durationMs?: number
  readonly lastSuccess?: string
  /** Since the leader took over. */
  readonly failures: number
  /** Missing unless its last run failed. */
  readonly lastError?: string
  readonly nextRun?: string
}

/**
 * Cluster-scoped: the engine's memory, a copy of the intents in flight that survives a deleted namespace, and how the
 * scheduled tasks are doing.
 */
export type TieringCheckpoint = {
  readonly apiVersion: string
  readonly kind: 'TieringCheckpoint'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly policy: string
    readonly shard: number
    /** Hash of the tiers and constants the numbers were made with; other tiers = the numbers are void. */
    readonly rule: string
    /** Ids of the volume types of those tiers, fastest first. */
    readonly tiers?: readonly string[]
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
      /** Of the VolumeMigration; missing in an entry of an earlier version, as are policy and cluster. */
      readonly uid?: string
      readonly policy?: string
      readonly clusterId?: string
      /** Whose volume it is: Cinder shows a project only its own. Missing in an entry of an earlier version. */
      readonly projectId?: string
    }[]
    /** Moves that ended in a way nothing explains: all moves of policies halt as long as one is here. */
    readonly unexplained?: readonly {
      readonly uid: string
      readonly namespace: string
      /** Missing when the namespace could not be read. */
      readonly namespaceUid?: string
      readonly migration: string
      readonly policy: string
      readonly volumeId: string
      readonly fromTypeId: string
      readonly toTypeId: string
      readonly at: string
    }[]
    readonly tasks?: readonly ReportedTask[]
    /** Of a move that gives a claim another volume: the record that it goes by. */
    readonly replacement?: unknown
    /** Of a workload that is stopped for a move: all that is needed to restore it. */
    readonly stop?: unknown
  }
}
