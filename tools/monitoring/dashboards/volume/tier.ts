import type { PanelSpec } from '../panels.ts'
import { RATE } from '../promql.ts'
import { asOperations, demand, NONE, operations, WINDOW } from './load.ts'
import { TIER_COLORS } from '../tier-colors.ts'
import { own, PER_VOLUME } from './variables.ts'

/** How the controller judges the volume. */
export const tier: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Demand',
    description:
      'Operations, bytes in I/O units, and the greater of both over half an hour: what the controller compares with the limits of the tiers.',
    unit: 'iops',
    width: 24,
    queries: [
      { expr: operations(RATE), legend: 'operations' },
      { expr: asOperations(RATE), legend: 'bytes in I/O units' },
      { expr: demand(WINDOW), legend: 'demand over half an hour' },
      { expr: `max(${own('demand_iops')})`, legend: 'as the controller saw it' },
    ],
    dashed: 'as the controller saw it',
    noData: NONE,
  },
  {
    kind: 'state-timeline',
    title: 'Tier',
    description: 'The tier that the volume was on, as Cinder showed it.',
    unit: 'none',
    width: 12,
    queries: [{ expr: `max by (tier) (${own('info')})`, legend: '{{tier}}' }],
    colors: TIER_COLORS,
    noData: PER_VOLUME,
  },
  {
    kind: 'state-timeline',
    title: 'Verdict',
    description:
      'The last verdict on the volume: Move, or the reason why it stays. docs/reference-reasons.md says what each means.',
    unit: 'none',
    width: 12,
    queries: [{ expr: `max by (reason) (${own('info')})`, legend: '{{reason}}' }],
    noData: PER_VOLUME,
  },
  {
    kind: 'timeseries',
    title: 'Lead of the best other tier',
    description:
      'What the best other tier would have saved, as a share of what a move needs: from 1 on the rule wants the move. Shown from -1 on. Policies that decide by thresholds have none.',
    unit: 'none',
    width: 12,
    queries: [{ expr: `clamp_min(max(${own('lead_ratio')}), -1)`, legend: 'lead' }],
    thresholds: ['green', [1, 'blue']],
    noData: PER_VOLUME,
  },
  {
    kind: 'timeseries',
    title: 'Samples that arrived, over time',
    description: 'Share of the expected samples of each window.',
    unit: 'percentunit',
    width: 12,
    min: 0,
    max: 1,
    queries: [{ expr: `max(${own('coverage_ratio')})`, legend: 'coverage' }],
    noData: PER_VOLUME,
  },
]
