import { isFinished, isWaiting } from '../../api/volume-migration.ts'
import type { Step, VolumeMigration } from '../../api/volume-migration.ts'
import type { MigrationStatusReason } from '../../api/reasons.ts'
import type { WorkloadInput } from '../../migration/workloads/outcome.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'

/** How much a move needs its workload down. `Waits`: for something else than that. */
export type Need = 'Runs' | 'Begins' | 'Waits' | 'Ended' | 'Cancelled' | 'Gone'

/** What a waiting move says that begins by itself, when its workload is down, or when another move of the stop has ended. */
const BEGINS: ReadonlySet<string> = new Set<string>([
  'Planned',
  'Attached',
  'WorkloadStopping',
  'Busy',
  'Ramp',
  'ConcurrencyLimit',
  'NamespaceLimit',
  'PoolLimit',
  'NotSent',
] satisfies MigrationStatusReason[])

/** `record`: of a move that gives its claim another volume, whether its object is still there or not. */
export function needOf(
  m: VolumeMigration | undefined,
  record: ReplacementRecord | undefined,
): Need {
  if (record !== undefined) return COPYING.has(record.saved.phase) ? 'Runs' : 'Ended'
  if (m === undefined) return 'Gone'
  const { step = 'Waiting', reason = 'Planned' } = m.status ?? {}
  if (isFinished(m)) return reason === 'Cancelled' ? 'Cancelled' : 'Ended'
  if (isWaiting(m)) return BEGINS.has(reason) ? 'Begins' : 'Waits'
  return RUNNING.has(step) ? 'Runs' : 'Ended'
}

/** The claim has neither its copy nor, again, its original. */
const COPYING: ReadonlySet<string> = new Set<ReplacementRecord['saved']['phase']>([
  'Holding',
  'Copying',
  'Switching',
  'GivingBack',
])

/** Steps in which a Pod would have to wait for the volume. A stuck one waits for a person. */
const RUNNING: ReadonlySet<string> = new Set<Step>([
  'Requested',
  'Retyping',
  'Verifying',
  'Holding',
  'Copying',
  'Switching',
  'GivingBack',
])

/**
 * Why the workload need not be down any more; undefined as long as it is needed. `own`: of the move that it was stopped
 * for. `others`: of open moves of the same Pods' other claims. `isPatient`: a move that is to begin may still do so.
 */
export function releaseOf(
  own: Need,
  others: readonly Need[],
  isPatient: boolean,
): WorkloadInput['release'] {
  const all = [own, ...others]
  if (all.includes('Runs')) return undefined
  if ((all.includes('Begins') || own === 'Waits') && isPatient) return undefined
  switch (own) {
    case 'Ended':
      return 'MoveEnded'
    case 'Cancelled':
      return 'Cancelled'
    case 'Gone':
      return 'MoveGone'
    case 'Runs':
    case 'Begins':
    case 'Waits':
      return 'MoveWaits'
  }
}
