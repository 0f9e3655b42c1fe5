import { DATASOURCE } from './grafana.ts'
import type { Variable } from './grafana.ts'

/** Which Prometheus is asked. First in the list, since all others ask it. */
export const DATASOURCE_VARIABLE: Variable = {
  name: 'datasource',
  type: 'datasource',
  label: 'Data source',
  query: 'prometheus',
  hide: 0,
  includeAll: false,
  multi: false,
  options: [],
  refresh: 1,
  regex: '',
  skipUrlSync: false,
}

type QueryVariable = {
  readonly name: string
  readonly label: string
  /** `label_values(selector, label)` or `query_result(expression)`. */
  readonly query: string
  /** What of an answer is the value, as the first group of a regular expression between slashes. */
  readonly regex?: string
  /** Offers "All", and begins with it. The pattern then stands for every value, or for none. */
  readonly all?: '.*' | '.+'
  readonly hidden?: true
}

const ALL = { selected: true, text: 'All', value: '$__all' }

/** A variable whose values Prometheus knows, asked again when the time range changes. */
export function queryVariable({
  name,
  label,
  query,
  regex = '',
  all,
  hidden,
}: QueryVariable): Variable {
  return {
    name,
    type: 'query',
    label,
    datasource: DATASOURCE,
    // qryType: 1 label_values, 3 query_result
    query: {
      query,
      refId: `variable-${name}`,
      qryType: query.startsWith('label_values') ? 1 : 3,
    },
    definition: query,
    includeAll: all !== undefined,
    ...(all === undefined ? {} : { allValue: all, current: ALL }),
    multi: all !== undefined,
    hide: hidden ? 2 : 0,
    options: [],
    refresh: 2,
    regex,
    skipUrlSync: false,
    sort: 1,
  }
}

/** A number that people may type over. */
export function textbox(name: string, label: string, value: string): Variable {
  return {
    name,
    type: 'textbox',
    label,
    query: value,
    current: { selected: true, text: value, value },
    hide: 0,
    options: [{ selected: true, text: value, value }],
    skipUrlSync: false,
  }
}

/** For one Prometheus of many clusters; where series have no such label, "All" still finds them. */
export const CLUSTER_VARIABLE = queryVariable({
  name: 'cluster',
  label: 'Cluster',
  query: 'label_values(couchestor_cinder_up, cluster)',
  all: '.*',
})
export const CLUSTER = 'cluster=~"$cluster"'

/** The controllers' scrape job: names such as workqueue_depth are those of other operators too. */
export const JOB_VARIABLE = queryVariable({
  name: 'job',
  label: 'Controller job',
  query: `label_values(couchestor_cinder_up{${CLUSTER}}, job)`,
  all: '.*',
})
export const CONTROLLER = `${CLUSTER}, job=~"$job"`
