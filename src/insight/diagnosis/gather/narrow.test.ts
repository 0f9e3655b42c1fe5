import { describe, expect, it } from 'vitest'
import { messageOf } from '../../../errors.ts'
import { facts, policy } from '../facts.fixture.ts'
import { known } from '../fact.ts'
import type { PolicyFact } from '../facts.ts'
import { ofPolicy } from './narrow.ts'

function refusal(policies: readonly PolicyFact[]): string {
  try {
    ofPolicy({ ...facts().cluster, policies: known(policies) }, 'missing')
  } catch (e) {
    return messageOf(e)
  }
  return ''
}

describe('a policy that does not exist', () => {
  it('is refused with the names to choose from', () => {
    const { name } = policy().policy.metadata
    expect(refusal([policy()])).toBe(
      `StoragePolicy "missing" does not exist: choose one of ${name}`,
    )
  })

  it('is no reason to choose from none', () => {
    expect(refusal([])).toBe('StoragePolicy "missing" does not exist: create one first')
  })
})
