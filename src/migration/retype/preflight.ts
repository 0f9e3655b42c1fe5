import type { AllOf, Block } from '../../blockers/blocker.ts'
import { ownProject } from '../../blockers/project.ts'
import { pods, resizing, terminating } from '../../blockers/claim.ts'
import { quota } from '../../blockers/quota.ts'
import { ownType, sizeLimits, typeAccess, zone } from '../../blockers/target-type.ts'
import { attached, busy, encrypted, group, multiattach, snapshots } from '../../blockers/volume.ts'

/** In the order a person would want to hear them: what cannot be waited out first. */
export const BLOCKERS = [
  terminating,
  ownProject,
  typeAccess,
  ownType,
  group,
  multiattach,
  encrypted,
  sizeLimits,
  zone,
  snapshots,
  attached,
  busy,
  pods,
  resizing,
  quota,
] as const

/** All that these blockers check, gathered fresh right before a retype. Sizes GiB. */
export type PreflightFacts = AllOf<typeof BLOCKERS>

/** Every reason why the retype must not start now; empty = it may. */
export function preflight(facts: PreflightFacts): readonly Block[] {
  return BLOCKERS.flatMap((blocker) => blocker(facts) ?? [])
}
