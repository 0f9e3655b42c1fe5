import { yieldToEventLoop } from '../../clock.ts'
import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { Log } from '../../log.ts'
import type { ActivitySource, Fleet, VolumeActivity, WindowAnswer, WindowQuery } from '../types.ts'
import type { GnocchiClient } from './client.ts'
import type { DisksRead, Lack } from './disk-reader.ts'
import { DiskReader } from './disk-reader.ts'
import { distinctDisks, place } from './placement.ts'
import type { Placed } from './placement.ts'
import { createSpanCache } from './span-cache.ts'
import type { Usage } from './usage.ts'
import { usageOf } from './usage.ts'

export type GnocchiSourceConfig = {
  /** Of the archive policy that Ceilometer's metrics have. */
  readonly granularitySeconds: number
  /** Ceilometer polls every 300 s, and metricd works behind. */
  readonly lagSeconds: number
  /** Longest one question may take, its tries included. */
  readonly questionMs: number
}

export type GnocchiSourceParts = {
  readonly client: GnocchiClient
  readonly config: GnocchiSourceConfig
  readonly fleet: Fleet
  readonly clock: Clock
  readonly log: Log
}

/** Volumes worked through before others get a turn. */
const SLICE = 500

/**
 * Usage from Gnocchi: the counters of each attached disk, as Ceilometer polls them from the hypervisor. One question per
 * hundred disks and window, or per day when history is read. A volume is seen while it is attached to a server, as the
 * disk that its attachment names. The mean of the counter is asked and differenced here, since `rate:mean` does not show
 * over which time it rose (docs/gnocchi.md). Per second, means over the window; `window` never throws.
 */
export function createGnocchiSource(parts: GnocchiSourceParts): ActivitySource {
  const { config, log } = parts
  const reader = new DiskReader({ ...parts, ...config })
  const spans = createSpanCache(reader, parts.clock, config.lagSeconds)
  const state: State = { intervalSeconds: config.granularitySeconds }
  return {
    name: 'gnocchi',
    lagSeconds: config.lagSeconds,
    knownVolumesOnly: true,
    window: async (query) => {
      try {
        return await answerWindow({ ...parts, spans, state }, query)
      } catch (e) {
        log.error({ error: messageOf(e) }, 'metrics source failed')
        return { kind: 'Down', why: messageOf(e) }
      }
    },
  }
}

type State = { intervalSeconds: number }
type Room = GnocchiSourceParts & {
  readonly spans: ReturnType<typeof createSpanCache>
  readonly state: State
}

async function answerWindow(room: Room, query: WindowQuery): Promise<WindowAnswer> {
  const all = place(await room.fleet.attachments())
  const { unplaced, ambiguous } = all
  const only = query.history && new Set(query.history.volumeIds)
  const placed = only === undefined ? all.placed : all.placed.filter((p) => only.has(p.volumeId))
  const missing = new Map([...unplaced].map((id) => [id, UNPLACED]))
  const disks = distinctDisks(placed)
  if (disks.length === 0) return { kind: 'Answer', volumes: new Map(), warnings: [], missing }
  const reach = 3 * Math.max(room.state.intervalSeconds, room.config.granularitySeconds)
  const read = await room.spans.read(disks, query, reach)
  if (read.kind === 'Failed') return { kind: 'Down', why: read.why }
  // measured on the fleet; kept when a window holds too few samples to measure it
  const interval = read.intervalSeconds ?? room.state.intervalSeconds
  room.state.intervalSeconds = Math.max(interval, room.config.granularitySeconds)
  const volumes = new Map<string, VolumeActivity>()
  let done = 0
  for (const [volumeId, at] of Map.groupBy(placed, (p) => p.volumeId)) {
    if ((done += 1) % SLICE === 0) await yieldToEventLoop()
    // a part of its usage would look like little usage
    if (unplaced.has(volumeId)) continue
    const found = ambiguous.has(volumeId) ? AMBIGUOUS : activityOf(at, read, room, query)
    if (typeof found === 'string') missing.set(volumeId, found)
    else volumes.set(volumeId, found)
  }
  return { kind: 'Answer', volumes, missing, warnings: warningsOf(read) }
}

const UNPLACED = 'Cinder does not name server, device and time of its attachment'
const AMBIGUOUS =
  "another volume claims the same device of the same server, so its numbers could be either's"

type Samples = Extract<DisksRead, { kind: 'Samples' }>

/** All attachments of one volume added up, with the least coverage; or why there is none. */
function activityOf(
  at: readonly Placed[],
  read: Samples,
  room: Room,
  query: WindowQuery,
): VolumeActivity | string {
  const { intervalSeconds } = room.state
  const expected = query.windowSeconds / intervalSeconds
  let sum: VolumeActivity = { operationsPerSecond: 0, bytesPerSecond: 0, coveragePercent: 100 }
  for (const { key, attachedAtSeconds } of at) {
    const usage = usageOf(read.samples.get(key) ?? [], {
      startSeconds: query.endSeconds - query.windowSeconds,
      endSeconds: query.endSeconds,
      notBeforeSeconds: attachedAtSeconds,
      intervalSeconds,
    })
    if (usage === undefined) return whyNone(key, attachedAtSeconds, read, room, query)
    sum = added(sum, usage, expected)
  }
  return sum
}

function added(sum: VolumeActivity, usage: Usage, expected: number): VolumeActivity {
  return {
    operationsPerSecond: sum.operationsPerSecond + usage.operationsPerSecond,
    bytesPerSecond: sum.bytesPerSecond + usage.bytesPerSecond,
    coveragePercent: Math.min(sum.coveragePercent, (100 * usage.steps) / expected),
  }
}

function whyNone(
  key: string,
  attachedAtSeconds: number,
  read: Samples,
  room: Room,
  query: WindowQuery,
): string {
  const lack = read.lacking.get(key)
  if (lack !== undefined) return `Gnocchi, disk ${key}: ${lackText(lack, room)}`
  if (attachedAtSeconds >= query.endSeconds)
    return `it was attached after the window, so disk ${key} was another volume or none then`
  return `Gnocchi has no two successive measures of disk ${key} in the window`
}

function lackText(lack: Lack, { config }: Room): string {
  if (lack === 'NoDisk')
    return 'it has none of that name; Ceilometer does not poll it, or for another project'
  if (lack === 'NoMean')
    return 'its metrics do not keep "mean"; give their archive policy that aggregation'
  if (lack === 'Contradicted')
    return 'several resources have that name and contradict each other, so one of them is not its own; see who made them: openstack metric resource list --type instance_disk -c original_resource_id -c creator'
  if (lack === 'NotAskedYet') return 'not asked yet, since others spoil the question'
  return `its metrics do not keep a granularity of ${config.granularitySeconds} s; set gnocchi.granularity to one that their archive policy has`
}

/** One line: a fleet-wide fault must not become a fleet of lines. */
function warningsOf({ doubled }: Samples): string[] {
  const keys = [...new Set(doubled)]
  if (keys.length === 0) return []
  const shown = keys.slice(0, 3).join(', ') + (keys.length > 3 ? ', …' : '')
  return [`several collectors report ${shown}; the one that is up to date counts`]
}
