import { unavailableSource } from '../../src/activity/unavailable.ts'
import type { Clock } from '../../src/clock.ts'
import type { DoctorDeps } from '../../src/insight/diagnosis/deps.ts'
import type { Diagnosis } from '../../src/insight/diagnosis/diagnose.ts'
import { observed } from '../../src/insight/diagnosis/observed-http.ts'
import { runDoctor } from '../../src/cli/doctor/run-doctor.ts'
import { readsOnly } from '../../src/cli/reads-only.ts'
import type { HttpClient, HttpRequest } from '../../src/http.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { createTransport } from '../../src/kube/transport.ts'
import { silentLog } from '../../src/log.ts'
import { readCredentials } from '../../src/openstack/credentials.ts'
import { createSession } from '../../src/openstack/session.ts'
import { inProcess } from '../../src/sim/server.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'
import { pumped, recordingTerminal } from '../reader.ts'
import type { VirtualClock } from '../virtual-clock.ts'

/** The sim's services under https, so that a healthy world does not ask in clear. */
const SECURE = { identity: 'https://keystone.sim', volume: 'https://cinder.sim' }

export type SimDoctor = {
  readonly code: number
  readonly diagnosis: Diagnosis
  readonly text: string
  /** Codes of problems and warnings. */
  readonly codes: readonly string[]
  /** Every request that went out, as `METHOD path`. */
  readonly sent: readonly string[]
}

export type SimDoctorOptions = {
  readonly configYaml?: string
  readonly env?: Readonly<Record<string, string>>
  readonly flags?: Readonly<Record<string, string>>
  readonly readFile?: (path: string) => Promise<string>
}

const NO_FILE = () => Promise.reject(new Error('ENOENT'))

/** The whole doctor on simulators; whatever would write fails in the test. */
export async function doctorOn(
  world: World,
  clock: VirtualClock,
  options: SimDoctorOptions = {},
): Promise<SimDoctor> {
  const sent: string[] = []
  const terminal = recordingTerminal()
  const { configYaml } = options
  const readFile =
    options.readFile ?? (configYaml === undefined ? NO_FILE : () => Promise.resolve(configYaml))
  const deps = depsOn(world, clock, { ...options, readFile }, sent)
  const flags = { output: 'json', 'fail-on': 'problem', ...options.flags }
  const code = await pumped(clock, runDoctor(flags, deps, terminal))
  const diagnosis = JSON.parse(terminal.text()) as Diagnosis
  const bad = diagnosis.findings.filter((f) => f.severity !== 'unknown')
  return { code, diagnosis, text: terminal.text(), codes: bad.map((f) => f.code), sent }
}

function depsOn(
  world: World,
  clock: Clock,
  { env, readFile }: SimDoctorOptions & Required<Pick<SimDoctorOptions, 'readFile'>>,
  sent: string[],
): DoctorDeps {
  const base = { clock, random: () => 0.5, log: silentLog }
  world.cloud.seams.setOrigin(SECURE)
  const routes = {
    ...world.routes,
    [SECURE.identity]: world.cloud.keystone,
    [SECURE.volume]: world.cloud.cinder,
  }
  const network = inProcess(routes, { clock })
  const recorded: HttpClient = {
    request: (req: HttpRequest) => {
      sent.push(`${req.method} ${new URL(req.url).pathname}`)
      return network.request(req)
    },
    close: () => network.close(),
  }
  const through = (posts: RegExp) => observed(readsOnly(recorded, posts), clock)
  const kube = through(/reviews$/)
  const cluster = {
    ...base,
    http: kube.http,
    server: WORLD_ORIGINS.kube,
    authorization: () => Promise.resolve(undefined),
  }
  return {
    ...base,
    timeoutMs: 20_000,
    namespace: 'couchestor-system',
    policy: undefined,
    version: '0.1.0',
    readFile,
    kube: {
      client: createKubeClient(cluster),
      transport: createTransport(cluster),
      server: WORLD_ORIGINS.kube,
      seen: kube.seen,
    },
    connectCloud: () => {
      const { id, secret } = world.cloud.seams.operator
      const credentials = readCredentials({
        env: {
          OS_AUTH_URL: `${SECURE.identity}/v3`,
          OS_APPLICATION_CREDENTIAL_ID: id,
          OS_APPLICATION_CREDENTIAL_SECRET: secret,
          OS_REGION_NAME: 'RegionOne',
          ...env,
        },
      })
      const { http, seen } = through(/\/auth\/tokens$/)
      return Promise.resolve({
        credentials,
        session: createSession({ ...base, http, credentials }),
        http,
        seen,
      })
    },
    connectPrometheus: (config) => {
      const { http, seen } = through(/\/api\/v1\/query$/)
      const { prometheus } = config
      if (prometheus.endpoint === undefined) return undefined
      const { endpoint, matchers, preset, queryTimeoutMs } = prometheus
      return { http, seen, config: { endpoint, matchers, preset, queryTimeoutMs } }
    },
    connectGnocchi: () => unavailableSource('gnocchi', 'not simulated'),
  }
}

/** For tests that change one key. */
export const CONFIG = `prometheus: {endpoint: '${WORLD_ORIGINS.prometheus}'}`
