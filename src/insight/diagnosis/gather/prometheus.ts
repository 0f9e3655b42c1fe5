import { parseMatrix, parseVector } from '../../../activity/prometheus/answer.ts'
import { createPrometheusClient } from '../../../activity/prometheus/client.ts'
import { PRESETS } from '../../../activity/prometheus/config.ts'
import type { PrometheusSourceConfig } from '../../../activity/prometheus/config.ts'
import { fillTemplate, presetOf } from '../../../activity/prometheus/presets.ts'
import { scrapeIntervalOf } from '../../../activity/prometheus/scrape-interval.ts'
import { createPrometheusSource } from '../../../activity/prometheus/source.ts'
import { createTurns } from '../../../activity/prometheus/turns.ts'
import type { ActivitySource, WindowQuery } from '../../../activity/types.ts'
import type { DoctorDeps, PrometheusConnection } from '../deps.ts'

type Base = Pick<DoctorDeps, 'clock' | 'random' | 'log'>

/** The source of the controller, by `config`. */
export function sourceOf(
  { clock, random, log }: Base,
  { http }: PrometheusConnection,
  config: PrometheusSourceConfig,
  all: readonly string[],
): ActivitySource {
  return createPrometheusSource({
    http,
    clock,
    random,
    log,
    config,
    knownVolumes: () => all,
    volumesHint: () => all.length,
  })
}

/** The same server, asked by the presets that are not configured; by the configured one too where `own` says so. */
export function otherPresets(
  base: Base,
  connection: PrometheusConnection,
  all: readonly string[],
  own: boolean,
): readonly (readonly [string, ActivitySource])[] {
  const { custom: _, ...config } = connection.config
  return PRESETS.filter((p) => p !== 'custom' && (own || p !== config.preset)).map((preset) => [
    preset,
    sourceOf(base, connection, { ...config, preset }, all),
  ])
}

/**
 * Seconds between two scrapes, from the raw samples of the volume with the most; undefined when there are too few. As the
 * source measures it: a count over the window would mislead where the series is younger than the window.
 */
export async function scrapeInterval(
  { clock, random, log }: Base,
  { http, config }: PrometheusConnection,
  query: WindowQuery,
): Promise<number | undefined> {
  if (config.scrapeIntervalSeconds !== undefined) return config.scrapeIntervalSeconds
  const { label, probe, templates } = presetOf(config)
  if (probe === undefined) return undefined
  const client = createPrometheusClient({ http, clock, random, log, config, turn: createTurns() })
  const ask = async (text: string): Promise<unknown> => {
    const fetched = await client.query(text, query.endSeconds, query.signal)
    if (fetched.kind === 'Failed') throw new Error(fetched.why)
    return fetched.body
  }
  const counts = parseVector(await ask(fillTemplate(templates.readSamples, query)))
  if (counts.kind === 'Unusable') return undefined
  const best = counts.items.toSorted((a, b) => b.value - a.value)[0]?.labels[label]
  if (best === undefined) return undefined
  const samples = parseMatrix(await ask(fillTemplate(probe, { ...query, volume: best })))
  return samples.kind === 'Unusable' ? undefined : scrapeIntervalOf(samples.items)
}

/** Nodes whose agent has been scraped within the last half hour; undefined for presets without agents. */
export async function agentNodes(
  { clock, random, log }: Base,
  { http, config }: PrometheusConnection,
): Promise<number | undefined> {
  const { presence } = presetOf(config)
  if (presence === undefined) return undefined
  const client = createPrometheusClient({ http, clock, random, log, config, turn: createTurns() })
  const text = fillTemplate(presence, { windowSeconds: PRESENCE_SECONDS })
  const fetched = await client.query(text, Math.floor(clock.now() / 1000))
  if (fetched.kind === 'Failed') throw new Error(fetched.why)
  const answer = parseVector(fetched.body)
  if (answer.kind === 'Unusable') throw new Error(answer.why)
  return answer.items.length
}

const PRESENCE_SECONDS = 1800
