import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isEmptySelector, matchesSelector } from './selector.ts'

const labels = { app: 'db', tier: 'gold' }
const key = fc.constantFrom('app', 'tier', 'zone', 'constructor', '__proto__')
const value = fc.constantFrom('db', 'gold', 'web', '')
const anyLabels = fc.dictionary(key, value, { noNullPrototype: true })

describe('matchesSelector', () => {
  it.each([
    [{ matchLabels: { app: 'db' } }, true],
    [{ matchLabels: { app: 'web' } }, false],
    [{ matchLabels: { app: 'db', zone: 'a' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In' as const, values: ['web', 'db'] }] }, true],
    [{ matchExpressions: [{ key: 'zone', operator: 'In' as const, values: ['a'] }] }, false],
    [{ matchExpressions: [{ key: 'zone', operator: 'NotIn' as const, values: ['a'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn' as const, values: ['db'] }] }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'Exists' as const }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'DoesNotExist' as const }] }, false],
    [
      {
        matchLabels: { app: 'db' },
        matchExpressions: [{ key: 'tier', operator: 'NotIn' as const, values: ['gold'] }],
      },
      false,
    ],
    [{ matchExpressions: [{ key: 'constructor', operator: 'Exists' as const }] }, false],
  ])('%j on app=db, tier=gold: %s', (selector, expected) => {
    expect(matchesSelector(selector, labels)).toBe(expected)
  })

  it.each([
    undefined,
    {},
    { matchLabels: {} },
    { matchExpressions: [] },
    { matchLabels: {}, matchExpressions: [] },
  ])('never lets the empty selector %j mean everything', (selector) => {
    expect(isEmptySelector(selector)).toBe(true)
    fc.assert(fc.property(anyLabels, (any) => !matchesSelector(selector, any)))
  })

  it('treats NotIn as the opposite of In, and DoesNotExist as that of Exists', () => {
    fc.assert(
      fc.property(anyLabels, key, fc.array(value, { minLength: 1 }), (any, k, values) => {
        const one = (operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist') =>
          matchesSelector({ matchExpressions: [{ key: k, operator, values }] }, any)
        expect(one('In')).toBe(!one('NotIn'))
        expect(one('Exists')).toBe(!one('DoesNotExist'))
        expect(one('In') && !one('Exists')).toBe(false)
      }),
    )
  })

  it('matches fewer claims, never more, when a requirement is added', () => {
    fc.assert(
      fc.property(anyLabels, key, value, key, value, (any, k1, v1, k2, v2) => {
        const narrow = matchesSelector(
          {
            matchLabels: { [k1]: v1 },
            matchExpressions: [{ key: k2, operator: 'In', values: [v2] }],
          },
          any,
        )
        expect(narrow && !matchesSelector({ matchLabels: { [k1]: v1 } }, any)).toBe(false)
      }),
    )
  })
})
