import { describe, expect, it } from 'vitest'
import { parseConfig } from './config.ts'
import { effectivePolicy } from './effective-policy.ts'
import { notYetActedOn } from './not-yet-acted-on.ts'
import type { StoragePolicySpec } from './storage-policy.ts'

const tiers = [{ name: 'hot' }, { name: 'cold' }]
const of = (spec: Partial<StoragePolicySpec>, config = '') =>
  effectivePolicy({ tiers, ...spec }, parseConfig(config, 'config.yaml'))

describe('effectivePolicy', () => {
  it('fills in every default when the policy names tiers only', () => {
    const policy = of({})
    expect(policy).toMatchObject({
      mode: 'Auto',
      paused: false,
      priority: 0,
      forceTier: 'Allow',
      metrics: {
        source: 'Prometheus',
        windowMs: 1_800_000,
        minHistoryMs: 86_400_000,
        minCoveragePercent: 80,
        maxStalenessMs: 5_400_000,
        ioUnitKiB: 256,
      },
      migration: {
        strategy: 'cinder-retype',
        via: 'clone',
        schedule: undefined,
        cooldown: { promoteMs: 86_400_000, demoteMs: 86_400_000 },
        maxConcurrent: 2,
        attached: 'Auto',
        workloads: 'WaitForDetach',
        migrationPolicy: 'on-demand',
        retypeTimeoutMs: 3_600_000,
      },
    })
  })

  it.each([
    [{}, '', 'Prometheus'],
    [{}, 'metrics: {source: Gnocchi}', 'Gnocchi'],
    [{ metrics: { source: 'Prometheus' } }, 'metrics: {source: Gnocchi}', 'Prometheus'],
    [{ metrics: { source: 'Gnocchi' } }, '', 'Gnocchi'],
  ] as const)('with %j and config.yaml "%s" usage comes from %s', (spec, config, source) => {
    expect(of(spec, config).metrics.source).toBe(source)
  })

  it('takes the cooldown of config.yaml when the policy gives none', () => {
    const config = 'migration: {cooldown_period: 1h}'
    expect(of({}, config).migration.cooldown).toEqual({ promoteMs: 3_600_000, demoteMs: 3_600_000 })
    expect(of({ migration: { cooldownPeriod: '2h' } }, config).migration.cooldown.demoteMs).toBe(
      7_200_000,
    )
  })

  it('lets a direction override the cooldown', () => {
    const migration = { cooldownPeriod: '24h', cooldown: { promote: '0s' } }
    expect(of({ migration }).migration.cooldown).toEqual({ promoteMs: 0, demoteMs: 86_400_000 })
  })

  it.each([
    [3, 2, 2],
    [1, 2, 1],
    [3, 5, 3],
    [undefined, 5, 5],
  ])('of %s in the policy and %s in config.yaml at once takes %s', (policy, config, both) => {
    const migration = policy === undefined ? {} : { maxConcurrent: policy }
    expect(
      of({ migration }, `migration: {concurrent_migrations: ${config}}`).migration.maxConcurrent,
    ).toBe(both)
  })

  it('sends never when host copies are forbidden, whatever migrationPolicy says', () => {
    const cinderOptions = { allowHostCopy: false, migrationPolicy: 'on-demand' as const }
    expect(of({ migration: { cinderOptions } }).migration.migrationPolicy).toBe('never')
  })

  it('opens a schedule for four hours in UTC unless configured otherwise', () => {
    const { schedule } = of({ migration: { schedule: '0 2 * * *' } }).migration
    expect(schedule?.isOpen(new Date('2026-07-01T05:59:00Z'))).toBe(true)
    expect(schedule?.isOpen(new Date('2026-07-01T06:00:00Z'))).toBe(false)
  })

  it('does not fall over a policy without tiers, which stands for an unreadable one', () => {
    expect(of({ tiers: [] }).tiers).toEqual([])
  })
})

describe('notYetActedOn', () => {
  it('is silent about a plain policy', () => {
    expect(notYetActedOn({ tiers, migration: { strategy: 'cinder-retype' } })).toEqual([])
  })

  it.each<[string, Partial<StoragePolicySpec>]>([
    ['erasureCoding', { erasureCoding: { enabled: true } }],
    ['multiRegion', { multiRegion: { enabled: true } }],
    ['tiers[].regions', { tiers: [{ name: 'hot', regions: ['RegionOne'] }] }],
    ['tiers[].throughputLimit', { tiers: [{ name: 'hot', throughputLimit: { base: 1 } }] }],
    ['migration.strategy', { migration: { strategy: 'cinder-transfer' } }],
  ])('names %s and what happens instead', (field, spec) => {
    const reported = notYetActedOn({ tiers, ...spec })
    expect(reported).toHaveLength(1)
    expect(reported[0]?.what).toMatch(new RegExp(`^${field.replaceAll(/[[\].]/g, '\\$&')}: .{10}`))
  })

  it('does not name the algorithm: Threshold decides where it is chosen', () => {
    expect(notYetActedOn({ tiers, decision: { algorithm: 'Threshold' } })).toEqual([])
  })

  it('does not mention erasure coding that is switched off', () => {
    expect(notYetActedOn({ tiers, erasureCoding: { enabled: false } })).toEqual([])
  })
})
