import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  parseLedger,
  parseStoragePolicy,
  parseTieringCheckpoint,
  parseVolumeMigration,
} from './parse.ts'

const metadata = { name: 'p' }
const tiers = [{ name: 'hot' }, { name: 'cold' }]
const policy = (spec: object) => parseStoragePolicy({ metadata, spec: { tiers, ...spec } })

function problems(result: { ok: boolean; problems?: string[] }): string[] {
  expect(result.ok).toBe(false)
  return result.problems ?? []
}

describe('parseStoragePolicy', () => {
  it('takes the policy of the guide', () => {
    const result = policy({
      cloudProvider: 'openstack',
      migration: {
        strategy: 'cinder-retype',
        schedule: '0 2 * * *',
        cooldownPeriod: '24h',
        maxConcurrent: 3,
        cinderOptions: { migrationPolicy: 'on-demand', allowHostCopy: true, retypeTimeout: 3600 },
      },
      erasureCoding: { enabled: true, coldTierOnly: true, dataShards: 4, parityShards: 2 },
    })
    expect(result.ok && result.policy.spec.migration?.maxConcurrent).toBe(3)
  })

  it('keeps fields that it does not know', () => {
    const result = policy({ later: { field: 1 } })
    expect(result.ok && result.policy.spec).toHaveProperty('later.field', 1)
  })

  it('keeps the spec as it was written, without the defaults', () => {
    const result = policy({ metrics: { minHistory: '2h' } })
    expect(result.ok && result.policy.spec).toEqual({ tiers, metrics: { minHistory: '2h' } })
  })

  it('counts characters as the API server does, so that it refuses no text that is stored', () => {
    const storageClass = '😀'.repeat(253)
    expect(policy({ tiers: [{ name: 'hot', storageClass }] }).ok).toBe(true)
    expect(policy({ tiers: [{ name: 'hot', storageClass: `${storageClass}x` }] }).ok).toBe(false)
  })

  it('reads a policy whose status an older version wrote differently', () => {
    const result = parseStoragePolicy({ metadata, spec: { tiers }, status: 'once a text' })
    expect(result.ok && result.policy.status).toBe(undefined)
  })

  it.each([
    [{ tiers: [] }, 'spec.tiers is a list: list at least one tier, fastest first'],
    [{ tiers: [{ name: 'Hot' }] }, 'spec.tiers[0].name is "Hot": write lower-case letters'],
    [{ tiers: [{}] }, 'spec.tiers[0].name is missing: write lower-case letters'],
    [{ mode: 'auto' }, 'spec.mode is "auto": write one of Auto, Approve, Observe'],
    [{ metrics: { window: '1d' } }, 'spec.metrics.window is "1d": write a duration from 1m to 24h'],
    [{ metrics: { window: 30 } }, 'spec.metrics.window is 30: write a duration'],
    [
      { migration: { maxConcurrent: 0 } },
      'spec.migration.maxConcurrent is 0: write a whole number from 1 to 100',
    ],
    [{ migration: { schedule: '0 2 31 2 *' } }, 'spec.migration.schedule is "0 2 31 2 *"'],
    [
      { migration: { schedule: '0 2 * * *', timeZone: 'Mars/X' } },
      'spec.migration.timeZone is "Mars/X", which is no time zone',
    ],
    [
      { limits: { perPool: [{ pool: 'tape', maxConcurrent: 1 }] } },
      'spec.limits.perPool[0].pool is "tape", which is no tier of this policy',
    ],
    [
      { tiers: [{ name: 'hot', retentionDays: 1.5 }] },
      'spec.tiers[0].retentionDays is 1.5: write a whole number from 0 to 3650',
    ],
    [
      { tiers: [{ name: 'hot', iopsLimit: { max: 0 } }] },
      'spec.tiers[0].iopsLimit.max is 0: write a number from 1',
    ],
    [{ storageClassNames: [] }, 'spec.storageClassNames is a list: list at least 1'],
    [{ erasureCoding: { dataShards: 1 } }, 'spec.erasureCoding.dataShards is 1: write a whole'],
    [{ selector: [] }, 'spec.selector is a list: write a mapping'],
    [{ paused: 'no' }, 'spec.paused is "no": write true or false'],
  ])('answers %j with field, value and fix', (spec, expected) => {
    expect(problems(policy(spec)).join('\n')).toContain(expected)
  })

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.anything(), (raw) => {
        expect(typeof parseStoragePolicy(raw).ok).toBe('boolean')
      }),
    )
  })
})

describe('parseVolumeMigration', () => {
  const spec = { claim: { name: 'data' }, to: 'cold', policy: 'p' }

  it('takes a manual move with the least that is needed', () => {
    expect(parseVolumeMigration({ metadata, spec }).ok).toBe(true)
  })

  it('takes a strategy of a later version: it is refused by name where it would be carried out', () => {
    const later = { ...spec, strategy: 'erasure-restore' }
    expect(parseVolumeMigration({ metadata, spec: later }).ok).toBe(true)
  })

  it.each([
    [{ ...spec, to: undefined }, 'spec.to is missing'],
    [{ ...spec, claim: {} }, 'spec.claim.name is missing'],
    [
      { ...spec, reason: 'Because' },
      'spec.reason is "Because": write one of Policy, Forced, Manual',
    ],
    [{ ...spec, via: 'copy' }, 'spec.via is "copy": write one of clone, backup'],
    [{ ...spec, cancel: 1 }, 'spec.cancel is 1: write true or false'],
  ])('answers %j with field and fix', (bad, expected) => {
    expect(problems(parseVolumeMigration({ metadata, spec: bad }))[0]).toContain(expected)
  })
})

describe('parseTieringCheckpoint', () => {
  const spec = {
    policy: 'p',
    shard: 0,
    rule: 'r',
    windowEnd: '2026-01-01T00:00:00Z',
    volumes: 1,
    data: 'AA==',
  }

  it('takes what the controller writes', () => {
    expect(parseTieringCheckpoint({ metadata, spec }).ok).toBe(true)
  })

  it('takes the longest name that the CRD lets through', () => {
    const long = { metadata, spec: { ...spec, policy: 'p'.repeat(260) } }
    expect(parseTieringCheckpoint(long).ok).toBe(true)
  })

  it('refuses a shard without data, and says what to write', () => {
    const bad = { metadata, spec: { ...spec, data: undefined } }
    expect(problems(parseTieringCheckpoint(bad))[0]).toBe('spec.data is missing: write a text')
  })
})

describe('parseLedger', () => {
  const entry = {
    namespace: 'shop',
    migration: 'm',
    volumeId: 'v',
    fromTypeId: 'a',
    toTypeId: 'b',
    at: '2026-01-01T00:00:00Z',
  }

  it('takes moves in flight, whatever else the object says', () => {
    expect(parseLedger({ metadata, spec: { inFlight: [entry], shard: 'x' } }).ok).toBe(true)
  })

  it('refuses a move without its volume, since it would be forgotten', () => {
    const bad = { metadata, spec: { inFlight: [{ ...entry, volumeId: undefined }] } }
    expect(problems(parseLedger(bad))[0]).toContain('spec.inFlight[0].volumeId is missing')
  })
})
