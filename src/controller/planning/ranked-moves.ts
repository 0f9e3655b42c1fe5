import type { StayReason } from '../../api/reasons.ts'
import { freeingFirst, rank } from '../../policy/rank.ts'
import type { QuotaNeed } from '../view/quotas.ts'
import type { Judged } from './decision-inputs.ts'

export type RankedMove = { readonly key: string; readonly judged: Judged; readonly to: number }

export type Ranking = {
  /** Reasons to stay that count as moves all the same, for a list of what would be moved. */
  readonly alsoHeldBy?: ReadonlySet<StayReason>
  /** Type ids whose quota has no room for all that is wanted there: who leaves them goes first. */
  readonly scarce?: ReadonlySet<string>
}

/**
 * The moves that a policy wants now and nothing about the volume stands against: those that free a type which is short
 * before those that fill it, unless people approve them; otherwise the one worth most first. `verdicts` by claim key.
 * The planner and `couchestor plan` share it, so that they cannot disagree.
 */
export function rankedMoves(
  verdicts: ReadonlyMap<string, Judged>,
  policy: string,
  { alsoHeldBy = NONE, scarce = NO_TYPES }: Ranking = {},
): readonly RankedMove[] {
  const wishes = [...verdicts].flatMap(([key, judged]) => {
    const to = wantedTier(judged, alsoHeldBy)
    if (judged.policy.name !== policy || to === undefined) return []
    return [
      {
        key,
        forced: false,
        saving: judged.verdict.numbers,
        judged,
        to,
        fromType: judged.managed.bound?.row?.typeId ?? '',
        toType: judged.tiers[to]?.typeId ?? '',
      },
    ]
  })
  const ranked = rank(wishes)
  // a person decides there which goes first, and one of few places goes to what is worth most
  const asksFirst = ranked[0]?.judged.policy.effective.mode === 'Approve'
  return asksFirst ? ranked : freeingFirst(ranked, scarce)
}

/** A move that has no object yet, or waits in one for room. */
const WANTS_ROOM: ReadonlySet<StayReason> = new Set<StayReason>([
  'InFlight',
  'QuotaExhausted',
  'QuotaExceeded',
])

/** What all wanted moves would take of the quota of their types, those of people and of every policy included. */
export function quotaNeeds(
  verdicts: Iterable<Judged>,
  alsoHeldBy: ReadonlySet<StayReason> = NONE,
): readonly (QuotaNeed & { readonly volumeId: string })[] {
  return Array.from(verdicts).flatMap(({ verdict, tiers, managed }) => {
    const { row } = managed.bound ?? {}
    const isWanted =
      verdict.kind === 'move' || WANTS_ROOM.has(verdict.reason) || alsoHeldBy.has(verdict.reason)
    const to = verdict.kind === 'move' ? verdict.to : verdict.wants
    const typeId = to === undefined ? undefined : tiers[to]?.typeId
    if (!isWanted || row === undefined || typeId === undefined) return []
    return [{ typeId, sizeGiB: row.sizeGiB, volumeId: row.id }]
  })
}

const NONE: ReadonlySet<StayReason> = new Set()
const NO_TYPES: ReadonlySet<string> = new Set()

function wantedTier({ verdict }: Judged, alsoHeldBy: ReadonlySet<StayReason>): number | undefined {
  if (verdict.kind === 'move') return verdict.why === 'Policy' ? verdict.to : undefined
  return alsoHeldBy.has(verdict.reason) ? verdict.wants : undefined
}
