import type { PanelSpec } from '../panels.ts'
import { HOUR, rareQuantileBy, rateBy, series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'

const REQUESTS = 'couchestor_openstack_requests_total'
const ANSWER_TIME = 'couchestor_openstack_request_duration_seconds'

/** The clouds that the controller asks and, in the case of Cinder, changes. */
export const openstack: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Requests to OpenStack',
    description: 'Each try, by service and answer. A code that is no number says why none came.',
    unit: 'reqps',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: rateBy('service, code', series(REQUESTS, CONTROLLER)),
        legend: '{{service}}: {{code}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Failed requests to OpenStack',
    description:
      'Anything but 2xx and 3xx, by operation. 401 once in a while is a token that ran out; 413 and 429 are limits of the cloud.',
    unit: 'reqps',
    width: 12,
    queries: [
      {
        expr: rateBy('service, operation, code', series(REQUESTS, CONTROLLER, 'code!~"[23].."')),
        legend: '{{service}} {{operation}}: {{code}}',
      },
    ],
    noData: 'none failed',
  },
  {
    kind: 'timeseries',
    title: 'Answer time of Cinder',
    description: 'Until the whole answer is there: 95th percentile of the last hour, by operation.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(
          0.95,
          'operation',
          HOUR,
          ANSWER_TIME,
          CONTROLLER,
          'service="block-storage"',
        ),
        legend: '{{operation}}',
      },
    ],
    thresholds: ['green', [10, 'red']],
  },
  {
    kind: 'timeseries',
    title: 'Answer time of Keystone',
    description: 'The same for tokens. A token is asked for about once an hour.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(
          0.95,
          'operation',
          HOUR,
          ANSWER_TIME,
          CONTROLLER,
          'service="identity"',
        ),
        legend: '{{operation}}',
      },
    ],
    noData: 'no token was needed',
  },
]

/** Where usage numbers come from: Prometheus or Gnocchi. */
export const source: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Requests to the source',
    description: 'By answer. A code that is no number says why none came.',
    unit: 'reqps',
    width: 12,
    style: 'stacked',
    queries: [
      {
        expr: rateBy('source, code', series('couchestor_activity_requests_total', CONTROLLER)),
        legend: '{{source}}: {{code}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Answer time of the source',
    description: 'Until the whole answer is there, over the last hour.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: rareQuantileBy(
          0.5,
          'source',
          HOUR,
          'couchestor_activity_request_duration_seconds',
          CONTROLLER,
        ),
        legend: '{{source}}, half',
      },
      {
        expr: rareQuantileBy(
          0.95,
          'source',
          HOUR,
          'couchestor_activity_request_duration_seconds',
          CONTROLLER,
        ),
        legend: '{{source}}, 95 %',
      },
    ],
    noData: 'nothing was asked',
  },
]
