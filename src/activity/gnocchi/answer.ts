import { openStackTime } from '../../time.ts'
import { asRecord } from '../foreign.ts'
import { diskOf } from './disk.ts'
import type { DiskId } from './disk.ts'
import { DISK_QUANTITIES } from './metric-names.ts'
import type { DiskMetricNames, DiskQuantity } from './metric-names.ts'

/** One period: its start, its length, and the aggregate of the raw measures that fell into it. */
export type Measure = {
  readonly startSeconds: number
  readonly granularitySeconds: number
  readonly value: number
}

/** A resource of type `instance_disk`. It outlives the attachment, and even the server for a while. */
export type Disk = DiskId & {
  /** Gnocchi's own id of the resource; two collectors make two resources of one disk. */
  readonly resourceId: string
  /** Metric ids by metric name. */
  readonly metrics: ReadonlyMap<string, string>
  /** RFC 3339, once the server is deleted. */
  readonly endedAt?: string
}

/** What one resource has in the asked time, oldest first; a quantity without a metric is missing. */
export type DiskMeasures = Disk & {
  readonly measures: Readonly<Partial<Record<DiskQuantity, readonly Measure[]>>>
}

/** A list of resources; one that is no disk of a server is left out. Undefined when it is no list. */
export function parseDisks(json: unknown): Disk[] | undefined {
  return Array.isArray(json) ? json.flatMap((row) => diskFrom(row) ?? []) : undefined
}

/** The answer of `POST /v1/aggregates?details=true`; undefined when it is not one. */
export function parseAggregates(
  json: unknown,
  names: DiskMetricNames,
  aggregation: string,
): DiskMeasures[] | undefined {
  const body = asRecord(json)
  const byResource = asRecord(body?.['measures'])
  const disks = parseDisks(body?.['references'])
  if (byResource === undefined || disks === undefined) return undefined
  const found: DiskMeasures[] = []
  for (const disk of disks) {
    const measures = measuresOf(asRecord(byResource[disk.resourceId]) ?? {}, names, aggregation)
    if (measures === undefined) return undefined
    found.push({ ...disk, measures })
  }
  return found
}

function diskFrom(row: unknown): Disk | undefined {
  const resource = asRecord(row)
  const original = resource?.['original_resource_id']
  const resourceId = resource?.['id']
  if (typeof original !== 'string' || typeof resourceId !== 'string') return undefined
  const disk = diskOf(original)
  if (disk === undefined) return undefined
  const endedAt = resource?.['ended_at']
  const metrics = Object.entries(asRecord(resource?.['metrics']) ?? {})
  return {
    ...disk,
    resourceId,
    metrics: new Map(metrics.map(([name, id]) => [name, String(id)])),
    ...(typeof endedAt === 'string' ? { endedAt } : {}),
  }
}

function measuresOf(
  byMetric: Record<string, unknown>,
  names: DiskMetricNames,
  aggregation: string,
): DiskMeasures['measures'] | undefined {
  const measures: Partial<Record<DiskQuantity, Measure[]>> = {}
  for (const quantity of DISK_QUANTITIES) {
    const rows = asRecord(byMetric[names[quantity]])?.[aggregation]
    if (rows === undefined) continue
    const parsed = Array.isArray(rows) ? rows.map(measureFrom) : [undefined]
    if (parsed.includes(undefined)) return undefined
    measures[quantity] = (parsed as Measure[]).sort((a, b) => a.startSeconds - b.startSeconds)
  }
  return measures
}

/** `["2014-10-06T14:35:00+00:00", 300.0, 42.0]`; the time is the start of the period. */
function measureFrom(row: unknown): Measure | undefined {
  if (!Array.isArray(row) || row.length !== 3) return undefined
  const [at, granularitySeconds, value] = row as [unknown, unknown, unknown]
  const start = typeof at === 'string' ? openStackTime(at) : undefined
  if (start === undefined || typeof granularitySeconds !== 'number') return undefined
  // JSON has no NaN; whatever stands there instead is for the caller to leave out
  return {
    startSeconds: start / 1000,
    granularitySeconds,
    value: typeof value === 'number' ? value : Number.NaN,
  }
}
