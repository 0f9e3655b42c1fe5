import type { Clock } from '../../clock.ts'
import type { Ids } from '../cloud/ids.ts'
import type { Metric, Point } from './metric.ts'
import { ARCHIVE_POLICIES } from './metric.ts'
import { resourceId } from './resource.ts'
import type { Resource } from './resource.ts'

/** A disk that is polled as time goes on, as Ceilometer would. */
export type PolledDisk = {
  readonly serverId: string
  /** Such as vdb. */
  readonly device: string
  /** I/O operations per second: steady, or at a time (seconds). Half are writes, 4 KiB each. */
  readonly iops: number | ((seconds: number) => number)
  /** Since when; default 14 days ago. Seconds. */
  readonly from?: number
  /** Default 300. */
  readonly everySeconds?: number
  /** Default `ceilometer-low-rate`. */
  readonly archivePolicy?: string
  /** Polls that are lost; by default none. */
  readonly lost?: (seconds: number) => boolean
  /** When the counters begin at zero again. */
  readonly resetAt?: number
  /** Default: the project that the member belongs to. */
  readonly creator?: Resource['creator']
}

const SHARES: Readonly<Record<string, number>> = {
  'disk.device.read.requests': 0.5,
  'disk.device.write.requests': 0.5,
  'disk.device.read.bytes': 0.5 * 4096,
  'disk.device.write.bytes': 0.5 * 4096,
}
const DEFAULT_HISTORY = 14 * 86_400

/** Resources and their metrics. What was polled shows at once; the real metricd takes some seconds. */
export class Store {
  readonly #clock: Clock
  readonly #ids: Ids
  readonly resources = new Map<string, Resource>()
  /** What clients have posted, by metric id. */
  readonly #posted = new Map<string, Point[]>()

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock
    this.#ids = ids
  }

  add(
    input: Pick<Resource, 'originalId' | 'name' | 'instanceId' | 'creator'>,
    metrics: Readonly<Record<string, string>>,
    points?: (name: string) => readonly Point[],
  ): Resource {
    const resource: Resource = {
      ...input,
      id: resourceId(input.originalId, input.creator),
      startedAt: new Date(this.#clock.now()).toISOString().replace('Z', '000+00:00'),
      endedAt: null,
      metrics: new Map(),
    }
    for (const [name, policyName] of Object.entries(metrics))
      resource.metrics.set(name, this.#metric(name, policyName, points))
    this.resources.set(resource.id, resource)
    return resource
  }

  post(metric: Metric, points: readonly Point[]): void {
    const all = [...(this.#posted.get(metric.id) ?? []), ...points]
    this.#posted.set(
      metric.id,
      all.toSorted((a, b) => a[0] - b[0]),
    )
  }

  poll(disk: PolledDisk, creator: Resource['creator']): Resource {
    const { serverId, device } = disk
    const policy = disk.archivePolicy ?? 'ceilometer-low-rate'
    const metrics = Object.fromEntries(Object.keys(SHARES).map((name) => [name, policy]))
    const input = { originalId: `${serverId}-${device}`, name: device, instanceId: serverId }
    const totals = createTotals(disk, this.#clock)
    return this.add({ ...input, creator: disk.creator ?? creator }, metrics, (name) =>
      totals().map(([at, total]) => [at, Math.round(total * SHARES[name]!)]),
    )
  }

  #metric(name: string, policyName: string, points?: (name: string) => readonly Point[]): Metric {
    const id = this.#ids.uuid()
    return {
      id,
      name,
      policyName,
      policy: ARCHIVE_POLICIES[policyName]!,
      points: () => points?.(name) ?? this.#posted.get(id) ?? [],
    }
  }
}

/** Operations done since the start at each poll up to now; computed once per poll. */
function createTotals(disk: PolledDisk, clock: Clock): () => readonly Point[] {
  const every = disk.everySeconds ?? 300
  const { iops } = disk
  const rate = typeof iops === 'number' ? () => iops : iops
  const polls: Point[] = []
  let at = disk.from ?? Math.floor(clock.now() / 1000) - DEFAULT_HISTORY
  let total = 0
  return () => {
    for (; at <= clock.now() / 1000; at += every) {
      const isReset = disk.resetAt !== undefined && disk.resetAt > at - every && disk.resetAt <= at
      if (isReset) total = 0
      if (disk.lost?.(at) !== true) polls.push([at, total])
      total += rate(at) * every
    }
    return polls
  }
}
