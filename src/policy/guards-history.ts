import { activeForce } from './candidate.ts'
import type { Block, Force, PolicyFacts, Want } from './candidate.ts'
import { durationText, iopsText } from './numbers-text.ts'
import type { Tier, VolumeState } from './types.ts'

/** What these guards look at: a replay has no more of a volume. */
export type HistoryFacts = {
  readonly now: number
  readonly policy: Pick<
    PolicyFacts,
    'minHistorySeconds' | 'windowSeconds' | 'promoteCooldownSeconds' | 'demoteCooldownSeconds'
  >
  readonly tiers: readonly Pick<Tier, 'name' | 'limitIops' | 'retentionSeconds'>[]
  readonly tier: number
  readonly sizeGiB: number
  readonly state: Pick<VolumeState, 'coveredWindows' | 'lastExceededAt' | 'firstSeenAt'>
  readonly force?: Force
  readonly lastMoveEnd?: number
}

/** Demotion needs `minHistory` in windows with data: an hour of silence after a gap proves nothing. */
export function young(c: HistoryFacts, want: Pick<Want, 'to'>): Block | undefined {
  const needed = Math.ceil(c.policy.minHistorySeconds / c.policy.windowSeconds)
  if (want.to <= c.tier || c.state.coveredWindows >= needed) return undefined
  return {
    reason: 'Young',
    message: `${c.state.coveredWindows} of ${needed} windows with data so far; demotion waits for ${durationText(c.policy.minHistorySeconds)} of history`,
  }
}

/** A volume leaves downwards only when it has not needed its tier for `retentionDays`. */
export function retention(c: HistoryFacts, want: Pick<Want, 'to'>): Block | undefined {
  const tier = c.tiers[c.tier]
  const below = c.tiers[c.tier + 1]
  if (!tier || !below || want.to <= c.tier) return undefined
  const since = c.now - Math.max(c.state.lastExceededAt, c.state.firstSeenAt)
  if (since >= tier.retentionSeconds) return undefined
  const quiet = `below ${iopsText(below.limitIops(c.sizeGiB))} operations per second for ${durationText(since)}`
  return {
    reason: 'Retention',
    message: `${quiet}; ${tier.name} keeps it until that is ${durationText(tier.retentionSeconds)} (retentionDays)`,
  }
}

/** The end of a force counts as a move. A time that cannot be read, or lies ahead, counts as just now. */
export function coolingDown(c: HistoryFacts, want: Pick<Want, 'to'>): Block | undefined {
  const demotion = want.to > c.tier
  const cooldown = demotion ? c.policy.demoteCooldownSeconds : c.policy.promoteCooldownSeconds
  const forceEnd = c.force && !activeForce(c) ? c.force.until : undefined
  const ends = [c.lastMoveEnd, forceEnd].filter((t) => t !== undefined)
  if (cooldown <= 0 || ends.length === 0) return undefined
  const since = c.now - Math.max(...ends)
  if (since >= cooldown) return undefined
  const ago = Number.isNaN(since) ? 'at a time that cannot be read' : `${durationText(since)} ago`
  return {
    reason: 'CoolingDown',
    message: `the last move ended ${ago}; ${demotion ? 'demotion' : 'promotion'} waits ${durationText(cooldown)} after it`,
  }
}
