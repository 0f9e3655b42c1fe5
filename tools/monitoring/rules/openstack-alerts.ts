import { leader, rise, total } from './promql.ts'
import type { RuleGroup } from './rule.ts'

const REQUESTS = 'couchestor_openstack_requests_total'
const LOGINS = `${REQUESTS}{service="identity", operation="login"`

export const OPENSTACK_ALERTS: RuleGroup = {
  name: 'couchestor.openstack',
  rules: [
    {
      alert: 'CouchestorCinderDown',
      severity: 'warning',
      for: '30m',
      expr: `${leader('couchestor_cinder_up')} == 0`,
      summary: 'Cinder has not been readable for half an hour.',
      description:
        'The controller keeps its last snapshot of Cinder and starts nothing new. Its log and the condition Ready of every StoragePolicy say what Cinder or Keystone answered.',
      runbook: 'cinder-down',
    },
    {
      alert: 'CouchestorOpenStackErrors',
      severity: 'warning',
      for: '30m',
      expr: `${total(`rate(${REQUESTS}{code=~"5..|429|[a-z]+"}[30m])`, 'service')} / ${total(`rate(${REQUESTS}[30m])`, 'service')} > 0.1`,
      summary: 'Many requests to OpenStack ({{ $labels.service }}) fail.',
      description:
        '{{ $value | humanizePercentage }} of the requests to {{ $labels.service }} in the last 30 minutes got 429, 5xx or no answer.',
      runbook: 'openstack-errors',
    },
    {
      alert: 'CouchestorCredentialRejected',
      severity: 'warning',
      for: '10m',
      expr: `${total(rise(`${LOGINS}, code=~"400|401|403|404"}`, '15m'), 'service')} > 0 unless ${total(rise(`${LOGINS}, code=~"2.."}`, '15m'), 'service')} > 0`,
      summary: 'Keystone refuses the credential of CoucheStor.',
      description:
        'Keystone refused every login of the last 15 minutes. Nothing new starts, and moves that run cannot be followed to their end.',
      runbook: 'credential-rejected',
    },
    {
      alert: 'CouchestorQuotaDrift',
      severity: 'info',
      for: '1h',
      expr: `${leader('couchestor_quota_drift', 'key')} != 0`,
      summary: 'The quota {{ $labels.key }} has lost count.',
      description:
        'What Cinder says is in use of {{ $labels.key }} and what the project has differ by {{ $value }}, though nothing is under way.',
      runbook: 'quota-drift',
    },
    {
      alert: 'CouchestorCredentialExpires',
      severity: 'warning',
      for: '1h',
      expr: `${leader('couchestor_openstack_credential_expires_timestamp_seconds')} - time() < 14 * 86400`,
      summary: 'The application credential of CoucheStor expires soon.',
      description:
        'The application credential expires in {{ $value | humanizeDuration }}. From then on Keystone refuses the controller.',
      runbook: 'credential-expires',
    },
  ],
}
