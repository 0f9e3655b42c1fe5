import { describe, expect, it } from 'vitest'
import bundled from '../../../api/crds.json' with { type: 'json' }
import { judge } from './crds.ts'
import type { Crd } from './crds.ts'
import { firstDifference } from './schema-difference.ts'

const [ours] = bundled as unknown as readonly [Crd]
const copy = () => structuredClone(ours)
type Open = Record<string, never>

describe('a definition in the cluster', () => {
  it.each([
    [
      'is current when only a description differs',
      (c: Crd) => Object.assign(schema(c), { description: 'x' }),
      'current',
    ],
    ['is stale without one of our fields', (c: Crd) => void delete spec(c)['budget'], 'stale'],
    [
      'is stale with a field we do not know',
      (c: Crd) => Object.assign(spec(c), { more: { type: 'string' } }),
      'stale',
    ],
    [
      'is not served under another version',
      (c: Crd) => Object.assign(c.spec.versions[0]!, { name: 'v1' }),
      'notServed',
    ],
    [
      'is not served when it is not established',
      (c: Crd) =>
        Object.assign(c, { status: { conditions: [{ type: 'Established', status: 'False' }] } }),
      'notServed',
    ],
  ])('%s', (_, change, state) => {
    const theirs = copy()
    change(theirs)
    expect(judge(ours, theirs).state).toBe(state)
  })
})

function schema(crd: Crd): object {
  return crd.spec.versions[0]?.schema?.openAPIV3Schema ?? {}
}

function spec(crd: Crd): Record<string, unknown> {
  const { properties } = schema(crd) as { properties: Record<string, { properties: Open }> }
  return properties['spec']?.properties ?? {}
}

describe('the first difference of two schemas', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, undefined],
    [{ description: 'x' }, {}, undefined],
    [
      { properties: { spec: { maximum: 5 } } },
      { properties: { spec: { maximum: 4 } } },
      'spec.maximum: 4 instead of 5',
    ],
    [{ properties: { a: {} } }, { properties: {} }, 'a: missing'],
    [{ properties: {} }, { properties: { a: {} } }, 'a: unknown to this version'],
    [
      { properties: { description: { type: 'string' } } },
      { properties: {} },
      'description: missing',
    ],
    [
      { items: { enum: ['a'] } },
      { items: { enum: ['a', 'b'] } },
      '[].enum: 2 entries instead of 1',
    ],
  ])('%j and %j: %s', (a, b, difference) => {
    expect(firstDifference(a, b)).toBe(difference)
  })
})
