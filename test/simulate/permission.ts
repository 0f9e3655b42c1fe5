import type { StoragePolicy } from '../../src/api/storage-policy.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import type { ClaimTruth } from './cluster.ts'
import type { Universe } from './universe.ts'

export const UNMANAGED = 'no policy manages it'

/** Why a claim may not be moved now, regardless of who wants it. Written from the documentation, not from the product's code. */
export function forbiddenFor(universe: Universe, claim: ClaimTruth): string[] {
  const object = universe.cluster.claimObject(claim)
  if (object === undefined) return ['the claim is gone']
  const { annotations = {}, labels = {}, deletionTimestamp } = object.metadata
  if (deletionTimestamp !== undefined) return ['the claim is being deleted']
  const reasons: string[] = []
  if (annotations['couchestor.io/paused'] === 'true') reasons.push('its owner paused it')
  const named = annotations['couchestor.io/policy']
  if (named === 'none') return [...reasons, 'its owner opted out']
  if (universe.cluster.pods(claim).some(waits)) reasons.push('a Pod waits for it')
  const policy = policyOf(universe.policies(), named, labels, claim.namespace)
  if (policy === undefined) return [...reasons, UNMANAGED]
  if (policy.spec.paused === true) reasons.push('its policy is paused')
  if (policy.spec.mode === 'Observe') reasons.push('its policy only observes')
  return reasons
}

/** The policy that the annotation names, else the one whose selector matches: priority, then age, then name. */
export function policyOf(
  policies: readonly StoragePolicy[],
  named: string | undefined,
  labels: Readonly<Record<string, string>>,
  namespace: string,
): StoragePolicy | undefined {
  const covering = policies.filter((p) => covers(p, namespace))
  if (named !== undefined) return covering.find((p) => p.metadata.name === named)
  return covering
    .filter((p) => matches(p.spec.selector?.matchLabels ?? {}, labels))
    .toSorted(
      (a, b) =>
        (b.spec.priority ?? 0) - (a.spec.priority ?? 0) ||
        String(a.metadata.creationTimestamp).localeCompare(String(b.metadata.creationTimestamp)) ||
        a.metadata.name.localeCompare(b.metadata.name),
    )[0]
}

/** What no policy manages may be moved by hand to the tiers of any policy that covers its namespace. */
export function mayBeAnybodys(
  universe: Universe,
  claim: ClaimTruth,
  { spec }: VolumeMigration,
): boolean {
  const { annotations = {} } = universe.cluster.claimObject(claim)?.metadata ?? {}
  if (spec.reason !== 'Manual' || annotations['couchestor.io/policy'] !== undefined) return false
  return universe
    .policies()
    .some((p) => p.metadata.name === spec.policy && covers(p, claim.namespace))
}

/** Namespaces carry their name as a label, and the simulation selects by nothing else. */
function covers({ spec }: StoragePolicy, namespace: string): boolean {
  const [expression] = spec.namespaceSelector?.matchExpressions ?? []
  return expression?.values?.includes(namespace) ?? true
}

/** Not placed on a node yet. */
function waits(pod: KubeJson): boolean {
  const { nodeName } = pod['spec'] as { nodeName?: string }
  return nodeName === undefined && pod.metadata.deletionTimestamp === undefined
}

/** Why nothing forces a claim to a tier now. */
export function unforcedFor(universe: Universe, claim: ClaimTruth): string[] {
  const { annotations = {}, labels = {} } = universe.cluster.claimObject(claim)?.metadata ?? {}
  const named = annotations['couchestor.io/policy']
  const policy = policyOf(universe.policies(), named, labels, claim.namespace)
  const until = annotations['couchestor.io/force-until']
  const end = until === undefined ? Infinity : endOf(until)
  return [
    ...(annotations['couchestor.io/force-tier'] === undefined ? ['no tier is forced'] : []),
    ...(end > universe.clock.now() ? [] : ['the force has ended or has no readable end']),
    ...(policy?.spec.overrides?.forceTier === 'Deny' ? ['the policy denies forces'] : []),
  ]
}

/** NaN for what is no time with a zone. */
function endOf(until: string): number {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(until) ? Date.parse(until) : NaN
}

function matches(
  wanted: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
): boolean {
  const entries = Object.entries(wanted)
  return entries.length > 0 && entries.every(([key, value]) => labels[key] === value)
}
