import type { PanelSpec } from '../panels.ts'
import { maxBy, series } from '../promql.ts'
import { CLUSTER } from '../variables.ts'

const exporter = (name: string) => series(`couchestor_exporter_${name}`, CLUSTER)

/** The exporter, for those who publish Gnocchi's numbers. */
export const exporters: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Volumes that Gnocchi knows',
    description:
      'Volumes of the project by state: measured, detached, or why an attached one has no counters. docs/exporter.md says what each means.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [{ expr: maxBy('state', exporter('volumes')), legend: '{{state}}' }],
    colors: { measured: 'green' },
    noData: 'no exporter',
  },
  {
    kind: 'timeseries',
    title: 'Age of what the exporter shows',
    description:
      'Age of the newest and the oldest counter of a scrape, and how long ago they were read. The newest grows while Gnocchi gets no measures.',
    unit: 's',
    width: 12,
    queries: [
      { expr: maxBy('', exporter('newest_measure_age_seconds')), legend: 'newest' },
      { expr: maxBy('', exporter('oldest_measure_age_seconds')), legend: 'oldest' },
      { expr: maxBy('', exporter('read_age_seconds')), legend: 'read' },
    ],
    noData: 'no exporter',
  },
]
