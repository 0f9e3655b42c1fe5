import { parseConfig } from '../api/config.ts'
import { numberFlag, readFlags } from '../cli/flags.ts'
import type { Flags, FlagSpec } from '../cli/flags.ts'
import { messageOf, UserError } from '../errors.ts'
import { parseExporterConfig } from '../exporter/config.ts'
import type { ExporterConfig } from '../exporter/config.ts'
import { createExporter } from '../exporter/exporter.ts'
import { createProjectReader } from '../exporter/project-reader.ts'
import { scrapeTimeoutMs } from '../exporter/scrape-timeout.ts'
import { EXPOSITION_TYPE } from '../exposition.ts'
import { createLog, LOG_LEVELS } from '../log.ts'
import type { Log } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { createOpenStackMetrics } from '../openstack/openstack-metrics.ts'
import { createSession } from '../openstack/session.ts'
import type { Session } from '../openstack/session.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { serveMetrics } from './probe-server.ts'
import { logLevel } from './process-flags.ts'
import { registerProcessMetrics } from './process-metrics.ts'
import { stopSignal } from './stop-signal.ts'
import { systemClock } from './system-clock.ts'
import { systemHttpClient } from './system-http.ts'
import { readText } from './system-files.ts'

export const EXPORTER_FLAGS = {
  config: {
    value: 'FILE',
    help: "the guide's ceilometer.yaml, or its ConfigMap; default: Gnocchi of the service catalog",
  },
  'metrics-port': {
    value: 'PORT',
    help: 'port of /metrics, /healthz and /readyz',
    default: '9105',
  },
  'log-level': {
    value: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')}; else COUCHESTOR_LOG_LEVEL, else info`,
  },
} as const satisfies Record<string, FlagSpec>

/** `couchestor exporter`: serves what Gnocchi counts of the project's volumes until SIGTERM. Resolves to the exit code. */
export async function runExporter(args: readonly string[]): Promise<number> {
  const flags = readFlags('exporter', args, EXPORTER_FLAGS)
  const log = createLog(logLevel(flags))
  const port = numberFlag(flags, 'metrics-port', 0, 65_535)
  const config = await exporterConfig(flags)
  for (const notice of config.notices) log.info({ notice }, 'ceilometer.yaml')
  const registry = createRegistry()
  registerProcessMetrics(registry)
  const stopping = new AbortController()
  const session = await openSession(config, log, registry)
  const exporter = createExporter({
    read: createProjectReader({ config, session, clock: systemClock, log }),
    periodSeconds: config.periodSeconds,
    clock: systemClock,
    log,
    signal: stopping.signal,
  })
  const stopped = stopSignal()
  const fine = () => Promise.resolve({ status: 200, body: 'ok\n' })
  const server = await serveMetrics(port, {
    '/metrics': async (headers) => {
      const asked = headers['x-prometheus-scrape-timeout-seconds']
      const series = await exporter.scrape(scrapeTimeoutMs(asked?.toString()))
      return { status: 200, type: EXPOSITION_TYPE, body: series + (await registry.metrics()) }
    },
    '/healthz': fine,
    // also while Gnocchi is away: who is not ready is not scraped, and could not say so
    '/readyz': fine,
  })
  log.info({ metricsPort: server.port }, 'couchestor exporter started')
  // a wrong credential is reported now, and not when the first Prometheus comes by
  void exporter.scrape(scrapeTimeoutMs(undefined))
  const signal = await stopped
  stopping.abort()
  await server.close()
  log.info({ signal }, 'couchestor exporter ended')
  return 0
}

async function exporterConfig(flags: Flags): Promise<ExporterConfig> {
  const path = flags['config']
  if (path === undefined) return parseExporterConfig('', 'defaults')
  let text: string
  try {
    text = await readText(path)
  } catch (e) {
    throw new UserError(
      'ConfigInvalid',
      `--config names ${path}, which cannot be read (${messageOf(e)})`,
      {
        fix: 'mount the ConfigMap couchestor-ceilometer-config there, or name another file',
        cause: e,
      },
    )
  }
  return parseExporterConfig(text, path)
}

async function openSession(
  { gnocchiEndpoint }: ExporterConfig,
  log: Log,
  registry: Registry,
): Promise<Session> {
  const defaults = parseConfig('', 'defaults')
  const config = { ...defaults, gnocchi: { ...defaults.gnocchi, endpoint: gnocchiEndpoint } }
  const credentials = openStackCredentials({
    env: process.env,
    config: () => config,
    readFile: readText,
  })
  return createSession({
    http: systemHttpClient({ ...(await credentials.tls()), connections: 8 }),
    credentials: credentials.read,
    clock: systemClock,
    random: Math.random,
    log,
    metrics: createOpenStackMetrics(registry),
  })
}
