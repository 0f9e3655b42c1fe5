import { blockOf, stated } from '../blockers/blocker.ts'
import { activeForce } from './candidate.ts'
import type { Force, PolicyFacts, Want } from './candidate.ts'
import { durationText, iopsText } from './numbers-text.ts'
import type { Tier, VolumeState } from './types.ts'

/** What these guards check: a replay has no more of a volume. */
export type HistoryFacts = {
  readonly now: number
  readonly policy: Pick<
    PolicyFacts,
    'minHistorySeconds' | 'windowSeconds' | 'promoteCooldownSeconds' | 'demoteCooldownSeconds'
  >
  readonly tiers: readonly Pick<Tier, 'name' | 'limitIops' | 'retentionSeconds'>[]
  readonly tier: number
  readonly sizeGiB: number
  readonly state: Pick<VolumeState, 'coveredSeconds' | 'quietSeconds'>
  readonly force?: Force
  readonly lastMoveEnd?: number
}

/** Demotion needs `minHistory` of measured time: an hour of silence after a gap proves nothing. */
export const young = stated(
  {
    Young: 'Demotion waits until the volume has metrics.minHistory of windows with usage numbers.',
  },
  (c: HistoryFacts, want: Pick<Want, 'to'>) => {
    const { minHistorySeconds, windowSeconds } = c.policy
    const { coveredSeconds } = c.state
    if (want.to <= c.tier || coveredSeconds >= minHistorySeconds) return undefined
    return blockOf(
      'Young',
      () =>
        `${Math.floor(coveredSeconds / windowSeconds)} of ${Math.ceil(minHistorySeconds / windowSeconds)} windows with data so far; demotion waits for ${durationText(minHistorySeconds)} of history`,
    )
  },
)

/** A volume leaves downwards only when it has not needed its tier for `retentionDays` of measured time. */
export const retention = stated(
  {
    Retention:
      'Demotion waits: the volume has exceeded the next tier, or was first seen, less than retentionDays of its tier ago.',
  },
  (c: HistoryFacts, want: Pick<Want, 'to'>) => {
    const tier = c.tiers[c.tier]
    const below = c.tiers[c.tier + 1]
    if (!tier || !below || want.to <= c.tier) return undefined
    const since = c.state.quietSeconds
    if (since >= tier.retentionSeconds) return undefined
    const { sizeGiB } = c
    return blockOf('Retention', () => {
      const quiet = `below ${iopsText(below.limitIops(sizeGiB))} operations per second for ${durationText(since)}`
      return `${quiet}; ${tier.name} keeps it until that is ${durationText(tier.retentionSeconds)} (retentionDays)`
    })
  },
)

/** The end of a force counts as a move. A time that cannot be read, or lies ahead, counts as just now. */
export const coolingDown = stated(
  { CoolingDown: 'The last move, or the end of a forced tier, is younger than the cooldown.' },
  (c: HistoryFacts, want: Pick<Want, 'to'>) => {
    const demotion = want.to > c.tier
    const cooldown = demotion ? c.policy.demoteCooldownSeconds : c.policy.promoteCooldownSeconds
    const forceEnd = c.force && !activeForce(c) ? c.force.until : undefined
    const ends = [c.lastMoveEnd, forceEnd].filter((t) => t !== undefined)
    if (cooldown <= 0 || ends.length === 0) return undefined
    const since = c.now - Math.max(...ends)
    if (since >= cooldown) return undefined
    return blockOf('CoolingDown', () => {
      const ago = Number.isNaN(since)
        ? 'at a time that cannot be read'
        : `${durationText(since)} ago`
      return `the last move ended ${ago}; ${demotion ? 'demotion' : 'promotion'} waits ${durationText(cooldown)} after it`
    })
  },
)
