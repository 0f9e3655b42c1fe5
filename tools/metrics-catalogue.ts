import { renderScrape as renderAgent } from '../src/agent/exposition.ts'
import { VOLUME_SERIES } from '../src/controller/reporting/volume-metrics.ts'
import { renderScrape as renderExporter } from '../src/exporter/series.ts'
import type { Registry } from '../src/metrics.ts'
import { controllerRegistry, exporterRegistry } from './metrics-registries.ts'

export type Process = 'controller' | 'agent' | 'exporter'
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary'

export type CatalogueMetric = {
  readonly name: string
  readonly type: MetricType
  readonly help: string
  readonly labels: readonly string[]
  readonly processes: readonly Process[]
}

const VOLUME = '0b0fd3a3-5b0c-4d80-8a3e-1e0f6a5f4c11'
const SERVER = '6a5f4c11-1e0f-4d80-8a3e-0b0fd3a35b0c'

/** Every metric that a process of this program exports, by name: read from the code that exports it. */
export function metricsCatalogue(): readonly CatalogueMetric[] {
  const all = [
    ...fromRegistry(controllerRegistry(), 'controller'),
    ...VOLUME_SERIES.map((s) => ({ ...s, processes: ['controller' as const] })),
    ...fromText(agentPage(), 'agent'),
    ...fromRegistry(exporterRegistry(), 'exporter'),
    ...fromText(exporterPage(), 'exporter'),
  ]
  const byName = Map.groupBy(all, (m) => m.name)
  return [...byName.values()]
    .map((same) => ({ ...same[0]!, processes: same.flatMap((m) => m.processes) }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** What prom-client keeps of a metric beside what its types say. */
type Registered = { name: string; type: MetricType; help: string; labelNames: readonly string[] }

function fromRegistry(registry: Registry, process: Process): CatalogueMetric[] {
  const metrics = registry.getMetricsAsArray() as unknown as readonly Registered[]
  return metrics.map(({ name, type, help, labelNames }) => ({
    name,
    type,
    help,
    labels: [...labelNames],
    processes: [process],
  }))
}

/** Families of a page in Prometheus' text format; a family's labels are those of its first sample. */
export function fromText(page: string, process: Process): CatalogueMetric[] {
  return page
    .split('# HELP ')
    .slice(1)
    .map((block) => {
      const [, name = '', help = ''] = /^(\S+) (.*)$/m.exec(block) ?? []
      const [, type = ''] = /^# TYPE \S+ (\S+)$/m.exec(block) ?? []
      const [, labels = ''] = /^[^#\s{]+\{(.*)\} \S+/m.exec(block.slice(block.indexOf('\n'))) ?? []
      return {
        name,
        type: type as MetricType,
        help,
        labels: [...labels.matchAll(/([a-z_]+)="/g)].map((m) => m[1]!),
        processes: [process],
      }
    })
}

/** A scrape of a node with one disk of each kind, so that no family is empty. */
export function agentPage(): string {
  return renderAgent({
    node: 'node-1',
    snapshot: {
      counted: [
        {
          device: 'vdb',
          volumeId: VOLUME,
          counters: { reads: 1, writes: 1, readBytes: 4096, writtenBytes: 4096 },
        },
      ],
      skipped: [{ device: 'vda', reason: 'no_serial' }],
      hangingReads: 0,
    },
    durationSeconds: 0.001,
    failures: 0,
    process: { residentBytes: 1, cpuSeconds: 1, startSeconds: 1 },
  })
}

/** A scrape of a project with one volume of each kind. */
export function exporterPage(): string {
  const point = { atSeconds: 1, readRequests: 1, writeRequests: 1, readBytes: 1, writeBytes: 1 }
  return renderExporter({
    fleet: {
      disks: [{ volumeId: VOLUME, serverId: SERVER, device: 'vdb', point }],
      skipped: new Map([[VOLUME, 'stale']]),
      measured: 1,
      detached: 0,
      unmappedDisks: 0,
    },
    nowSeconds: 2,
    readAgeSeconds: 0,
    readDurationSeconds: 0.1,
    failures: 0,
    newestSeconds: 1,
  })
}
