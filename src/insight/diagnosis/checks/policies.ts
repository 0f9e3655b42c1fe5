import { notYetActedOn } from '../../../api/not-yet-acted-on.ts'
import type { Facts, PolicyFact } from '../facts.ts'
import { counted, finding, notChecked, ok } from '../finding.ts'
import type { Line } from '../finding.ts'

/** Reasons of condition Ready that are reported elsewhere. */
const REPORTED_ELSEWHERE: ReadonlySet<string> = new Set([
  'Paused',
  'Stopped',
  'Invalid',
  'StrategyUnsupported',
  'TiersUnresolved',
  'NoAdmissionPolicy',
])

/** Each policy by itself, and policies that get in each other's way. */
export function checkPolicies(facts: Facts): readonly Line[] {
  const { policies } = facts.cluster
  if (!policies.known) return [notChecked('policies', 'policies', policies.why)]
  if (policies.value.length === 0)
    return [
      ok(
        'there is no StoragePolicy yet, so nothing is managed (deploy/samples/policy-observe.yaml)',
      ),
    ]
  return [...policies.value.flatMap((p) => policyLines(facts, p)), ...conflictLines(facts)]
}

function policyLines(facts: Facts, fact: PolicyFact): readonly Line[] {
  const { policy, problems, effective } = fact
  const { name } = policy.metadata
  const fix = `kubectl edit stp ${name}`
  if (problems.length > 0)
    return problems.map((p) => finding('PolicyInvalid', `policy ${name}: ${p}`, { fix }))
  const ignored = notYetActedOn(policy.spec).map((ignoredField) =>
    finding('PolicyFieldIgnored', `policy ${name}: ${ignoredField.what}`, {
      fix: ignoredField.fix,
    }),
  )
  const lines = [...stateLines(facts, fact), ...ignored]
  return lines.length > 0
    ? lines
    : [ok(`policy ${name}: mode ${effective.mode}, ${managed(facts, name)}`)]
}

function stateLines(facts: Facts, { policy, effective }: PolicyFact): readonly Line[] {
  const { name, generation = 1 } = policy.metadata
  const ready = policy.status?.conditions?.find((c) => c.type === 'Ready')
  if (effective.paused)
    return [
      finding('PolicyPaused', `policy ${name}: spec.paused is true`, {
        fix: `couchestor resume ${name}`,
      }),
    ]
  if (!isLed(facts)) return []
  if ((policy.status?.observedGeneration ?? 0) < generation)
    return [
      finding(
        'PolicyNotSeen',
        `policy ${name} is at generation ${generation}, its status at ${policy.status?.observedGeneration ?? 'none'}`,
      ),
    ]
  if (ready?.status !== 'False' || REPORTED_ELSEWHERE.has(ready.reason)) return []
  return [
    finding('PolicyNotReady', `policy ${name}: ${ready.reason}: ${ready.message}`, {
      fix: `kubectl describe stp ${name}; docs/reference-reasons.md explains ${ready.reason}`,
    }),
  ]
}

/** Without a leader nobody writes a status: that is reported under Controller. */
function isLed({ cluster: { lease } }: Facts): boolean {
  return !lease.known || (lease.value !== undefined && lease.value.holder !== '')
}

function managed({ fleet }: Facts, policy: string): string {
  if (!fleet.known) return 'its claims were not checked'
  return `${counted(fleet.value.claims.filter((c) => c.policy === policy).length, 'claim')} managed`
}

function conflictLines({ fleet }: Facts): readonly Line[] {
  if (!fleet.known) return []
  return [...fleet.value.conflicts].map(([names, claims]) =>
    finding('PolicyConflict', `policies ${names} all select ${counted(claims, 'claim')}`),
  )
}
