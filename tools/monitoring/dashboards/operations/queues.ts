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
  {
    kind: 'timeseries',
    title: 'Scheduled tasks: time since the last success',
    description:
      'In turns of each task. Up to 1, a little more for its jitter; above 3 the alert CouchestorTaskFailing comes, and couchestor tasks has the error.',
    unit: 'none',
    width: 12,
    queries: [
      {
        expr: `max by (task) ((time() - ${own('couchestor_task_last_success_timestamp_seconds')}) / ${own('couchestor_task_interval_seconds')})`,
        legend: '{{task}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Scheduled tasks: time of a run',
    description: 'How long the last run of each task took.',
    unit: 's',
    width: 12,
    queries: [
      { expr: `max by (task) (${own('couchestor_task_duration_seconds')})`, legend: '{{task}}' },
    ],
  },
]
