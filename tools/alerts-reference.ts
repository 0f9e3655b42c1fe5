import { RULE_GROUPS } from './monitoring/rules.ts'
import type { Alert, RecordingRule, RuleGroup } from './monitoring/rules/rule.ts'
import { table } from './reasons-reference.ts'

const INTRODUCTION = `# Alerts and recording rules

\`charts/couchestor/files/rules.yaml\` holds them as a rule file of Prometheus; the chart makes a PrometheusRule of it, and
\`deploy/monitoring/\` has that as a manifest. This page is made from \`tools/monitoring/rules.ts\` by \`npm run generate\`.

- **critical**: a volume needs an administrator now. While CoucheStor itself does not work nothing is at risk: volumes stay where they
  are and go on working. So only three alerts are worth a night's sleep.
- **warning**: tiering does not work as it should; check it today.
- **info**: check it when you have time. Route it to a dashboard or a weekly mail.

Scrape jobs are recognised by their names: \`couchestor-controller\`, \`couchestor-agent\` and \`ceilometer-exporter\` or
\`couchestor-exporter\`, with anything before or after. The monitors of the chart and the guide's Services give such names; with \`fullnameOverride\`
the chart's rules look for those of its monitors. Prometheus that follows \`prometheus.io/scrape\` has all pods in one job,
\`kubernetes-pods\`: alerts that ask for a job, such as CouchestorAgentDown and CouchestorReplicaDown, are silent there.

Each alert links to its page under \`docs/runbooks\`. Promtool proves for each that it fires when it should and is silent
when it should not (\`test/monitoring/cases\`).
`

/** docs/alerts.md */
export function alertsReference(): string {
  const alerts = RULE_GROUPS.map(alertsOf).filter((part) => part !== '')
  const recorded = RULE_GROUPS.flatMap((g) => g.rules).filter((r) => 'record' in r)
  return `${[INTRODUCTION, ...alerts, recordedTable(recorded)].join('\n').trimEnd()}\n`
}

function alertsOf({ name, rules }: RuleGroup): string {
  const alerts = rules.filter((r): r is Alert => 'alert' in r)
  if (alerts.length === 0) return ''
  const rows = alerts.map((a) => [
    `[${a.alert}](runbooks/${a.runbook}.md)`,
    a.severity,
    a.for,
    a.summary.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, '<$1>'),
  ])
  return [`## ${name}`, '', ...table(['Alert', 'Severity', 'For', 'Says'], rows)].join('\n')
}

function recordedTable(rules: readonly RecordingRule[]): string {
  const rows = rules.map((r) => [`\`${r.record}\``, `\`${r.expr}\``])
  return ['## Recorded', '', ...table(['Name', 'Expression'], rows)].join('\n')
}
