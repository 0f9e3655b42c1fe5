import type { References, Score } from './score.ts'

/** A policy over the whole fleet, in the words of the contract. Shares and ratios are 1 = 100 %. */
export type Summary = {
  readonly cost: number
  /** Parts of the cost: storage, what throttled hours were worth, the price of moves. */
  readonly storage: number
  readonly throttled: number
  readonly moving: number
  readonly allHot: number
  readonly stay: number
  readonly bestStatic: number
  readonly optimum: number
  /** Cost over optimum of the sums; large volumes dominate it. */
  readonly ratio: number
  /** Mean over volumes of cost over optimum. */
  readonly ratioEqualWeight: number
  readonly capturedSaving: number
  readonly violationMinutesPerWeek: number
  readonly movesPerWeek: number
  readonly thrashPerWeek: number
  readonly moves: number
  readonly demotions: number
  readonly prematureDemotions: number
  readonly volumeWeeks: number
}

export type Outcome = { readonly score: Score; readonly references: References }

/** Sums the outcomes of all volumes. "Per week" means per volume-week. */
export function summarize(outcomes: readonly Outcome[]): Summary {
  const sum = (of: (o: Outcome) => number) => outcomes.reduce((total, o) => total + of(o), 0)
  const cost = sum((o) => o.score.cost)
  const best = sum((o) => o.references.optimum)
  const allHot = sum((o) => o.references.allHot)
  const weeks = sum((o) => o.score.weeks)
  return {
    cost,
    storage: sum((o) => o.score.storage),
    throttled: sum((o) => o.score.throttled),
    moving: sum((o) => o.score.moving),
    allHot,
    stay: sum((o) => o.references.stay),
    bestStatic: sum((o) => o.references.bestStatic),
    optimum: best,
    ratio: ratioOf(cost, best),
    ratioEqualWeight: sum((o) => ratioOf(o.score.cost, o.references.optimum)) / outcomes.length,
    capturedSaving: (allHot - cost) / (allHot - best),
    violationMinutesPerWeek: sum((o) => o.score.violationMinutes) / weeks,
    movesPerWeek: sum((o) => o.score.moves) / weeks,
    thrashPerWeek: sum((o) => o.score.thrash) / weeks,
    moves: sum((o) => o.score.moves),
    demotions: sum((o) => o.score.demotions),
    prematureDemotions: sum((o) => o.score.prematureDemotions),
    volumeWeeks: weeks,
  }
}

/** Free tiers cost nothing in hindsight either: then nothing over nothing is as good as it gets. */
function ratioOf(cost: number, best: number): number {
  return cost === best ? 1 : cost / best
}
