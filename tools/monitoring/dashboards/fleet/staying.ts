import type { PanelSpec } from '../panels.ts'
import { series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'
import { all, claimCount, once, POLICY } from './queries.ts'

/** Why volumes are not moved. */
export const staying: readonly PanelSpec[] = [
  {
    kind: 'stat',
    title: 'Held back as a whole',
    description:
      'What stops many moves at once, all zero in good times. Halted: a move ended in a way nothing explains, and a person must check it. Frozen: too few volumes have usage numbers to demote any. Catching up: history is still being read. Breakers: moves between two tiers failed again and again, or volumes went back and forth.',
    unit: 'none',
    width: 24,
    queries: [
      { expr: `max(${series('couchestor_halted', CONTROLLER)})`, legend: 'halted' },
      { expr: all('couchestor_demotion_frozen'), legend: 'policies with demotion frozen' },
      { expr: all('couchestor_catching_up'), legend: 'policies catching up' },
      {
        expr: once('', 'policy, from, to', series('couchestor_breaker_open', POLICY)),
        legend: 'tier pairs with an open breaker',
      },
      { expr: all('couchestor_thrash_breaker_open'), legend: 'policies going back and forth' },
      { expr: all('couchestor_contested_claims'), legend: 'claims that several policies select' },
    ],
    thresholds: ['green', [1, 'orange']],
  },
  {
    kind: 'bargauge',
    title: 'Why volumes stay',
    description:
      'Claims by the first reason that keeps them where they are. docs/reference-reasons.md says what each means; "couchestor explain" shows one claim.',
    unit: 'none',
    width: 10,
    height: 10,
    min: 0,
    queries: [
      { expr: `sort_desc(${claimCount('reason', 'reason!="Move"')})`, legend: '{{reason}}' },
    ],
    thresholds: ['blue'],
    noData: 'every claim moves',
  },
  {
    kind: 'timeseries',
    title: 'Why volumes stay, over time',
    description: 'The same over time, with the claims that are to move.',
    unit: 'none',
    width: 14,
    height: 10,
    style: 'stacked',
    queries: [{ expr: claimCount('reason'), legend: '{{reason}}' }],
  },
]

/** What the controller knows about the usage of volumes, and which claims no policy manages. */
export const usage: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Volumes with usage numbers',
    description:
      'Attached volumes and those with usage numbers in the last window. A drop freezes demotion: the source has lost sight, the volumes have not become idle.',
    unit: 'none',
    width: 12,
    queries: [
      { expr: all('couchestor_attached_volumes'), legend: 'attached' },
      { expr: all('couchestor_covered_volumes'), legend: 'with usage numbers' },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Claims without a policy that can be used',
    description:
      'Claims that ask for a policy which does not exist, does not cover their namespace or cannot be used.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: once('reason', 'reason', series('couchestor_unmanaged_claims', CONTROLLER)),
        legend: '{{reason}}',
      },
    ],
    noData: 'none',
  },
]
