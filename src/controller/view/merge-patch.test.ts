import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mergePatch } from './merge-patch.ts'

/** RFC 7386, as the API server applies it. */
function applied(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? target : {}
  const next: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(patch))
    if (value === null) delete next[key]
    else next[key] = applied(next[key], value)
  return next
}

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.integer()))
const branch = (below: fc.Arbitrary<unknown>) =>
  fc.dictionary(fc.constantFrom('a', 'b', 'c'), below, { maxKeys: 3 })
const tree = branch(fc.oneof(leaf, branch(fc.oneof(leaf, branch(leaf)))))

it('turns any object into any other, and says nothing when they are equal', () => {
  fc.assert(
    fc.property(tree, tree, (before, after) => {
      const patch = mergePatch(before, after)
      expect(isDeepStrictEqual(plain(applied(before, patch ?? {})), plain(after))).toBe(true)
      expect(patch === undefined).toBe(isDeepStrictEqual(plain(before), plain(after)))
    }),
    { numRuns: 1000 },
  )
})

/** As it goes over the wire. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

it('removes what is gone, and leaves alone what has not changed', () => {
  expect(mergePatch({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2, d: 4 } })).toEqual({
    a: null,
    b: { d: 4 },
  })
  expect(mergePatch({ a: [1] }, { a: [1] })).toBeUndefined()
  expect(mergePatch({ a: 1 }, { a: undefined })).toEqual({ a: null })
})
