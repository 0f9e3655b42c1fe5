import type { StayReason } from '../../api/reasons.ts'
import { rank } from '../../policy/rank.ts'
import type { Judged } from './decision-inputs.ts'

export type RankedMove = { readonly key: string; readonly judged: Judged; readonly to: number }

/**
 * The moves that a policy wants now and nothing about the volume stands against, the one worth most first. `verdicts`
 * by claim key. The planner and `couchestor plan` share it, so that they cannot disagree. `alsoHeldBy`: reasons to
 * stay that count as moves all the same, for a list of what would be moved.
 */
export function rankedMoves(
  verdicts: ReadonlyMap<string, Judged>,
  policy: string,
  alsoHeldBy: ReadonlySet<StayReason> = NONE,
): readonly RankedMove[] {
  const wishes = [...verdicts].flatMap(([key, judged]) => {
    const to = wantedTier(judged, alsoHeldBy)
    if (judged.policy.name !== policy || to === undefined) return []
    return [{ key, forced: false, saving: judged.verdict.numbers, judged, to }]
  })
  return rank(wishes)
}

const NONE: ReadonlySet<StayReason> = new Set()

function wantedTier({ verdict }: Judged, alsoHeldBy: ReadonlySet<StayReason>): number | undefined {
  if (verdict.kind === 'move') return verdict.why === 'Policy' ? verdict.to : undefined
  return alsoHeldBy.has(verdict.reason) ? verdict.wants : undefined
}
