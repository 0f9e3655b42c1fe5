import type { PanelSpec } from '../panels.ts'
import { maxBy, quantileBy, RATE, rateBy, riseBy, series } from '../promql.ts'
import { CONTROLLER } from '../variables.ts'

const own = (name: string) => series(name, CONTROLLER)

/** The Kubernetes API server, as the controller sees it. */
export const apiServer: readonly PanelSpec[] = [
  {
    kind: 'timeseries',
    title: 'Requests to the API server',
    description: 'By answer. 409 is a lost race and harmless; 403 a missing rule in the role.',
    unit: 'reqps',
    width: 12,
    style: 'stacked',
    queries: [{ expr: rateBy('code', own('rest_client_requests_total')), legend: '{{code}}' }],
  },
  {
    kind: 'timeseries',
    title: 'Answer time of the API server',
    description: 'Until the headers of the answer, 95th percentile.',
    unit: 's',
    width: 12,
    queries: [
      {
        expr: quantileBy(0.95, 'verb', 'rest_client_request_duration_seconds', CONTROLLER),
        legend: '{{verb}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Silence of the watches',
    description: 'Time since the API server was last heard, by resource.',
    unit: 's',
    width: 8,
    queries: [
      {
        expr: maxBy('resource', own('couchestor_reflector_idle_seconds')),
        legend: '{{resource}}',
      },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Lists and watches begun',
    description:
      'Many lists are expensive for the API server: a resource that is listed again and again has a watch that does not hold.',
    unit: 'none',
    width: 8,
    style: 'bars',
    queries: [
      {
        expr: riseBy('resource', own('couchestor_reflector_lists_total'), RATE),
        legend: '{{resource}}: lists',
      },
      {
        expr: `sum(${riseBy('resource', own('couchestor_reflector_watches_total'), RATE)})`,
        legend: 'watches of all',
      },
    ],
    colors: { 'watches of all': 'gray' },
  },
  {
    kind: 'timeseries',
    title: 'Objects kept in memory',
    description: 'By resource; they make most of the memory of a controller.',
    unit: 'short',
    width: 8,
    queries: [
      { expr: maxBy('resource', own('couchestor_reflector_objects')), legend: '{{resource}}' },
    ],
  },
  {
    kind: 'timeseries',
    title: 'Failures of watches, and events not written',
    description:
      'Failed lists, watches and projections by resource; events of ours that were dropped, by reason.',
    unit: 'ops',
    width: 24,
    height: 6,
    queries: [
      {
        expr: rateBy('resource, kind', own('couchestor_reflector_errors_total')),
        legend: '{{resource}}: {{kind}}',
      },
      {
        expr: rateBy('why', own('couchestor_events_dropped_total')),
        legend: 'event dropped: {{why}}',
      },
    ],
    noData: 'none',
  },
]
