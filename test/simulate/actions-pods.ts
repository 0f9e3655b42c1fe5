import type { Dice } from '../seeded.ts'
import type { Action } from './actions.ts'
import { NODES } from './cluster.ts'
import { anyClaim } from './touchable.ts'
import type { Universe } from './universe.ts'

// What uses the claims, and where it runs.

const MINUTE = 60_000
const HOUR = 3_600_000

async function startPod(universe: Universe, dice: Dice, forMs: number): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim === undefined || universe.cluster.pods(claim).length > 0) return
  await universe.cluster.startPod(claim, { forMs })
}

export function longPod(universe: Universe, dice: Dice) {
  return startPod(universe, dice, dice.between(1, 4) * HOUR)
}

export function shortPod(universe: Universe, dice: Dice) {
  return startPod(universe, dice, dice.between(0.5, 6) * MINUTE)
}

export async function unschedulablePod(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim === undefined || universe.cluster.pods(claim).length > 0) return
  await universe.cluster.startPod(claim, { forMs: 0, unschedulable: true })
}

export async function endPods(universe: Universe, dice: Dice): Promise<void> {
  const claim = anyClaim(universe, dice)
  if (claim === undefined) return
  for (const { metadata } of universe.cluster.pods(claim))
    await universe.cluster.request(
      'DELETE',
      `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`,
    )
}

export function cordon(isCordoned: boolean): Action['run'] {
  return ({ cluster }, dice) => cluster.cordon(dice.one(NODES), isCordoned)
}
