import type { PanelSpec } from '../panels.ts'
import { maxBy, rateBy, series } from '../promql.ts'
import { CLUSTER } from '../variables.ts'

const agent = (name: string, ...matchers: string[]) =>
  series(`couchestor_agent_${name}`, CLUSTER, ...matchers)
/** Series of the agents' processes: their names are those of every process. */
const process = (expr: string) =>
  `${expr} * on (cluster, job, instance) group_left (node) max by (cluster, job, instance, node) (${agent('scrape_success')} >= bool 0)`

/** The agents, one per node. */
export const agents: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Disks by state',
    description:
      'Whole disks of all nodes: counted, or why not. docs/agent.md says what each reason means and what to do.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: `sum by (state) (${maxBy('cluster, node, state', agent('disks'))}) > 0`,
        legend: '{{state}}',
      },
    ],
    colors: { counted: 'green' },
    noData: 'no agents',
  },
  {
    kind: 'table',
    title: 'Disks that are not counted',
    description: 'Local disks and images have no volume id and belong here; others have a fault.',
    unit: 'none',
    width: 12,
    queries: [
      {
        expr: maxBy('node, device, reason', agent('disk_skipped_info')),
        legend: 'skipped',
      },
    ],
    columns: [
      ['node', 'Node'],
      ['device', 'Device'],
      ['reason', 'Reason'],
    ],
    noData: 'every disk is counted',
  },
  {
    kind: 'timeseries',
    title: 'Time of a scrape',
    description: 'Time that an agent takes to read its disks.',
    unit: 's',
    width: 8,
    queries: [{ expr: maxBy('node', agent('scrape_duration_seconds')), legend: '{{node}}' }],
    noData: 'no agents',
  },
  {
    kind: 'timeseries',
    title: 'Trouble with reading the node',
    description:
      'Scrapes per second for which nothing could be read, so that there are no counters; and reads of devices that hang now.',
    unit: 'ops',
    width: 8,
    queries: [
      { expr: rateBy('node', agent('scrape_failures_total')), legend: '{{node}}: failed scrapes' },
      { expr: maxBy('node', agent('hanging_reads')), legend: '{{node}}: hanging reads' },
    ],
    noData: 'no agents',
  },
  {
    kind: 'timeseries',
    title: 'Memory of the agents',
    description: 'Resident memory, by node.',
    unit: 'bytes',
    width: 8,
    queries: [
      { expr: process(series('process_resident_memory_bytes', CLUSTER)), legend: '{{node}}' },
    ],
    noData: 'no agents',
  },
]
