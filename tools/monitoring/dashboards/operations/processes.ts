import type { PanelSpec } from '../panels.ts'
import { rateBy, series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'

const own = (name: string) => series(name, CONTROLLER)

/** What the controllers take of their nodes. */
export const processes: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Memory',
    description: 'Resident memory of each controller, and the limit of its container.',
    unit: 'bytes',
    width: 8,
    queries: [
      { expr: own('process_resident_memory_bytes'), legend: '{{instance}}' },
      { expr: `min(${own('couchestor_memory_limit_bytes')})`, legend: 'limit' },
    ],
    dashed: 'limit',
    colors: { limit: 'red' },
  },
  {
    kind: 'timeseries',
    title: 'CPU',
    description: 'Cores that each controller uses.',
    unit: 'none',
    decimals: 3,
    width: 8,
    queries: [
      { expr: rateBy('instance', own('process_cpu_seconds_total')), legend: '{{instance}}' },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Delay of the event loop',
    description:
      'How late timers fire, 99th percentile since the last scrape. While it is long, the Lease cannot be renewed.',
    unit: 's',
    width: 8,
    queries: [{ expr: own('nodejs_eventloop_lag_p99_seconds'), legend: '{{instance}}' }],
    thresholds: ['green', [0.5, 'red']],
  },
  {
    kind: 'table',
    title: 'Versions',
    description: 'What runs, and since when.',
    unit: 'none',
    width: 24,
    height: 5,
    queries: [
      {
        expr: `max by (instance, version, node) (${own('couchestor_build_info')})`,
        legend: 'version',
      },
      {
        expr: `max by (instance) (${own('process_start_time_seconds')}) * 1000`,
        legend: 'start',
      },
    ],
    columns: [
      ['instance', 'Instance'],
      ['version', 'Version'],
      ['node', 'Node.js'],
      ['Value #B', 'Started'],
    ],
    units: { Started: 'dateTimeAsIso' },
  },
]
