import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { HttpClient } from '../../http.ts'
import type { Log } from '../../log.ts'
import type { Registry } from '../../metrics.ts'
import type { ActivitySource, WindowAnswer, WindowQuery } from '../types.ts'
import type { VectorItem } from './answer.ts'
import { parseMatrix, parseVector } from './answer.ts'
import type { PrometheusClient } from './client.ts'
import { createPrometheusClient } from './client.ts'
import type { Combiner, RawActivity } from './combine.ts'
import { createCombiner, QUANTITIES, withCoverage } from './combine.ts'
import type { PrometheusSourceConfig } from './config.ts'
import { checkPrometheusConfig, DEFAULT_LAG_SECONDS } from './config.ts'
import { createIdentifier } from './identity.ts'
import type { Preset } from './presets.ts'
import { CEPH_RBD_WARNING, fillTemplate, presetOf, shards } from './presets.ts'
import { createRequestMetrics } from './request-metrics.ts'
import { bestCovered, contradicts, scrapeIntervalOf } from './scrape-interval.ts'
import { createTurns } from './turns.ts'
import type { Turn } from './turns.ts'

export type PrometheusSourceOptions = {
  readonly http: HttpClient
  readonly config: PrometheusSourceConfig
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly metrics?: Registry
  /** Size of the fleet; above 20,000 each question is asked in sixteen parts. */
  readonly volumesHint?: () => number
  /** Ids to complete the 20-character serials of virtio-blk disks with. */
  readonly knownVolumes?: () => Iterable<string>
}

/** One answer of that many series is parsed in about 40 ms; the next size would block the event loop. */
const MOST_IN_ONE_ANSWER = 20_000

/** A failure on the way that makes the whole window unknown. */
class WindowDown extends Error {}

/**
 * Usage of all volumes from Prometheus, or from a server that speaks its API. Four POST queries per window
 * whatever the fleet (a fifth now and then to measure the scrape interval), sixteen times that above 20,000
 * volumes. Rates are per second, means over the window; coverage is in per cent. Throws `UserError` for a
 * wrong config at once; `window` never throws.
 */
export function createPrometheusSource(options: PrometheusSourceOptions): ActivitySource {
  checkPrometheusConfig(options.config)
  const { config, log } = options
  const preset = presetOf(config)
  if (config.preset === 'ceph-rbd') log.warn({ preset: config.preset }, CEPH_RBD_WARNING)
  const name = `prometheus/${config.preset}`
  const turn = createTurns()
  const client = createPrometheusClient({
    turn,
    http: options.http,
    clock: options.clock,
    random: options.random,
    config,
    log,
    ...(options.metrics === undefined
      ? {}
      : { metrics: createRequestMetrics(options.metrics, name) }),
  })
  const where = shownEndpoint(config.endpoint)
  const state: State = { interval: config.scrapeIntervalSeconds, lastSize: 0 }
  return {
    name,
    lagSeconds: config.lagSeconds ?? DEFAULT_LAG_SECONDS,
    window: async (query): Promise<WindowAnswer> => {
      try {
        return await answerWindow({ ...options, preset, client, state, turn }, query)
      } catch (e) {
        if (!(e instanceof WindowDown)) log.error({ error: messageOf(e) }, 'metrics source failed')
        return { kind: 'Down', why: `Prometheus ${where}: ${messageOf(e)}` }
      }
    },
  }
}

type State = {
  interval: number | undefined
  lastSize: number
}
type Room = PrometheusSourceOptions & {
  readonly preset: Preset
  readonly client: PrometheusClient
  readonly state: State
  readonly turn: Turn
}

async function answerWindow(room: Room, query: WindowQuery): Promise<WindowAnswer> {
  const { preset, state } = room
  if (!Number.isSafeInteger(query.endSeconds) || !(query.windowSeconds >= 1))
    throw new WindowDown(
      `a window of ${query.windowSeconds} s ending at ${query.endSeconds} cannot be asked`,
    )
  const size = Math.max(room.volumesHint?.() ?? 0, state.lastSize)
  const identify = createIdentifier(preset.identity, room.knownVolumes)
  const combiner = createCombiner(preset.label, identify, room.turn)
  await askAll(room, query, shards(size > MOST_IN_ONE_ANSWER), combiner)
  const { volumes, warnings } = await combiner.result()
  state.lastSize = volumes.size
  if (volumes.size === 0) return { kind: 'Answer', volumes: new Map(), warnings }
  const interval = await intervalFor(room, query, volumes)
  if (interval === undefined) return unmeasurable(query, warnings)
  const measured = await withCoverage(volumes, query.windowSeconds / interval, room.turn)
  return { kind: 'Answer', volumes: measured, warnings }
}

/** Shards one after the other, the four numbers of a shard side by side: at most four queries run at once. */
async function askAll(
  room: Room,
  query: WindowQuery,
  parts: readonly string[],
  combiner: Combiner,
): Promise<void> {
  for (const volumes of parts) {
    const stop = new AbortController()
    const signal = eitherSignal(query.signal, stop.signal)
    const asked = QUANTITIES.map(async (quantity) => {
      const text = fillTemplate(room.preset.templates[quantity], { ...query, volumes })
      await combiner.add(quantity, await askVector(room, text, query.endSeconds, signal))
    })
    try {
      await Promise.all(asked)
    } catch (e) {
      stop.abort()
      await Promise.allSettled(asked)
      throw e
    }
  }
}

async function askVector(
  room: Room,
  text: string,
  endSeconds: number,
  signal: AbortSignal,
): Promise<readonly VectorItem[]> {
  const parsed = parseVector(await ask(room, text, endSeconds, signal))
  if (parsed.kind === 'Unusable') throw new WindowDown(parsed.why)
  const stale = parsed.items.find((item) => item.timeSeconds !== endSeconds)
  if (stale !== undefined)
    throw new WindowDown(
      `stale answer: evaluated at ${stale.timeSeconds} where ${endSeconds} was asked; a cache in between?`,
    )
  return parsed.items
}

async function ask(room: Room, text: string, at: number, signal?: AbortSignal): Promise<unknown> {
  const fetched = await room.client.query(text, at, signal)
  if (fetched.kind === 'Failed') throw new WindowDown(fetched.why)
  return fetched.body
}

/** The configured interval, else the measured one; measured again when the fleet's counts contradict it. */
async function intervalFor(
  room: Room,
  query: WindowQuery,
  volumes: ReadonlyMap<string, RawActivity>,
): Promise<number | undefined> {
  const { state, preset, config } = room
  if (config.scrapeIntervalSeconds !== undefined) return config.scrapeIntervalSeconds
  const { interval } = state
  if (interval !== undefined && !contradicts(volumes, query.windowSeconds / interval))
    return interval
  const volume = bestCovered(volumes)
  if (volume === undefined || preset.probe === undefined) return interval
  const text = fillTemplate(preset.probe, { ...query, volume })
  const parsed = parseMatrix(await ask(room, text, query.endSeconds, query.signal))
  if (parsed.kind === 'Unusable') throw new WindowDown(parsed.why)
  state.interval = scrapeIntervalOf(parsed.items) ?? interval
  room.log.debug({ seconds: state.interval, volume }, 'scrape interval measured')
  return state.interval
}

function unmeasurable(query: WindowQuery, warnings: readonly string[]): WindowAnswer {
  const why = `the scrape interval cannot be measured: fewer than 4 samples in ${query.windowSeconds} s; lengthen the window or set prometheus.scrape_interval`
  return { kind: 'Answer', volumes: new Map(), warnings: [...warnings, why] }
}

function eitherSignal(outer: AbortSignal | undefined, inner: AbortSignal): AbortSignal {
  return outer === undefined ? inner : AbortSignal.any([outer, inner])
}

/** Without user, password and query: the query may carry a token. */
function shownEndpoint(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint)
  return `${origin}${pathname === '/' ? '' : pathname}`
}
