import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Change } from './collection.ts'
import { Collection } from './collection.ts'
import type { KubeJson } from './types.ts'

function object(name: string, rv: number): KubeJson {
  return { apiVersion: 'v1', kind: 'X', metadata: { name, resourceVersion: String(rv) } }
}

function applyTo(collection: Collection, key: string, remove: boolean, rv: number): boolean {
  const before = collection.get(key)
  if (remove && before === undefined) return false
  const type: Change['type'] = remove ? 'DELETED' : before === undefined ? 'ADDED' : 'MODIFIED'
  collection.apply({ rv, type, key, before, after: object(key, rv) })
  return true
}

describe('a collection', () => {
  it('lists every version in its history as it was, whatever came later', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 20 }),
      remove: fc.boolean(),
      list: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const collection = new Collection(1000)
        const states = new Map<number, string[]>()
        const model = new Map<string, number>()
        steps.forEach(({ key, remove, list }, i) => {
          const name = `k${key}`
          if (!applyTo(collection, name, remove, i + 1)) return
          if (remove) model.delete(name)
          else model.set(name, i + 1)
          // reading in between decides when arrays are shared and copied
          if (list) collection.list()
          states.set(i + 1, [...model].map(([k, rv]) => `${k}@${rv}`).sort())
        })
        for (const [rv, expected] of states) {
          const items = collection.listAt(rv)!
          expect(items.map((s) => `${s.key}@${s.object.metadata.resourceVersion}`).sort()).toEqual(
            expected,
          )
          expect(items.map((s) => s.key)).toEqual(items.map((s) => s.key).sort())
          for (const name of model.keys())
            expect(collection.getAt(name, rv)).toBe(items.find((s) => s.key === name)?.object)
        }
      }),
    )
  })

  it('never changes an array it has handed out', () => {
    const collection = new Collection(10)
    for (const [i, key] of ['b', 'a', 'c'].entries()) applyTo(collection, key, false, i + 1)
    const before = collection.list()
    applyTo(collection, 'aa', false, 4)
    applyTo(collection, 'b', true, 5)

    expect(before.map((s) => s.key)).toEqual(['a', 'b', 'c'])
    expect(collection.list().map((s) => s.key)).toEqual(['a', 'aa', 'c'])
  })

  it('knows nothing of what it has forgotten', () => {
    const collection = new Collection(2)
    for (let rv = 1; rv <= 5; rv++) applyTo(collection, `k${rv}`, false, rv)

    expect([collection.since(1), collection.listAt(1)]).toEqual([undefined, undefined])
    expect(collection.since(collection.forgotten)!.at(-1)!.rv).toBe(5)
  })
})
