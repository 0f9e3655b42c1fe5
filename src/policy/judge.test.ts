import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { STAY_REASONS } from '../api/reasons.ts'
import type { StayReason } from '../api/reasons.ts'
import { NOW, TIERS, candidate, wishFor } from './candidate.fixture.ts'
import type { Candidate, Force } from './candidate.ts'
import { GUARDS } from './guards.ts'
import { judge } from './judge.ts'
import { DEFAULT_CONSTANTS, decide, initialState, moved, observe } from './rule.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const PROMOTION = { wish: wishFor(0) }
const base = candidate()
const volume = (over: object) => ({ volume: { ...base.volume!, ...over } })
const claim = (over: object) => ({ claim: { ...base.claim, ...over } })
const policy = (over: object) => ({ policy: { ...base.policy, ...over } })
const state = (over: object) => ({ state: { ...base.state, ...over } })

type Case = readonly [string, Partial<Candidate>, StayReason, string]

/** What keeps any move from happening, forced or not. */
const ALWAYS: readonly Case[] = [
  ['opted out', claim({ optedOut: true }), 'OptedOut', 'couchestor.io/policy=none'],
  [
    'without a policy',
    { unmatched: { reason: 'NoPolicy', message: 'nothing selects it' } },
    'NoPolicy',
    'nothing selects it',
  ],
  ['not bound', claim({ bound: false }), 'Unbound', 'no bound PersistentVolume'],
  ['shared', claim({ shared: 'belongs to another claim too' }), 'SharedVolume', 'another claim'],
  ['being deleted', claim({ terminating: true }), 'Terminating', 'being deleted'],
  ['without a volume in Cinder', { volume: undefined }, 'VolumeGone', 'does not list'],
  ['under the stop switch', policy({ stopped: true }), 'Stopped', 'migration.paused'],
  ['of a paused policy', policy({ paused: true }), 'PolicyPaused', 'tiered is paused'],
  ['paused', claim({ paused: 'all' }), 'Paused', 'couchestor.io/paused=true'],
  ['paused downwards', claim({ paused: 'demotion' }), 'Paused', 'couchestor.io/paused=demotion'],
  ['in flight', { inFlight: 'moves to cold already' }, 'InFlight', 'moves to cold already'],
  ['on an unmanaged type', { tier: -1 }, 'UnmanagedType', 'type "couchestor-warm"'],
  [
    'on a type that Cinder does not report',
    { tier: -1, ...volume({ typeId: '' }) },
    'UnmanagedType',
    'does not report which',
  ],
  [
    'backing off',
    { backOff: { until: NOW + 2 * HOUR, why: 'Cinder reverted the move' } },
    'BackingOff',
    'Cinder reverted the move; the next attempt is in 2 h',
  ],
  ['busy', volume({ status: 'backing-up' }), 'Busy', '"backing-up"'],
  ['of a size that nobody shows', claim({ resizing: 'unknown' }), 'Resizing', 'does not show'],
  ['being resized', claim({ resizing: 'yes' }), 'Resizing', 'being resized'],
  ['with snapshots', volume({ snapshots: { count: 2 } }), 'Snapshots', '2 snapshots; Cinder moves'],
  ['in a group', volume({ groupId: 'g1' }), 'Group', 'group g1'],
  ['multiattach', volume({ multiattach: true }), 'Multiattach', 'multiattach'],
  ['encrypted', volume({ encrypted: true }), 'Encrypted', 'encrypted'],
  ['attached without proof', volume({ attached: true }), 'Attached', 'not proven safe'],
  ['only observed', policy({ mode: 'Observe' }), 'Observe', 'would move to cold'],
]

/** What keeps the policy from moving it down, but never a person who forces it. */
const POLICY_ONLY: readonly Case[] = [
  [
    'whose copy leaves more to pay for than it is worth',
    { copied: () => ({ days: 1e6, bySnapshots: true, because: 'it has snapshots' }) },
    'CopyTooExpensive',
    'because it has snapshots, and that is not worth it',
  ],
  [
    'whose source is down',
    { observation: { kind: 'SourceDown', why: 'connection refused' } },
    'SourceDown',
    'connection refused',
  ],
  ['without data', { observation: { kind: 'NoData', why: 'no series' } }, 'NoData', 'no series'],
  [
    'with too few samples',
    { observation: { kind: 'NoData', why: 'coverage 60 % of 80 %', coveragePercent: 60 } },
    'LowCoverage',
    'coverage 60 % of 80 %',
  ],
  [
    'whose last window is old',
    state({ lastWindowEnd: NOW - 3 * HOUR }),
    'NoData',
    'ended 3 h ago, which is older than 1 h 30 min',
  ],
  [
    'while demotion is frozen',
    { freeze: { reason: 'DemotionFrozen', message: '40 % of the series vanished' } },
    'DemotionFrozen',
    '40 % of the series',
  ],
  ['that is young', state({ coveredSeconds: 47 * 1800 }), 'Young', '47 of 48 windows'],
  [
    'that needed its tier lately',
    state({ quietSeconds: 2 * DAY }),
    'Retention',
    'below 10 operations per second for 2 d; warm keeps it until that is 7 d',
  ],
  ['seen for less than the retention', state({ quietSeconds: DAY }), 'Retention', 'for 1 d;'],
  ['that moved lately', { lastMoveEnd: NOW - HOUR }, 'CoolingDown', 'ended 1 h ago; demotion'],
  ['whose last move is unreadable', { lastMoveEnd: NaN }, 'CoolingDown', 'cannot be read'],
  ['whose last move lies ahead', { lastMoveEnd: NOW + DAY }, 'CoolingDown', 'demotion waits 1 d'],
  [
    'whose force has just ended',
    { force: { tier: 'hot', until: NOW - HOUR } },
    'CoolingDown',
    'ended 1 h ago',
  ],
  [
    'outside the schedule',
    { schedule: { open: false, opensAt: NOW + 90 * 60 } },
    'OutsideSchedule',
    'opens at 1970-04-11T01:30:00.000Z',
  ],
]

describe('a claim', () => {
  it('moves when nothing is in the way, with the numbers in one sentence', () => {
    expect(judge(base)).toMatchObject({
      kind: 'move',
      to: 2,
      why: 'Policy',
      message:
        'over the last 2 d 21 h, recent hours weighted more, cold would have been 3.10 cheaper than warm; a move costs 1.20, and 0.72 is required to justify it',
      numbers: { from: 'warm', to: 'cold', iops: 4, monthlySaving: 10, lead: 3.1, needed: 0.72 },
    })
  })

  it.each([...ALWAYS, ...POLICY_ONLY])('%s stays and says why', (_, over, reason, message) => {
    const verdict = judge(candidate(over))

    expect(verdict).toMatchObject({ kind: 'stay', reason })
    expect(verdict.message).toContain(message)
  })

  it('reports what it would want, while it stays', () => {
    expect(judge(candidate(volume({ status: 'retyping' })))).toMatchObject({ wants: 2 })
    expect(judge(candidate({ wish: wishFor(1) }))).not.toHaveProperty('wants')
  })

  it('that wants nothing compares itself with the next best tier', () => {
    const verdict = judge(candidate({ wish: wishFor(1, { other: 2, lead: 0.5, needed: 0.72 }) }))

    expect(verdict).toMatchObject({ kind: 'stay', reason: 'OnBestTier' })
    expect(verdict.message).toContain('warm fits a mean of 4 operations per second')
    expect(verdict.message).toContain('cold would have been 0.5 cheaper than warm')
  })

  it('that is detached counts as measured', () => {
    expect(judge(candidate({ observation: { kind: 'Detached' } }))).toMatchObject({
      kind: 'move',
      numbers: { iops: 0 },
    })
  })

  it('that has just been moved is kept for the retention of its new tier', () => {
    const fresh = moved(base.state, 0, NOW - 2 * DAY)

    expect(judge(candidate({ state: fresh }))).toMatchObject({ reason: 'Retention' })
  })

  it('that is attached moves when that is proven safe', () => {
    const proven = { attachedSafety: () => ({ safe: true, message: 'proof' }) }

    expect(judge(candidate({ ...volume({ attached: true }), ...proven })).kind).toBe('move')
  })

  it('waits for approval elsewhere: mode Approve gets the move', () => {
    expect(judge(candidate(policy({ mode: 'Approve' }))).kind).toBe('move')
  })
})

describe('a promotion', () => {
  it.each<[string, Partial<Candidate>]>([
    ['youth', state({ coveredSeconds: 1800, quietSeconds: 1800 })],
    ['retention', state({ quietSeconds: 60 })],
    ['frozen demotion', { freeze: { reason: 'DemotionFrozen', message: '' } }],
    ['paused demotion', claim({ paused: 'demotion' })],
    ['the longer cooldown of demotion', { lastMoveEnd: NOW - 2 * HOUR }],
  ])('does not wait for %s', (_, over) => {
    expect(judge(candidate({ ...PROMOTION, ...over }))).toMatchObject({ kind: 'move', to: 0 })
  })

  it('waits for its own cooldown and pause', () => {
    const cooling = judge(candidate({ ...PROMOTION, lastMoveEnd: NOW - 1800 }))
    const paused = judge(candidate({ ...PROMOTION, ...claim({ paused: 'promotion' }) }))

    expect(cooling).toMatchObject({ reason: 'CoolingDown' })
    expect(paused).toMatchObject({ reason: 'Paused' })
  })
})

describe('couchestor.io/force-tier', () => {
  const force = (tier: string, until?: number): { force: Force } => ({
    force: until === undefined ? { tier } : { tier, until },
  })

  it.each(POLICY_ONLY.filter(([name]) => name !== 'whose force has just ended'))(
    'moves a claim %s',
    (_, over) => {
      expect(judge(candidate({ ...over, ...force('cold'), wish: wishFor(1) }))).toMatchObject({
        kind: 'move',
        to: 2,
        why: 'Forced',
      })
    },
  )

  it.each(ALWAYS)('does not move a claim %s', (_, over, reason) => {
    expect(judge(candidate({ ...over, ...force('cold') }))).toMatchObject({ kind: 'stay', reason })
  })

  it('holds the claim against what the policy wants, and says how long', () => {
    expect(judge(candidate(force('warm', NOW + DAY)))).toMatchObject({
      kind: 'stay',
      reason: 'Forced',
      message: 'held on warm by couchestor.io/force-tier for another 1 d',
    })
  })

  it('with an unknown tier moves nothing and lists the tiers', () => {
    const verdict = judge(candidate(force('lukewarm')))

    expect(verdict).toMatchObject({ kind: 'stay', reason: 'ForceTierUnknown' })
    expect(verdict.message).toContain('"lukewarm", but policy tiered has hot, warm, cold')
  })

  it('with an end that cannot be read moves nothing and says how to write it', () => {
    const verdict = judge(candidate(force('cold', NaN)))

    expect(verdict).toMatchObject({ kind: 'stay', reason: 'Forced' })
    expect(verdict.message).toContain('2030-01-31T18:00:00Z')
  })

  it('that has ended lets the policy decide again, after the cooldown', () => {
    expect(judge(candidate(force('hot', NOW - 2 * DAY)))).toMatchObject({ to: 2, why: 'Policy' })
    expect(judge(candidate(force('hot', NOW)))).toMatchObject({ reason: 'CoolingDown' })
    expect(
      judge(candidate({ ...force('hot', NOW - 60), lastMoveEnd: NOW - 9 * DAY })),
    ).toMatchObject({ reason: 'CoolingDown' })
  })
})

describe('the list of guards', () => {
  it('is asked in the order in which the reasons are documented', () => {
    const asked = GUARDS.map(({ reasons: [first] }) => STAY_REASONS.indexOf(first!))

    expect(asked).toEqual(asked.toSorted((a, b) => a - b))
    expect(asked).not.toContain(-1)
  })

  it('reports the first reason when several hold', () => {
    const both = candidate({ ...claim({ optedOut: true }), ...volume({ status: 'error' }) })

    expect(judge(both)).toMatchObject({ reason: 'OptedOut' })
  })

  it('has one case here for each guard that any state of a volume can trigger', () => {
    const tried = new Set([...ALWAYS, ...POLICY_ONLY].map(([, , reason]) => reason))
    const untried = GUARDS.filter((guard) => !guard.reasons.some((r) => tried.has(r)))

    expect(untried.map((g) => g.name)).toEqual([
      'held by force',
      'forced tier unknown',
      'force not guarded',
      'wants nothing',
    ])
  })
})

describe('whatever happens', () => {
  const someTier = fc.integer({ min: -1, max: 2 })
  const unmeasured = fc.constantFrom<Candidate['observation']>(
    { kind: 'NoData', why: 'no series' },
    { kind: 'NoData', why: 'coverage 1 % of 80 %', coveragePercent: 1 },
    { kind: 'SourceDown', why: 'down' },
  )

  it('a gap in the numbers moves nothing', () => {
    fc.assert(
      fc.property(unmeasured, someTier, fc.nat(2), (observation, tier, to) => {
        expect(judge(candidate({ observation, tier, wish: wishFor(to) })).kind).toBe('stay')
      }),
    )
  })

  it('nothing is demoted while demotion is frozen', () => {
    const freeze = { reason: 'DemotionFrozen', message: 'frozen' } as const
    fc.assert(
      fc.property(someTier, fc.integer({ min: -5, max: 9 }), (tier, to) => {
        const verdict = judge(candidate({ freeze, tier, wish: wishFor(to) }))
        expect(verdict.kind === 'stay' || verdict.to < tier).toBe(true)
      }),
    )
  })

  it('odd numbers never throw, and never lead to a tier that does not exist', () => {
    const odd = fc.oneof(fc.double(), fc.constantFrom(NaN, -1, Infinity, 1e300))
    fc.assert(
      fc.property(odd, odd, odd, odd, (now, sizeGiB, to, lastMoveEnd) => {
        const verdict = judge(candidate({ now, sizeGiB, lastMoveEnd, wish: wishFor(to) }))
        expect(verdict.message).not.toBe('')
        expect(verdict.kind === 'stay' || TIERS[verdict.to] !== undefined).toBe(true)
      }),
    )
  })

  it('the same facts give the same verdict', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 500, noNaN: true })), someTier, (xs, tier) => {
        const once = () => {
          let seen = initialState(3, 0)
          for (const [i, x] of xs.entries())
            seen = observe(seen, tier, x, 10, TIERS, DEFAULT_CONSTANTS, 0.5, (i + 1) * 1800)
          const wish = decide(seen, tier, 10, 10, TIERS, DEFAULT_CONSTANTS)
          return judge(candidate({ tier, state: seen, wish, now: seen.lastWindowEnd + 60 }))
        }
        expect(once()).toStrictEqual(once())
      }),
    )
  })
})
