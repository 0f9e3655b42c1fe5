import type { ClusterSnapshot } from '../../controller/cluster-snapshot.ts'
import { allReflectors } from '../../controller/view/watches.ts'
import type { ResolvedPolicy } from '../../controller/view/policies.ts'
import type { PlanRow } from './plan.ts'

/** What the reader must know to judge a plan, one sentence each. */
export function noticesOf(snapshot: ClusterSnapshot, rows: readonly PlanRow[]): readonly string[] {
  const { policies, deps, health, watches } = snapshot
  return [
    ...when(
      policies.all().length === 0,
      'there is no StoragePolicy, so nothing is managed; see docs/plan-and-explain.md',
    ),
    ...when(
      deps.config().migration.paused,
      'migration.paused in config.yaml stops every move at present',
    ),
    ...policies
      .all()
      .flatMap((p) => [
        ...p.problems.map((problem) => `policy ${p.name}: ${problem}`),
        ...when(
          p.pricesAssumed,
          `policy ${p.name} has no prices (tiers[].costPerGiBMonth); costs are relative to 1 for the cheapest tier`,
        ),
        ...when(
          health.state(p.name).down !== undefined,
          `policy ${p.name}: ${health.state(p.name).down}; without usage numbers everything stays`,
        ),
        ...unwritableAudit(p),
      ]),
    ...allReflectors(watches).flatMap((r) => {
      const { missingRule } = r.health()
      return missingRule === undefined ? [] : [`your role lacks a rule: ${missingRule}`]
    }),
    ...when(
      rows.length > 0 && rows.every((r) => r.action === 'unmanaged'),
      'no claim is managed: annotate claims with couchestor.io/policy, or give the policy a selector',
    ),
  ]
}

/** Only the leader knows it: its audit is nowhere near who reads a plan. */
function unwritableAudit({ name, watched }: ResolvedPolicy): readonly string[] {
  const ready = watched.policy.status?.conditions?.find((c) => c.type === 'Ready')
  if (ready?.reason !== 'AuditUnavailable') return []
  return [`policy ${name}: ${ready.message}; see docs/runbooks/audit-unavailable.md`]
}

function when(holds: boolean, text: string): string[] {
  return holds ? [text] : []
}
