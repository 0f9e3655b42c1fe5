import { parseVector } from '../../../activity/prometheus/answer.ts'
import { createPrometheusClient } from '../../../activity/prometheus/client.ts'
import { PRESETS } from '../../../activity/prometheus/config.ts'
import type { PrometheusSourceConfig } from '../../../activity/prometheus/config.ts'
import { fillTemplate, presetOf } from '../../../activity/prometheus/presets.ts'
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

/** Seconds between two scrapes, by the series with the most samples; undefined when there is none with enough. */
export async function scrapeInterval(
  { clock, random, log }: Base,
  { http, config }: PrometheusConnection,
  query: WindowQuery,
): Promise<number | undefined> {
  if (config.scrapeIntervalSeconds !== undefined) return config.scrapeIntervalSeconds
  const client = createPrometheusClient({ http, clock, random, log, config, turn: createTurns() })
  const text = fillTemplate(presetOf(config).templates.readSamples, query)
  const fetched = await client.query(text, query.endSeconds, query.signal)
  if (fetched.kind === 'Failed') return undefined
  const parsed = parseVector(fetched.body)
  if (parsed.kind === 'Unusable') return undefined
  const most = parsed.items.reduce((max, { value }) => Math.max(max, value), 0)
  return most < 2 ? undefined : Math.round(query.windowSeconds / most)
}
