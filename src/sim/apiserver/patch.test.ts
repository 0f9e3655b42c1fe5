import { describe, expect, it } from 'vitest'
import { jsonPatch, mergePatch } from './patch.ts'
import type { Schema } from './schema.ts'
import { strategicPatch } from './strategic-patch.ts'

describe('a merge patch', () => {
  // the table of RFC 7396, appendix A
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (target, patch, expected) => {
    expect(mergePatch(target, patch)).toEqual(expected)
  })

  it('leaves the target as it was', () => {
    const target = { a: { b: 1 } }
    mergePatch(target, { a: { b: 2 } })

    expect(target).toEqual({ a: { b: 1 } })
  })
})

describe('a JSON patch', () => {
  it.each([
    [[{ op: 'add', path: '/l/1', value: 9 }], { l: [1, 9, 2] }],
    [[{ op: 'add', path: '/l/-', value: 9 }], { l: [1, 2, 9] }],
    [[{ op: 'replace', path: '/l/0', value: 9 }], { l: [9, 2] }],
    [[{ op: 'remove', path: '/l/0' }], { l: [2] }],
    [[{ op: 'move', from: '/l', path: '/m' }], { m: [1, 2] }],
    [[{ op: 'copy', from: '/l/0', path: '/l/-' }], { l: [1, 2, 1] }],
    [[{ op: 'test', path: '/l', value: [1, 2] }], { l: [1, 2] }],
  ])('%j', (operations, expected) => {
    const target = { l: [1, 2] }

    expect(jsonPatch(target, operations)).toEqual(expected)
    expect(target).toEqual({ l: [1, 2] })
  })

  it.each([
    [{ op: 'replace', path: '/x', value: 1 }],
    [{ op: 'add', path: '/l/7', value: 1 }],
    [{ op: 'add', path: '/x/y', value: 1 }],
    [{ op: 'test', path: '/l', value: [2, 1] }],
    [{ op: 'turn', path: '/l' }],
  ])('%j is refused', (operation) => {
    expect(() => jsonPatch({ l: [1, 2] }, [operation])).toThrow('rejected our request')
  })
})

describe('a strategic merge patch', () => {
  const schema: Schema = {
    properties: {
      items: { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], items: {} },
      finalizers: { 'x-kubernetes-list-type': 'set' },
    },
  }
  const target = {
    items: [{ name: 'a', v: 1 }, { name: 'b' }],
    finalizers: ['x', 'y'],
    plain: [1, 2],
  }

  it.each([
    [{ items: [{ name: 'a', v: 2 }] }, { items: [{ name: 'a', v: 2 }, { name: 'b' }] }],
    [{ items: [{ name: 'c' }] }, { items: [{ name: 'a', v: 1 }, { name: 'b' }, { name: 'c' }] }],
    [{ items: [{ $patch: 'delete', name: 'a' }] }, { items: [{ name: 'b' }] }],
    [{ '$deleteFromPrimitiveList/finalizers': ['x'] }, { finalizers: ['y'] }],
    [{ finalizers: ['y', 'z'] }, { finalizers: ['x', 'y', 'z'] }],
    [{ '$setElementOrder/items': [], plain: [3] }, { plain: [3] }],
  ])('%j', (patch, changed) => {
    expect(strategicPatch(target, patch, schema)).toEqual({ ...target, ...changed })
  })
})
