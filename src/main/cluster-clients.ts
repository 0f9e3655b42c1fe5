import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { ActivitySource } from '../activity/types.ts'
import { loadConfig, parseConfig } from '../api/config.ts'
import type { Config } from '../api/config.ts'
import { DEFAULT_NAMESPACE } from '../api/names.ts'
import type { Flags, FlagSpec } from '../cli/flags.ts'
import { KEYSTONE_LOGIN, readsOnly } from '../cli/reads-only.ts'
import type { Terminal } from '../cli/terminal.ts'
import { DEFAULT_TIMING } from '../controller/deps.ts'
import type { ReadingDeps } from '../controller/read-only.ts'
import { UserError } from '../errors.ts'
import { createHttpClient } from '../http.ts'
import type { HttpClient } from '../http.ts'
import { createKubeClient } from '../kube/client.ts'
import { loadKubeAccess } from '../kube/credentials.ts'
import { CONFIG_MAP } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import { createSession } from '../openstack/session.ts'
import { activitySources } from './activity-sources.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { systemClock } from './system-clock.ts'

export const CLUSTER_FLAGS = {
  kubeconfig: { value: 'FILE', help: 'kubeconfig; left out = KUBECONFIG, the pod, ~/.kube/config' },
} as const satisfies Record<string, FlagSpec>

export const READING_FLAGS = {
  ...CLUSTER_FLAGS,
  config: {
    value: 'FILE',
    help: 'config.yaml; left out = ConfigMap couchestor-config of the installation',
  },
  'system-namespace': {
    value: 'NAME',
    help: 'namespace of the installation',
    default: DEFAULT_NAMESPACE,
  },
  prometheus: {
    value: 'URL',
    help: 'Prometheus as reached from here; left out = prometheus.endpoint of config.yaml',
  },
} as const satisfies Record<string, FlagSpec>

/** A client for the cluster of the kubeconfig; `wrap` sees every request. */
export async function clusterClient(
  flags: Flags,
  wrap: (http: HttpClient) => HttpClient = (http) => http,
): Promise<KubeClient> {
  const access = await loadKubeAccess({
    kubeconfigPath: flags['kubeconfig'],
    env: process.env,
    readFile: (path) => readFileSync(path, 'utf8'),
    clock: systemClock,
  })
  return createKubeClient({
    http: wrap(createHttpClient({ ...access.tls, connections: 8 })),
    server: access.server,
    authorization: access.authorization,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  })
}

/** Everything that plan and explain read with. No client among them can write. */
export async function readingDeps(flags: Flags, terminal: Terminal): Promise<ReadingDeps> {
  const kube = await clusterClient(flags, (http) => readsOnly(http))
  const namespace = flags['system-namespace'] ?? DEFAULT_NAMESPACE
  const config = withPrometheus(await configOf(flags, kube, namespace, terminal), flags)
  const base = { clock: systemClock, random: Math.random, log: silentLog }
  const credentials = openStackCredentials({
    kube,
    namespace,
    env: process.env,
    config: () => config,
    readFile: (p) => readFile(p, 'utf8'),
  })
  await credentials.read().catch(tellWithoutCloud)
  const session = createSession({
    ...base,
    http: readsOnly(
      createHttpClient({ ...(await credentials.tls()), connections: 8 }),
      ASKED_BY_POST,
    ),
    credentials: credentials.read,
  })
  const sources = activitySources({
    ...base,
    config,
    session,
    wrap: (http) => readsOnly(http, PROMETHEUS_QUERY),
  })
  return {
    ...base,
    kube,
    volumes: createVolumeService({ session, log: silentLog }),
    sources: (fleet) => {
      const { Prometheus, Gnocchi } = sources(fleet)
      return { Prometheus: telling(Prometheus, terminal), Gnocchi: telling(Gnocchi, terminal) }
    },
    processClock: systemClock,
    metrics: createRegistry(),
    config: () => config,
    timing: DEFAULT_TIMING,
  }
}

function tellWithoutCloud(e: unknown): never {
  if (!(e instanceof UserError)) throw e
  throw new UserError(
    'NO_CLOUD',
    `the tier of a volume is its type in Cinder, and Cinder cannot be asked from here: ${e.message}`,
    { cause: e },
  )
}

async function configOf(
  flags: Flags,
  kube: KubeClient,
  namespace: string,
  terminal: Terminal,
): Promise<Config> {
  const path = flags['config']
  if (path !== undefined) return loadConfig(path, (p) => readFile(p, 'utf8'))
  const where = `ConfigMap ${namespace}/couchestor-config`
  try {
    const map = await kube.get<KubeObject & { data?: Record<string, string> }>(
      CONFIG_MAP,
      'couchestor-config',
      namespace,
    )
    return parseConfig(map.data?.['config.yaml'] ?? '', where)
  } catch (e) {
    if (!(e instanceof ApiError)) throw e
    terminal.note(
      `${where} cannot be read (${e.reason}); defaults hold. Give --config FILE for your own\n`,
    )
    return parseConfig('', 'defaults')
  }
}

function withPrometheus(config: Config, flags: Flags): Config {
  const endpoint = flags['prometheus']
  if (endpoint === undefined) return config
  return { ...config, prometheus: { ...config.prometheus, endpoint } }
}

/** Keystone gives tokens, and Gnocchi answers for many disks, by POST. */
export const ASKED_BY_POST = new RegExp(`${KEYSTONE_LOGIN.source}|/v1/aggregates$`)

/** Long queries are posted, as forms. */
export const PROMETHEUS_QUERY = /\/api\/v1\/query(_range)?$/

/** History of weeks is read window by window: a person wants to see that it goes on. */
function telling(source: ActivitySource, terminal: Terminal): ActivitySource {
  return {
    name: source.name,
    lagSeconds: source.lagSeconds,
    window: (query) => {
      const end = new Date(query.endSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
      terminal.progress(`reading usage up to ${end}`)
      return source.window(query)
    },
  }
}
