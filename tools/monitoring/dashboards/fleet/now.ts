import type { StayReason } from '../../../../src/api/reasons.ts'
import type { PanelSpec } from '../panels.ts'
import { RANGE } from '../promql.ts'
import { all, claimCount, cost, inFlight, MONEY, shadow } from './queries.ts'

/** The volume's usage is not known (well enough), so that it stays whatever it would be worth. */
const UNMEASURED: readonly StayReason[] = ['SourceDown', 'NoData', 'LowCoverage', 'CatchingUp']

/** Zero, not nothing, when no claim has one of the reasons. */
const unmeasured = `(${claimCount('', `reason=~"${UNMEASURED.join('|')}"`)} or vector(0))`

/** The fleet in one line. */
export const now: readonly PanelSpec[] = [
  {
    kind: 'stat',
    title: 'Managed claims',
    description: 'Claims that a StoragePolicy manages: annotated with its name, or selected.',
    unit: 'none',
    width: 3,
    queries: [{ expr: claimCount(''), legend: 'claims' }],
    noData: 'no policy',
  },
  {
    kind: 'stat',
    title: 'To move',
    description:
      'Claims whose volume is wanted on another tier and may go there. They move as schedule and limits allow.',
    unit: 'none',
    width: 3,
    queries: [{ expr: `${claimCount('', 'reason="Move"')} or vector(0)`, legend: 'to move' }],
    thresholds: ['text', [1, 'blue']],
  },
  {
    kind: 'stat',
    title: 'Moving now',
    description:
      'Moves that may be running in Cinder. A move that stays in the step Stuck needs a person.',
    unit: 'none',
    width: 3,
    queries: [
      {
        expr: `${inFlight('')} or vector(0)`,
        legend: 'moving',
      },
    ],
    thresholds: ['text', [1, 'blue']],
  },
  {
    kind: 'stat',
    title: 'Cost now',
    description:
      'Storage per month of all managed volumes on the tiers they are on, in the unit of the prices. Without prices in policy or config, the prices are assumed.',
    ...MONEY,
    width: 3,
    queries: [{ expr: cost('', 'now'), legend: 'now' }],
  },
  {
    kind: 'stat',
    title: 'Cost wanted',
    description: 'The same, with each volume on the most cost-effective tier.',
    ...MONEY,
    width: 3,
    queries: [{ expr: cost('', 'wanted'), legend: 'wanted' }],
  },
  {
    kind: 'stat',
    title: 'Saved in this time',
    description:
      'What storage and throttling would have cost in the time shown had no volume been moved, less what they did cost. Negative: the moves have not paid off.',
    ...MONEY,
    width: 3,
    queries: [{ expr: `${shadow('stay', RANGE)} - ${shadow('policy', RANGE)}`, legend: 'saved' }],
    thresholds: ['red', [0, 'green']],
    noData: 'no window yet',
  },
  {
    kind: 'stat',
    title: 'With usage numbers',
    description:
      'Share of claims whose usage is known well enough to decide. What has no data is never moved by usage.',
    unit: 'percentunit',
    decimals: 0,
    width: 3,
    min: 0,
    max: 1,
    queries: [{ expr: `1 - ${unmeasured} / ${claimCount('')}`, legend: 'measured' }],
    thresholds: ['red', [0.8, 'yellow'], [0.95, 'green']],
  },
  {
    kind: 'stat',
    title: 'Blocked',
    description:
      'Share of claims that should move and cannot: attached where a live move is not safe, snapshots, quota, and the like. The panel below says which.',
    unit: 'percentunit',
    decimals: 0,
    width: 3,
    min: 0,
    max: 1,
    queries: [
      { expr: `${all('couchestor_blocked_claims')} / ${claimCount('')}`, legend: 'blocked' },
    ],
    thresholds: ['green', [0.1, 'yellow'], [0.3, 'orange']],
  },
]
