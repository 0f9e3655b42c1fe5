import { configKeys, configSchema } from './config-schema.ts'
import type { RawConfig } from './config-schema.ts'
import { nearest } from './nearest.ts'
import { problemsOf } from './problems.ts'

/** Everything wrong in a config.yaml that was read as YAML: one line each with path, value and fix. */
export function configMistakes(raw: unknown): string[] {
  const parsed = configSchema.safeParse(raw)
  const wrong = parsed.success ? [] : problemsOf(parsed.error, raw, unknownKey)
  return [...wrong, ...contradictions(raw as RawConfig)]
}

function unknownKey(path: readonly string[], key: string): string {
  const full = [...path, key].join('.')
  const right = rightKey(path, key)
  if (right !== undefined) return `${full} is unknown: did you mean ${right}?`
  const siblings = keysIn(path)
  return `${full} is unknown: remove it; known here: ${siblings.join(', ')}`
}

/** The right key in the same section, else the same key in another section. */
function rightKey(path: readonly string[], key: string): string | undefined {
  const here = nearest(key, keysIn(path))
  if (here !== undefined) return [...path, here].join('.')
  const leaves = new Map(configKeys().map((full) => [full.split('.').at(-1)!, full]))
  const elsewhere = nearest(key, leaves.keys())
  return elsewhere === undefined ? undefined : leaves.get(elsewhere)
}

function keysIn(path: readonly string[]): string[] {
  const prefix = path.map((part, i) => (i === 1 && path[0] === 'tiers' ? '<name>' : part))
  const inside = configKeys()
    .map((key) => key.split('.'))
    .filter((key) => prefix.every((part, i) => key[i] === part))
  return [...new Set(inside.flatMap((key) => key[prefix.length] ?? []))]
}

/** Keys that are right alone but not together. Runs on anything, also on a file with other mistakes. */
function contradictions(raw: RawConfig): string[] {
  const mistakes: string[] = []
  const { preset, queries, scrape_interval, auth, tls } = raw?.prometheus ?? {}
  if (preset === 'custom' && !queries)
    mistakes.push(
      'prometheus.queries is missing: preset custom needs operations, bytes, read_samples and write_samples',
    )
  if (preset === 'custom' && !scrape_interval)
    mistakes.push(
      'prometheus.scrape_interval is missing: preset custom needs it to know how many samples to expect, for example 30s',
    )
  if (queries && preset !== 'custom')
    mistakes.push(
      `prometheus.queries is given, but preset is ${String(preset ?? 'agent')}: set preset to custom, or remove queries`,
    )
  if (auth?.basic && auth.bearer_token_file)
    mistakes.push('prometheus.auth has both basic and bearer_token_file: keep one')
  if (tls && Boolean(tls.cert_file) !== Boolean(tls.key_file))
    mistakes.push(
      `prometheus.tls.${tls.cert_file ? 'key_file' : 'cert_file'} is missing: a client certificate needs both cert_file and key_file`,
    )
  return [...mistakes, ...tierNames(raw), ...shards(raw)]
}

function tierNames(raw: RawConfig): string[] {
  return Object.keys(raw?.tiers ?? {}).flatMap((name) =>
    name.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)
      ? []
      : [`tiers.${name} is no tier name: write lower-case letters, digits and -, for example hot`],
  )
}

function shards(raw: RawConfig): string[] {
  const { data_shards: data, parity_shards: parity } = raw?.erasure_coding ?? {}
  if (typeof data !== 'number' || typeof parity !== 'number' || parity <= data) return []
  return [
    `erasure_coding.parity_shards is ${parity}, more than data_shards (${data}): give at most as many`,
  ]
}
