import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  compare,
  fromFieldsV1,
  intersection,
  isEmpty,
  minus,
  paths,
  setOf,
  toFieldsV1,
  union,
} from './field-set.ts'
import type { Schema } from './schema.ts'

const SCHEMA: Schema = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  properties: {
    tags: { type: 'array', 'x-kubernetes-list-type': 'set' },
    parts: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    },
  },
}

const names = fc.constantFrom('a', 'b', 'c')
const value = fc.record(
  {
    tags: fc.uniqueArray(names),
    parts: fc.uniqueArray(names).map((list) => list.map((name, n) => ({ name, n }))),
    plain: fc.array(names),
    map: fc.dictionary(names, fc.oneof(fc.integer(), fc.dictionary(names, fc.integer()))),
  },
  { requiredKeys: [] },
)
const text = (set: ReturnType<typeof setOf>) => JSON.stringify(toFieldsV1(set))

describe('a set of fields', () => {
  it('survives being written as FieldsV1 and read back', () => {
    fc.assert(
      fc.property(value, (v) => {
        const set = setOf(v, SCHEMA)
        set.own = false
        expect(text(fromFieldsV1(toFieldsV1(set)))).toBe(text(set))
      }),
    )
  })

  it('splits into what two sets share and what only one has', () => {
    fc.assert(
      fc.property(value, value, (v, w) => {
        const [a, b] = [setOf(v, SCHEMA), setOf(w, SCHEMA)]
        expect(paths(union(minus(a, b), intersection(a, b))).sort()).toEqual(paths(a).sort())
        expect(isEmpty(intersection(minus(a, b), b))).toBe(true)
      }),
    )
  })

  it('sees no difference between a value and itself', () => {
    fc.assert(
      fc.property(value, (v) => {
        const { changed, removed } = compare(v, structuredClone(v), SCHEMA)
        expect([isEmpty(changed), isEmpty(removed)]).toEqual([true, true])
      }),
    )
  })

  it('names list items by key, set members by value, plain lists as a whole', () => {
    const before = { parts: [{ name: 'x', n: 1 }], tags: ['t'], plain: ['a'] }
    const after = { parts: [{ name: 'x', n: 2 }], tags: ['u'], plain: ['b'] }
    const { changed, removed } = compare(before, after, SCHEMA)

    expect(paths(changed)).toEqual(['.parts[name="x"].n', '.tags[="u"]', '.plain'])
    expect(paths(removed)).toEqual(['.tags[="t"]'])
  })
})
