import type { MigrationReason } from '../../api/volume-migration.ts'

/** Times in ms since the epoch. */
type DoneMove = {
  readonly policy: string
  readonly from: string
  readonly to: string
  readonly reason: MigrationReason
  readonly volumeId?: string
  readonly endedAt: number
  readonly ended: 'Succeeded' | 'Failed' | 'Unexplained' | 'Other'
}

const DAY = 86_400_000
const FEW_REVERSALS = 2
const REVERSAL_SHARE = 0.02

/**
 * Volumes that were moved and moved back within a day, in the last day. More than a few of them means that the rule
 * does not fit this load: until then doing nothing is cheaper. undefined = within bounds.
 */
export function thrashing(
  ended: readonly DoneMove[],
  policy: string,
  volumes: number,
  now: number,
): { readonly reversals: number; readonly until: number } | undefined {
  const done = ended
    .filter((e) => e.policy === policy && e.reason === 'Policy' && e.ended === 'Succeeded')
    .toSorted((a, b) => a.endedAt - b.endedAt)
  const reversals = [...Map.groupBy(done, (e) => e.volumeId).values()].flatMap((moves) =>
    moves.filter((m, i) => now - m.endedAt < DAY && isReversal(moves[i - 1], m)),
  )
  const most = Math.max(FEW_REVERSALS, REVERSAL_SHARE * volumes)
  if (reversals.length <= most) return undefined
  const ends = reversals.map((m) => m.endedAt + DAY).toSorted((a, b) => a - b)
  return { reversals: reversals.length, until: ends[reversals.length - 1 - Math.floor(most)]! }
}

function isReversal(before: DoneMove | undefined, m: DoneMove): boolean {
  return before !== undefined && before.from === m.to && m.endedAt - before.endedAt <= DAY
}
