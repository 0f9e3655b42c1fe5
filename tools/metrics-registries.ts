import { createPrometheusSource } from '../src/activity/prometheus/source.ts'
import type { Clock } from '../src/clock.ts'
import { ControllerMetrics } from '../src/controller/reporting/controller-metrics.ts'
import type { HttpClient } from '../src/http.ts'
import { createKubeClient } from '../src/kube/client.ts'
import { createEventRecorder } from '../src/kube/events.ts'
import { createElector } from '../src/kube/lease.ts'
import { queueMetrics } from '../src/kube/queue-metrics.ts'
import { reflectorMetrics } from '../src/kube/reflector-metrics.ts'
import { silentLog } from '../src/log.ts'
import { registerProcessMetrics } from '../src/main/process-metrics.ts'
import { createRegistry } from '../src/metrics.ts'
import type { Registry } from '../src/metrics.ts'
import { CredentialEnd } from '../src/openstack/credential-end.ts'
import { createOpenStackMetrics } from '../src/openstack/openstack-metrics.ts'

const log = silentLog
const random = () => 0.5
const clock: Clock = {
  now: () => 0,
  monotonic: () => 0,
  boot: () => 0,
  setTimer: () => ({ cancel: () => {} }),
}
const http: HttpClient = {
  request: () => Promise.reject(new Error('nothing is asked here')),
  close: () => Promise.resolve(),
}

/** As `controllerRegistry`, for `couchestor exporter`; its own series are not of a registry. */
export function exporterRegistry(): Registry {
  const metrics = createRegistry()
  registerProcessMetrics(metrics)
  createOpenStackMetrics(metrics)
  return metrics
}

/** A registry with every metric of `couchestor controller`, each registered by the part that fills it; nothing runs. */
export function controllerRegistry(): Registry {
  const metrics = createRegistry()
  registerProcessMetrics(metrics)
  const client = createKubeClient({
    http,
    server: 'https://kubernetes.default.svc',
    authorization: () => Promise.resolve(undefined),
    clock,
    random,
    log,
    metrics,
  })
  const lease = { client, namespace: 'couchestor-system', identity: 'catalogue' }
  createElector({ ...lease, clock, random, log, metrics })
  createEventRecorder({ client, clock, log, instance: 'catalogue', metrics })
  reflectorMetrics(metrics, 'persistentvolumeclaims', { idleSeconds: () => 0, objects: () => 0 })
  queueMetrics(metrics, 'moves', { depth: () => 0, ages: () => [] })
  createOpenStackMetrics(metrics)
  const config = {
    endpoint: 'http://prometheus:9090',
    queryTimeoutMs: 1000,
    preset: 'agent' as const,
  }
  createPrometheusSource({ http, config, clock, random, log, metrics })
  new CredentialEnd(metrics, log)
  new ControllerMetrics(metrics)
  return metrics
}
