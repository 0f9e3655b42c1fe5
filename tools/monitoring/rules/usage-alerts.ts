import { leader, same } from './promql.ts'
import type { RuleGroup } from './rule.ts'

const WINDOW = leader('couchestor_window_seconds', 'policy')

/** Usage numbers. Without them nothing is moved by mistake, but nothing is saved either. */
export const USAGE_ALERTS: RuleGroup = {
  name: 'couchestor.usage',
  rules: [
    {
      alert: 'CouchestorSourceDown',
      severity: 'warning',
      for: '30m',
      expr: `${leader('couchestor_source_up', 'policy')} == 0`,
      summary: 'No usage numbers for policy {{ $labels.policy }}.',
      description:
        'The source of usage numbers has not answered for 30 minutes. Nothing moves by policy {{ $labels.policy }}; what was missed is read when it is back.',
      runbook: 'source-down',
    },
    {
      alert: 'CouchestorWindowStale',
      severity: 'warning',
      for: '15m',
      expr: `time() - ${leader('couchestor_window_end_timestamp_seconds', 'policy')} > 2 * ${WINDOW} + ${leader('couchestor_source_lag_seconds', 'policy')}`,
      summary: 'The usage numbers of policy {{ $labels.policy }} are old.',
      description:
        'The last window of policy {{ $labels.policy }} ended {{ $value | humanizeDuration }} ago; at least one was not read when it was due.',
      runbook: 'window-stale',
    },
    {
      alert: 'CouchestorCatchingUpLong',
      severity: 'warning',
      for: '2h',
      expr: `${leader('couchestor_catching_up', 'policy')} == 1 unless on (${same('policy')}) ${leader('couchestor_source_up', 'policy')} == 0`,
      summary: 'Policy {{ $labels.policy }} has been reading history for two hours.',
      description:
        'Policy {{ $labels.policy }} decides nothing before its history is read. The source answers, but too slowly, or reading begins again and again.',
      runbook: 'catching-up-long',
    },
    {
      alert: 'CouchestorCoverageLow',
      severity: 'warning',
      for: '2h',
      expr: 'policy:couchestor_covered_volumes:ratio < 0.8',
      summary: 'Many attached volumes of policy {{ $labels.policy }} have no usage numbers.',
      description:
        'Only {{ $value | humanizePercentage }} of the attached volumes of policy {{ $labels.policy }} have usage numbers. The others stay where they are.',
      runbook: 'coverage-low',
    },
    {
      alert: 'CouchestorDemotionFrozen',
      severity: 'warning',
      for: '1h',
      expr: `${leader('couchestor_demotion_frozen', 'policy')} == 1`,
      summary: 'Policy {{ $labels.policy }} demotes nothing, since usage numbers went missing.',
      description: `Far fewer volumes than usual have usage numbers{{ with printf "couchestor_covered_volumes{policy=%q}" $labels.policy | query }} ({{ . | first | value }} in the last window){{ end }}, so nothing is demoted until they are back.`,
      runbook: 'demotion-frozen',
    },
  ],
}
