import { dump } from 'js-yaml'
import { ALERTS, RULE_GROUPS } from '../../tools/monitoring/rules.ts'
import type { AlertCase, FiredAlert, Labels, Series } from './alert-case.ts'

import type { RecordingCase } from './cases/recording.ts'

/** A test file for `promtool test rules` with all cases of an alert. */
export function alertTests(one: AlertCase, rules: string): string {
  const { alert, fires, silent, interval: every } = one
  const interval = every ?? '1m'
  const expect = (at: string, fired: readonly FiredAlert[]) => [
    { eval_time: at, alertname: alert, exp_alerts: fired.map((t) => expected(alert, t)) },
  ]
  return file(rules, interval, [
    {
      interval,
      name: `${alert} fires`,
      input_series: fires.series,
      alert_rule_test: expect(fires.at, [fires.fired]),
    },
    ...silent.map((s) => ({
      interval,
      name: `${alert} is silent: ${s.why}`,
      input_series: s.series,
      alert_rule_test: expect(s.at, []),
    })),
  ])
}

/**
 * The same case where the scrape adds labels of its own to each target: the node of the pod, a host, a replica of
 * Prometheus. An alert about one target has them too; one about the installation must not see them.
 */
export function withForeignLabels(one: AlertCase): AlertCase {
  const all = (list: readonly Series[]) => list.map(foreignSeries)
  const { fires } = one
  const instance = fires.fired.labels['instance']
  const foreign = instance === undefined ? {} : foreignOf(instance, fires.fired.labels)
  return {
    ...one,
    fires: {
      ...fires,
      series: all(fires.series),
      fired: { ...fires.fired, labels: { ...fires.fired.labels, ...foreign } },
    },
    silent: one.silent.map((s) => ({ ...s, series: all(s.series) })),
  }
}

function foreignSeries({ series, values }: Series): Series {
  const own = Object.fromEntries(
    [...series.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value]),
  )
  const instance = own['instance']
  if (instance === undefined) return { series, values }
  const added = Object.entries(foreignOf(instance, own)).map(([k, v]) => `,${k}="${v}"`)
  return { series: series.replace(/\}$/, `${added.join('')}}`), values }
}

function foreignOf(instance: string, own: Labels): Labels {
  const wanted = ['node', 'host', 'pod_template_hash', 'prometheus_replica']
  return Object.fromEntries(
    wanted.filter((name) => !(name in own)).map((name) => [name, `${name}-of-${instance}`]),
  )
}

/** The same for a recording rule. */
export function recordingTests(
  { record, series, at, samples }: RecordingCase,
  rules: string,
): string {
  const expected = samples.map(({ labels, value }) => ({
    labels: `${record}{${Object.entries(labels)
      .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
      .join(', ')}}`,
    value,
  }))
  return file(rules, '1m', [
    {
      interval: '1m',
      name: record,
      input_series: series,
      promql_expr_test: [{ expr: record, eval_time: at, exp_samples: expected }],
    },
  ])
}

/** Groups in their order, so that an alert finds what is recorded at the same time. */
function file(rules: string, interval: string, tests: readonly object[]): string {
  const order = RULE_GROUPS.map((g) => g.name)
  const head = { rule_files: [rules], evaluation_interval: interval, group_eval_order: order }
  return dump({ ...head, tests }, { noRefs: true })
}

/** What promtool has to see: every label, and each text with its templates filled in. */
function expected(name: string, fired: FiredAlert) {
  const alert = ALERTS.find((a) => a.alert === name)
  if (alert === undefined) throw new Error(`there is no alert ${name}`)
  const { severity, summary, description, runbook } = alert
  return {
    exp_labels: { severity, ...fired.labels },
    exp_annotations: {
      summary: filled(summary, fired),
      description: filled(description, fired),
      runbook_url: `https://github.com/abiolaogu/couchestor/blob/main/docs/runbooks/${runbook}.md`,
    },
  }
}

function filled(text: string, { labels, value, queried }: FiredAlert): string {
  return text
    .replaceAll(/\{\{ with .*?\{\{ end \}\}/g, queried ?? '')
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, name: string) => labels[name] ?? '')
    .replaceAll(/\{\{ \$value( \| \w+)? \}\}/g, value ?? 'no value was given')
}
