import { NO_ADMISSION_POLICY } from '../blockers/policy.ts'
import { stated } from '../blockers/blocker.ts'
import { activeForce } from './candidate.ts'
import type { Candidate, Want } from './candidate.ts'
import { durationText } from './numbers-text.ts'

export const heldByForce = stated(
  { Forced: 'The claim is held on its tier by couchestor.io/force-tier.' },
  (c: Candidate, want: Want) => {
    const force = activeForce(c)
    if (!force) return undefined
    if (Number.isNaN(force.until))
      return {
        reason: 'Forced',
        message:
          force.problem ??
          'couchestor.io/force-until cannot be read, so nothing moves; write it as 2030-01-31T18:00:00Z',
      }
    if (c.tiers[want.to]?.name !== force.tier || want.to !== c.tier) return undefined
    const left =
      force.until === undefined ? '' : ` for another ${durationText(force.until - c.now)}`
    return { reason: 'Forced', message: `held on ${force.tier} by couchestor.io/force-tier${left}` }
  },
)

export const forceUnknown = stated(
  { ForceTierUnknown: 'couchestor.io/force-tier names a tier that the policy does not have.' },
  (c: Candidate) => {
    const force = activeForce(c)
    if (!force || c.tiers.some((t) => t.name === force.tier)) return undefined
    const names = c.tiers.map((t) => t.name).join(', ')
    return {
      reason: 'ForceTierUnknown',
      message: `couchestor.io/force-tier names "${force.tier}", but policy ${c.policy.name} has ${names}; correct it or remove it`,
    }
  },
)

export const forceUnguarded = stated(NO_ADMISSION_POLICY, (c: Candidate) => {
  const { unguarded } = c.policy
  if (!activeForce(c) || unguarded === undefined) return undefined
  return {
    reason: 'NoAdmissionPolicy',
    message: `couchestor.io/force-tier moves nothing: ${unguarded}`,
  }
})
