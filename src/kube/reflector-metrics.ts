import { METRIC_PREFIX } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { counter, sampledGauge } from './metrics.ts'

export type ReflectorError = 'list' | 'watch' | 'project' | 'listener'

/** Counters of one reflector; silent without a registry. `idleSeconds` and `objects` are asked at each scrape. */
export function reflectorMetrics(
  registry: Registry | undefined,
  resource: string,
  sample: { readonly idleSeconds: () => number; readonly objects: () => number },
) {
  if (!registry) return { list: () => {}, watch: () => {}, error: (_: ReflectorError) => {} }
  const name = (suffix: string) => `${METRIC_PREFIX}reflector_${suffix}`
  const labels = ['resource']
  const lists = counter(
    registry,
    name('lists_total'),
    'Full lists of the resource that were read and stored.',
    labels,
  )
  const watches = counter(
    registry,
    name('watches_total'),
    'Watches of the resource that were begun.',
    labels,
  )
  const errors = counter(
    registry,
    name('errors_total'),
    'Failures by kind: list, watch, project (an object that cannot be read) and listener (our own).',
    ['resource', 'kind'],
  )
  sampledGauge(
    registry,
    name('idle_seconds'),
    'Time since the API server was last heard about the resource.',
    labels,
    (gauge) => gauge.set({ resource }, sample.idleSeconds()),
  )
  sampledGauge(
    registry,
    name('objects'),
    'Objects of the resource kept in memory.',
    labels,
    (gauge) => gauge.set({ resource }, sample.objects()),
  )
  return {
    list: () => lists.inc({ resource }),
    watch: () => watches.inc({ resource }),
    error: (kind: ReflectorError) => errors.inc({ resource, kind }),
  }
}
