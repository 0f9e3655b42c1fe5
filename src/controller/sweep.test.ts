import { expect, it } from 'vitest'
import { Sweep } from './sweep.ts'
import type { SweepParts } from './sweep.ts'

function setUp() {
  const inventory = {
    types: [{ id: 'a', name: 'hot' }],
    problem: undefined,
    sweepTypes: () => Promise.resolve(),
  }
  const did: string[] = []
  const sweep = new Sweep({
    inventory,
    policies: { refresh: () => void did.push('refreshed') },
    windows: { kick: () => void did.push('planned') },
    status: { kick: () => {} },
  } as unknown as SweepParts)
  const types = async () => {
    await sweep.types(new AbortController().signal)
    return did.splice(0)
  }
  return { inventory, types }
}

it('policies learn of types that a read of the quotas, and no sweep, has found first', async () => {
  const { inventory, types } = setUp()
  inventory.types = [{ id: 'a', name: 'renamed' }]
  expect(await types()).toEqual(['refreshed', 'planned'])
  expect(await types()).toEqual([])
})
