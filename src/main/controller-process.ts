import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { loadConfig } from '../api/config.ts'
import type { Config } from '../api/config.ts'
import { notices } from '../api/config-notices.ts'
import { booleanFlag, numberFlag, readFlags } from '../cli/flags.ts'
import type { Flags, FlagSpec } from '../cli/flags.ts'
import { activitySources } from './activity-sources.ts'
import { auditSink } from './audit-sink.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import { watchConfig } from './config-file.ts'
import { createController } from '../controller/controller.ts'
import type { Controller } from '../controller/controller.ts'
import { DEFAULT_TIMING } from '../controller/deps.ts'
import { createKubeClient } from '../kube/client.ts'
import { loadKubeAccess } from '../kube/credentials.ts'
import { createEventRecorder } from '../kube/events.ts'
import { createFreeElector } from '../kube/free-elector.ts'
import { createElector } from '../kube/lease.ts'
import { createLog, LOG_LEVELS } from '../log.ts'
import type { Log } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import type { Registry } from '../metrics.ts'
import { createCopyService } from '../openstack/cinder-copies.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import { CredentialEnd } from '../openstack/credential-end.ts'
import { createOpenStackMetrics } from '../openstack/openstack-metrics.ts'
import { createSession } from '../openstack/session.ts'
import { gnocchiMapping } from './gnocchi-config.ts'
import { serveRoutes } from './probe-server.ts'
import { checkProvider, logLevel } from './process-flags.ts'
import { registerProcessMetrics } from './process-metrics.ts'
import { systemClock } from './system-clock.ts'
import { systemHttpClient } from './system-http.ts'
import { readText, readTextNow } from './system-files.ts'
import { STRATEGIES } from '../controller/strategies.ts'

export const CONTROLLER_FLAGS = {
  config: {
    value: 'FILE',
    help: 'config.yaml, such as /etc/couchestor/config.yaml; without it, all keys have their defaults',
  },
  'leader-elect': {
    help: 'wait for the Lease couchestor-controller before anything is moved',
    default: 'true',
  },
  'cloud-provider': { value: 'NAME', help: 'openstack is the only one', default: 'openstack' },
  ...CLUSTER_FLAGS,
  'metrics-port': { value: 'PORT', help: 'port of /metrics', default: '8080' },
  'health-port': { value: 'PORT', help: 'port of /healthz and /readyz', default: '8081' },
  'log-level': {
    value: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')}; else COUCHESTOR_LOG_LEVEL, else info`,
  },
} as const satisfies Record<string, FlagSpec>

/** Longest a clean end may take; the pod is killed after 30 s. */
const STOP_MS = 25_000
/** Longest a process may outlive its lease, whatever it waits for. */
const LOST_MS = 8_000

/** `couchestor controller`: real clients, clocks and signals around createController. Resolves to the exit code. */
export async function runController(args: readonly string[]): Promise<number> {
  const flags = readFlags('controller', args, CONTROLLER_FLAGS)
  // the heap grows more slowly: a fifth less memory, no slower at what takes most of its time
  setFlagsFromString('--optimize-for-size')
  const log = createLog(logLevel(flags))
  checkProvider(flags)
  const ports = {
    metrics: numberFlag(flags, 'metrics-port', 0, 65_535),
    health: numberFlag(flags, 'health-port', 0, 65_535),
  }
  const leaderElect = booleanFlag(flags, 'leader-elect')
  const path = flags['config']
  const config =
    path === undefined
      ? await loadConfig('defaults', () => Promise.resolve(''))
      : await loadConfig(path, readText)
  for (const notice of [...notices(config), ...gnocchiMapping(config).notes])
    log.info({ notice }, 'config.yaml')
  const stopping = stopOnSignals(log)
  const current = watchConfig({
    path,
    first: config,
    readFile: readText,
    clock: systemClock,
    log,
    signal: stopping,
  })
  const registry = createRegistry()
  registerProcessMetrics(registry)
  const controller = await build({ flags, config, current, log, registry, leaderElect })
  const servers = await Promise.all([
    serveRoutes(ports.metrics, {
      '/metrics': async () => ({
        status: 200,
        type: registry.contentType,
        body: (await registry.metrics()) + (await controller.volumeMetrics()),
      }),
    }),
    serveRoutes(ports.health, probes(controller, stopping)),
  ])
  log.info(
    { metricsPort: servers[0].port, healthPort: servers[1].port },
    'couchestor controller started',
  )
  const end = await controller.run(stopping)
  await Promise.all(servers.map((s) => s.close()))
  log.info({ end }, 'couchestor controller ended')
  return end === 'stopped' ? 0 : 1
}

type Parts = {
  readonly flags: Flags
  readonly config: Config
  readonly current: () => Config
  readonly log: Log
  readonly registry: Registry
  readonly leaderElect: boolean
}

async function build({
  flags,
  config,
  current,
  log,
  registry,
  leaderElect,
}: Parts): Promise<Controller> {
  const clock = systemClock
  const random = Math.random
  const { kubeconfig, context, cluster, user } = flags
  const access = await loadKubeAccess({
    kubeconfigPath: kubeconfig,
    choice: { context, cluster, user },
    env: process.env,
    readFile: readTextNow,
    clock,
  })
  const kube = createKubeClient({
    http: systemHttpClient({ ...access.tls, connections: 8 }),
    watchHttp: systemHttpClient({ ...access.tls, connections: 16 }),
    server: access.server,
    authorization: access.authorization,
    clock,
    random,
    log,
    metrics: registry,
  })
  const pod = process.env['POD_NAME'] || hostname()
  const identity = `${pod}-${randomUUID().slice(0, 8)}`
  const namespace = process.env['POD_NAMESPACE'] || access.namespace
  const electorOptions = {
    client: kube,
    namespace,
    identity,
    clock,
    random,
    log,
    metrics: registry,
    onLost: () =>
      exitAfter(LOST_MS, log, 'the lease is lost and work did not end in time; exiting'),
  }
  const credentials = openStackCredentials({
    kube,
    namespace,
    env: process.env,
    config: current,
    readFile: readText,
  })
  const credentialEnd = new CredentialEnd(registry, log)
  const session = createSession({
    http: systemHttpClient({ ...(await credentials.tls()), connections: 8 }),
    credentials: credentials.read,
    clock,
    random,
    log,
    metrics: createOpenStackMetrics(registry),
    onLogin: (owner) => void credentialEnd.note(session, owner),
  })
  const volumes = createVolumeService({ session, log })
  return createController({
    kube,
    volumes,
    copies: createCopyService({ session, log }),
    auditSink: auditSink(() => current().audit.path, process.stdout),
    sources: activitySources({ config, session, clock, random, log, metrics: registry }),
    clock,
    processClock: clock,
    random,
    uuid: randomUUID,
    log,
    metrics: registry,
    config: current,
    elector: leaderElect ? createElector(electorOptions) : createFreeElector(electorOptions),
    events: createEventRecorder({
      client: kube,
      clock,
      log,
      instance: identity,
      metrics: registry,
    }),
    namespace,
    pod,
    strategies: STRATEGIES,
    timing: DEFAULT_TIMING,
  })
}

function probes(controller: Controller, stopping: AbortSignal) {
  const answer = ({ ok, why }: { ok: boolean; why: string }) =>
    Promise.resolve({ status: ok ? 200 : 503, body: `${why}\n` })
  return {
    '/healthz': () => answer(controller.healthy()),
    '/readyz': () => answer(stopping.aborted ? { ok: false, why: 'stopping' } : controller.ready()),
  }
}

/** First signal: end cleanly. Second one, or too long a wait: end at once. */
function stopOnSignals(log: Log): AbortSignal {
  const stop = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(1)
    log.info({ signal: name }, 'stopping')
    stop.abort()
    exitAfter(STOP_MS, log, 'could not stop in time; exiting')
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return stop.signal
}

/** The last resort: nothing that hangs, and nothing that throws on the way out, keeps the process. */
function exitAfter(ms: number, log: Log, message: string): void {
  setTimeout(() => {
    try {
      log.error({}, message)
    } finally {
      process.exit(1)
    }
  }, ms).unref()
}
