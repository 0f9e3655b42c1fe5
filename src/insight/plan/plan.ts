import type { Mode, Strategy } from '../../api/storage-policy.ts'

/** `next` starts now, `wait` when its turn comes, `open` has an object already, `held` meets a guard. */
export type PlanAction = 'next' | 'wait' | 'open' | 'held' | 'stay' | 'unmanaged'

/** One claim. Money per month in the unit of the prices; figures are null where there are none. */
export type PlanRow = {
  readonly action: PlanAction
  /** Place in the queue of the policy, from 1; null for what is in none. */
  readonly order: number | null
  readonly policy: string
  readonly namespace: string
  readonly claim: string
  readonly volumeId: string
  readonly sizeGiB: number
  readonly from: string
  /** Where it is wanted; empty when nowhere else. */
  readonly to: string
  /** Why it is wanted there: by the policy, or by a person. */
  readonly asked: 'Policy' | 'Forced' | 'Manual' | ''
  /** What it waits for or why it stays; empty for `next`. */
  readonly reason: string
  /** One sentence with the numbers. */
  readonly message: string
  readonly monthlySaving: number
  readonly worthPerMonth: number
  readonly paybackDays: number | null
  readonly moveCost: number
  readonly lead: number
  readonly needed: number
  readonly meanIops: number
  readonly monthlyCost: number
  readonly migration: string
  /** What it moves by; empty when it is wanted nowhere else. */
  readonly strategy: Strategy | ''
  /** The former volume is kept for a while, and a rollback needs no other move. */
  readonly reversible: boolean
  /** A workload is stopped for the move, or a Pod that starts meanwhile waits until Cinder has finished. */
  readonly disruptive: boolean
  /** What the former volume costs a day while it is kept; 0 where none is. */
  readonly keptPerDay: number
}

export type PolicyPlan = {
  readonly name: string
  readonly mode: Mode
  readonly pricesAssumed: boolean
  readonly monthlyCost: number
  /** After everything that is wanted. */
  readonly wantedMonthlyCost: number
  readonly maxMonthlyCost: number | null
  readonly problems: readonly string[]
  /** Only when room on a tier holds a move back. */
  readonly capacity: CapacityReport | null
}

/** How far the plan is from the best that fits; per month. */
export type CapacityReport = {
  readonly cost: number
  readonly bound: number
  readonly gapPercent: number
  /** What one more GiB would save, for the tiers where that is something. */
  readonly pricePerGiB: Readonly<Record<string, number>>
}

export type Plan = {
  readonly apiVersion: 'couchestor.io/v1alpha1'
  readonly kind: 'Plan'
  readonly at: string
  readonly rows: readonly PlanRow[]
  readonly policies: readonly PolicyPlan[]
  /** What the reader must know to judge the rest. */
  readonly notices: readonly string[]
}

export type NamespaceCost = {
  readonly namespace: string
  readonly claims: number
  readonly sizeGiB: number
  readonly monthlyCost: number
  readonly wantedMonthlyCost: number
  readonly moves: number
}

/** What the claims of each namespace cost, most expensive first; only claims that a policy manages. */
export function byNamespace({ rows }: Pick<Plan, 'rows'>): readonly NamespaceCost[] {
  const managed = rows.filter((r) => r.action !== 'unmanaged')
  return [...Map.groupBy(managed, (r) => r.namespace)]
    .map(([namespace, of]) => ({
      namespace,
      claims: of.length,
      sizeGiB: sum(of, (r) => r.sizeGiB),
      monthlyCost: sum(of, (r) => r.monthlyCost),
      wantedMonthlyCost: sum(of, (r) => r.monthlyCost - (r.to === '' ? 0 : r.monthlySaving)),
      moves: of.filter((r) => r.to !== '').length,
    }))
    .toSorted((a, b) => b.monthlyCost - a.monthlyCost || (a.namespace < b.namespace ? -1 : 1))
}

/** What the claims of a policy cost per month, now and where they are wanted. */
export function costsOf(policy: string, rows: readonly PlanRow[]) {
  const own = rows.filter((r) => r.policy === policy && r.action !== 'unmanaged')
  const monthlyCost = sum(own, (r) => r.monthlyCost)
  return { monthlyCost, wantedMonthlyCost: monthlyCost - sum(own, (r) => r.monthlySaving) }
}

export function sum<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((total, row) => total + of(row), 0)
}
