import { createGnocchiSource } from '../activity/gnocchi/source.ts'
import type { ActivitySource, Fleet } from '../activity/types.ts'
import { readFlags } from '../cli/flags.ts'
import type {
  CloudConnection,
  DoctorDeps,
  KubeConnection,
  PrometheusConnection,
} from '../insight/diagnosis/deps.ts'
import { observed } from '../insight/diagnosis/observed-http.ts'
import { DOCTOR_FLAGS, runDoctor } from '../cli/doctor/run-doctor.ts'
import type { Flags } from '../cli/flags.ts'
import { readsOnly } from '../cli/reads-only.ts'
import type { Config } from '../api/config.ts'
import { createKubeClient } from '../kube/client.ts'
import { createTransport } from '../kube/transport.ts'
import type { KubeClient } from '../kube/types.ts'
import { silentLog } from '../log.ts'
import { createSession } from '../openstack/session.ts'
import type { Session } from '../openstack/session.ts'
import { VERSION } from '../version.ts'
import { openStackCredentials } from './cloud-credentials.ts'
import { ASKED_BY_POST, clusterAccess, PROMETHEUS_QUERY, READING_FLAGS } from './cluster-clients.ts'
import { gnocchiClient, gnocchiSourceConfig } from './gnocchi-config.ts'
import { prometheusSourceConfig, prometheusTls } from './prometheus-config.ts'
import { systemClock } from './system-clock.ts'
import { systemHttpClient } from './system-http.ts'
import { readText } from './system-files.ts'
import { systemTerminal } from './system-terminal.ts'

const { 'system-namespace': _, ...READING } = READING_FLAGS
export const DOCTOR_COMMAND_FLAGS = {
  ...DOCTOR_FLAGS,
  ...READING,
  config: {
    value: 'FILE',
    help: 'config.yaml; default: /etc/couchestor/config.yaml where it exists, else ConfigMap couchestor-config of the installation',
  },
  namespace: {
    value: 'NAME',
    short: 'n',
    help: "namespace of the installation; default: the pod's own, else couchestor-system",
  },
}

/** Reviews of access are posted, and never stored. */
const REVIEWS = /\/(self)?subject(access)?reviews$/

const base = { clock: systemClock, random: Math.random, log: silentLog }

/** `couchestor doctor`. Resolves to the exit code. */
export async function runDoctorCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('doctor', args, DOCTOR_COMMAND_FLAGS)
  const timeoutMs = Number(flags['timeout']) * 1000
  const { kube, own } = await connectKube(flags)
  const namespace = flags['namespace'] ?? own
  const deps: DoctorDeps = {
    ...base,
    timeoutMs,
    namespace,
    policy: flags['policy'],
    version: VERSION,
    kube,
    readFile: readText,
    connectCloud: (config) => connectCloud(config, kube.client, namespace),
    connectPrometheus,
    connectGnocchi,
  }
  const code = await runDoctor(flags, deps, systemTerminal)
  await kube.client.close()
  return code
}

async function connectKube(
  flags: Flags,
): Promise<{ readonly kube: KubeConnection; readonly own: string }> {
  const access = await clusterAccess(flags)
  const { http, seen } = observed(
    readsOnly(systemHttpClient({ ...access.tls, connections: 8 }), REVIEWS),
    systemClock,
  )
  const options = { ...base, http, server: access.server, authorization: access.authorization }
  const client = createKubeClient(options)
  const transport = createTransport(options)
  return { own: access.namespace, kube: { client, transport, server: access.server, seen } }
}

async function connectCloud(
  config: Config,
  kube: KubeClient,
  namespace: string,
): Promise<CloudConnection> {
  const source = openStackCredentials({
    kube,
    namespace,
    env: process.env,
    config: () => config,
    readFile: readText,
  })
  const credentials = await source.read()
  const client = systemHttpClient({ ...(await source.tls()), connections: 8 })
  const { http, seen } = observed(readsOnly(client, ASKED_BY_POST), systemClock)
  return { credentials, session: createSession({ ...base, http, credentials }), http, seen }
}

function connectPrometheus(config: Config): PrometheusConnection | undefined {
  if (config.prometheus.endpoint === undefined) return undefined
  const client = systemHttpClient({ ...prometheusTls(config), connections: 4 })
  const { http, seen } = observed(readsOnly(client, PROMETHEUS_QUERY), systemClock)
  return { http, seen, config: prometheusSourceConfig(config) }
}

function connectGnocchi(config: Config, session: Session, fleet: Fleet): ActivitySource {
  const client = gnocchiClient(config, session)
  return createGnocchiSource({ ...base, client, config: gnocchiSourceConfig(config), fleet })
}
