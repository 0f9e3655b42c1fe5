import { AGENT_ALERTS } from './rules/agent-alerts.ts'
import { CONTROLLER_ALERTS } from './rules/controller-alerts.ts'
import { EXPORTER_ALERTS } from './rules/exporter-alerts.ts'
import { MOVE_ALERTS } from './rules/move-alerts.ts'
import { OPENSTACK_ALERTS } from './rules/openstack-alerts.ts'
import { POLICY_ALERTS } from './rules/policy-alerts.ts'
import { RECORDING } from './rules/recording.ts'
import type { Alert, RecordingRule, RuleGroup } from './rules/rule.ts'
import { USAGE_ALERTS } from './rules/usage-alerts.ts'

/** All rules that we ship; charts/couchestor/files/rules.yaml is made of them. */
export const RULE_GROUPS: readonly RuleGroup[] = [
  RECORDING,
  CONTROLLER_ALERTS,
  USAGE_ALERTS,
  MOVE_ALERTS,
  POLICY_ALERTS,
  OPENSTACK_ALERTS,
  AGENT_ALERTS,
  EXPORTER_ALERTS,
]

const RUNBOOKS = 'https://github.com/abiolaogu/couchestor/blob/main/docs/runbooks'

export const ALERTS: readonly Alert[] = RULE_GROUPS.flatMap((g) => g.rules).filter(isAlert)

/** The rule file as Prometheus reads it, and as the `spec` of a PrometheusRule. */
export function rulesDocument(): object {
  return {
    groups: RULE_GROUPS.map(({ name, interval, rules }) => ({
      name,
      ...(interval === undefined ? {} : { interval }),
      rules: rules.map((rule) => (isAlert(rule) ? alertRule(rule) : rule)),
    })),
  }
}

function alertRule({ alert, expr, for: pending, severity, summary, description, runbook }: Alert) {
  return {
    alert,
    expr,
    for: pending,
    labels: { severity },
    annotations: { summary, description, runbook_url: `${RUNBOOKS}/${runbook}.md` },
  }
}

function isAlert(rule: Alert | RecordingRule): rule is Alert {
  return 'alert' in rule
}
