import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import { POLICY_NAMES } from './names.ts'
import { policySpec } from './setup.ts'
import type { Universe } from './universe.ts'

// What administrators do with the policies.

const POLICIES = '/apis/couchestor.io/v1alpha1/storagepolicies'

export async function editPolicy(universe: Universe, dice: Dice): Promise<void> {
  universe.limitChangedAt = universe.clock.monotonic()
  const name = dice.one(POLICY_NAMES)
  await universe.cluster.merge(`${POLICIES}/${name}`, { spec: policySpec(universe, name, dice) })
}

export function pausePolicy(paused: boolean): Action['run'] {
  return async (universe, dice) =>
    universe.cluster.merge(`${POLICIES}/${dice.one(POLICY_NAMES)}`, { spec: { paused } })
}

export async function replacePolicy(universe: Universe, dice: Dice): Promise<void> {
  universe.limitChangedAt = universe.clock.monotonic()
  const name = dice.one(POLICY_NAMES)
  await universe.cluster.request('DELETE', `${POLICIES}/${name}`)
  universe.seedPolicy(name, policySpec(universe, name, dice))
}
