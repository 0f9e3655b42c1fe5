import { expect, it } from 'vitest'
import { DEFAULT_CONSTANTS, decide, initialState, observe } from './rule.ts'
import type { Tier } from './types.ts'
import { whatIf } from './what-if.ts'

const tier = (name: string, price: number, limit: number): Tier => ({
  name,
  typeId: name,
  typeName: name,
  pricePerGiBMonth: price,
  limitIops: () => limit,
  retentionSeconds: 0,
  headroomPercent: 0,
})
const tiers = [tier('hot', 0.125, Infinity), tier('warm', 0.08, 1000), tier('cold', 0.045, 100)]
const HOUR = 3600

function history(iops: number, hours: number) {
  let state = initialState(3, 0)
  for (let h = 1; h <= hours; h++)
    state = observe(state, 0, iops, 10, tiers, DEFAULT_CONSTANTS, 1, h * HOUR)
  return state
}

const input = (iops: number, hours: number) => ({
  state: history(iops, hours),
  tier: 0,
  sizeGiB: 10,
  tiers,
  constants: DEFAULT_CONSTANTS,
  windowHours: 1,
  decide: (s: ReturnType<typeof history>) => decide(s, 0, 10, 10, tiers, DEFAULT_CONSTANTS),
})

it('reports after how many quiet hours the rule wants a slower tier, and one hour less is not enough', () => {
  const given = input(5000, 48)
  const change = whatIf(given, 50)
  expect(change?.to).toBeGreaterThan(0)
  let { state } = given
  for (let h = 1; h < change!.hours; h++) {
    const end = state.lastWindowEnd + HOUR
    state = observe(state, 0, 50, 10, tiers, DEFAULT_CONSTANTS, 1, end)
    expect(given.decide(state).to).toBe(0)
  }
})

it('needs longer after a longer busy time', () => {
  expect(whatIf(input(5000, 96), 50)!.hours).toBeGreaterThan(whatIf(input(5000, 6), 50)!.hours)
})

it('says nothing when that load never changes the tier', () => {
  expect(whatIf(input(5000, 48), 5000)).toBe(undefined)
})
