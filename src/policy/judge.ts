import type { StayReason } from '../api/reasons.ts'
import type { Block } from '../blockers/blocker.ts'
import { wantOf } from './candidate.ts'
import type { Candidate, Want } from './candidate.ts'
import { GUARDS } from './guards.ts'
import { durationText, iopsText, moneyText } from './numbers-text.ts'
import { savingOf } from './rank.ts'
import type { Saving } from './rank.ts'

/** The figures behind a verdict. Tiers by name; money in the unit of the prices. */
export type Numbers = Saving & {
  readonly from: string
  /** The tier that the figures compare with: the wanted one, else the best other. */
  readonly to: string
  readonly iops: number | undefined
  readonly coveragePercent: number | undefined
  readonly meanIops: number
  readonly limitIops: number | undefined
  readonly lead: number
  readonly needed: number
  readonly moveCost: number
  readonly historyHours: number
}

/** `to` and `wants` are indexes of tiers. A `message` is one sentence. */
export type Verdict =
  | {
      readonly kind: 'move'
      readonly to: number
      readonly why: 'Policy' | 'Forced'
      readonly message: string
      readonly numbers: Numbers
    }
  | {
      readonly kind: 'stay'
      readonly reason: StayReason
      readonly wants?: number
      readonly message: string
      readonly numbers: Numbers
    }

/**
 * What happens to a claim now: the guards in their order, the first that holds keeps it where it is. Mode Approve
 * gets the verdict `move` too: whether a person has approved is checked where moves are admitted.
 */
export function judge(c: Candidate): Verdict {
  const want = wantOf(c)
  const numbers = numbersOf(c, want)
  for (const guard of GUARDS) {
    if (want.forced && guard.skippedByForce) continue
    const block = guard.check(c, want)
    if (!block) continue
    return want.to === c.tier
      ? new Staying(block, numbers)
      : new StayingThough(block, numbers, want.to)
  }
  return {
    kind: 'move',
    to: want.to,
    why: want.forced ? 'Forced' : 'Policy',
    message: want.forced
      ? `couchestor.io/force-tier asks for ${numbers.to}`
      : explainNumbers(numbers),
    numbers,
  }
}

/** Its sentence is made when it is read, as that of its block is. */
class Staying {
  readonly kind = 'stay'
  readonly reason: StayReason
  readonly numbers: Numbers
  readonly #block: Block

  constructor(block: Block, numbers: Numbers) {
    this.reason = block.reason
    this.numbers = numbers
    this.#block = block
  }

  get message(): string {
    const { message } = this.#block
    return this.reason === 'OnBestTier' ? `${message}; ${explainNumbers(this.numbers)}` : message
  }
}

/** Another tier is wanted. */
class StayingThough extends Staying {
  readonly wants: number

  constructor(block: Block, numbers: Numbers, wants: number) {
    super(block, numbers)
    this.wants = wants
  }
}

function numbersOf(c: Candidate, want: Want): Numbers {
  const { wish, observation } = c
  const other = want.to === c.tier ? wish.other : want.to
  const from = c.tiers[c.tier]
  const to = c.tiers[other]
  const lead = other === wish.other ? wish.lead : leadOf(c, other)
  const saving = from && to ? savingOf({ ...wish, lead }, from, to, c.sizeGiB) : NO_SAVING
  return {
    ...saving,
    from: from?.name ?? '',
    to: to?.name ?? '',
    iops: observedIops(observation),
    coveragePercent: 'coveragePercent' in observation ? observation.coveragePercent : undefined,
    meanIops: wish.meanIops,
    limitIops: wish.limitIops,
    lead,
    needed: wish.needed,
    moveCost: wish.moveCost,
    historyHours: wish.historyHours,
  }
}

const NO_SAVING: Saving = { monthlySaving: 0, worthPerMonth: 0, paybackDays: Infinity }

function leadOf(c: Candidate, other: number): number {
  return (c.state.cost[c.tier] ?? 0) - (c.state.cost[other] ?? 0)
}

function observedIops(observation: Candidate['observation']): number | undefined {
  if (observation.kind === 'Detached') return 0
  return observation.kind === 'Measured' ? observation.iops : undefined
}

/** The figures as a sentence without a full stop: what the other tier would have cost, and what a move needs. */
function explainNumbers(numbers: Numbers): string {
  const { from, to, lead, needed, moveCost, historyHours, meanIops, limitIops } = numbers
  if (to === '' || from === '' || !(historyHours > 0)) return 'there is no history to compare yet'
  const over = `over the last ${durationText(Math.max(1, Math.round(historyHours)) * 3600)}, recent hours weighted more,`
  if (limitIops !== undefined)
    return `${over} the mean was ${iopsText(meanIops)} operations per second, compared with a limit of ${iopsText(limitIops)} for ${to} against ${from}`
  const difference = `${moneyText(Math.abs(lead))} ${lead < 0 ? 'more expensive' : 'cheaper'} than ${from}`
  return `${over} ${to} would have been ${difference}; a move costs ${moneyText(moveCost)}, and ${moneyText(needed)} is required to justify it`
}
