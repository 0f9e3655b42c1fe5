import type { VolumeMigration } from '../../api/volume-migration.ts'

/**
 * Our epoch: the Lease's count of transitions, or one more than any that a move carries already. A Lease that was
 * deleted (with its namespace, at a re-installation) counts from 1 again, and its leader must still outrank the moves
 * of the time before.
 */
export function epochAfter(moves: Iterable<VolumeMigration>, ofLease: number): number {
  let highest = 0
  for (const m of moves) highest = Math.max(highest, m.status?.intent?.epoch ?? 0)
  return Math.max(ofLease, highest + (ofLease <= highest ? 1 : 0))
}
