import { Counter, Gauge, Histogram } from 'prom-client'
import type { Registry } from '../metrics.ts'

/** The counter of that name, registered once however many parts of the process use it. */
export function counter(registry: Registry, name: string, help: string, labels: string[]): Counter {
  const known = registry.getSingleMetric(name) as Counter | undefined
  return known ?? new Counter({ name, help, labelNames: labels, registers: [registry] })
}

/** As `counter`, for a gauge. */
export function gauge(registry: Registry, name: string, help: string, labels: string[]): Gauge {
  const known = registry.getSingleMetric(name) as Gauge | undefined
  return known ?? new Gauge({ name, help, labelNames: labels, registers: [registry] })
}

const samplers = new WeakMap<Gauge, Set<(gauge: Gauge) => void>>()

/** A gauge that is asked for at each scrape; each user of the name adds its own `sample`. */
export function sampledGauge(
  registry: Registry,
  name: string,
  help: string,
  labels: string[],
  sample: (gauge: Gauge) => void,
): void {
  const known = registry.getSingleMetric(name) as Gauge | undefined
  const made = known ?? newSampledGauge(registry, name, help, labels)
  samplers.get(made)?.add(sample)
}

function newSampledGauge(registry: Registry, name: string, help: string, labels: string[]): Gauge {
  const made: Gauge = new Gauge({
    name,
    help,
    labelNames: labels,
    registers: [registry],
    collect() {
      for (const sample of samplers.get(made) ?? []) sample(made)
    },
  })
  samplers.set(made, new Set())
  return made
}

/** As `counter`, for a histogram; buckets in seconds. */
export function histogram(
  registry: Registry,
  name: string,
  help: string,
  labels: string[],
  buckets: number[],
): Histogram {
  const known = registry.getSingleMetric(name) as Histogram | undefined
  return known ?? new Histogram({ name, help, labelNames: labels, buckets, registers: [registry] })
}
