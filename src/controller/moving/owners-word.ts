import { ANNOTATION } from '../../api/names.ts'
import { directionOf, paused } from '../../blockers/claim.ts'
import type { Refusal } from './admission.ts'
import type { Policies } from '../view/policies.ts'
import { pausedOf } from '../view/projections.ts'
import type { Target } from '../view/targets.ts'

/**
 * What the claim's owner and the policies have against a move made by hand: it skips schedule and cooldown, never the
 * word of those whose volume it is. undefined = nothing.
 */
export function ownersWord(target: Target, policies: Policies): Refusal | undefined {
  return inPolicy(target, policies) ?? pausedFor(target)
}

/** The policy that manages the claim is the one to name; a claim that nobody manages needs one that covers it. */
function inPolicy({ claim, policy }: Target, policies: Policies): Refusal | undefined {
  const match = policies.match(claim)
  if (match.policy?.name === policy.name) return undefined
  if (match.policy !== undefined)
    return {
      reason: 'PolicyConflict',
      message: `policy ${match.policy.name} manages claim ${claim.name}, not ${policy.name}; create a VolumeMigration with spec.policy: ${match.policy.name}`,
    }
  if (match.reason !== 'NoPolicy') return { reason: match.reason, message: match.message }
  return policies.mayTake(policy, claim)
}

function pausedFor({ claim, tiers, to, from, row }: Target): Refusal | undefined {
  const here = from ?? tiers.find((t) => t.typeId === row?.typeId)
  return paused({
    paused: pausedOf(claim.annotations[ANNOTATION.paused]),
    direction: directionOf(here === undefined ? -1 : tiers.indexOf(here), tiers.indexOf(to)),
  })
}
