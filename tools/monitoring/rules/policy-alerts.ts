import { leader, same } from './promql.ts'
import type { RuleGroup } from './rule.ts'

const condition = (matchers: string) =>
  leader(`couchestor_policy_condition{${matchers}}`, 'policy', 'type', 'status', 'reason')

/** What is wrong with a policy itself; what stops it from outside has alerts of its own. */
export const POLICY_ALERTS: RuleGroup = {
  name: 'couchestor.policies',
  rules: [
    {
      alert: 'CouchestorPolicyNotReady',
      severity: 'warning',
      for: '1h',
      expr: condition(
        'type="Ready", status="False", reason=~"Invalid|StrategyUnsupported|TiersUnresolved|MissingPermission"',
      ),
      summary: 'StoragePolicy {{ $labels.policy }} cannot be used as it stands.',
      description:
        'Condition Ready of StoragePolicy {{ $labels.policy }} has been False for an hour, reason {{ $labels.reason }}; its message lists every mistake. None of its volumes is moved.',
      runbook: 'policy-not-ready',
    },
    {
      alert: 'CouchestorPolicyPaused',
      severity: 'info',
      for: '7d',
      expr: condition('type="Ready", status="False", reason=~"Paused|Stopped"'),
      summary: 'StoragePolicy {{ $labels.policy }} has been paused for a week.',
      description:
        'Condition Ready of StoragePolicy {{ $labels.policy }} is False, reason {{ $labels.reason }}: spec.paused or migration.paused of config.yaml. Was it forgotten?',
      runbook: 'policy-paused',
    },
    {
      alert: 'CouchestorClaimsMisdirected',
      severity: 'warning',
      for: '1h',
      expr: `${leader('couchestor_unmanaged_claims{reason=~"PolicyNotFound|PolicyConflict"}', 'reason')} > 0`,
      summary: 'Claims name a policy that does not manage them.',
      description:
        '{{ $value }} claims are annotated with a StoragePolicy that does not exist or does not cover their namespace ({{ $labels.reason }}). They stay as they are.',
      runbook: 'claims-misdirected',
    },
    {
      alert: 'CouchestorPoliciesOverlap',
      severity: 'info',
      for: '1d',
      expr: `${leader('couchestor_contested_claims', 'policy')} > 0`,
      summary: 'Other policies select claims of {{ $labels.policy }} too.',
      description:
        '{{ $value }} claims of policy {{ $labels.policy }} are selected by another policy as well; priority, age and name decided.',
      runbook: 'policies-overlap',
    },
    {
      alert: 'CouchestorBudgetExceeded',
      severity: 'warning',
      for: '1h',
      expr: `${leader('couchestor_monthly_cost{kind="now"}', 'policy', 'kind')} and on (${same('policy')}) ${condition('type="WithinBudget", status="False"')}`,
      summary: 'The volumes of policy {{ $labels.policy }} cost more than its budget.',
      description: `The volumes of policy {{ $labels.policy }} cost {{ $value | humanize }} a month{{ with printf "couchestor_monthly_budget{policy=%q}" $labels.policy | query }}; budget.maxMonthlyCost is {{ . | first | value | humanize }}{{ end }}. No move that makes them more expensive is begun.`,
      runbook: 'budget-exceeded',
    },
    {
      alert: 'CouchestorNotWorthwhile',
      severity: 'warning',
      for: '1d',
      expr: condition('type="Worthwhile", status="False"'),
      summary: 'Policy {{ $labels.policy }} has cost more than doing nothing.',
      description:
        'Over the last seven days policy {{ $labels.policy }}, moves and throttling included, has cost more than leaving things alone ({{ $labels.reason }}).',
      runbook: 'not-worthwhile',
    },
  ],
}
