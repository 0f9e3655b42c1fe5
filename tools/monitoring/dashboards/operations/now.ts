import type { PanelSpec } from '../panels.ts'
import { HOUR, maxBy, rareQuantileBy, series } from '../promql.ts'
import { CLUSTER, CONTROLLER } from '../variables.ts'

const own = (name: string) => series(name, CONTROLLER)
const UP = { 0: ['down', 'red'], 1: ['up', 'green'] } as const

/** Is anything wrong? */
export const now: readonly PanelSpec[] = [
  {
    kind: 'stat',
    title: 'Leader',
    description:
      'The replica that holds the Lease. Without one, nothing is decided and nothing starts; moves that run in Cinder go on.',
    unit: 'none',
    width: 6,
    queries: [{ expr: `${own('leader_election_master_status')} == 1`, legend: '{{instance}}' }],
    names: true,
    thresholds: ['green'],
    noData: 'no leader',
  },
  {
    kind: 'stat',
    title: 'Cinder',
    description: 'Whether the last full read of Cinder worked.',
    unit: 'none',
    width: 3,
    queries: [{ expr: maxBy('', own('couchestor_cinder_up')), legend: 'Cinder' }],
    words: UP,
    noData: 'no leader',
  },
  {
    kind: 'stat',
    title: 'Usage numbers',
    description:
      'Whether the source of usage numbers answered the last question of every policy. While it is down nothing is moved by usage.',
    unit: 'none',
    width: 3,
    queries: [
      {
        expr: `min(${maxBy('cluster, policy', own('couchestor_source_up'))})`,
        legend: 'source',
      },
    ],
    words: UP,
    noData: 'none asked yet',
  },
  {
    kind: 'stat',
    title: 'Oldest window',
    description:
      'Time since the end of the last window with an answer, in lengths of a window, of the policy that waits longest. Up to two is normal.',
    unit: 'none',
    decimals: 1,
    width: 3,
    queries: [
      {
        expr: `max((time() - ${maxBy('cluster, policy', own('couchestor_window_end_timestamp_seconds'))}) / ${maxBy('cluster, policy', own('couchestor_window_seconds'))})`,
        legend: 'windows',
      },
    ],
    thresholds: ['green', [2.5, 'yellow'], [4, 'red']],
    noData: 'no window yet',
  },
  {
    kind: 'stat',
    title: 'Credential ends in',
    description:
      'Time until the application credential or the password expires, as Keystone reports it. After that nothing can be read or moved.',
    unit: 's',
    width: 3,
    queries: [
      {
        expr: `min(${own('couchestor_openstack_credential_expires_timestamp_seconds')}) - time()`,
        legend: 'left',
      },
    ],
    thresholds: ['red', [604_800, 'yellow'], [1_209_600, 'green']],
    noData: 'no end known',
  },
  {
    kind: 'stat',
    title: 'API server silent for',
    description:
      'Time since the API server was last heard on the watch that is quiet longest. Bookmarks come about once a minute; a watch that stays quiet is restarted.',
    unit: 's',
    width: 3,
    queries: [{ expr: maxBy('', own('couchestor_reflector_idle_seconds')), legend: 'silence' }],
    thresholds: ['green', [180, 'yellow'], [600, 'red']],
    noData: 'no leader',
  },
  {
    kind: 'stat',
    title: 'Nodes readable',
    description: 'Share of the agents whose last scrape could read the statistics of their node.',
    unit: 'percentunit',
    decimals: 0,
    width: 3,
    queries: [
      {
        expr: `avg(${maxBy('cluster, node', series('couchestor_agent_scrape_success', CLUSTER))})`,
        legend: 'agents',
      },
    ],
    thresholds: ['red', [0.9, 'yellow'], [1, 'green']],
    noData: 'no agents',
  },
  {
    kind: 'table',
    title: 'Alerts that fire',
    description:
      'Alerts of deploy/monitoring/prometheusrule.yaml. docs/alerts.md and the page of each say what to do.',
    unit: 'none',
    width: 24,
    height: 5,
    queries: [
      {
        expr: maxBy(
          'alertname, severity, policy, node, instance',
          `ALERTS{${CLUSTER}, alertname=~"Couchestor.+", alertstate="firing"}`,
        ),
        legend: 'alerts',
      },
    ],
    columns: [
      ['alertname', 'Alert'],
      ['severity', 'Severity'],
      ['policy', 'Policy'],
      ['node', 'Node'],
      ['instance', 'Instance'],
    ],
    noData: 'none, if the rules are installed',
  },
]

/** The windows of usage numbers. */
export const windows: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Time of a pass over all claims',
    description: 'Usage numbers, verdicts and plan of the passes of the last hour.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(0.5, '', HOUR, 'couchestor_cycle_duration_seconds', CONTROLLER),
        legend: 'half',
      },
      {
        expr: rareQuantileBy(0.95, '', HOUR, 'couchestor_cycle_duration_seconds', CONTROLLER),
        legend: '95 %',
      },
    ],
    noData: 'no pass in this time',
  },
  {
    kind: 'timeseries',
    title: 'Time since the last window, by policy',
    description:
      'A saw: it rises until the next window is answered. A line that only rises is a policy that gets no usage numbers.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: `time() - ${maxBy('policy', own('couchestor_window_end_timestamp_seconds'))}`,
        legend: '{{policy}}',
      },
      {
        expr: maxBy('policy', own('couchestor_source_lag_seconds')),
        legend: '{{policy}}, lag of the source',
      },
    ],
    dashed: 'lag of the source$',
    noData: 'no window yet',
  },
]
