import { attachmentsOf } from '../activity/attachments-of.ts'
import type { GnocchiClient } from '../activity/gnocchi/client.ts'
import type { DiskReader, DisksRead, Lack } from '../activity/gnocchi/disk-reader.ts'
import { diskKey } from '../activity/gnocchi/disk.ts'
import { distinctDisks, place } from '../activity/gnocchi/placement.ts'
import type { Placement } from '../activity/gnocchi/placement.ts'
import type { Clock } from '../clock.ts'
import type { CinderVolume, VolumeService } from '../openstack/types.ts'
import type { FleetCounters, SkipReason, VolumeDisk } from './fleet-counters.ts'
import { newestPoint, reachSeconds } from './newest-point.ts'
import type { Point, PointWish } from './newest-point.ts'

export type FleetReaderParts = {
  readonly volumes: Pick<VolumeService, 'listVolumes'>
  readonly client: Pick<GnocchiClient, 'disks'>
  readonly reader: Pick<DiskReader, 'read'>
  readonly granularitySeconds: number
  readonly clock: Clock
}

/** Ceilometer's own; where it polls less often, that is measured. */
const POLLING_SECONDS = 300

/**
 * Reads the volumes of the project and the counters of their disks: one page of Cinder per thousand volumes, one of
 * Gnocchi's resources per thousand disks, one question per hundred attached volumes. Rejects when any of them fails.
 */
export function createFleetReader(parts: FleetReaderParts) {
  const { clock, client, reader, granularitySeconds } = parts
  const least = Math.max(POLLING_SECONDS, granularitySeconds)
  let intervalSeconds = least

  return async (signal: AbortSignal): Promise<FleetCounters> => {
    const [volumes, known] = await Promise.all([
      listed(parts.volumes, signal),
      client.disks({ signal }),
    ])
    if (known.kind === 'Failed') throw new Error(known.why)
    const placement = place(volumes.flatMap(attachmentsOf))
    const disks = distinctDisks(placement.placed)
    const nowSeconds = Math.floor(clock.now() / 1000)
    const reach = reachSeconds({ granularitySeconds, intervalSeconds })
    const span = { startSeconds: nowSeconds - reach, stopSeconds: nowSeconds }
    const read = await reader.read(disks, span, signal)
    if (read.kind === 'Failed') throw new Error(read.why)
    intervalSeconds = Math.max(read.intervalSeconds ?? intervalSeconds, least)
    const mapped = new Set(disks.map(diskKey))
    const others = new Set(known.disks.map(diskKey).filter((key) => !mapped.has(key)))
    return {
      ...countersOf(placement, read, { nowSeconds, granularitySeconds, intervalSeconds }),
      detached: volumes.filter((v) => v.attachments.length === 0).length,
      unmappedDisks: others.size,
    }
  }
}

async function listed(
  service: FleetReaderParts['volumes'],
  signal: AbortSignal,
): Promise<CinderVolume[]> {
  const volumes: CinderVolume[] = []
  for await (const page of service.listVolumes({ signal })) volumes.push(...page)
  return volumes
}

type Samples = Extract<DisksRead, { kind: 'Samples' }>

function countersOf(
  { placed, unplaced, ambiguous }: Placement,
  read: Samples,
  wish: PointWish,
): Pick<FleetCounters, 'disks' | 'skipped' | 'measured'> {
  const disks: VolumeDisk[] = []
  const skipped = new Map<string, SkipReason>([...unplaced].map((id) => [id, 'no_device']))
  for (const { key, disk, volumeId, attachedAtSeconds } of placed) {
    const point = ambiguous.has(volumeId)
      ? 'shared_device'
      : pointOf(key, read, { ...wish, attachedAtSeconds })
    if (typeof point === 'string') skipped.set(volumeId, point)
    else disks.push({ volumeId, ...disk, point })
  }
  const measured = new Set(disks.map((d) => d.volumeId))
  for (const volumeId of skipped.keys()) measured.delete(volumeId)
  return { disks, skipped, measured: measured.size }
}

function pointOf(key: string, read: Samples, wish: PointWish): Point | SkipReason {
  const lack = read.lacking.get(key)
  return lack === undefined ? newestPoint(read.samples.get(key) ?? [], wish) : REASON_OF[lack]
}

const REASON_OF: Readonly<Record<Lack, SkipReason>> = {
  NoDisk: 'no_resource',
  NoMean: 'no_mean',
  NoGranularity: 'no_granularity',
  NotAskedYet: 'not_asked',
  Contradicted: 'contradicted',
}
