import type { Clock } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { HttpClient } from '../../http.ts'
import type { Log } from '../../log.ts'
import type { Registry } from '../../metrics.ts'
import type { ActivitySource, HistoryOf, WindowAnswer, WindowQuery } from '../types.ts'
import type { VectorItem } from './answer.ts'
import { parseMatrix, parseVector } from './answer.ts'
import type { PrometheusClient } from './client.ts'
import { createPrometheusClient } from './client.ts'
import type { Combined, Combiner, RawActivity } from './combine.ts'
import { createCombiner, QUANTITIES, withCoverage } from './combine.ts'
import type { PrometheusSourceConfig } from './config.ts'
import { checkPrometheusConfig, DEFAULT_LAG_SECONDS } from './config.ts'
import { createIdentifier } from './identity.ts'
import type { Preset } from './presets.ts'
import { CEPH_RBD_WARNING, fillTemplate, namesOf, presetOf, shards } from './presets.ts'
import { createRequestMetrics } from './request-metrics.ts'
import { bestCovered, contradicts, scrapeIntervalOf, tooLong } from './scrape-interval.ts'
import { byWindow, createSpans, isAligned, spanQuery } from './spans.ts'
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
  const room = { ...options, preset, client, state, turn }
  const spans = createSpans((query, ends) => answerSpan(room, query, ends))
  return {
    name,
    lagSeconds: config.lagSeconds ?? DEFAULT_LAG_SECONDS,
    window: async (query): Promise<WindowAnswer> => {
      try {
        const { history } = query
        const ahead = history && (await spans.window({ ...query, history }, reachOf(room, history)))
        return ahead ?? (await answerWindow(room, query))
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
  const identify = createIdentifier(preset.identity, room.knownVolumes)
  const combiner = createCombiner(preset.label, identify, room.turn)
  const names = query.history && namesOf(query.history.volumeIds)
  const parts = names === undefined ? shards(sizeOf(room) > MOST_IN_ONE_ANSWER) : [names]
  await askAll(room, query, parts, combiner)
  const { volumes, warnings } = await combiner.result()
  if (names === undefined) state.lastSize = volumes.size
  if (volumes.size === 0) {
    const trouble = query.history === undefined ? await serialTrouble(room, query) : []
    return { kind: 'Answer', volumes: new Map(), warnings: [...warnings, ...trouble] }
  }
  const interval = await intervalFor(room, query, volumes)
  return answerOf(room, query, { volumes, warnings }, interval)
}

/** As far as it is known. */
function sizeOf({ volumesHint, state }: Room): number {
  return Math.max(volumesHint?.() ?? 0, state.lastSize)
}

/** How many series a question about the history of these has. */
function reachOf(room: Room, { volumeIds }: HistoryOf): number {
  return namesOf(volumeIds) === undefined
    ? Math.max(sizeOf(room), volumeIds.length)
    : volumeIds.length
}

/** Many windows of a history, with one question for each of the four numbers. */
async function answerSpan(
  room: Room,
  query: WindowQuery & { readonly history: HistoryOf },
  ends: readonly number[],
): Promise<ReadonlyMap<number, WindowAnswer>> {
  const { preset, turn } = room
  const { windowSeconds } = query
  const last = ends.at(-1)!
  const identify = createIdentifier(preset.identity, room.knownVolumes)
  const combiners = new Map(ends.map((end) => [end, createCombiner(preset.label, identify, turn)]))
  const volumes = namesOf(query.history.volumeIds) ?? '.+'
  const stop = new AbortController()
  const signal = eitherSignal(query.signal, stop.signal)
  const asked = QUANTITIES.map(async (quantity) => {
    const text = fillTemplate(preset.templates[quantity], { windowSeconds, volumes })
    const parsed = parseMatrix(await ask(room, spanQuery(text, ends, windowSeconds), last, signal))
    if (parsed.kind === 'Unusable') throw new WindowDown(parsed.why)
    if (!isAligned(parsed.items, windowSeconds)) throw new WindowDown('steps are not aligned')
    for (const [end, items] of byWindow(parsed.items, ends))
      await combiners.get(end)!.add(quantity, items)
  })
  try {
    await Promise.all(asked)
  } catch (e) {
    stop.abort()
    await Promise.allSettled(asked)
    throw e
  }
  const answers = new Map<number, WindowAnswer>()
  let interval: number | undefined
  for (const end of ends.toReversed()) {
    const combined = await combiners.get(end)!.result()
    const window = { ...query, endSeconds: end }
    if (combined.volumes.size > 0) interval ??= await intervalFor(room, window, combined.volumes)
    answers.set(end, await answerOf(room, window, combined, interval))
  }
  return answers
}

async function answerOf(
  { turn, config }: Room,
  query: WindowQuery,
  { volumes, warnings }: Combined,
  interval: number | undefined,
): Promise<WindowAnswer> {
  if (volumes.size === 0) return { kind: 'Answer', volumes: new Map(), warnings }
  if (interval === undefined) return unmeasurable(query, warnings)
  const measured = await withCoverage(volumes, query.windowSeconds / interval, turn)
  // the measured one is measured again where it does not fit
  const isSet = config.scrapeIntervalSeconds !== undefined
  const more = isSet ? tooLong(volumes, query.windowSeconds, interval) : []
  return { kind: 'Answer', volumes: measured, warnings: [...warnings, ...more] }
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
  const stale = parsed.items.find(
    ({ timeSeconds }) => timeSeconds !== undefined && timeSeconds !== endSeconds,
  )
  if (stale !== undefined)
    throw new WindowDown(
      `stale answer: evaluated at ${stale.timeSeconds} where ${endSeconds} was asked; a cache in between?`,
    )
  return parsed.items
}

/** Why no device has a serial, where that is why no volume has numbers. */
async function serialTrouble(room: Room, query: WindowQuery): Promise<string[]> {
  const { info } = room.preset
  if (info === undefined) return []
  const fetched = await room.client.query(fillTemplate(info.query, query), query.endSeconds)
  const parsed = fetched.kind === 'Body' ? parseVector(fetched.body) : undefined
  if (parsed?.kind !== 'Data') return []
  if (parsed.items.length === 0) return [`there are no series ${info.metric}: ${info.fix.missing}`]
  const named = parsed.items.some(({ labels }) => (labels['serial'] ?? '') !== '')
  return named ? [] : [`no series ${info.metric} has the label serial: ${info.fix.unnamed}`]
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
  const parsed = await askMatrix(room, text, query)
  if (parsed.kind === 'Unusable') {
    // the samples of one volume: what was measured before serves the others
    if (interval !== undefined) return interval
    throw new WindowDown(parsed.why)
  }
  const measured = scrapeIntervalOf(parsed.items) ?? interval
  // a few volumes of long ago say nothing about the fleet of today
  if (query.history === undefined || interval === undefined) state.interval = measured
  room.log.debug({ seconds: measured, volume }, 'scrape interval measured')
  return measured
}

async function askMatrix(room: Room, text: string, { endSeconds, signal }: WindowQuery) {
  const fetched = await room.client.query(text, endSeconds, signal)
  return fetched.kind === 'Failed'
    ? ({ kind: 'Unusable', why: fetched.why } as const)
    : parseMatrix(fetched.body)
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
