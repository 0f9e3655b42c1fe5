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
import { ConnectionError } from '../http.ts'
import type { HttpClient } from '../http.ts'
import { createKubeClient } from '../kube/client.ts'
import { accessProblem, isJsonObject, notKubernetes } from '../kube/access-problem.ts'
import { apiErrorFrom } from '../kube/api-error.ts'
import { loadKubeAccess } from '../kube/credentials.ts'
import type { KubeAccess } from '../kube/credentials.ts'
import { CONFIG_MAP } from '../kube/resources.ts'
import { ApiError } from '../kube/types.ts'
import type { KubeClient, KubeObject } from '../kube/types.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createVolumeService } from '../openstack/cinder.ts'
import { createSession } from '../openstack/session.ts'
import type { Session } from '../openstack/session.ts'
import { activitySources } from './activity-sources.ts'
import { CLUSTER_FLAGS } from './cluster-flags.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { systemClock } from './system-clock.ts'
import { systemHttpClient } from './system-http.ts'
import { readText, readTextNow } from './system-files.ts'
import { STRATEGIES } from '../controller/strategies.ts'

export const READING_FLAGS = {
  ...CLUSTER_FLAGS,
  config: {
    value: 'FILE',
    help: 'config.yaml; default: ConfigMap couchestor-config of the installation',
  },
  'system-namespace': {
    value: 'NAME',
    help: 'namespace of the installation',
    default: DEFAULT_NAMESPACE,
  },
  prometheus: {
    value: 'URL',
    url: true,
    help: 'Prometheus as reached from here; default: prometheus.endpoint of config.yaml',
  },
} as const satisfies Record<string, FlagSpec>

/** Address, certificates and credential that the flags name. Throws `UserError`. */
export function clusterAccess(flags: Flags): Promise<KubeAccess> {
  const { kubeconfig, context, cluster, user } = flags
  return loadKubeAccess({
    kubeconfigPath: kubeconfig,
    choice: { context, cluster, user },
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    env: process.env,
    readFile: readTextNow,
    clock: systemClock,
  })
}

export type ClusterClient = { readonly kube: KubeClient; readonly namespace: string }

/**
 * A client for the cluster of the kubeconfig, and the namespace that kubectl would use; `wrap` sees every request.
 * Throws one `UserError` when the API server cannot be used.
 */
export async function clusterClient(
  flags: Flags,
  wrap: (http: HttpClient) => HttpClient = (http) => http,
): Promise<ClusterClient> {
  const access = await clusterAccess(flags)
  const options = {
    http: wrap(systemHttpClient({ ...access.tls, connections: 8 })),
    server: access.server,
    authorization: access.authorization,
    clock: systemClock,
    random: Math.random,
    log: silentLog,
  }
  await checkAccess(options.http, access)
  return { kube: createKubeClient(options), namespace: access.defaultNamespace }
}

const FIRST_ANSWER_MS = 10_000

/** Whatever is wrong between here and the API server shows at the first request, and is said once and at once. */
async function checkAccess(http: HttpClient, access: KubeAccess): Promise<void> {
  const { server, source, authorization } = access
  const url = `${server}/version`
  const ask = async (refresh: boolean) => {
    const credential = await authorization(refresh)
    return http.request({
      method: 'GET',
      url,
      headers: {
        accept: 'application/json',
        ...(credential !== undefined && { authorization: credential }),
      },
      timeoutMs: FIRST_ANSWER_MS,
    })
  }
  const problem = await ask(false)
    .then((first) => (first.status === 401 ? ask(true) : first))
    .then(async ({ status, headers, text }) => {
      const body = await text()
      // the version is nobody's secret, but may be kept as one
      if (status === 403) return undefined
      if (status >= 300)
        return accessProblem(
          apiErrorFrom(status, headers, body, 'GET /version'),
          server,
          named(source),
        )
      return isJsonObject(body) ? undefined : notKubernetes(server, named(source))
    })
    .catch((e: unknown) => {
      if (e instanceof ConnectionError) return accessProblem(e, server, named(source))
      throw e
    })
  if (problem !== undefined)
    throw new UserError('KubeUnreachable', problem.what, { fix: problem.fix })
}

function named(source: string): string {
  return source === 'in-cluster' ? 'the service account of this pod' : `kubeconfig ${source}`
}

/** Everything that plan and explain read with. No client among them can write. */
export async function readingDeps(
  flags: Flags,
  terminal: Terminal,
): Promise<{ readonly deps: ReadingDeps; readonly namespace: string }> {
  const { kube, namespace: usual } = await clusterClient(flags, (http) => readsOnly(http))
  const namespace = flags['system-namespace'] ?? DEFAULT_NAMESPACE
  const config = withPrometheus(await configOf(flags, kube, namespace, terminal), flags)
  const base = { clock: systemClock, random: Math.random, log: silentLog }
  const session = await cloudSession({ kube, namespace, config }, (http) =>
    readsOnly(http, ASKED_BY_POST),
  )
  const sources = activitySources({
    ...base,
    config,
    session,
    wrap: (http) => readsOnly(http, PROMETHEUS_QUERY),
  })
  const deps: ReadingDeps = {
    ...base,
    kube,
    volumes: createVolumeService({ session, log: silentLog }),
    sources: (fleet) => {
      const { Prometheus, Gnocchi } = sources(fleet)
      return { Prometheus: reporting(Prometheus, terminal), Gnocchi: reporting(Gnocchi, terminal) }
    },
    processClock: systemClock,
    metrics: createRegistry(),
    config: () => config,
    strategies: STRATEGIES,
    timing: DEFAULT_TIMING,
  }
  return { deps, namespace: usual }
}

/** A session in the project of the credential; `wrap` sees every request. Throws one `UserError` without a credential. */
export async function cloudSession(
  of: { readonly kube: KubeClient; readonly namespace: string; readonly config: Config },
  wrap: (http: HttpClient) => HttpClient,
): Promise<Session> {
  const { kube, namespace, config } = of
  const credentials = openStackCredentials({
    kube,
    namespace,
    env: process.env,
    config: () => config,
    readFile: readText,
  })
  await credentials.read().catch(failWithoutCloud)
  return createSession({
    clock: systemClock,
    random: Math.random,
    log: silentLog,
    http: wrap(systemHttpClient({ ...(await credentials.tls()), connections: 8 })),
    credentials: credentials.read,
  })
}

function failWithoutCloud(e: unknown): never {
  if (!(e instanceof UserError)) throw e
  throw new UserError(
    'NoCloud',
    `the tier of a volume is its type in Cinder, and Cinder cannot be asked from here: ${e.what}`,
    { fix: e.fix, cause: e },
  )
}

export async function configOf(
  flags: Flags,
  kube: KubeClient,
  namespace: string,
  terminal: Terminal,
): Promise<Config> {
  const path = flags['config']
  if (path !== undefined) return loadConfig(path, readText)
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
function reporting(source: ActivitySource, terminal: Terminal): ActivitySource {
  return {
    ...source,
    window: (query) => {
      const end = new Date(query.endSeconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
      terminal.progress(`reading usage up to ${end}`)
      return source.window(query)
    },
  }
}
