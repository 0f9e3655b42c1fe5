import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { MoveReason } from '../../api/reasons.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { Stop } from '../../migration/workloads/plan.ts'
import type { Target } from '../view/targets.ts'

/** What a move says that waits for its workload. */
export const WORKLOAD_REASONS = {
  WorkloadStopping:
    'Waiting: the workload that uses the volume is stopped for the move, which begins when the volume is detached.',
  WorkloadFoughtBack:
    'Something else set the replicas of the workload back while it was stopped for the move. Waiting: it is not stopped again for this move. Failed: the copy was given up, and the claim has its volume.',
} as const satisfies Partial<Record<MoveReason, string>>

/** Workloads that are stopped for moves, as far as the start of a move needs them. */
export interface WorkloadStops {
  /** Why no move of that claim begins, even where its volume is detached at the moment. */
  holding(target: Target): Answer | undefined
  /** What a move waits for whose volume is attached, by the stop that its claim is part of. */
  under(target: Target): Answer | undefined
  /** The stop by which the volume would be detached, or why there is none. `attached` is what preflight says. */
  plan(m: VolumeMigration, target: Target, attached: Answer): Promise<Stop | Answer>
  /** No other stop in its namespace has begun or ended since it was planned. */
  isCurrent(stop: Stop): boolean
  /** Resolves when it is saved: from then on it is followed. `deadlineMs`: of the whole move. Throws when it cannot be saved. */
  open(m: VolumeMigration, target: Target, stop: Stop, deadlineMs: number): Promise<void>
  /** Moves that have begun nothing, and for which a workload is stopped: they count as those that run. */
  held(): readonly VolumeMigration[]
  /** Forgets what is kept of a finished move. */
  forget(m: VolumeMigration): void
}
