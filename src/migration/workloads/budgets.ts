import { isEmptySelector, matchesSelector } from '../../api/selector.ts'
import { hasEnded } from '../../api/workload-objects.ts'
import type { BudgetObject, PodObject } from '../../api/workload-objects.ts'
import { ownerOf } from './owners.ts'

type Known = Parameters<typeof ownerOf>[1] & { readonly pods: readonly PodObject[] }

/**
 * A Pod that a move keeps stopped, or is about to stop. Its workload's count no longer shows it, and a budget counts it as
 * unavailable.
 */
export type StoppedPod = {
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Why a PodDisruptionBudget does not let these Pods stop together; undefined when it does. Scaling bypasses budgets, so
 * the sum is made here, as Kubernetes' disruption controller makes it, with the counts from before any stop of ours.
 */
export function budgetRefusal(
  budget: BudgetObject,
  stops: readonly PodObject[],
  known: Known,
  stopped: readonly StoppedPod[],
): string | undefined {
  const guarded = known.pods.filter((p) => !hasEnded(p) && guards(budget, p.metadata.labels))
  const uids = new Set(stops.map((p) => p.metadata.uid))
  if (!guarded.some((p) => uids.has(p.metadata.uid))) return undefined
  const away = stopped.filter((p) => guards(budget, p.labels)).length
  const rule = ruleOf(budget)
  if (rule === undefined)
    return 'allows no disruption: it has neither minAvailable nor maxUnavailable'
  const needed = neededBy(rule, () => expectedOf(guarded, known, away))
  if (typeof needed === 'string') return needed
  // one that another move stops is as good as gone, however healthy it looks until the call has arrived
  const leaving = new Set(stopped.map((p) => p.uid))
  const healthy = guarded.filter((p) => isHealthy(p) && !leaving.has(p.metadata.uid ?? ''))
  const left = healthy.filter((p) => !uids.has(p.metadata.uid)).length
  return left >= needed
    ? undefined
    : `needs ${needed} healthy Pods (${rule.field}: ${rule.value}), and ${left} would be left of ${healthy.length}`
}

type Rule = {
  readonly field: 'minAvailable' | 'maxUnavailable'
  readonly value: number | string
}

function ruleOf({ spec }: BudgetObject): Rule | undefined {
  if (spec?.maxUnavailable !== undefined)
    return { field: 'maxUnavailable', value: spec.maxUnavailable }
  return spec?.minAvailable === undefined
    ? undefined
    : { field: 'minAvailable', value: spec.minAvailable }
}

/** Pods that must stay healthy; a sentence when that cannot be found out. */
function neededBy({ field, value }: Rule, expected: () => number | string): number | string {
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined
  if (typeof value === 'string' && percent === undefined)
    return `has ${field}: "${value}", which is neither a number nor a percentage`
  if (field === 'minAvailable' && percent === undefined) return Number(value)
  const all = expected()
  if (typeof all === 'string') return all
  // Kubernetes rounds both up
  const count = percent === undefined ? Number(value) : Math.ceil((Number(percent) * all) / 100)
  return field === 'minAvailable' ? count : Math.max(0, all - count)
}

/** How many there are to be, by the counts of the workloads that the Pods belong to. */
function expectedOf(guarded: readonly PodObject[], known: Known, away: number): number | string {
  const counts = new Map<string, number>()
  for (const pod of guarded) {
    const owner = ownerOf(pod, known)
    switch (owner.kind) {
      case 'Workload':
        counts.set(owner.workload.metadata.uid ?? '', owner.workload.spec.replicas ?? 1)
        break
      case 'ReplicaSet':
        counts.set(owner.replicaSet.metadata.uid ?? '', owner.replicaSet.spec.replicas ?? 1)
        break
      case 'Bare':
        counts.set(pod.metadata.uid ?? '', 1)
        break
      case 'Other':
        return `also covers Pod ${pod.metadata.name} of ${owner.ref.kind} ${owner.ref.name}, whose count is not known`
    }
  }
  return [...counts.values()].reduce((sum, n) => sum + n, away)
}

/** An empty selector is every Pod of the namespace, a missing one none. */
function guards(
  { spec }: BudgetObject,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  if (spec?.selector === undefined) return false
  return isEmptySelector(spec.selector) || matchesSelector(spec.selector, labels)
}

function isHealthy({ metadata, status }: PodObject): boolean {
  const isReady = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')
  return isReady === true && metadata.deletionTimestamp === undefined
}
