import type { PanelSpec } from '../panels.ts'
import { CONTROLLER } from '../variables.ts'
import { POLICY } from './queries.ts'

const LABELS = 'volume_id, pvc_namespace, pvc, policy, tier, wanted_tier, reason'
const info = `max by (${LABELS}) (couchestor_volume_info{${POLICY}})`
/** PromQL cannot compare two labels of a series; it can look for the series whose tier is the wanted one. */
const misplaced = `(${info} unless on (volume_id, tier) label_replace(${info}, "tier", "$1", "wanted_tier", "(.+)"))`
const costOf = `max by (volume_id) (couchestor_volume_monthly_cost{${CONTROLLER}})`

/** Single volumes; they need the series per volume. */
export const volumes: readonly PanelSpec[] = [
  {
    kind: 'table',
    title: 'Most expensive misplaced volumes',
    description:
      'At most 25, with what keeps each from moving. Needs the series per volume (own_metrics.per_volume in config.yaml).',
    unit: 'none',
    decimals: 2,
    width: 24,
    queries: [
      {
        expr: `sort_desc(topk(25, ${costOf} * on (volume_id) group_right () ${misplaced}))`,
        legend: 'cost',
      },
    ],
    columns: [
      ['pvc_namespace', 'Namespace'],
      ['pvc', 'Claim'],
      ['volume_id', 'Volume'],
      ['policy', 'Policy'],
      ['tier', 'Tier'],
      ['wanted_tier', 'Wanted'],
      ['reason', 'Verdict'],
      ['Value', 'Cost per month'],
    ],
    links: {
      Volume: {
        title: 'Its own page',
        url: '/d/couchestor-volume?${datasource:queryparam}&${cluster:queryparam}&${job:queryparam}&var-volume_id=${__data.fields.Volume}&${__url_time_range}',
        targetBlank: false,
      },
    },
    noData: 'all are in place, or own_metrics.per_volume is off',
  },
]
