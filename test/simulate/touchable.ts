import type { Dice } from '../seeded.ts'
import type { ClaimTruth } from './cluster.ts'
import type { Universe } from './universe.ts'

/** Of the claims that people may do something with: nobody touches the probes. */
export function claimsThat(
  { cluster, probes }: Universe,
  isSo: (claim: ClaimTruth) => boolean,
): ClaimTruth[] {
  return cluster.living.filter((c) => probes.every((p) => p.claim !== c) && isSo(c))
}

export function anyClaim(universe: Universe, dice: Dice): ClaimTruth | undefined {
  return dice.pick(claimsThat(universe, () => true))
}
