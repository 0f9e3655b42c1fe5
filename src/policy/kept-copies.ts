import { blockOf, stated } from '../blockers/blocker.ts'
import type { Candidate, Want } from './candidate.ts'
import { HOURS_PER_MONTH } from './cost.ts'
import { durationText, moneyText } from './numbers-text.ts'
import { monthlyCost, savingOf } from './rank.ts'
import type { Tier } from './types.ts'

/** A move that gives the claim a copy, and keeps its former volume for a while. */
export type Copied = {
  /** How long that is expected to be, in days. */
  readonly days: number
  /** Snapshots of others keep it, and nobody knows for how long. */
  readonly bySnapshots: boolean
  /** Why it was chosen; left out where the policy asks for nothing else. */
  readonly because?: string
}

/** What that costs, in the unit of the prices. */
export type Kept = Copied & { readonly perDay: number; readonly total: number }

export function keptPerDay(from: Pick<Tier, 'pricePerGiBMonth'>, sizeGiB: number): number {
  return (monthlyCost(from, sizeGiB) * 24) / HOURS_PER_MONTH
}

export function keptOf(
  copied: Copied,
  from: Pick<Tier, 'pricePerGiBMonth'>,
  sizeGiB: number,
): Kept {
  const perDay = keptPerDay(from, sizeGiB)
  return { ...copied, perDay, total: perDay * copied.days }
}

/** Without a full stop. */
export function keptText({ perDay, days, total, bySnapshots }: Kept): string {
  const price = `the former volume is kept and costs ${moneyText(perDay)} a day`
  const length = durationText(days * 86_400)
  return bySnapshots
    ? `${price} until its snapshots are gone, ${moneyText(total)} if that takes ${length}`
    : `${price} until the soak ends, at most ${length} (${moneyText(total)})`
}

/** Who names `snapshot-restore` has decided that; where the choice is left open a copy must be worth what it leaves behind. */
export const copyTooExpensive = stated(
  {
    CopyTooExpensive:
      'Strategy Auto would move the volume by a copy, and keeping the former volume would cost more than the move is worth in a month.',
  },
  (c: Candidate, want: Pick<Want, 'to'>) => {
    const copied = c.copied?.(want.to)
    const [from, to] = [c.tiers[c.tier], c.tiers[want.to]]
    if (copied?.because === undefined || from === undefined || to === undefined) return undefined
    const kept = keptOf(copied, from, c.sizeGiB)
    const { worthPerMonth } = savingOf(c.wish, from, to, c.sizeGiB)
    if (kept.total <= worthPerMonth) return undefined
    const { because } = copied
    const way = copied.bySnapshots ? 'delete the snapshots, or name' : 'to move it anyway, name'
    return blockOf(
      'CopyTooExpensive',
      () =>
        `it would move by a copy, because ${because}, and that is not worth it: ${keptText(kept)}, and the move is worth ${moneyText(worthPerMonth)} a month; ${way} migration.strategy: snapshot-restore`,
    )
  },
)
