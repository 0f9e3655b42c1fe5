/** Labels that a scrape adds and that two series of one installation share, beside `labels` of their own. */
export function same(...labels: readonly string[]): string {
  return ['cluster', 'namespace', 'job', ...labels].join(', ')
}

/**
 * A gauge of the leader, by `labels` of its own. A change of leader does not begin a new series, so that `for` goes on.
 * Nothing else is kept: a scrape may add a node, a host or a replica of Prometheus, which would distinguish the leader's series
 * from those of the replicas that stand by.
 */
export function leader(selector: string, ...labels: readonly string[]): string {
  return `max by (${same(...labels)}) (${selector})`
}

/** The sum over all replicas, by `labels` of its own. */
export function total(expr: string, ...labels: readonly string[]): string {
  return `sum by (${same(...labels)}) (${expr})`
}

/**
 * By how much counters rose within `window`, also those that began in it: a counter with labels appears at 1 with its
 * first event, which `increase` does not take for a rise.
 */
export function rise(selector: string, window: string): string {
  return `((${selector} unless ${selector} offset ${window}) or increase(${selector}[${window}]))`
}

/** Scrape jobs, by whatever ServiceMonitor, PodMonitor or file they come. */
export const CONTROLLER_JOB = 'job=~".*couchestor-controller.*"'
export const AGENT_JOB = 'job=~".*couchestor-agent.*"'
export const EXPORTER_JOB = 'job=~".*(ceilometer|couchestor)-exporter.*"'
