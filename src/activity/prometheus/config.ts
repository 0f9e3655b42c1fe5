import { UserError } from '../../errors.ts'

/** Where the per-volume counters come from; each has its own metric names and its own way to name a volume. */
export const PRESETS = ['agent', 'node-exporter', 'libvirt', 'ceph-rbd', 'custom'] as const
export type PresetName = (typeof PRESETS)[number]

/**
 * One PromQL expression per number, each yielding one series per volume. Placeholders: `{{window}}` whole
 * seconds (`1800`), `{{range}}` the same as a duration for brackets (`1800s`), `{{volumes}}` a regular
 * expression for the volume id that is `.+` until the fleet is so large that questions are split.
 */
export type QueryTemplates = {
  /** Operations per second, reads and writes together. */
  readonly operations: string
  /** Bytes per second, reads and writes together. */
  readonly bytes: string
  /** Number of samples of the read counter in the window. */
  readonly readSamples: string
  /** Number of samples of the write counter in the window. */
  readonly writeSamples: string
}

export type PrometheusSourceConfig = {
  /** URL up to, and without, `/api/v1`; a path prefix and a query are kept. No user or password in it. */
  readonly endpoint: string
  /** Longest evaluation of one query on the server, ms; the connection waits a little longer. */
  readonly queryTimeoutMs: number
  readonly preset: PresetName
  /** Needed for `custom`, refused for the others; each series must carry the label `volume_id`. */
  readonly custom?: QueryTemplates
  /** Seconds between two scrapes; measured from the samples when absent, except for `custom`. */
  readonly scrapeIntervalSeconds?: number
  /** How long after its end a window is complete. Default 60. */
  readonly lagSeconds?: number
  /** Label values every series must have, for a server that is shared by several clusters. Not for `custom`. */
  readonly matchers?: Readonly<Record<string, string>>
  /** Sent with every request, such as `X-Scope-OrgID` or `THANOS-TENANT`. Values are treated as secrets. */
  readonly headers?: Readonly<Record<string, string>>
  /** The Authorization header, asked before every request so that a renewed token is used at once. */
  authorization?(): Promise<string | undefined>
}

export const DEFAULT_LAG_SECONDS = 60

/** Throws a `UserError` that lists every mistake in `config`: field, value and fix. */
export function checkPrometheusConfig(config: PrometheusSourceConfig): void {
  const mistakes = [
    ...endpointMistakes(config.endpoint),
    ...numberMistakes(config),
    ...templateMistakes(config),
    ...matcherMistakes(config.matchers ?? {}),
  ]
  if (mistakes.length === 0) return
  throw new UserError('PrometheusConfigInvalid', mistakes.join('; '))
}

function endpointMistakes(endpoint: string): string[] {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    // the text itself is not repeated: something unparsable may still hold a password
    return [
      'prometheus.endpoint is not an http or https URL; give it like "http://prometheus:9090"',
    ]
  if (url.username !== '' || url.password !== '')
    return [
      `prometheus.endpoint "${url.origin}" carries a user or password; give them as basic authentication instead`,
    ]
  if (url.pathname.includes('/api/v1'))
    return [
      `prometheus.endpoint "${url.origin}${url.pathname}" contains /api/v1; give the URL up to there`,
    ]
  return []
}

function numberMistakes(config: PrometheusSourceConfig): string[] {
  const { queryTimeoutMs, scrapeIntervalSeconds: interval, lagSeconds: lag } = config
  return [
    queryTimeoutMs >= 1000 && queryTimeoutMs <= 600_000
      ? ''
      : `prometheus.query_timeout is ${queryTimeoutMs} ms; give 1s to 10m`,
    interval === undefined || (interval > 0 && interval <= 3600)
      ? ''
      : `prometheus.scrape_interval is ${interval} s; give more than 0 and at most 1h`,
    lag === undefined || (lag >= 0 && lag <= 3600)
      ? ''
      : `prometheus.lag is ${lag} s; give 0 to 1h`,
  ].filter((m) => m !== '')
}

function templateMistakes(config: PrometheusSourceConfig): string[] {
  if (config.preset !== 'custom')
    return config.custom === undefined
      ? []
      : [`prometheus.custom is given but the preset is "${config.preset}"; set preset: custom`]
  const mistakes = []
  if (config.custom === undefined)
    mistakes.push('prometheus.preset is "custom" without queries; give prometheus.custom')
  if (config.scrapeIntervalSeconds === undefined)
    mistakes.push(
      'prometheus.scrape_interval is missing; with preset custom it cannot be measured, so give it',
    )
  for (const [name, text] of Object.entries(config.custom ?? {}))
    mistakes.push(...placeholderMistakes(name, text))
  return mistakes
}

function placeholderMistakes(name: string, text: string): string[] {
  const unknown = [...text.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)]
    .map((m) => m[1]!)
    .filter((p) => !['window', 'range', 'volumes'].includes(p))
  const mistakes = unknown.map(
    (p) =>
      `prometheus.custom.${name} has the placeholder "{{${p}}}"; use {{window}}, {{range}} or {{volumes}}`,
  )
  if (!/\{\{\s*(window|range)\s*\}\}/.test(text))
    mistakes.push(
      `prometheus.custom.${name} never uses {{range}} or {{window}}; the query must cover the window it is asked for`,
    )
  return mistakes
}

function matcherMistakes(matchers: Readonly<Record<string, string>>): string[] {
  return Object.keys(matchers)
    .filter((label) => !/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label))
    .map((label) => `prometheus.matchers has "${label}", which is no label name; correct it`)
}
