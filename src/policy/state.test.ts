import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ruleHash } from './rule-hash.ts'
import { DEFAULT_CONSTANTS, decide, initialState, moved, observe } from './rule.ts'
import { packStates, unpackStates } from './state.ts'
import type { Tier, VolumeState } from './types.ts'

const HASH = '0123456789abcdef'
/** Two tiers, three windows, written by the version before. */
const FORMAT_2 =
  'Q1MCAgEjRWeJq83vAQAAAA5oSS4BYQAAAAAAAPA/AAAAAAAAAEAAAAAAAADgPwAAAAAAAAhAAAAAAAAAEEABAwAFAAAAkF8BAAAAAAAHAAAA'
const seconds = fc.nat(0xffffffff)
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })

const anyState: fc.Arbitrary<VolumeState> = fc.record({
  cost: fc.tuple(finite, finite, finite),
  spread: fc.tuple(finite, finite, finite),
  hours: finite,
  demandHours: finite,
  previousTier: fc.integer({ min: -1, max: 5 }),
  tier: fc.integer({ min: -1, max: 5 }),
  coveredSeconds: seconds,
  quietSeconds: seconds,
  measuredAt: seconds,
  movedAt: seconds,
  lastWindowEnd: seconds,
  lastExceededAt: seconds,
  firstSeenAt: seconds,
})
const anyFleet = fc
  .array(fc.tuple(fc.oneof(fc.uuid(), fc.string({ minLength: 1, maxLength: 40 })), anyState))
  .map((entries) => new Map(entries.filter(([id]) => id.isWellFormed())))

function fleet(count: number): Map<string, VolumeState> {
  const id = (i: number) => `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`
  return new Map(Array.from({ length: count }, (_, i) => [id(i), initialState(3, i)]))
}

function unpackAll(shards: readonly { data: string }[]): Map<string, VolumeState> {
  return new Map(
    shards.flatMap(({ data }) => {
      const shard = unpackStates(data, 1800)
      expect(shard).toMatchObject({ ok: true, ruleHash: HASH, tierCount: 3 })
      return shard.ok ? [...shard.states] : []
    }),
  )
}

describe('a checkpoint', () => {
  it('gives back every number exactly, whatever the ids are', () => {
    fc.assert(
      fc.property(anyFleet, (states) => {
        expect(unpackAll([...packStates(states, 3, HASH)])).toEqual(states)
      }),
    )
  })

  it('leads to the same verdict after a restart at any window', () => {
    const tiers = [Infinity, 1000, 250].map((limit, i) => ({
      pricePerGiBMonth: [0.125, 0.08, 0.045][i] ?? 0,
      limitIops: () => limit,
    }))
    const see = (s: VolumeState, x: number, k: number) =>
      observe(s, 1, x, 50, tiers, DEFAULT_CONSTANTS, 0.5, k * 1800)
    const load = fc.array(fc.double({ min: 0, max: 3000, noNaN: true }), { minLength: 2 })
    fc.assert(
      fc.property(load, fc.nat(), (xs, n) => {
        const cut = n % xs.length
        let live = moved(initialState(3, 0), 0, 900)
        let restarted = live
        xs.forEach((x, i) => {
          if (i === cut) {
            const packed = [...packStates(new Map([['a', restarted]]), 3, HASH)]
            restarted = unpackAll(packed).get('a') ?? initialState(3, 0)
          }
          live = see(live, x, i + 1)
          restarted = see(restarted, x, i + 1)
        })
        const verdict = (s: VolumeState) => decide(s, 1, 50, 50, tiers, DEFAULT_CONSTANTS)
        expect(verdict(restarted)).toStrictEqual(verdict(live))
      }),
    )
  })

  it('stays below 256 KiB a shard with 10,000 volumes, and loses none', () => {
    const shards = [...packStates(fleet(10_000), 3, HASH)]

    expect(shards.length).toBeLessThanOrEqual(6)
    for (const { data } of shards) expect(data.length).toBeLessThanOrEqual(256 * 1024)
    expect(shards.reduce((sum, s) => sum + s.volumes, 0)).toBe(10_000)
    expect(unpackAll(shards)).toEqual(fleet(10_000))
  })

  it('is the same text whatever the order of the volumes', () => {
    const states = fleet(50)

    expect([...packStates(new Map([...states].toReversed()), 3, HASH)]).toEqual([
      ...packStates(states, 3, HASH),
    ])
  })

  it('of nothing is nothing', () => {
    expect([...packStates(new Map(), 3, HASH)]).toEqual([])
  })

  it('leaves out a state that belongs to another number of tiers', () => {
    const [shard] = packStates(new Map([...fleet(1), ['old', initialState(2, 0)]]), 3, HASH)

    expect(shard?.volumes).toBe(1)
  })
})

describe('a checkpoint that cannot be used', () => {
  const good = [...packStates(fleet(3), 3, HASH)][0]?.data ?? ''

  it.each([
    ['is empty', '', 'not one of ours'],
    ['is no base64', '%%%%', 'not one of ours'],
    ['is something else', btoa('x'.repeat(200)), 'not one of ours'],
    ['is cut short', good.slice(0, 200), 'damaged'],
    [
      'goes on',
      Buffer.concat([Buffer.from(good, 'base64'), Buffer.of(1)]).toString('base64'),
      'damaged',
    ],
  ])('because it %s is refused with the reason', (_, data, reason) => {
    const shard = unpackStates(data, 1800)

    expect(shard).toEqual({ ok: false, reason: expect.stringContaining(reason) })
  })

  it('because of a later format says which format it has', () => {
    const later = Buffer.from(good, 'base64')
    later[2] = 9

    expect(unpackStates(later.toString('base64'), 1800)).toEqual({
      ok: false,
      reason: 'the checkpoint has format 9, this version reads 2 and 3',
    })
  })

  it('of format 2 is read, and no more of its time counts as measured than it had windows', () => {
    const shard = unpackStates(FORMAT_2, 1800)
    const state = shard.ok ? shard.states.get('a') : undefined
    expect(state).toMatchObject({
      cost: [1, 2],
      previousTier: 1,
      tier: -1,
      coveredSeconds: 3 * 1800,
      quietSeconds: 3 * 1800,
      movedAt: 5,
      lastWindowEnd: 90_000,
    })
  })

  it('because a number is none is refused', () => {
    const bad = new Map([['a', { ...initialState(3, 0), hours: NaN }]])

    expect(unpackStates([...packStates(bad, 3, HASH)][0]?.data ?? '', 1800).ok).toBe(false)
  })

  it('because of any flipped bit is noticed, and nothing ever throws', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (n, bit) => {
        const raw = Buffer.from(good, 'base64')
        const at = n % raw.length
        raw[at] = (raw[at] ?? 0) ^ (1 << bit)
        expect(unpackStates(raw.toString('base64'), 1800).ok).toBe(false)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => !unpackStates(text, 1800).ok))
  })
})

describe('the hash of a rule', () => {
  const tier = (over: Partial<Tier> = {}): Tier => ({
    name: 'hot',
    typeId: 't1',
    typeName: 'hot',
    pricePerGiBMonth: 1,
    limitIops: () => Infinity,
    retentionSeconds: 0,
    headroomPercent: 10,
    ...over,
  })
  const hash = (over?: Partial<Tier>, constants = DEFAULT_CONSTANTS, unit = 256) =>
    ruleHash([tier(over), tier({ typeId: 't2' })], constants, unit)

  it('is sixteen hex digits, the same for the same rule', () => {
    expect(hash()).toMatch(/^[0-9a-f]{16}$/)
    expect(hash()).toBe(hash())
  })

  it.each([
    ['another volume type', hash({ typeId: 't9' })],
    ['another price', hash({ pricePerGiBMonth: 1.5 })],
    ['another limit', hash({ limitIops: () => 500 })],
    [
      'a limit that only large volumes reach',
      hash({ limitIops: (s) => (s > 500_000 ? 9 : Infinity) }),
    ],
    ['a limit that caps', hash({ capIops: () => Infinity })],
    ['another worth of throttling', hash({}, { ...DEFAULT_CONSTANTS, rho: 5 })],
    ['another half-life', hash({}, { ...DEFAULT_CONSTANTS, halfLifeHours: 24 })],
    ['another unit of demand', hash({}, DEFAULT_CONSTANTS, 64)],
  ])('changes with %s, because the numbers would mean something else', (_, other) => {
    expect(other).not.toBe(hash())
  })

  it.each([
    ['the price of a move', hash({}, { ...DEFAULT_CONSTANTS, muHours: 72 })],
    ['the name of a tier', hash({ name: 'fast' })],
    ['the retention', hash({ retentionSeconds: 5 })],
  ])('stays with a change of %s, because what was seen stays true', (_, other) => {
    expect(other).toBe(hash())
  })
})
