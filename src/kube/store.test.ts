import { beforeEach, describe, expect, it } from 'vitest'
import { createInterner, createStore } from './store.ts'
import type { Change, WritableStore } from './store.ts'

type Volume = { readonly id: string; readonly tags: readonly string[] }

let store: WritableStore<Volume>
let errors: unknown[]

beforeEach(() => {
  errors = []
  store = createStore<Volume>({
    indexes: { tag: (v) => v.tags, id: (v) => [v.id] },
    onListenerError: (e) => errors.push(e),
  })
})

const volume = (id: string, ...tags: string[]): Volume => ({ id, tags })

describe('indexes', () => {
  it('find what is stored, under each of its values', () => {
    store.set('a', volume('1', 'x', 'y'), '1')
    store.set('b', volume('2', 'y'), '2')

    expect(store.byIndex('tag', 'y').map((v) => v.id)).toEqual(['1', '2'])
    expect(store.byIndex('tag', 'x').map((v) => v.id)).toEqual(['1'])
    expect(store.byIndex('tag', 'z')).toEqual([])
  })

  it('follow a change and forget what is deleted', () => {
    store.set('a', volume('1', 'x'), '1')
    store.set('a', volume('1', 'y'), '2')
    expect(store.byIndex('tag', 'x')).toEqual([])
    expect(store.byIndex('tag', 'y')).toHaveLength(1)

    store.delete('a')
    expect(store.byIndex('tag', 'y')).toEqual([])
    expect(store.byIndex('id', '1')).toEqual([])
  })

  it('that do not exist are a mistake of the caller', () => {
    expect(() => store.byIndex('nope', 'x')).toThrow('there is no index "nope"')
  })
})

describe('another object of the same name', () => {
  it('is reported as the end of the old one and the coming of the new one', () => {
    const changes: Change<Volume>[] = []
    store.subscribe((c) => changes.push(c))
    store.set('a', volume('1', 'x'), '1', 'uid-1')
    store.set('a', volume('1', 'y'), '2', 'uid-1')
    store.set('a', volume('2', 'z'), '3', 'uid-2')

    expect(changes.map((c) => [c.before?.tags[0], c.after?.tags[0]])).toEqual([
      [undefined, 'x'],
      ['x', 'y'],
      ['y', undefined],
      [undefined, 'z'],
    ])
    expect(store.byIndex('tag', 'y')).toEqual([])
  })

  it('stays when the deletion of the old one is reported late', () => {
    store.set('a', volume('1'), '7', 'uid-2')
    expect(store.isOlder('a', '9', 'uid-1')).toBe(true)
    expect(store.isOlder('a', '9', 'uid-2')).toBe(false)
  })
})

describe('listeners', () => {
  it('are notified of each change with what was before', () => {
    const changes: Change<Volume>[] = []
    const stop = store.subscribe((c) => changes.push(c))
    store.set('a', volume('1'), '1')
    store.set('a', volume('2'), '2')
    store.delete('a')
    store.delete('a')
    stop()
    store.set('a', volume('3'), '3')

    expect(changes.map((c) => [c.key, c.before?.id, c.after?.id])).toEqual([
      ['a', undefined, '1'],
      ['a', '1', '2'],
      ['a', '2', undefined],
    ])
  })

  it('that throw are counted and keep nobody else from the news', () => {
    const seen: string[] = []
    store.subscribe(() => {
      throw new Error('broken')
    })
    store.subscribe((c) => seen.push(c.key))
    store.set('a', volume('1'), '1')

    expect(seen).toEqual(['a'])
    expect(errors).toHaveLength(1)
  })
})

describe('sweep', () => {
  it('deletes what the list did not have, and yields in between', () => {
    for (const key of ['a', 'b', 'c', 'd']) store.set(key, volume(key), '1')
    store.beginSweep()
    expect(store.mark('b', '1')).toBe(true)
    expect(store.mark('c', '2')).toBe(false)
    store.set('e', volume('e'), '5')

    expect([...store.sweep(2)]).toHaveLength(2)
    expect([...store.values()].map((v) => v.id)).toEqual(['b', 'c', 'e'])
  })
})

it.each([
  ['5', '9', true],
  ['9', '9', false],
  ['10', '9', false],
  ['5', 'opaque', false],
  [undefined, '9', false],
])('version %s is older than the stored %s: %s', (version, stored, older) => {
  store.set('a', volume('1'), stored)

  expect(store.isOlder('a', version)).toBe(older)
})

it('keeps equal strings once', () => {
  const intern = createInterner()
  const parsed = JSON.parse('["hot","hot"]') as string[]

  expect(intern(parsed[0]!)).toBe('hot')
  expect(intern(parsed[1]!)).toBe('hot')
})
