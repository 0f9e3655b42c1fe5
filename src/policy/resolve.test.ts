import { sentenceOf } from '../errors.ts'
import { describe, expect, it } from 'vitest'
import type { TierSpec } from '../api/storage-policy.ts'
import { resolveTiers } from './resolve.ts'
import type { TierSource } from './tier-source.ts'

const TYPES = ['hot', 'warm', 'cold'].map((n) => ({ id: `id-${n}`, name: `couchestor-${n}` }))
const GUIDE: readonly TierSpec[] = [
  { name: 'hot', cinderVolumeType: 'couchestor-hot', iopsThreshold: 100, retentionDays: 7 },
  { name: 'warm', cinderVolumeType: 'couchestor-warm', iopsThreshold: 10, retentionDays: 30 },
  { name: 'cold', cinderVolumeType: 'couchestor-cold', iopsThreshold: 0, retentionDays: 365 },
]

function source(over: Partial<TierSource> = {}): TierSource {
  return {
    tiers: GUIDE,
    configTiers: {},
    storageClasses: new Map(TYPES.map((t) => [t.name, t.name])),
    volumeTypes: TYPES,
    ...over,
  }
}

function resolved(over: Partial<TierSource> = {}) {
  const result = resolveTiers(source(over))
  if (!result.ok) throw new Error(result.problems.map(sentenceOf).join('\n'))
  return result
}

function withTier(index: number, change: Partial<TierSpec>): readonly TierSpec[] {
  return GUIDE.map((tier, i) => (i === index ? { ...tier, ...change } : tier))
}

const without = (field: 'cinderVolumeType' | 'iopsThreshold'): readonly TierSpec[] =>
  GUIDE.map((tier) => {
    const rest: Partial<TierSpec> & { name: string } = { ...tier }
    Reflect.deleteProperty(rest, field)
    return rest
  })

describe('the tiers of a policy', () => {
  it('keep their order and get the ids that Cinder knows', () => {
    expect(resolved().tiers.map((t) => [t.name, t.typeId, t.typeName])).toEqual([
      ['hot', 'id-hot', 'couchestor-hot'],
      ['warm', 'id-warm', 'couchestor-warm'],
      ['cold', 'id-cold', 'couchestor-cold'],
    ])
  })

  it('serve what the threshold of the next faster tier says, the fastest everything', () => {
    const [hot, warm, cold] = resolved().tiers

    expect([hot, warm, cold].map((t) => t?.limitIops(50))).toEqual([Infinity, 100, 10])
    expect([hot, warm, cold].map((t) => t?.capIops)).toEqual([undefined, undefined, undefined])
  })

  it('serve a given limit instead, and only that can cap what is observed', () => {
    const tiers = withTier(1, { iopsLimit: { base: 50, perGiB: 0.5, max: 90 } })
    const [, warm, cold] = resolved({ tiers }).tiers

    expect([0, 20, 80, 1000].map((g) => warm?.limitIops(g))).toEqual([50, 60, 90, 90])
    expect(warm?.capIops?.(20)).toBe(60)
    expect(cold?.capIops).toBeUndefined()
  })

  it('treat a limit that only has a maximum as that maximum', () => {
    const [, warm] = resolved({ tiers: withTier(1, { iopsLimit: { max: 80 } }) }).tiers

    expect(warm?.limitIops(1)).toBe(80)
  })

  it('carry retention, capacity and headroom', () => {
    const tiers = withTier(0, { capacity: { maxGiB: 500, headroomPercent: 20 } })
    const [hot, warm] = resolved({ tiers }).tiers

    expect(hot).toMatchObject({ retentionSeconds: 604_800, maxGiB: 500, headroomPercent: 20 })
    expect(warm).toMatchObject({ headroomPercent: 10 })
    expect(warm).not.toHaveProperty('maxGiB')
  })

  it('have assumed prices between 2.8 and 1 when nobody gave any, and say so', () => {
    const { tiers, pricesAssumed } = resolved()

    expect(pricesAssumed).toBe(true)
    expect(tiers.map((t) => Number(t.pricePerGiBMonth.toFixed(3)))).toEqual([2.8, 1.673, 1])
  })

  it('have the prices that are given for all', () => {
    const tiers = GUIDE.map((t, i) => ({ ...t, costPerGiBMonth: 3 - i }))

    expect(resolved({ tiers })).toMatchObject({ pricesAssumed: false })
    expect(resolved({ tiers }).tiers.map((t) => t.pricePerGiBMonth)).toEqual([3, 2, 1])
  })

  it('may name a volume type by its id', () => {
    const tiers = withTier(0, { cinderVolumeType: 'id-hot' })

    expect(resolved({ tiers }).tiers[0]?.typeName).toBe('couchestor-hot')
  })
})

describe('the volume type of a tier', () => {
  const bare = without('cinderVolumeType')
  const classes = bare.map((t) => ({ ...t, storageClass: `couchestor-${t.name}` }))

  it('comes from config.yaml when the policy names none, before the StorageClass', () => {
    const configTiers = { hot: { cinderVolumeType: 'id-hot', storageClass: 'nowhere' } }
    const { tiers } = resolved({ tiers: classes, configTiers })

    expect(tiers.map((t) => t.typeId)).toEqual(['id-hot', 'id-warm', 'id-cold'])
  })

  it('comes from the policy before all others', () => {
    const configTiers = { hot: { cinderVolumeType: 'nonsense' } }

    expect(resolved({ configTiers }).tiers[0]?.typeId).toBe('id-hot')
  })

  it('comes from the StorageClass that config.yaml names, as do thresholds', () => {
    const configTiers = Object.fromEntries(
      GUIDE.map((t) => [
        t.name,
        { storageClass: `couchestor-${t.name}`, iopsThreshold: t.iopsThreshold ?? 0 },
      ]),
    )
    const tiers = GUIDE.map(({ name }) => ({ name }))

    expect(resolved({ tiers, configTiers }).tiers.map((t) => [t.typeId, t.limitIops(1)])).toEqual([
      ['id-hot', Infinity],
      ['id-warm', 100],
      ['id-cold', 10],
    ])
  })
})

describe('a mistake in the tiers', () => {
  it.each<[string, Partial<TierSource>, string, string]>([
    [
      'an unknown type has the nearest name',
      { tiers: withTier(1, { cinderVolumeType: 'couchestor-wram' }) },
      'VolumeTypeNotFound',
      'spec.tiers[1].cinderVolumeType: Cinder knows no volume type "couchestor-wram" that this project may use (did you mean "couchestor-warm"?)',
    ],
    [
      'no type anywhere names the two fields that help',
      { tiers: [{ name: 'hot', iopsThreshold: 100 }, ...GUIDE.slice(1)] },
      'NoVolumeType',
      'spec.tiers[0] (hot): no volume type is given; set spec.tiers[0].cinderVolumeType, or tiers.hot.cinder_volume_type in config.yaml',
    ],
    [
      'an unknown StorageClass has the nearest name',
      {
        tiers: [
          { name: 'hot', storageClass: 'couchestor-hto', iopsThreshold: 100 },
          ...GUIDE.slice(1),
        ],
      },
      'NoVolumeType',
      'no StorageClass "couchestor-hto" in the cluster (did you mean "couchestor-hot"?)',
    ],
    [
      'a StorageClass without a type says so',
      {
        tiers: [{ name: 'hot', storageClass: 'plain', iopsThreshold: 100 }, ...GUIDE.slice(1)],
        storageClasses: new Map([['plain', undefined]]),
      },
      'NoVolumeType',
      '"plain" has no parameters.type',
    ],
    [
      'a name that two types have lists their ids',
      { volumeTypes: [...TYPES, { id: 'id-twin', name: 'couchestor-hot' }] },
      'VolumeTypeAmbiguous',
      '2 volume types are named "couchestor-hot" (id-hot, id-twin); write the id',
    ],
    [
      'two tiers with one type',
      { tiers: withTier(2, { cinderVolumeType: 'couchestor-warm' }) },
      'SameVolumeType',
      'spec.tiers[2] (cold): tiers warm and cold both have volume type "couchestor-warm"',
    ],
    [
      'a name and an id of one type are still one type',
      { tiers: withTier(2, { cinderVolumeType: 'id-warm' }) },
      'SameVolumeType',
      'tiers warm and cold',
    ],
    [
      'a price for some tiers only',
      { tiers: withTier(0, { costPerGiBMonth: 1 }) },
      'PricesInvalid',
      'spec.tiers[1].costPerGiBMonth: is missing, while other tiers have a price',
    ],
    [
      'equal prices',
      { tiers: GUIDE.map((t) => ({ ...t, costPerGiBMonth: 1 })) },
      'PricesInvalid',
      'spec.tiers[1].costPerGiBMonth: 1 is not below the 1 of hot',
    ],
    [
      'a negative price',
      { tiers: GUIDE.map((t, i) => ({ ...t, costPerGiBMonth: 1 - i })) },
      'PricesInvalid',
      'spec.tiers[2].costPerGiBMonth: -1 is no price',
    ],
    [
      'no threshold and no limit',
      { tiers: without('iopsThreshold') },
      'TiersInvalid',
      'spec.tiers[1] (warm): nothing says what it can serve; set spec.tiers[0].iopsThreshold, or spec.tiers[1].iopsLimit',
    ],
    [
      'tiers listed slowest first',
      { tiers: GUIDE.toReversed() },
      'TiersInvalid',
      'list the tiers fastest first',
    ],
    [
      'two tiers of one name',
      { tiers: withTier(1, { name: 'hot' }) },
      'TiersInvalid',
      'spec.tiers[1].name: "hot" is taken by spec.tiers[0]',
    ],
    ['no tiers at all', { tiers: [] }, 'TiersInvalid', 'spec.tiers: is empty'],
  ])('%s', (_, over, reason, message) => {
    const result = resolveTiers(source(over))

    expect(result).toMatchObject({ ok: false, reason })
    expect(result.ok ? [] : result.problems.map(sentenceOf)).toEqual(
      expect.arrayContaining([expect.stringContaining(message)]),
    )
  })

  it('does not hide the next one', () => {
    const tiers = GUIDE.map((t) => ({ ...t, cinderVolumeType: 'none', costPerGiBMonth: 1 }))
    const result = resolveTiers(source({ tiers }))

    expect(result).toHaveProperty('problems.length', 5)
  })
})
