import type { Verdict } from '../../policy/judge.ts'
import { durationText, iopsText } from '../../policy/numbers-text.ts'
import { money } from '../money.ts'

/** What is said about a volume to somebody who has never heard of a tier's limit. */
export type SentenceInput = {
  readonly claim: string
  readonly sizeGiB: number
  readonly verdict: Verdict
  /** Name of the wanted tier, if there is one beside its own. */
  readonly wants: string | undefined
  /** What throttling on the compared tier would have been worth per month. */
  readonly throttlingThere: number
}

/** The verdict in one sentence, with money and time instead of the rule's own terms. */
export function sentence(input: SentenceInput): string {
  const { claim, sizeGiB, verdict, wants } = input
  const who = `${claim} (${sizeGiB} GiB)`
  if (verdict.kind === 'move') return `${who} ${moving(input)}.`
  if (verdict.reason === 'OnBestTier') return `${who} ${belongs(input)}.`
  if (wants === undefined) return `${who} stays where it is: ${verdict.message}.`
  return `${who} would be better off on ${wants} (${gain(verdict)}), but stays on ${verdict.numbers.from} for now: ${verdict.message}.`
}

function moving({ verdict, wants }: SentenceInput): string {
  const { numbers } = verdict
  if (verdict.kind === 'move' && verdict.why === 'Forced')
    return `moves to ${wants} because a person asked for it`
  const paid = Number.isFinite(numbers.paybackDays)
    ? `, and has paid for the move in ${durationText(Math.max(3600, numbers.paybackDays * 86_400))}`
    : ''
  return `moves from ${numbers.from} to ${wants}: it needs ${use(numbers.meanIops)}, ${gain(verdict)} there${paid}`
}

function gain({ numbers }: Verdict): string {
  const { monthlySaving, worthPerMonth } = numbers
  if (monthlySaving >= 0) return `saves ${money(monthlySaving)} a month`
  return `costs ${money(-monthlySaving)} a month more, and ends throttling worth ${money(worthPerMonth - monthlySaving)} a month`
}

function use(iops: number): string {
  const text = iopsText(iops)
  return `about ${text} operation${text === '1' ? '' : 's'} per second`
}

function belongs({ verdict, throttlingThere }: SentenceInput): string {
  const { from, to, lead, needed, meanIops, monthlySaving, historyHours } = verdict.numbers
  const needs = `it needs ${use(meanIops)}`
  if (to === '' || !(historyHours > 0))
    return `stays on ${from}: there is no history to compare yet`
  if (lead > 0 && needed > 0)
    return `stays on ${from} for now: ${needs}; ${to} has been cheaper, but so far by ${Math.floor((100 * lead) / needed)} % of what it takes to be sure that a move pays`
  if (monthlySaving <= 0)
    return `is where it belongs, on ${from}: ${needs}, and ${to} would only cost more`
  return `is where it belongs, on ${from}: ${needs}; ${to} would save ${money(monthlySaving)} a month, but the throttling there would be worth ${money(throttlingThere)}`
}
