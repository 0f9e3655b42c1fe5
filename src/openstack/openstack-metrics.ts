import { Counter, Histogram } from 'prom-client'
import { METRIC_PREFIX, type Registry } from '../metrics.ts'

export interface OpenStackMetrics {
  /** One request that was sent. `code` is the HTTP status, or why no answer came; seconds until the whole answer was there. */
  observe(
    request: { service: string; method: string; operation: string; code: string },
    seconds: number,
  ): void
}

/** Registers the client's metrics on `registry`; call it once per registry and share the result. */
export function createOpenStackMetrics(registry: Registry): OpenStackMetrics {
  const requests = new Counter({
    name: `${METRIC_PREFIX}openstack_requests_total`,
    help: 'Requests sent to OpenStack services, each try counted.',
    labelNames: ['service', 'method', 'operation', 'code'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: `${METRIC_PREFIX}openstack_request_duration_seconds`,
    help: 'Time until the whole answer of an OpenStack service was there.',
    labelNames: ['service', 'operation'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  })
  return {
    observe: (request, seconds) => {
      requests.inc(request)
      duration.observe({ service: request.service, operation: request.operation }, seconds)
    },
  }
}
