import type { StayReason } from '../../api/reasons.ts'
import { isInFlight } from '../../api/volume-migration.ts'
import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { quotaDrift, syncCommand } from '../../controller/view/quota-drift.ts'
import type { Tier } from '../../policy/types.ts'
import { BLOCKING_REASONS } from '../../controller/moving/blocking-reasons.ts'
import { buildPlan } from '../plan/build-plan.ts'
import type { PlanRow } from '../plan/plan.ts'
import type { Flow } from './in-turn.ts'
import { propose } from './proposals.ts'
import type { QuotaReport, QuotaRow } from './quota-report.ts'

/** What the plan needs of the quotas, and what they have. Reads only. */
export async function buildQuota(snapshot: ClusterSnapshot): Promise<QuotaReport> {
  const { deps, quotas, inventory, now } = snapshot
  const projectId = await deps.volumes.projectId()
  const { storageMode } = deps.config().openstack
  // again where the snapshot could not: who asks for quotas alone has to know why there are none
  await quotas.read(Infinity)
  const plan = await buildPlan(snapshot)
  const flows = plan.rows.flatMap((row) => flowOf(snapshot, row))
  const rows = quotas.known ? rowsOf(snapshot, flows) : []
  const drift = quotas.known ? quotaDrift(inventory, projectId, quotas.lines) : []
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'QuotaReport',
    at: new Date(now).toISOString(),
    projectId,
    storageMode,
    unreadable: quotas.known
      ? null
      : 'this credential may not read the quotas of its project; Cinder itself refuses what exceeds them',
    rows,
    ...propose(rows, storageMode, projectId, flows),
    notices: plan.notices,
    drift,
    driftFix: drift.length === 0 ? null : syncCommand(projectId),
  }
}

function rowsOf(snapshot: ClusterSnapshot, flows: readonly Flow[]): readonly QuotaRow[] {
  const { quotas, policies, inventory } = snapshot
  const tiers = policies.all().flatMap((p) => p.tiers ?? [])
  const typeIds = [...new Set(tiers.map((t) => t.typeId))]
  const rowOf = (unit: 'gigabytes' | 'volumes', typeId: string): readonly QuotaRow[] => {
    const type = typeId === '' ? '' : inventory.types.find((t) => t.id === typeId)?.name
    const key = type === '' ? unit : `${unit}_${type}`
    const line = quotas.lines.get(key)
    // the quota of a type that this project does not see is not that of the whole
    if (type === undefined || line === undefined) return []
    const amount = (of: readonly Flow[]) =>
      unit === 'volumes' ? of.length : of.reduce((sum, f) => sum + f.sizeGiB, 0)
    const { limit, inUse, reserved } = line
    return [
      {
        key,
        tiers: namesOf(tiers, typeId),
        type,
        typeId,
        limit: limit < 0 ? null : limit,
        inUse,
        reserved,
        headroom: limit < 0 ? null : limit - inUse - reserved,
        // a move within the project takes nothing of the whole
        wanted: typeId === '' ? 0 : amount(flows.filter((f) => f.to === typeId)),
        leaving: typeId === '' ? 0 : amount(flows.filter((f) => f.from === typeId)),
      },
    ]
  }
  return [...typeIds, ''].flatMap((id) => [...rowOf('gigabytes', id), ...rowOf('volumes', id)])
}

function namesOf(tiers: readonly Tier[], typeId: string): readonly string[] {
  return [...new Set(tiers.filter((t) => t.typeId === typeId).map((t) => t.name))]
}

/** Reasons of a row that more quota would let move. */
const FOR_QUOTA: ReadonlySet<string> = new Set<string>([
  'QuotaTooSmall',
  'QuotaExhausted',
  'QuotaExceeded',
] satisfies StayReason[])

const BLOCKING: ReadonlySet<string> = BLOCKING_REASONS

/**
 * A move of the plan that has not begun: one that has is in `reserved`. What else stands against a move than quota is nothing
 * to count on.
 */
function flowOf(snapshot: ClusterSnapshot, row: PlanRow): readonly Flow[] {
  const { policies, inventory, migrations } = snapshot
  const open =
    row.migration === '' ? undefined : migrations.get(`${row.namespace}/${row.migration}`)
  if (open !== undefined && isInFlight(open)) return []
  const isQueued = row.action === 'next' || row.action === 'wait'
  const isOpen = row.action === 'open' && !BLOCKING.has(row.reason)
  if (!isQueued && !isOpen && !FOR_QUOTA.has(row.reason)) return []
  const to = policies.get(row.policy)?.tiers?.find((t) => t.name === row.to)?.typeId
  const from = inventory.row(row.volumeId)?.typeId
  if (to === undefined || from === undefined || to === from) return []
  return [{ from, to, sizeGiB: row.sizeGiB }]
}
