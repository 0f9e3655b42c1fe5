import type { PanelSpec } from '../panels.ts'
import { DAY, RANGE, rareQuantileBy, RATE, riseBy, series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'
import { all, ended, inFlight, once, POLICY } from './queries.ts'

/** What was moved, how long it took, and whether it paid off. */
export const moves: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Moves that wait, by what they wait for',
    description:
      'Moves that are written down and have not begun: for a turn, for approval, for the schedule, for an attachment to end.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: once('reason', 'policy, reason', series('couchestor_migrations_waiting', POLICY)),
        legend: '{{reason}}',
      },
    ],
    noData: 'none waits',
  },
  {
    kind: 'timeseries',
    title: 'Moves that ended',
    description: 'Moves that ended, by tiers and result, in the time of one bar.',
    unit: 'none',
    width: 12,
    style: 'bars',
    queries: [
      { expr: riseBy('from, to, result', ended, RATE), legend: '{{from}} to {{to}}: {{result}}' },
    ],
    noData: 'no move ended',
  },
  {
    kind: 'timeseries',
    title: 'Moves under way',
    description: 'Moves that may be running in Cinder, by step. Stuck ones wait for a person.',
    unit: 'none',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: inFlight('step'),
        legend: '{{step}}',
      },
      { expr: `${all('couchestor_migrations_late')} > 0`, legend: 'late' },
    ],
    dashed: 'late',
    colors: { Stuck: 'red', late: 'orange' },
    noData: 'none',
  },
  {
    kind: 'timeseries',
    title: 'Time of a move',
    description:
      'From the saved intent to the verified end, of the successful moves of the last 24 hours. Cinder reports no progress; it depends on size and on what else the backends do.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(
          0.5,
          'from, to',
          DAY,
          'couchestor_migration_duration_seconds',
          CONTROLLER,
        ),
        legend: '{{from}} to {{to}}, half',
      },
      {
        expr: rareQuantileBy(
          0.95,
          'from, to',
          DAY,
          'couchestor_migration_duration_seconds',
          CONTROLLER,
        ),
        legend: '{{from}} to {{to}}, 95 %',
      },
    ],
    noData: 'no move succeeded',
  },
  {
    kind: 'table',
    title: 'How moves ended',
    description:
      'Moves of the time shown by their end. docs/reference-reasons.md says what each reason means and what to do.',
    unit: 'none',
    decimals: 0,
    width: 12,
    queries: [
      {
        expr: `sort_desc(round(${riseBy('policy, from, to, result, reason', ended, RANGE)}) > 0)`,
        legend: 'moves',
      },
    ],
    columns: [
      ['policy', 'Policy'],
      ['from', 'From'],
      ['to', 'To'],
      ['result', 'Result'],
      ['reason', 'Reason'],
      ['Value', 'Moves'],
    ],
    noData: 'no move ended',
  },
  {
    kind: 'timeseries',
    title: 'Did moves save what was predicted?',
    description:
      'What moves had saved a week later, less the prediction, as a share of it, at the median. Around zero the predictions are right; far below it the policy is too eager.',
    unit: 'percentunit',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(0.5, 'policy', DAY, 'couchestor_prediction_error_ratio', POLICY),
        legend: '{{policy}}',
      },
    ],
    noData: 'no move is a week old',
  },
]
