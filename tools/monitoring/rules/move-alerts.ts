import { leader, rise, total } from './promql.ts'
import type { RuleGroup } from './rule.ts'

const ENDED = 'couchestor_migrations_total'
/** Ends that say something against Cinder or us; a person's no and a changed mind do not. */
const FAILED = `${ENDED}{result="Failed", reason!~"Cancelled|Expired|Superseded|NoLongerWanted|StrategyUnsupported|UnknownTier|ClaimMismatch"}`
const WAY = ['policy', 'from', 'to']

/** Moves. The only ones worth a night's sleep are those after which a volume may need hands. */
export const MOVE_ALERTS: RuleGroup = {
  name: 'couchestor.moves',
  rules: [
    {
      alert: 'CouchestorMigrationStuck',
      severity: 'critical',
      for: '5m',
      expr: `${total('couchestor_migrations_in_flight{step="Stuck"}', 'policy')} > 0`,
      summary: 'A volume is stuck in Cinder.',
      description:
        '{{ $value }} volumes of policy {{ $labels.policy }} are past their deadline or in an error status. While one is retyping Cinder refuses to attach or detach it: its pod cannot move to another node.',
      runbook: 'stuck',
    },
    {
      alert: 'CouchestorHalted',
      severity: 'critical',
      for: '5m',
      expr: `${leader('couchestor_halted')} == 1`,
      summary: 'A move ended in a way that nothing explains; all policy moves halt.',
      description:
        'After our call a volume came to rest on a type that is neither the old nor the new one. A person must check it; until then policies move nothing.',
      runbook: 'unexplained',
    },
    {
      alert: 'CouchestorClaimLost',
      severity: 'critical',
      for: '0m',
      expr: `${leader('couchestor_claims_in_gap_seconds')} > 60`,
      summary: 'A claim has had no PersistentVolume for over a minute.',
      description:
        'For {{ $value | humanizeDuration }} a claim has been Lost, or its PersistentVolume gone, in the middle of a replacement: no pod can start with it. The data is in Cinder, and the record of the PersistentVolume is saved.',
      runbook: 'claim-lost',
    },
    {
      alert: 'CouchestorWorkloadDown',
      severity: 'critical',
      for: '0m',
      expr: `${leader('couchestor_workload_restore_overdue_seconds', 'policy')} > 180 or ${leader('couchestor_workload_stops_unreadable')} > 0`,
      summary: 'A workload that was stopped for a move is not back.',
      description:
        'A move has scaled a Deployment or StatefulSet down and does not need it down any more, and for minutes it has not been scaled back up; or the record of a stopped workload cannot be read, or is gone. Its Pods are missing.',
      runbook: 'workload-down',
    },
    {
      alert: 'CouchestorReplacementStalled',
      severity: 'warning',
      for: '0m',
      expr: `${leader('couchestor_replacement_stalled_seconds', 'policy', 'phase')} > 600`,
      summary:
        'A replacement of policy {{ $labels.policy }} gets no further in {{ $labels.phase }}.',
      description:
        'For {{ $value | humanizeDuration }} a replacement of policy {{ $labels.policy }} has made no progress in phase {{ $labels.phase }}. The message of its VolumeMigration says what it waits for.',
      runbook: 'replacement-stalled',
    },
    {
      alert: 'CouchestorMovesFailing',
      severity: 'warning',
      for: '0m',
      expr: `${total(rise(FAILED, '6h'), ...WAY)} >= 5`,
      summary: 'Moves from {{ $labels.from }} to {{ $labels.to }} fail.',
      description:
        '{{ $value | humanize }} moves of policy {{ $labels.policy }} from {{ $labels.from }} to {{ $labels.to }} failed in the last 6 hours.',
      runbook: 'moves-failing',
    },
    {
      alert: 'CouchestorMovesReverted',
      severity: 'warning',
      for: '0m',
      expr: `${total(rise(`${ENDED}{reason="Reverted"}`, '1d'), ...WAY)} >= 3`,
      summary:
        'Cinder accepts moves from {{ $labels.from }} to {{ $labels.to }}, then does not make them.',
      description:
        '{{ $value | humanize }} moves of policy {{ $labels.policy }} from {{ $labels.from }} to {{ $labels.to }} were silently reverted in the last day.',
      runbook: 'moves-reverted',
    },
    {
      alert: 'CouchestorBreakerOpen',
      severity: 'warning',
      for: '10m',
      expr: `${leader('couchestor_breaker_open', ...WAY)} == 1`,
      summary: 'Moves from {{ $labels.from }} to {{ $labels.to }} are held back.',
      description:
        'The last moves of policy {{ $labels.policy }} from {{ $labels.from }} to {{ $labels.to }} all failed, so that no more are begun for a while.',
      runbook: 'breaker-open',
    },
    {
      alert: 'CouchestorThrashing',
      severity: 'warning',
      for: '10m',
      expr: `${leader('couchestor_thrash_breaker_open', 'policy')} == 1`,
      summary: 'Policy {{ $labels.policy }} keeps moving volumes back and forth.',
      description:
        'Too many volumes of policy {{ $labels.policy }} were moved and moved back within a day; its moves are held back.',
      runbook: 'thrashing',
    },
    {
      alert: 'CouchestorMigrationLate',
      severity: 'warning',
      for: '30m',
      expr: `${leader('couchestor_migrations_late', 'policy')} > 0`,
      summary: 'Moves of policy {{ $labels.policy }} take far longer than they should.',
      description:
        '{{ $value }} moves of policy {{ $labels.policy }} have run more than three times as long as earlier moves to the same tier suggest.',
      runbook: 'migration-late',
    },
    {
      alert: 'CouchestorApprovalsWaiting',
      severity: 'info',
      for: '12h',
      expr: `${total('couchestor_migrations_waiting{reason="AwaitingApproval"}', 'policy')} > 0`,
      summary: 'Moves of policy {{ $labels.policy }} wait for approval.',
      description:
        '{{ $value }} moves of policy {{ $labels.policy }} wait for approval; after 24 hours one without an answer ends as Expired.',
      runbook: 'approvals-waiting',
    },
    {
      alert: 'CouchestorMovesWaitForQuota',
      severity: 'info',
      for: '6h',
      expr: `${total('couchestor_migrations_waiting{reason=~"QuotaTooSmall|QuotaExhausted|QuotaExceeded"}', 'policy')} > 0`,
      summary: 'Moves of policy {{ $labels.policy }} wait for quota.',
      description:
        '{{ $value }} moves of policy {{ $labels.policy }} find no room in the quota of their target type.',
      runbook: 'moves-wait-for-quota',
    },
    {
      alert: 'CouchestorFleetBlocked',
      severity: 'info',
      for: '1d',
      expr: 'policy:couchestor_blocked_claims:ratio > 0.5',
      summary: 'Most claims of policy {{ $labels.policy }} cannot be moved.',
      description:
        '{{ $value | humanizePercentage }} of the claims of policy {{ $labels.policy }} want a move that a snapshot, an attachment, a quota or the like forbids.',
      runbook: 'fleet-blocked',
    },
  ],
}
