import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import type { ResolvedPolicy } from '../../controller/view/policies.ts'
import { capacityBound } from '../../policy/capacity-bound.ts'
import { HOURS_PER_MONTH } from '../../policy/cost.ts'
import { monthlyCost } from '../../policy/rank.ts'
import type { Tier } from '../../policy/types.ts'
import type { CapacityReport, PlanRow } from './plan.ts'
import { sum } from './plan.ts'

/** A GiB whose price is below this share of the most expensive one is not scarce. */
const SCARCE = 1e-3

/**
 * How far the plan, with all moves made but those without room, is from the least that any placement within the
 * capacities can cost. null unless room holds a move back.
 */
export function capacityReport(
  snapshot: ClusterSnapshot,
  policy: ResolvedPolicy,
  rows: readonly PlanRow[],
): CapacityReport | null {
  const { tiers } = policy
  if (tiers === undefined || rows.every((r) => r.reason !== 'CapacityLimit')) return null
  const { states } = snapshot.checkpoints.of(policy)
  const own = (tier: string) => sum(rows, (r) => (r.from === tier ? r.sizeGiB : 0))
  const others = (t: Tier) => Math.max(0, snapshot.policies.gibOfType(t.typeId) - own(t.name))
  const room = tiers.map((t) =>
    t.maxGiB === undefined ? Infinity : t.maxGiB * (1 - t.headroomPercent / 100) - others(t),
  )
  let cost = 0
  const volumes = rows.flatMap((row) => {
    const comes = row.action === 'next' || (row.action === 'wait' && row.reason !== 'CapacityLimit')
    const end = comes ? row.to : row.from
    const at = tiers.findIndex((t) => t.name === end)
    if (at < 0) return []
    const state = states.get(row.volumeId)
    const costs = tiers.map((t, k) =>
      state !== undefined && state.hours > 0
        ? ((state.cost[k] ?? 0) / state.hours) * HOURS_PER_MONTH
        : monthlyCost(t, row.sizeGiB),
    )
    cost += costs[at] ?? 0
    return [{ sizeGiB: row.sizeGiB, costs }]
  })
  const { bound, pricePerGiB } = capacityBound(volumes, room, cost)
  const highest = Math.max(...tiers.map((t) => t.pricePerGiBMonth))
  const scarce = tiers.flatMap((t, k) => {
    const price = pricePerGiB[k] ?? 0
    return price > highest * SCARCE ? [[t.name, price] as const] : []
  })
  return {
    cost,
    bound,
    gapPercent: bound > 0 ? (100 * (cost - bound)) / bound : 0,
    pricePerGiB: Object.fromEntries(scarce),
  }
}
