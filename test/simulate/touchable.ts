import type { Dice } from '../seeded.ts'
import type { ClaimTruth } from './cluster.ts'
import { TIERS, typeNameOf } from './names.ts'
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

/** The driver makes no volume for a StorageClass whose type was renamed. */
export function tierWithVolumes(universe: Universe, dice: Dice): string | undefined {
  return dice.pick(TIERS.filter((tier) => universe.types.of(tier).name === typeNameOf(tier)))
}
