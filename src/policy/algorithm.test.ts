import { describe, expect, it } from 'vitest'
import { constantsOf, deciderOf } from './algorithm.ts'
import { DEFAULT_CONSTANTS, initialState, observe } from './rule.ts'

const SILENT = {
  algorithm: 'BreakEven',
  rho: undefined,
  muHours: undefined,
  moveCostPerGiB: undefined,
  halfLifeHours: undefined,
} as const

describe('the decision section of a policy', () => {
  it('keeps the defaults of what it leaves out', () => {
    expect(constantsOf(SILENT)).toEqual(DEFAULT_CONSTANTS)
    expect(constantsOf({ ...SILENT, muHours: 6, moveCostPerGiB: 0 })).toEqual({
      ...DEFAULT_CONSTANTS,
      muHours: 6,
      moveCostPerGiB: 0,
    })
  })

  it('chooses the algorithm: a short burst is worth money, but does not lift the mean', () => {
    const tiers = [Infinity, 100].map((q, i) => ({ pricePerGiBMonth: 2 - i, limitIops: () => q }))
    let state = initialState(2, 0)
    for (const [i, x] of [...new Array<number>(20).fill(0), 500, 500, 500].entries())
      state = observe(state, 1, x, 10, tiers, DEFAULT_CONSTANTS, 0.5, (i + 1) * 1800)
    const to = (algorithm: 'BreakEven' | 'Threshold') =>
      deciderOf(algorithm)(state, 1, 10, 10, tiers, DEFAULT_CONSTANTS).to

    expect(to('BreakEven')).toBe(0)
    expect(to('Threshold')).toBe(1)
  })
})
