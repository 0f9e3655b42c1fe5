import { CINDER_DRIVER } from '../../../api/names.ts'
import type { Facts, FleetClaim } from '../facts.ts'
import { counted, finding, notChecked, ok, some } from '../finding.ts'
import type { Line } from '../finding.ts'
import { policyTiers, tiersOf } from './policy-tiers.ts'

/** Claims that cannot be managed as their owners think. */
export function checkClaims(facts: Facts): readonly Line[] {
  const { fleet } = facts
  if (!fleet.known) return [notChecked('claims', 'claims', fleet.why)]
  const { claims } = fleet.value
  const managed = claims.filter((c) => c.policy !== undefined)
  const bound = managed.filter((c) => c.driver === 'cinder')
  const lines = [
    ...refusedLines(claims.filter((c) => c.refusal !== undefined)),
    ...findingsOf(
      'ClaimOtherDriver',
      `bound to a volume that is not of ${CINDER_DRIVER}`,
      managed.filter((c) => c.driver === 'other'),
    ),
    ...findingsOf(
      'VolumeNotFound',
      'not shown by Cinder',
      bound.filter((c) => c.volume === undefined && c.otherProject === undefined),
    ),
    ...attributesLines(claims.filter((c) => c.driver !== 'other')),
    ...findingsOf('ClaimTypeUnmanaged', 'of a type that is no tier', strangers(facts, bound)),
  ]
  return lines.length > 0
    ? lines
    : [ok(`${counted(managed.length, 'claim')} managed, none in trouble`)]
}

function refusedLines(refused: readonly FleetClaim[]): readonly Line[] {
  const byReason = Map.groupBy(refused, (c) => c.refusal ?? '')
  return [...byReason].map(([reason, claims]) => {
    const [first] = claims
    const [namespace, name] = (first?.key ?? '/').split('/')
    return finding('ClaimPolicyWrong', `${reason}: ${some(claims.map((c) => c.key))}`, {
      fix: `kubectl -n ${namespace} annotate --overwrite pvc ${name} couchestor.io/policy=<policy>`,
    })
  })
}

function attributesLines(claims: readonly FleetClaim[]): readonly Line[] {
  const naming = claims.filter((c) => c.attributesClass !== undefined)
  if (naming.length === 0) return []
  const classes = [...new Set(naming.flatMap((c) => c.attributesClass ?? []))].toSorted().join(', ')
  return [
    finding(
      'ClaimAttributesClass',
      `${counted(naming.length, 'claim')} on Cinder with a volumeAttributesClassName (${classes}): ${some(naming.map((c) => c.key))}`,
    ),
  ]
}

function findingsOf(
  code: 'ClaimOtherDriver' | 'VolumeNotFound' | 'ClaimTypeUnmanaged',
  text: string,
  claims: readonly FleetClaim[],
): readonly Line[] {
  if (claims.length === 0) return []
  const names = some(claims.map((c) => c.key))
  return [finding(code, `${counted(claims.length, 'managed claim')} ${text}: ${names}`)]
}

function strangers(facts: Facts, bound: readonly FleetClaim[]): readonly FleetClaim[] {
  const policies = policyTiers(facts)
  if (!policies.known) return []
  const types = new Map(
    policies.value
      .filter((p) => p.resolved.ok)
      .map((p) => [p.fact.policy.metadata.name, new Set(tiersOf(p).map((t) => t.typeId))]),
  )
  return bound.filter(({ policy, volume }) => {
    const own = types.get(policy ?? '')
    return own !== undefined && volume !== undefined && !own.has(volume.typeId)
  })
}
