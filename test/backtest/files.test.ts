import { describe, expect, it } from 'vitest'
import { loadsOf, parseScenario } from '../../src/cli/backtest/scenario.ts'
import { parseTrace } from '../../src/cli/backtest/trace.ts'
import { HEADER, SCENARIO } from './fixtures.ts'

describe('a trace', () => {
  it('is read whatever the order of the columns, the line ends and the last line', () => {
    const text = '\ufeffwrites,volume,reads,size_gib\r\n1,a,2,10\r\n3,a,4,10\r\n\r\n5.5,b,0.5,7.25'

    expect(parseTrace(text, 't.csv')).toEqual([
      { id: 'a', sizeGiB: 10, operations: Float64Array.of(3, 7) },
      { id: 'b', sizeGiB: 7.25, operations: Float64Array.of(6) },
    ])
  })

  it.each([
    ['no header', 'a,10,1,1,1,1', 'line 1: the header lacks volume, size_gib, reads, writes'],
    ['nothing but a header', HEADER, 'holds no volumes'],
    ['nothing', '', 'holds no volumes'],
    [
      'a word for a number',
      `${HEADER}\na,10,1,1,many,1`,
      'line 2: reads is "many"; write a number',
    ],
    ['a number below 0', `${HEADER}\na,10,1,1,1,-1`, 'line 2: writes is "-1"; write a number'],
    ['an endless number', `${HEADER}\na,10,1,1,Infinity,1`, 'line 2: reads is "Infinity"'],
    ['an empty cell', `${HEADER}\na,10,1,1,,1`, 'line 2: reads is ""'],
    ['too few cells', `${HEADER}\na,10,1,1`, 'line 2: reads is missing'],
    ['no name', `${HEADER}\n,10,1,1,1,1`, 'line 2: volume is empty'],
    ['no size', `${HEADER}\na,0,1,1,1,1`, 'line 2: size_gib is 0'],
    ['two sizes', `${HEADER}\na,10,1,1,1,1\na,11,2,1,1,1`, 'line 3: size_gib is 11, but 10'],
    [
      'a volume that comes back',
      `${HEADER}\na,10,1,1,1,1\nb,10,1,1,1,1\na,10,2,1,1,1`,
      'line 4: volume "a" comes back',
    ],
  ])('with %s is refused in one sentence', (_, text, message) => {
    expect(() => parseTrace(text, 't.csv')).toThrow(message)
    expect(() => parseTrace(text, 't.csv')).toThrow(/^t\.csv[^\n]+$/)
  })
})

describe('a scenario', () => {
  const read = (changes: object) => parseScenario(JSON.stringify({ ...SCENARIO, ...changes }), 's')

  it('needs neither optional fields nor known ones, and has tiers fastest first', () => {
    const { repeat: _r, demandScale: _d, censored: _c, moveCostPerGiB: _m, ...least } = SCENARIO
    const { setting } = parseScenario(JSON.stringify({ ...least, extra: 1 }), 's')

    expect(setting.tiers.map((t) => t.name)).toEqual(['hot', 'warm', 'cold'])
    expect(setting).toMatchObject({ startTier: 1, censored: false })
    expect(setting.money).toEqual({ rho: 20, muHours: 24, moveCostPerGiB: 0 })
  })

  it('limits by size as the formula says', () => {
    const iops = { base: 100, perGiB: 3, max: 400 }
    const [only] = read({
      tiers: [{ name: 'warm', pricePerGiBMonth: 1, iops }],
    }).setting.tiers

    expect([10, 100, 1000].map((g) => only?.limitIops(g))).toEqual([130, 400, 400])
  })

  it('cuts, repeats and scales', () => {
    const scenario = read({ maxWindows: 2, repeat: 2, demandScale: { a: 0.5 } })
    const operations = Float64Array.of(1800, 3600, 9)

    expect(loadsOf(scenario, [{ id: 'a', sizeGiB: 1, operations }], 's')[0]?.demand).toEqual(
      Float64Array.of(0.5, 1, 0.5, 1),
    )
    expect(() => loadsOf(scenario, [{ id: 'b', sizeGiB: 1, operations }], 's')).toThrow(
      's: demandScale has no factor for volume "b" of the trace: add it',
    )
  })

  it.each([
    [{ startTier: 'lukewarm' }, 'startTier is "lukewarm": write one of cold, warm, hot'],
    [{ rho: -1 }, 'rho is -1: write a number from 0'],
    [{ muHours: 'day' }, 'muHours is "day": write a number'],
    [{ intervalHours: 0 }, 'intervalHours is 0: write a number'],
    [{ intervalHours: undefined }, 'intervalHours is missing'],
    [{ repeat: 0.5 }, 'repeat is 0.5: write a whole number'],
    [{ tiers: [] }, 'tiers is a list: list at least one tier'],
    [{ tiers: undefined }, 'tiers is missing: write a list'],
    [
      { tiers: [SCENARIO.tiers[1], SCENARIO.tiers[1]] },
      'tiers[1].name is "warm", as another tier before it',
    ],
    [
      { tiers: [{ name: 'warm', pricePerGiBMonth: 1, iops: 5 }] },
      'tiers[0].iops is 5: write null (no limit), or an object with base',
    ],
    [{ demandScale: 'double' }, 'demandScale is "double": write a number from 0 up, or an object'],
    [{ censored: 'yes' }, 'censored is "yes": write true or false'],
  ])('with %j is refused in one sentence', (changes, message) => {
    expect(() => read(changes)).toThrow(`s: ${message}`)
    expect(() => read(changes)).toThrow(/^[^\n]+$/)
  })

  it('that is no JSON is refused', () => {
    expect(() => parseScenario('{"name": ', 's.json')).toThrow(/^s\.json: is not JSON: [^\n]+$/)
  })
})
