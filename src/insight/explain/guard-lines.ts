import type { Candidate, Want } from '../../policy/candidate.ts'
import { wantOf } from '../../policy/candidate.ts'
import { GUARDS } from '../../policy/guards.ts'
import { keptOf, keptText } from '../../policy/kept-copies.ts'
import { agoText, durationText, iopsText, moneyText } from '../../policy/numbers-text.ts'

export type GuardLine = {
  readonly guard: string
  /** `skipped`: a forced move walks past it. */
  readonly answer: 'pass' | 'hold' | 'skipped'
  /** With the numbers, one sentence or less. */
  readonly message: string
  readonly reason: string
}

/** Every guard in its order with what it saw. The first that holds is the verdict; those after it show what else would. */
export function guardLines(c: Candidate): readonly GuardLine[] {
  const want = wantOf(c)
  return GUARDS.map((guard) => {
    if (want.forced && guard.skippedByForce)
      return {
        guard: guard.name,
        answer: 'skipped',
        message: 'not asked of a forced move',
        reason: '',
      }
    const block = guard.check(c, want)
    if (block?.reason === 'OnBestTier') return onBestTier(guard.name, block.message, c)
    if (block !== undefined)
      return { guard: guard.name, answer: 'hold', message: block.message, reason: block.reason }
    return {
      guard: guard.name,
      answer: 'pass',
      message: FACTS[guard.name]?.(c, want) ?? '',
      reason: '',
    }
  })
}

/** The one answer that is about money, and not about the volume. */
function onBestTier(guard: string, message: string, c: Candidate): GuardLine {
  const other = c.tiers[c.wish.other]?.name
  const lead = `a lead of ${moneyText(c.wish.lead)} (required: ${moneyText(c.wish.needed)})`
  const more = other === undefined ? '' : `; ${other} has ${lead}`
  return { guard, answer: 'hold', message: `${message}${more}`, reason: 'OnBestTier' }
}

/** What a guard saw when nothing stood against the move. */
const FACTS: Readonly<Record<string, (c: Candidate, want: Want) => string>> = {
  'no usable policy': (c) => `policy ${c.policy.name}, mode ${c.policy.mode}`,
  'volume gone': (c) => `${c.sizeGiB} GiB of type ${c.volume?.typeName ?? 'unknown'}`,
  'unmanaged type': (c) => `tier ${c.tiers[c.tier]?.name ?? 'none'}`,
  'no data': measured,
  'demotion frozen': (_, want) => (want.forced ? '' : 'usage numbers are complete'),
  'wants nothing': (c) =>
    `a lead of ${moneyText(c.wish.lead)} (required: ${moneyText(c.wish.needed)}); a move costs ${moneyText(c.wish.moveCost)}`,
  young: (c) =>
    `${Math.floor(c.state.coveredSeconds / c.policy.windowSeconds)} of ${Math.ceil(c.policy.minHistorySeconds / c.policy.windowSeconds)} windows with data`,
  retention: quiet,
  'cooling down': lastMove,
  'backing off': (c) => (c.backOff === undefined ? 'no attempt has failed' : 'the pause is over'),
  busy: (c) => `the volume is ${c.volume?.status ?? 'unknown'}`,
  snapshots: (c, want) => (c.copied?.(want.to)?.bySnapshots ? 'some, which block no copy' : 'none'),
  'kept copies': (c, want) => keptFact(c, want),
  attached: (c, want) =>
    c.volume?.attached ? c.attachedSafety(want.to).message : 'attached nowhere',
  schedule: (c) => (c.schedule.open ? 'open' : ''),
  'only observing': (c) => `mode ${c.policy.mode}`,
}

function keptFact(c: Candidate, { to }: Want): string {
  const [copied, from] = [c.copied?.(to), c.tiers[c.tier]]
  if (copied === undefined || from === undefined) return 'no copy is made'
  return keptText(keptOf(copied, from, c.sizeGiB))
}

function measured({ observation, state, now }: Candidate): string {
  const age =
    state.lastWindowEnd > 0
      ? `the window ended ${agoText(now, state.lastWindowEnd)}`
      : 'no window yet'
  if (observation.kind === 'Detached') return `detached, which is a measured zero; ${age}`
  if (observation.kind !== 'Measured') return age
  return `${iopsText(observation.iops)} operations per second at ${Math.round(observation.coveragePercent)} % coverage; ${age}`
}

function quiet({ state, tiers, tier, sizeGiB }: Candidate): string {
  const [here, below] = [tiers[tier], tiers[tier + 1]]
  if (here === undefined || below === undefined) return 'there is no slower tier'
  const since = durationText(state.quietSeconds)
  return `below ${iopsText(below.limitIops(sizeGiB))} operations per second for ${since} of ${durationText(here.retentionSeconds)}`
}

function lastMove({ lastMoveEnd, now, policy, tier }: Candidate, want: Want): string {
  if (lastMoveEnd === undefined) return 'never moved'
  const demotion = want.to > tier
  const cooldown = demotion ? policy.demoteCooldownSeconds : policy.promoteCooldownSeconds
  return `last move ${agoText(now, lastMoveEnd)}, cooldown ${durationText(cooldown)}`
}
