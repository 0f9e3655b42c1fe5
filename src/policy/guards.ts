import type { StayReason } from '../api/reasons.ts'
import { activeForce } from './candidate.ts'
import type { Block, Candidate, Want } from './candidate.ts'
import { blocks, encrypted, group, multiattach, resizing, snapshots } from './guards-cinder.ts'
import { attached, busy } from './guards-cinder.ts'
import { coolingDown, retention, young } from './guards-history.ts'
import { durationText, iopsText } from './numbers-text.ts'

/** One reason to stay: pure, and undefined when it does not hold. */
export type Guard = {
  readonly name: string
  readonly reasons: readonly StayReason[]
  /** A forced move skips what is about usage and pace, never what protects the volume. */
  readonly skippedByForce?: true
  readonly check: (c: Candidate, want: Want) => Block | undefined
}

/** Asked in this order; the first that holds is what people are told. */
export const GUARDS: readonly Guard[] = [
  { name: 'opted out', reasons: ['OptedOut'], check: optedOut },
  {
    name: 'no usable policy',
    reasons: ['NoPolicy', 'PolicyNotFound', 'PolicyConflict', 'PolicyInvalid', 'TiersUnresolved'],
    check: (c) => c.unmatched,
  },
  { name: 'unbound', reasons: ['Unbound'], check: unbound },
  { name: 'terminating', reasons: ['Terminating'], check: terminating },
  { name: 'volume gone', reasons: ['VolumeGone'], check: volumeGone },
  { name: 'stop switch', reasons: ['Stopped'], check: stopped },
  { name: 'policy paused', reasons: ['PolicyPaused'], check: policyPaused },
  { name: 'claim paused', reasons: ['Paused'], check: paused },
  { name: 'in flight', reasons: ['InFlight'], check: inFlight },
  { name: 'held by force', reasons: ['Forced'], check: heldByForce },
  { name: 'forced tier unknown', reasons: ['ForceTierUnknown'], check: forceUnknown },
  { name: 'force denied', reasons: ['ForceTierDenied'], check: forceDenied },
  { name: 'unmanaged type', reasons: ['UnmanagedType'], check: unmanagedType },
  { name: 'source down', reasons: ['SourceDown'], skippedByForce: true, check: sourceDown },
  { name: 'no data', reasons: ['NoData', 'LowCoverage'], skippedByForce: true, check: noData },
  {
    name: 'demotion frozen',
    reasons: ['CatchingUp', 'DemotionFrozen'],
    skippedByForce: true,
    check: (c, want) => (isDemotion(c, want) ? c.freeze : undefined),
  },
  { name: 'wants nothing', reasons: ['OnBestTier'], check: wantsNothing },
  { name: 'young', reasons: ['Young'], skippedByForce: true, check: young },
  { name: 'retention', reasons: ['Retention'], skippedByForce: true, check: retention },
  { name: 'cooling down', reasons: ['CoolingDown'], skippedByForce: true, check: coolingDown },
  { name: 'backing off', reasons: ['BackingOff'], check: backingOff },
  { name: 'busy', reasons: ['Busy'], check: busy },
  { name: 'resizing', reasons: ['Resizing'], check: resizing },
  { name: 'snapshots', reasons: ['Snapshots'], check: snapshots },
  { name: 'group', reasons: ['Group'], check: group },
  { name: 'multiattach', reasons: ['Multiattach'], check: multiattach },
  { name: 'encrypted', reasons: ['Encrypted'], check: encrypted },
  {
    name: 'blocked by Cinder',
    reasons: [
      'SizeLimit',
      'Replicated',
      'TypeNotAccessible',
      'ZoneUnavailable',
      'QuotaExceeded',
      'TooLargeForDetach',
      'PodPending',
    ],
    check: blocks,
  },
  { name: 'attached', reasons: ['Attached'], check: attached },
  { name: 'schedule', reasons: ['OutsideSchedule'], skippedByForce: true, check: schedule },
  { name: 'only observing', reasons: ['Observe'], check: observing },
  {
    name: 'limits',
    reasons: [
      'Halted',
      'BreakerOpen',
      'ThrashBreaker',
      'Ramp',
      'ConcurrencyLimit',
      'NamespaceLimit',
      'PoolLimit',
      'SlotLimit',
      'CapacityLimit',
      'BudgetLimit',
    ],
    check: (c, want) => c.limits(want.to),
  },
]

function isDemotion(c: Candidate, want: Want): boolean {
  return want.to > c.tier
}

function stay(reason: StayReason, message: string): Block {
  return { reason, message }
}

function tierName(c: Candidate, tier: number): string {
  return c.tiers[tier]?.name ?? 'no tier'
}

function optedOut(c: Candidate): Block | undefined {
  return c.claim.optedOut
    ? stay('OptedOut', 'the claim is annotated couchestor.io/policy=none; remove it to be managed')
    : undefined
}

function unbound(c: Candidate): Block | undefined {
  return c.claim.bound ? undefined : stay('Unbound', 'the claim has no bound PersistentVolume yet')
}

function terminating(c: Candidate): Block | undefined {
  return c.claim.terminating
    ? stay('Terminating', 'the claim or its PersistentVolume is being deleted')
    : undefined
}

function volumeGone(c: Candidate): Block | undefined {
  return c.volume
    ? undefined
    : stay('VolumeGone', 'Cinder does not know the volume of the PersistentVolume')
}

function stopped(c: Candidate): Block | undefined {
  return c.policy.stopped
    ? stay('Stopped', 'the global stop switch is on (migration.paused in config.yaml)')
    : undefined
}

function policyPaused(c: Candidate): Block | undefined {
  return c.policy.paused
    ? stay('PolicyPaused', `policy ${c.policy.name} is paused (spec.paused)`)
    : undefined
}

function paused(c: Candidate, want: Want): Block | undefined {
  const { paused: what } = c.claim
  const holds =
    what === 'all' ||
    (what === 'promotion' && want.to < c.tier) ||
    (what === 'demotion' && isDemotion(c, want))
  const value = what === 'all' ? 'true' : what
  return holds ? stay('Paused', `the claim is annotated couchestor.io/paused=${value}`) : undefined
}

function inFlight(c: Candidate): Block | undefined {
  return c.inFlight === undefined ? undefined : stay('InFlight', c.inFlight)
}

function heldByForce(c: Candidate, want: Want): Block | undefined {
  const force = activeForce(c)
  if (!force || !c.policy.forceAllowed) return undefined
  if (Number.isNaN(force.until))
    return stay(
      'Forced',
      'couchestor.io/force-until cannot be read, so nothing moves; write it as 2030-01-31T18:00:00Z',
    )
  if (tierName(c, want.to) !== force.tier || want.to !== c.tier) return undefined
  const left = force.until === undefined ? '' : ` for another ${durationText(force.until - c.now)}`
  return stay('Forced', `held on ${force.tier} by couchestor.io/force-tier${left}`)
}

function forceUnknown(c: Candidate): Block | undefined {
  const force = activeForce(c)
  if (!force || c.tiers.some((t) => t.name === force.tier)) return undefined
  const names = c.tiers.map((t) => t.name).join(', ')
  return stay(
    'ForceTierUnknown',
    `couchestor.io/force-tier names "${force.tier}", but policy ${c.policy.name} has ${names}; correct it or remove it`,
  )
}

function forceDenied(c: Candidate): Block | undefined {
  if (!activeForce(c) || c.policy.forceAllowed) return undefined
  return stay(
    'ForceTierDenied',
    `policy ${c.policy.name} denies couchestor.io/force-tier (spec.overrides.forceTier); remove the annotation`,
  )
}

function unmanagedType(c: Candidate): Block | undefined {
  if (c.tiers[c.tier]) return undefined
  return stay(
    'UnmanagedType',
    `the volume has type "${c.volume?.typeName}", which no tier of policy ${c.policy.name} has; retype it to one of them by hand`,
  )
}

function sourceDown(c: Candidate): Block | undefined {
  const { observation } = c
  if (observation.kind !== 'SourceDown') return undefined
  return stay('SourceDown', `the source of usage numbers does not answer: ${observation.why}`)
}

function noData(c: Candidate): Block | undefined {
  const { observation } = c
  if (observation.kind !== 'NoData') return stale(c)
  const few = observation.coveragePercent !== undefined
  return stay(few ? 'LowCoverage' : 'NoData', observation.why)
}

/** Between two windows the last one still counts, but not for ever. */
function stale(c: Candidate): Block | undefined {
  const age = c.now - c.state.lastWindowEnd
  if (!(age > c.policy.maxStalenessSeconds)) return undefined
  const most = durationText(c.policy.maxStalenessSeconds)
  return stay(
    'NoData',
    `the last window with usage numbers ended ${durationText(age)} ago, which is older than ${most} (metrics.maxStaleness)`,
  )
}

function wantsNothing(c: Candidate, want: Want): Block | undefined {
  if (want.to !== c.tier) return undefined
  const mean = iopsText(c.wish.meanIops)
  return stay('OnBestTier', `${tierName(c, c.tier)} fits a mean of ${mean} operations per second`)
}

function backingOff(c: Candidate): Block | undefined {
  const { backOff } = c
  if (!backOff || backOff.until <= c.now) return undefined
  return stay(
    'BackingOff',
    `${backOff.why}; the next attempt is in ${durationText(backOff.until - c.now)}`,
  )
}

function schedule(c: Candidate): Block | undefined {
  if (c.schedule.open) return undefined
  const { opensAt } = c.schedule
  const when = opensAt === undefined ? '' : `; it opens in ${durationText(opensAt - c.now)}`
  return stay('OutsideSchedule', `the schedule of policy ${c.policy.name} is closed${when}`)
}

function observing(c: Candidate, want: Want): Block | undefined {
  if (c.policy.mode !== 'Observe') return undefined
  return stay(
    'Observe',
    `policy ${c.policy.name} only observes (mode Observe); it would move to ${tierName(c, want.to)}`,
  )
}
