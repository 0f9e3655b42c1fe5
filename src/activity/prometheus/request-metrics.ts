import { Counter, Histogram } from 'prom-client'
import { METRIC_PREFIX } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'

/** What the operator reports about its queries to a metrics source. */
export type RequestMetrics = {
  /** `code` is the HTTP status, or the kind of connection failure. */
  observe(code: string, seconds: number): void
}

export function createRequestMetrics(registry: Registry, source: string): RequestMetrics {
  const requests = new Counter({
    name: `${METRIC_PREFIX}activity_requests_total`,
    help: 'Requests to the source of usage numbers, by HTTP status or connection failure.',
    labelNames: ['source', 'code'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: `${METRIC_PREFIX}activity_request_duration_seconds`,
    help: 'Time from a request to the source of usage numbers to the end of its answer.',
    labelNames: ['source'],
    buckets: [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60],
    registers: [registry],
  })
  return {
    observe: (code, seconds) => {
      requests.inc({ source, code })
      duration.observe({ source }, seconds)
    },
  }
}
