import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { createGnocchiClient } from '../src/activity/gnocchi/client.ts'
import { createGnocchiSource } from '../src/activity/gnocchi/source.ts'
import { createPrometheusSource } from '../src/activity/prometheus/source.ts'
import { parseConfig } from '../src/api/config.ts'
import type { AuditSink } from '../src/audit/audit.ts'
import type { Clock } from '../src/clock.ts'
import { createController } from '../src/controller/controller.ts'
import type { Controller } from '../src/controller/controller.ts'
import { DEFAULT_TIMING } from '../src/controller/deps.ts'
import type { ControllerTiming, OutsideDeps } from '../src/controller/deps.ts'
import type { HttpClient } from '../src/http.ts'
import { createKubeClient } from '../src/kube/client.ts'
import { createEventRecorder } from '../src/kube/events.ts'
import { createElector } from '../src/kube/lease.ts'
import type { LeaseTiming } from '../src/kube/lease.ts'
import { silentLog } from '../src/log.ts'
import type { Log } from '../src/log.ts'
import { createRegistry } from '../src/metrics.ts'
import type { Registry } from '../src/metrics.ts'
import { createCopyService } from '../src/openstack/cinder-copies.ts'
import { createVolumeService } from '../src/openstack/cinder.ts'
import { readCredentials } from '../src/openstack/credentials.ts'
import { createSession } from '../src/openstack/session.ts'
import { createWorld, WORLD_ORIGINS } from '../src/sim/world.ts'
import type { World, WorldOptions } from '../src/sim/world.ts'
import type { RegisteredStrategy } from '../src/controller/moving/registered.ts'
import { STRATEGIES } from '../src/controller/strategies.ts'

const CRDS = join(import.meta.dirname, '..', 'crds')

/** Our CustomResourceDefinitions, parsed. */
function ourCrds(): unknown[] {
  return readdirSync(CRDS).map((file) => load(readFileSync(join(CRDS, file), 'utf8')))
}

export function worldWith(options: Omit<WorldOptions, 'crds'>): World {
  return createWorld({ ...options, crds: ourCrds() })
}

export type ControllerOptions = {
  readonly world: World
  readonly clock: Clock
  /** Time of watches, leases and back-off; default `clock`. */
  readonly processClock?: Clock
  /** Wraps each service's client: where crashes, delays and counts come in. */
  readonly http: (service: 'kube' | 'openstack' | 'prometheus') => HttpClient
  readonly identity: string
  /** Name of its own Pod. */
  readonly pod?: string
  readonly random?: () => number
  readonly configYaml?: string
  readonly timing?: Partial<ControllerTiming>
  readonly log?: Log
  readonly registry?: Registry
  readonly strategies?: readonly RegisteredStrategy[]
  /** Days on the clock go by faster where the lease is renewed less often. */
  readonly lease?: Partial<LeaseTiming>
  /** Default: nobody keeps the lines. */
  readonly auditSink?: AuditSink
  /** What it logs in with, asked at each login. Default: the member of project couchestor. */
  readonly credential?: () => { readonly id: string; readonly secret: string }
}

/** The real controller with the real clients, on simulators in this process. */
export function controllerOn(options: ControllerOptions): Controller {
  return createController(outsideOn(options))
}

/** What it is made of. */
export function outsideOn(options: ControllerOptions): OutsideDeps {
  const { world, clock, http, identity, log = silentLog, registry = createRegistry() } = options
  const random = options.random ?? (() => 0.5)
  const processClock = options.processClock ?? clock
  const kube = createKubeClient({
    http: http('kube'),
    server: WORLD_ORIGINS.kube,
    authorization: () => Promise.resolve(undefined),
    clock: processClock,
    random,
    log,
  })
  const { credential = () => world.cloud.seams.operator } = options
  const credentials = () => {
    const { id, secret } = credential()
    return readCredentials({
      env: {
        OS_AUTH_URL: `${WORLD_ORIGINS.identity}/v3`,
        OS_APPLICATION_CREDENTIAL_ID: id,
        OS_APPLICATION_CREDENTIAL_SECRET: secret,
        OS_REGION_NAME: 'RegionOne',
      },
    })
  }
  const session = createSession({ http: http('openstack'), credentials, clock, random, log })
  const Prometheus = createPrometheusSource({
    http: http('prometheus'),
    config: {
      endpoint: WORLD_ORIGINS.prometheus,
      queryTimeoutMs: 30_000,
      preset: 'agent',
      scrapeIntervalSeconds: 60,
    },
    clock,
    random,
    log,
  })
  const config = parseConfig(options.configYaml ?? '', 'config.yaml')
  const namespace = 'couchestor-system'
  let ids = 0
  return {
    kube,
    volumes: createVolumeService({ session, log }),
    copies: createCopyService({ session, log }),
    auditSink: options.auditSink ?? { write: () => Promise.resolve() },
    sources: (fleet) => ({
      Prometheus,
      Gnocchi: createGnocchiSource({
        client: createGnocchiClient({ session }),
        config: { granularitySeconds: 300, lagSeconds: 1200, questionMs: 60_000 },
        fleet,
        clock,
        log,
      }),
    }),
    clock,
    processClock,
    random,
    uuid: () => `${identity}-${++ids}`,
    log,
    metrics: registry,
    config: () => config,
    elector: createElector({
      client: kube,
      namespace,
      identity,
      clock: processClock,
      random,
      log,
      timing: options.lease ?? {},
    }),
    events: createEventRecorder({ client: kube, clock, log, instance: identity }),
    namespace,
    ...(options.pod === undefined ? {} : { pod: options.pod }),
    strategies: options.strategies ?? STRATEGIES,
    timing: { ...DEFAULT_TIMING, ...options.timing },
  }
}
