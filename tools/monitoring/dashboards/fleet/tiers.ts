import type { PanelSpec } from '../panels.ts'
import { DAY, series } from '../promql.ts'
import { TIER_COLORS } from '../tier-colors.ts'
import { claimCount, cost, once, POLICY, shadow } from './queries.ts'

/** Where the volumes are, and what that costs. */
export const tiers: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Volumes by tier',
    description: 'Managed volumes by the tier that Cinder shows them on.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: once('tier', 'policy, tier', series('couchestor_volumes', POLICY)),
        legend: '{{tier}}',
      },
    ],
    colors: TIER_COLORS,
  },
  {
    kind: 'timeseries',
    title: 'Size by tier',
    description: 'Size of the managed volumes by tier, as Cinder has provisioned them.',
    unit: 'bytes',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: once('tier', 'policy, tier', series('couchestor_volumes_size_bytes', POLICY)),
        legend: '{{tier}}',
      },
    ],
    colors: TIER_COLORS,
  },
  {
    kind: 'timeseries',
    title: 'Cost of storage per month',
    description:
      'Where "now" meets "wanted", every volume is where it should be. A lasting distance is what retention, cooldown, limits and blocked moves cost.',
    unit: 'none',
    width: 12,
    queries: [
      { expr: cost('', 'now'), legend: 'now' },
      { expr: cost('', 'wanted'), legend: 'wanted' },
      { expr: cost('', 'fastest'), legend: 'all on the fastest tier' },
    ],
    dashed: 'wanted|fastest',
    colors: { now: 'blue', wanted: 'green', 'all on the fastest tier': 'gray' },
  },
  {
    kind: 'timeseries',
    title: 'Cost per day, against doing nothing',
    description:
      'Storage and throttling of the last 24 hours: with the moves of the policy, had none been moved, and with everything on the fastest tier. A policy that lies above "never moved" loses money. In the first 24 hours all three rise from zero, since the day is not full yet.',
    unit: 'none',
    width: 12,
    queries: [
      { expr: shadow('policy', DAY), legend: 'with the policy' },
      { expr: shadow('stay', DAY), legend: 'never moved' },
      { expr: shadow('all_hot', DAY), legend: 'all on the fastest tier' },
    ],
    noData: 'no window yet',
  },
  {
    kind: 'table',
    title: 'Policies',
    description:
      'Mode, claims and money of each policy now. docs/runbooks say what to do for one that is not ready.',
    unit: 'none',
    decimals: 2,
    width: 24,
    units: { Claims: ['none', 0] },
    height: 6,
    queries: [
      { expr: claimCount('policy'), legend: 'claims' },
      { expr: cost('policy', 'now'), legend: 'now' },
      { expr: cost('policy', 'wanted'), legend: 'wanted' },
      { expr: `${cost('policy', 'now')} - ${cost('policy', 'wanted')}`, legend: 'to save' },
      { expr: cost('policy', 'retention'), legend: 'retention' },
      {
        expr: once('policy', 'policy', series('couchestor_monthly_budget', POLICY)),
        legend: 'budget',
      },
      {
        expr: `max by (policy, mode) (${series('couchestor_policy_info', POLICY)})`,
        legend: 'mode',
      },
      {
        expr: `max by (policy, status) (${series('couchestor_policy_condition', POLICY, 'type="Ready"')})`,
        legend: 'ready',
      },
    ],
    columns: [
      ['policy', 'Policy'],
      ['mode', 'Mode'],
      ['status', 'Ready'],
      ['Value #A', 'Claims'],
      ['Value #B', 'Cost per month now'],
      ['Value #C', 'Wanted'],
      ['Value #D', 'Still to save'],
      ['Value #E', 'Of that, held by retention'],
      ['Value #F', 'Budget'],
    ],
    noData: 'no policy',
  },
]
