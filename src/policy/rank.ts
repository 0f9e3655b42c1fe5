import { HOURS_PER_MONTH } from './cost.ts'
import type { Tier, Wish } from './types.ts'

/** Storage cost of a volume on a tier, money per month in the unit of the prices. */
export function monthlyCost(tier: Pick<Tier, 'pricePerGiBMonth'>, sizeGiB: number): number {
  return tier.pricePerGiBMonth * sizeGiB
}

export type Saving = {
  /** Storage alone, per month; negative when speed is bought. */
  readonly monthlySaving: number
  /** Storage and what throttling was worth, per month, at the rate of the discounted history. */
  readonly worthPerMonth: number
  /** Days until the worth has paid for the move; Infinity when it never does. */
  readonly paybackDays: number
}

/** What a move from one tier to the other is worth, by the numbers of the wish. */
export function savingOf(
  wish: Pick<Wish, 'lead' | 'moveCost' | 'historyHours'>,
  from: Pick<Tier, 'pricePerGiBMonth'>,
  to: Pick<Tier, 'pricePerGiBMonth'>,
  sizeGiB: number,
): Saving {
  const worthPerHour = wish.historyHours > 0 ? wish.lead / wish.historyHours : 0
  return {
    monthlySaving: monthlyCost(from, sizeGiB) - monthlyCost(to, sizeGiB),
    worthPerMonth: worthPerHour * HOURS_PER_MONTH,
    paybackDays: worthPerHour > 0 ? wish.moveCost / worthPerHour / 24 : Infinity,
  }
}

export type RankedWish = {
  /** Breaks ties, so that the order never depends on the order of the input. */
  readonly key: string
  readonly forced: boolean
  readonly saving: Saving
}

/** Forced moves first, then the most worth per month, then the shortest payback, then the key. A new array. */
export function rank<T extends RankedWish>(wishes: readonly T[]): readonly T[] {
  return wishes.toSorted(
    (a, b) =>
      Number(b.forced) - Number(a.forced) ||
      compare(worth(b), worth(a)) ||
      compare(a.saving.paybackDays, b.saving.paybackDays) ||
      compare(a.key, b.key),
  )
}

/** NaN would make the order depend on the input. */
function worth(wish: RankedWish): number {
  return Number.isNaN(wish.saving.worthPerMonth) ? -Infinity : wish.saving.worthPerMonth
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : Number(a > b)
}

/**
 * The same moves, with those that leave a scarce type before those that go there: both types hold a volume until its move has
 * ended, so that the other way round the type stays full. Everything else keeps its order. Types by id.
 */
export function freeingFirst<T extends { readonly fromType: string; readonly toType: string }>(
  ranked: readonly T[],
  scarce: ReadonlySet<string>,
): readonly T[] {
  if (scarce.size === 0) return ranked
  const leaving = Map.groupBy(ranked, (m) => m.fromType)
  const ordered: T[] = []
  // two types that are both full free each other: the circle ends where it began
  const seen = new Set<T>()
  const freed = new Set<string>()
  const place = (move: T) => {
    if (seen.has(move)) return
    seen.add(move)
    if (scarce.has(move.toType) && !freed.has(move.toType)) {
      freed.add(move.toType)
      for (const other of leaving.get(move.toType) ?? []) place(other)
    }
    ordered.push(move)
  }
  for (const move of ranked) place(move)
  return ordered
}
