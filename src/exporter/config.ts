import * as z from 'zod'
import { mapMetrics } from '../activity/gnocchi/metric-names.ts'
import type { DiskMetricNames, Mapping } from '../activity/gnocchi/metric-names.ts'
import { record, text, url } from '../api/fields.ts'
import { key, keyPaths, section } from '../api/keys.ts'
import { nearest } from '../api/nearest.ts'
import { problemsOf } from '../api/problems.ts'
import { readYamlDocument, refuseMistakes } from '../api/yaml-document.ts'
import { tryParseDuration } from '../api/duration.ts'
import { shownUrl } from '../api/shown-url.ts'

/** ceilometer.yaml of the guide, as far as it means anything today. */
export type ExporterConfig = {
  /** Length of the periods to read: a granularity of the archive policy that Ceilometer's metrics have. */
  readonly periodSeconds: number
  /** Gnocchi's URL, instead of the one in the catalog. */
  readonly gnocchiEndpoint: string | undefined
  readonly names: DiskMetricNames
  /** One line for each key that does not do what its name says. Said once at start. */
  readonly notices: readonly string[]
}

const DEFAULT_PERIOD_SECONDS = 300
const LONGEST_PERIOD_SECONDS = 86_400
const CONFIG_MAP_KEY = 'ceilometer.yaml'

const period = z.custom<string | number>(
  (v) => secondsOf(v) !== undefined,
  `write a granularity of the archive policy in seconds, from 1 to ${LONGEST_PERIOD_SECONDS}, for example "300"`,
)

const schema = section({
  endpoint: key(url('http://ceilometer-api.openstack.svc:8777')),
  metrics_mapping: z
    .preprocess((value) => value ?? {}, record(text(255, 'disk.device.read.requests')))
    .optional(),
  aggregation_period: key(period),
  gnocchi: key(
    section({
      endpoint: key(url('http://gnocchi-api.openstack.svc:8041')),
      archive_policy: key(text(255, 'ceilometer-low-rate')),
    }),
  ),
})
type Raw = z.output<typeof schema>

/**
 * The text of ceilometer.yaml, or of the ConfigMap that holds it. An empty text means all defaults. Throws one
 * `UserError` (ConfigInvalid) that lists every mistake with field, value and fix.
 */
export function parseExporterConfig(yamlText: string, fileName: string): ExporterConfig {
  const document = ofConfigMap(readYamlDocument(yamlText, fileName), fileName)
  const parsed = schema.safeParse(document)
  const wrong = parsed.success ? [] : problemsOf(parsed.error, document, unknownKey)
  const mapping = mapMetrics(stringsOf(document), 'metrics_mapping')
  refuseMistakes(fileName, [...wrong, ...mapping.mistakes])
  return toConfig(schema.parse(document), mapping)
}

/** The guide's file is a ConfigMap; somebody who runs the exporter by hand passes it as it is. */
function ofConfigMap(document: unknown, fileName: string): unknown {
  const { kind, data } = (document ?? {}) as { kind?: unknown; data?: Record<string, unknown> }
  if (kind !== 'ConfigMap') return document
  const inner = data?.[CONFIG_MAP_KEY]
  if (typeof inner === 'string')
    return readYamlDocument(inner, `${CONFIG_MAP_KEY} of the ConfigMap in ${fileName}`)
  refuseMistakes(fileName, [`data.${CONFIG_MAP_KEY} is missing: the ConfigMap must have that key`])
  return undefined
}

function toConfig(raw: Raw, mapping: Mapping): ExporterConfig {
  return {
    periodSeconds: secondsOf(raw.aggregation_period) ?? DEFAULT_PERIOD_SECONDS,
    gnocchiEndpoint: raw.gnocchi?.endpoint,
    names: mapping.names,
    notices: [...endpointNotice(raw), ...mapping.notes, ...archivePolicyNotice(raw)],
  }
}

function endpointNotice({ endpoint, gnocchi }: Raw): string[] {
  if (endpoint === undefined) return []
  const instead = shownUrl(gnocchi?.endpoint ?? 'the endpoint of the service catalog')
  return [
    `endpoint ${shownUrl(endpoint)} is not asked: Ceilometer's own API (port 8777) was removed from OpenStack in 2017; Gnocchi at ${instead} is read instead`,
  ]
}

function archivePolicyNotice(raw: Raw): string[] {
  const policy = raw.gnocchi?.archive_policy
  if (policy === undefined) return []
  return [
    `gnocchi.archive_policy "${policy}" is noted, but a metric keeps the policy that Ceilometer made it with (ceilometer-low-rate unless changed there); its periods of ${secondsOf(raw.aggregation_period) ?? DEFAULT_PERIOD_SECONDS} s are read (aggregation_period)`,
  ]
}

/** What can be read of the mapping even when the rest of the file is wrong, so that all mistakes are reported at once. */
function stringsOf(document: unknown): Record<string, string> {
  const mapping = (document as { metrics_mapping?: unknown } | undefined)?.metrics_mapping
  if (typeof mapping !== 'object' || mapping === null) return {}
  const entries = Object.entries(mapping).filter((e): e is [string, string] => isText(e[1]))
  return Object.fromEntries(entries)
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function secondsOf(value: unknown): number | undefined {
  const seconds = typeof value === 'string' ? secondsOfText(value.trim()) : value
  const valid = Number.isInteger(seconds) && (seconds as number) >= 1
  return valid && (seconds as number) <= LONGEST_PERIOD_SECONDS ? (seconds as number) : undefined
}

function secondsOfText(value: string): number | undefined {
  if (/^\d+$/.test(value)) return Number(value)
  const ms = tryParseDuration(value)
  return ms === undefined ? undefined : ms / 1000
}

function unknownKey(path: readonly string[], key: string): string {
  const full = [...path, key].join('.')
  const right = nearest(
    full,
    keyPaths(schema).map((k) => k.replace('.<name>', '')),
  )
  if (right !== undefined) return `${full} is unknown: did you mean ${right}?`
  return `${full} is unknown: remove it; known are endpoint, metrics_mapping, aggregation_period, gnocchi.endpoint, gnocchi.archive_policy`
}
