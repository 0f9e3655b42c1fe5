import type { StayReason } from '../../api/reasons.ts'
import { isInFlight } from '../../api/volume-migration.ts'
import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { quotaDrift, syncCommand } from '../../controller/view/quota-drift.ts'
import type { Tier } from '../../policy/types.ts'
import { buildPlan } from '../plan/build-plan.ts'
import type { PlanRow } from '../plan/plan.ts'
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
  const rows = quotas.known ? rowsOf(snapshot, plan.rows) : []
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
    ...propose(rows, storageMode, projectId),
    notices: plan.notices,
    drift,
    driftFix: drift.length === 0 ? null : syncCommand(projectId),
  }
}

type Flow = { readonly from: string; readonly to: string; readonly sizeGiB: number }

function rowsOf(snapshot: ClusterSnapshot, plan: readonly PlanRow[]): readonly QuotaRow[] {
  const { quotas, policies, inventory } = snapshot
  const flows = plan.flatMap((row) => flowOf(snapshot, row))
  const tiers = policies.all().flatMap((p) => p.tiers ?? [])
  const typeIds = [...new Set(tiers.map((t) => t.typeId))]
  const rowOf = (unit: 'gigabytes' | 'volumes', typeId: string): readonly QuotaRow[] => {
    const type = inventory.types.find((t) => t.id === typeId)?.name ?? ''
    const key = type === '' ? unit : `${unit}_${type}`
    const line = quotas.lines.get(key)
    if (line === undefined) return []
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

/** A move of the plan that has not begun: one that has is in `reserved`. */
function flowOf(snapshot: ClusterSnapshot, row: PlanRow): readonly Flow[] {
  const { policies, inventory, migrations } = snapshot
  const open =
    row.migration === '' ? undefined : migrations.get(`${row.namespace}/${row.migration}`)
  const waits = row.action === 'next' || row.action === 'wait' || FOR_QUOTA.has(row.reason)
  if (open === undefined ? !waits : isInFlight(open)) return []
  const to = policies.get(row.policy)?.tiers?.find((t) => t.name === row.to)?.typeId
  const from = inventory.row(row.volumeId)?.typeId
  if (to === undefined || from === undefined || to === from) return []
  return [{ from, to, sizeGiB: row.sizeGiB }]
}
