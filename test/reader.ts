import { onlyPrometheus } from '../src/activity/only-prometheus.ts'
import { createPrometheusSource } from '../src/activity/prometheus/source.ts'
import { parseConfig } from '../src/api/config.ts'
import type { Clock } from '../src/clock.ts'
import { KEYSTONE_LOGIN, readsOnly } from '../src/cli/reads-only.ts'
import type { Terminal } from '../src/cli/terminal.ts'
import { DEFAULT_TIMING } from '../src/controller/deps.ts'
import type { ReadingDeps } from '../src/controller/read-only.ts'
import type { HttpClient, HttpRequest } from '../src/http.ts'
import { createKubeClient } from '../src/kube/client.ts'
import { silentLog } from '../src/log.ts'
import { createRegistry } from '../src/metrics.ts'
import { createVolumeService } from '../src/openstack/cinder.ts'
import { readCredentials } from '../src/openstack/credentials.ts'
import { createSession } from '../src/openstack/session.ts'
import { inProcess } from '../src/sim/server.ts'
import { WORLD_ORIGINS } from '../src/sim/world.ts'
import type { World } from '../src/sim/world.ts'
import type { VirtualClock } from './virtual-clock.ts'
import { STRATEGIES } from '../src/controller/strategies.ts'

export type Reader = {
  readonly deps: ReadingDeps
  /** Every request that went out, as `METHOD path`. */
  readonly sent: string[]
}

/** What a read-only command has, on the simulators. Whatever would write fails in the test, too. */
export function readerOn(world: World, clock: Clock, configYaml = ''): Reader {
  const sent: string[] = []
  const network = inProcess(world.routes, { clock })
  const recorded: HttpClient = {
    request: (req: HttpRequest) => {
      sent.push(`${req.method} ${new URL(req.url).pathname}`)
      return network.request(req)
    },
    close: () => network.close(),
  }
  const base = { clock, random: () => 0.5, log: silentLog }
  const { id, secret } = world.cloud.seams.operator
  const credentials = readCredentials({
    env: {
      OS_AUTH_URL: `${WORLD_ORIGINS.identity}/v3`,
      OS_APPLICATION_CREDENTIAL_ID: id,
      OS_APPLICATION_CREDENTIAL_SECRET: secret,
      OS_REGION_NAME: 'RegionOne',
    },
  })
  const config = parseConfig(configYaml, 'config.yaml')
  const session = createSession({
    ...base,
    http: readsOnly(recorded, KEYSTONE_LOGIN),
    credentials,
  })
  return {
    sent,
    deps: {
      ...base,
      kube: createKubeClient({
        ...base,
        http: readsOnly(recorded),
        server: WORLD_ORIGINS.kube,
        authorization: () => Promise.resolve(undefined),
      }),
      volumes: createVolumeService({ session, log: silentLog }),
      sources: onlyPrometheus(
        createPrometheusSource({
          ...base,
          http: readsOnly(recorded, /\/api\/v1\/query(_range)?$/),
          config: {
            endpoint: WORLD_ORIGINS.prometheus,
            queryTimeoutMs: 30_000,
            preset: 'agent',
            scrapeIntervalSeconds: 60,
          },
        }),
      ),
      // pauses between windows of history need no waiting on a clock that stands still
      processClock: { ...clock, setTimer: (_, fn) => clock.setTimer(0, fn) },
      metrics: createRegistry(),
      config: () => config,
      strategies: STRATEGIES,
      timing: DEFAULT_TIMING,
    },
  }
}

export type Recorded = Terminal & { readonly text: () => string; readonly notes: () => string }

export function recordingTerminal(): Recorded {
  let text = ''
  let notes = ''
  return {
    out: (more) => void (text += more),
    note: (more) => void (notes += more),
    progress: () => {},
    text: () => text,
    notes: () => notes,
  }
}

/** Runs `work` while time stands still, and lets it pass only when nothing else goes on. */
export async function pumped<T>(clock: VirtualClock, work: Promise<T>): Promise<T> {
  let done = false
  const end = work.finally(() => (done = true))
  end.catch(() => {})
  for (let i = 0; i < 3000 && !done; i++) await clock.advance(i < 2000 ? 0 : 1000)
  return end
}
