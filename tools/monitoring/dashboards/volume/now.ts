import type { PanelSpec } from '../panels.ts'
import { RATE } from '../promql.ts'
import { disksOf, EXPORTERS } from './counters.ts'
import { demand, NONE, WINDOW } from './load.ts'
import { own, PER_VOLUME } from './variables.ts'

/** Which volume this is, and how it is doing. */
export const now: readonly PanelSpec[] = [
  {
    kind: 'table',
    title: 'Volume',
    description:
      'Claim, tier and the last verdict of the controller. Needs the series per volume (own_metrics.per_volume in config.yaml).',
    unit: 'none',
    width: 16,
    height: 4,
    queries: [
      {
        expr: `max by (pvc_namespace, pvc, policy, tier, wanted_tier, reason) (${own('info')})`,
        legend: 'volume',
      },
    ],
    columns: [
      ['pvc_namespace', 'Namespace'],
      ['pvc', 'Claim'],
      ['policy', 'Policy'],
      ['tier', 'Tier'],
      ['wanted_tier', 'Wanted'],
      ['reason', 'Verdict'],
    ],
    noData: PER_VOLUME,
  },
  {
    kind: 'stat',
    title: 'Cost per month',
    description: 'Of storage on the tier of now, in the unit of the prices.',
    unit: 'none',
    decimals: 2,
    width: 4,
    queries: [{ expr: `max(${own('monthly_cost')})`, legend: 'cost' }],
    noData: PER_VOLUME,
  },
  {
    kind: 'stat',
    title: 'Samples that arrived',
    description:
      'Share of the expected samples in the last window. Below metrics.minCoveragePercent nothing is decided.',
    unit: 'percentunit',
    decimals: 0,
    width: 4,
    queries: [{ expr: `max(${own('coverage_ratio')})`, legend: 'coverage' }],
    thresholds: ['red', [0.8, 'green']],
    noData: PER_VOLUME,
  },
  {
    kind: 'stat',
    title: 'Demand now',
    description:
      'What tiers are judged by: operations per second, or bytes per second in I/O units where that is more. The unit is metrics.ioUnitKiB of the policy.',
    unit: 'iops',
    decimals: 1,
    width: 6,
    queries: [{ expr: demand(RATE), legend: 'demand' }],
    spark: true,
    noData: NONE,
  },
  {
    kind: 'stat',
    title: 'Demand of the last half hour',
    description: 'The mean over the length of a window, which is what the controller sees.',
    unit: 'iops',
    decimals: 1,
    width: 6,
    queries: [{ expr: demand(WINDOW), legend: 'demand' }],
    spark: true,
    noData: NONE,
  },
  {
    kind: 'table',
    title: 'Attached to',
    description: 'The disks that bear the id of the volume now, and who counts them.',
    unit: 'none',
    width: 12,
    height: 4,
    queries: EXPORTERS.map((exporter) => ({
      expr: `label_replace(${disksOf(exporter)}, "exporter", "${exporter.name}", "", "")`,
      legend: exporter.name,
    })),
    columns: [
      ['exporter', 'Exporter'],
      ['node', 'Node'],
      ['instance', 'Instance'],
      ['domain', 'Domain'],
      ['server_id', 'Server'],
      ['device', 'Device'],
      ['target_device', 'Target'],
    ],
    noData: 'not attached, or no exporter sees it',
  },
]
