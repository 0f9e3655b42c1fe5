import { blockOf, stated } from '../blockers/blocker.ts'
import type { Block } from '../blockers/blocker.ts'
import type { Candidate, Want } from './candidate.ts'
import { durationText, iopsText } from './numbers-text.ts'

export const sourceDown = stated(
  {
    SourceDown: 'The source of usage numbers does not answer; nothing is decided without numbers.',
  },
  ({ observation }: Candidate) =>
    observation.kind === 'SourceDown'
      ? {
          reason: 'SourceDown',
          message: `the source of usage numbers does not answer: ${observation.why}`,
        }
      : undefined,
)

export const noData = stated(
  {
    NoData: 'The volume is attached, but there are no usage numbers for it. That is never zero.',
    LowCoverage: 'Fewer samples arrived than metrics.minCoveragePercent asks for.',
  },
  (c: Candidate): Block<'NoData' | 'LowCoverage'> | undefined => {
    const { observation } = c
    if (observation.kind !== 'NoData') return stale(c)
    const few = observation.coveragePercent !== undefined
    return { reason: few ? 'LowCoverage' : 'NoData', message: observation.why }
  },
)

/** Between two windows the last one still counts, but not for ever. */
function stale(c: Candidate): Block<'NoData'> | undefined {
  const { lastWindowEnd } = c.state
  const age = c.now - lastWindowEnd
  if (!(age > c.policy.maxStalenessSeconds)) return undefined
  if (!(lastWindowEnd > 0))
    return { reason: 'NoData', message: 'no window with usage numbers has been read yet' }
  const most = durationText(c.policy.maxStalenessSeconds)
  return {
    reason: 'NoData',
    message: `the last window with usage numbers ended ${durationText(age)} ago, which is older than ${most} (metrics.maxStaleness)`,
  }
}

export const frozen = stated(
  {
    CatchingUp:
      'History is still being read again after a start; demotion waits until it is complete.',
    DemotionFrozen:
      'The number of volumes with usage numbers dropped; demotion is frozen until it recovers.',
  },
  (c: Candidate, want: Want) => (want.to > c.tier ? c.freeze : undefined),
)

export const wantsNothing = stated(
  { OnBestTier: 'The volume is on the most cost-effective tier.' },
  (c: Candidate, want: Want) => {
    if (want.to !== c.tier) return undefined
    const tier = c.tiers[c.tier]?.name ?? 'no tier'
    const { meanIops } = c.wish
    return blockOf(
      'OnBestTier',
      () => `${tier} fits a mean of ${iopsText(meanIops)} operations per second`,
    )
  },
)

export const backingOff = stated(
  {
    BackingOff:
      'An earlier attempt failed or was reverted; the next one waits for hours, and after a rollback for seven days.',
  },
  ({ backOff, now }: Candidate) => {
    if (!backOff || backOff.until <= now) return undefined
    return {
      reason: 'BackingOff',
      message: `${backOff.why}; the next attempt is in ${durationText(backOff.until - now)}`,
    }
  },
)
