import type { PanelSpec } from '../panels.ts'
import { quantileBy, rateBy, series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'

const own = (name: string) => series(name, CONTROLLER)

/** The queues of keys that the controller works through. */
export const queues: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Keys that wait',
    description: 'Ready keys of each queue. Near zero, but for a moment after a start.',
    unit: 'none',
    width: 8,
    queries: [{ expr: `sum by (name) (${own('workqueue_depth')})`, legend: '{{name}}' }],
  },
  {
    kind: 'timeseries',
    title: 'Wait in the queue',
    description: 'From ready to handled, 95th percentile.',
    unit: 's',
    width: 8,
    queries: [
      {
        expr: quantileBy(0.95, 'name', 'workqueue_queue_duration_seconds', CONTROLLER),
        legend: '{{name}}',
      },
    ],
    noData: 'nothing was handled',
  },
  {
    kind: 'timeseries',
    title: 'Time of a reconciliation',
    description: 'In the handler, 95th percentile.',
    unit: 's',
    width: 8,
    queries: [
      {
        expr: quantileBy(
          0.95,
          'controller',
          'controller_runtime_reconcile_time_seconds',
          CONTROLLER,
        ),
        legend: '{{controller}}',
      },
    ],
    noData: 'nothing was handled',
  },
  {
    kind: 'timeseries',
    title: 'Reconciliations by result',
    description: 'Errors are tried again later; what is not tried again is in the next panel.',
    unit: 'ops',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: rateBy('controller, result', own('controller_runtime_reconcile_total')),
        legend: '{{controller}}: {{result}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Errors and repetitions',
    description: 'Failed reconciliations, those that are not tried again, and keys tried again.',
    unit: 'ops',
    width: 12,
    queries: [
      {
        expr: rateBy('controller', own('controller_runtime_reconcile_errors_total')),
        legend: '{{controller}}: failed',
      },
      {
        expr: rateBy('controller', own('controller_runtime_terminal_reconcile_errors_total')),
        legend: '{{controller}}: not tried again',
      },
      { expr: rateBy('name', own('workqueue_retries_total')), legend: '{{name}}: tried again' },
    ],
    noData: 'none',
  },
]
