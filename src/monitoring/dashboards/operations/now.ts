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
    noData: 'nobody leads',
  },
  {
    kind: 'stat',
    title: 'Cinder',
    description: 'Whether the last full read of Cinder worked.',
    unit: 'none',
    width: 3,
    queries: [{ expr: maxBy('', own('couchestor_cinder_up')), legend: 'Cinder' }],
    words: UP,
    noData: 'nobody leads',
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
      'Time since the end of the last window with an answer, of the policy that waits longest. Up to about twice the length of a window is normal.',
    unit: 's',
    width: 4,
    queries: [
      {
        expr: `time() - min(${maxBy('cluster, policy', own('couchestor_window_end_timestamp_seconds'))})`,
        legend: 'age',
      },
    ],
    thresholds: ['green', [4500, 'yellow'], [7200, 'red']],
    noData: 'no window yet',
  },
  {
    kind: 'stat',
    title: 'API server silent for',
    description:
      'Time since the API server was last heard on the watch that is quiet longest. Bookmarks come about once a minute; a watch that stays quiet is begun anew.',
    unit: 's',
    width: 4,
    queries: [{ expr: maxBy('', own('couchestor_reflector_idle_seconds')), legend: 'silence' }],
    thresholds: ['green', [180, 'yellow'], [600, 'red']],
    noData: 'nobody leads',
  },
  {
    kind: 'stat',
    title: 'Agents that can read',
    description: 'Share of the agents whose last scrape could read the statistics of their node.',
    unit: 'percentunit',
    decimals: 0,
    width: 4,
    queries: [
      {
        expr: `avg(${maxBy('cluster, node', series('couchestor_agent_scrape_success', CLUSTER))})`,
        legend: 'agents',
      },
    ],
    thresholds: ['red', [0.9, 'yellow'], [1, 'green']],
    noData: 'no agents',
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
    ],
    noData: 'no window yet',
  },
]
