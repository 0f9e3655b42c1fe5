import { describe, expect, it } from 'vitest'
import { attachedSafe } from './attached-safety.ts'
import type { ExtraSpecs } from './attached-safety.ts'

const seen = (specs: Record<string, string>): ExtraSpecs => ({ kind: 'Seen', specs })
const hidden: ExtraSpecs = { kind: 'Unknown', why: 'the type is private' }

const UNKNOWN = {
  maxMicroversion: [3, 70] as const,
  fromExtraSpecs: seen({}),
  toExtraSpecs: seen({}),
  rule: 'Auto' as const,
  migrationPolicy: 'on-demand' as const,
}

describe('retyping an attached volume', () => {
  it.each([
    ['microversion 3.71 is offered', { maxMicroversion: [3, 71] as const }, '3.71'],
    ['a later major version is offered', { maxMicroversion: [4, 0] as const }, '4.0'],
    [
      'the types differ in a spec of their own',
      {
        fromExtraSpecs: seen({ 'couchestor:tier': 'warm', volume_backend_name: 'a' }),
        toExtraSpecs: seen({ 'couchestor:tier': 'cold', volume_backend_name: 'b' }),
      },
      'couchestor:tier',
    ],
    ['one type has a spec that the other lacks', { toExtraSpecs: seen({ 'x:y': '1' }) }, 'x:y'],
    ['the administrator answers for it', { rule: 'Allow' as const }, 'administrator'],
    ['nothing is copied', { migrationPolicy: 'never' as const }, 'without a copy'],
  ])('is safe when %s, and says why', (_, facts, proof) => {
    expect(attachedSafe({ ...UNKNOWN, ...facts })).toEqual({
      safe: true,
      message: expect.stringContaining(proof),
    })
  })

  it.each([
    ['nothing is known', {}],
    ['an older microversion is offered', { maxMicroversion: [3, 66] as const }],
    ['another major version has a high minor', { maxMicroversion: [2, 99] as const }],
    [
      'the types differ in their backend and zone only',
      {
        fromExtraSpecs: seen({ volume_backend_name: 'a', 'RESKEY:availability_zones': 'x' }),
        toExtraSpecs: seen({ volume_backend_name: 'b' }),
      },
    ],
    [
      'the types have the same spec',
      { fromExtraSpecs: seen({ 'a:b': '1' }), toExtraSpecs: seen({ 'a:b': '1' }) },
    ],
  ])('is not safe when %s, and names the three ways out', (_, facts) => {
    const { safe, message } = attachedSafe({ ...UNKNOWN, ...facts })

    expect(safe).toBe(false)
    for (const way of ['24.0.0', 'couchestor:tier=', 'migration.attached to Allow', 'next detach'])
      expect(message).toContain(way)
  })

  it.each([
    ['that it leaves', { fromExtraSpecs: hidden, toExtraSpecs: seen({ 'x:y': '1' }) }],
    ['that it goes to', { fromExtraSpecs: seen({ 'x:y': '1' }), toExtraSpecs: hidden }],
    ['on both sides', { fromExtraSpecs: hidden, toExtraSpecs: hidden }],
  ])('is not proven by the extra specs of a type %s that nobody can see', (_, facts) => {
    const { safe, message } = attachedSafe({ ...UNKNOWN, ...facts })

    expect(safe).toBe(false)
    expect(message).toContain('the type is private')
  })

  it('never happens when the policy says Never, whatever is proven', () => {
    const proven = { ...UNKNOWN, maxMicroversion: [3, 75] as const, rule: 'Never' as const }

    expect(attachedSafe(proven).safe).toBe(false)
  })
})
