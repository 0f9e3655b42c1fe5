import { onlyPrometheus } from '../../activity/only-prometheus.ts'
import { createPrometheusSource } from '../../activity/prometheus/source.ts'
import { parseConfig } from '../../api/config.ts'
import type { Clock } from '../../clock.ts'
import { createController } from '../../controller/controller.ts'
import type { Controller } from '../../controller/controller.ts'
import { DEFAULT_TIMING } from '../../controller/deps.ts'
import type { ControllerTiming } from '../../controller/deps.ts'
import { createHttpClient } from '../../http.ts'
import { createKubeClient } from '../../kube/client.ts'
import { createEventRecorder } from '../../kube/events.ts'
import { createElector } from '../../kube/lease.ts'
import { silentLog } from '../../log.ts'
import { createRegistry } from '../../metrics.ts'
import type { Registry } from '../../metrics.ts'
import { createCopyService } from '../../openstack/cinder-copies.ts'
import { createVolumeService } from '../../openstack/cinder.ts'
import { readCredentials } from '../../openstack/credentials.ts'
import { createSession } from '../../openstack/session.ts'
import { stampedWith } from './day-clock.ts'
import { mortalClock, mortalHttp } from './mortal.ts'
import { CONFIG_YAML } from './policies.ts'
import type { Stage } from './stage.ts'
import { STRATEGIES } from '../../controller/strategies.ts'

export type ReplicaOptions = {
  readonly name: string
  readonly stage: Stage
  readonly day: Clock
  readonly clock: Clock
  readonly random: () => number
  readonly uuid: () => string
}

/** One controller process: the real controller with its own connections, timers and metrics. */
export type Replica = {
  readonly name: string
  readonly registry: Registry
  readonly controller: Controller
  readonly leads: boolean
  /** `leaseTransitions` of its term; 0 when it never led. */
  readonly epoch: number
  /** As SIGKILL: its sockets break, its timers never fire, nothing is released. */
  kill(): void
  /** As SIGTERM: running steps are saved, the lease is released. */
  stop(): Promise<void>
  /** Resolves when it ended by itself, which it does only after it lost its lease. */
  readonly lost: Promise<void>
}

/** Short, so that a change of leaders does not take a quarter of the demo. Real milliseconds. */
const LEASE = { leaseDurationMs: 3000, renewDeadlineMs: 2000, retryPeriodMs: 500 }
const NAMESPACE = 'couchestor-system'
const MINUTE = 60_000

/** Times of the day that is played: 5 of its minutes are a fifth of a second. */
const TIMING: ControllerTiming = {
  ...DEFAULT_TIMING,
  firstPollMs: 5 * MINUTE,
  longestPollMs: 15 * MINUTE,
  verifyMs: 5 * MINUTE,
  callMs: 30 * MINUTE,
  recheckMs: 10 * MINUTE,
  fenceMarginMs: 100,
  progressMs: 5 * MINUTE,
}

export function startReplica(options: ReplicaOptions): Replica {
  const { name } = options
  const life = new AbortController()
  const stopping = new AbortController()
  const clients = ['kube', 'watch', 'openstack', 'prometheus'].map(() =>
    createHttpClient({ connections: 16 }),
  )
  const registry = createRegistry()
  const https = clients.map((c) => mortalHttp(c, life.signal))
  const { controller, elector } = build(options, https, registry, life.signal)
  const run = controller.run(stopping.signal)
  const close = async () => void (await Promise.all(clients.map((c) => c.close())))
  return {
    name,
    registry,
    controller,
    get leads() {
      return elector.isLeader && !life.signal.aborted
    },
    get epoch() {
      return elector.epoch
    },
    kill: () => {
      life.abort()
      void close()
    },
    stop: async () => {
      if (life.signal.aborted) return
      stopping.abort()
      await run
      await close()
    },
    lost: run.then((end) => (end === 'lost' ? close() : new Promise(() => {}))),
  }
}

type Https = ReturnType<typeof mortalHttp>[]

function build(options: ReplicaOptions, https: Https, registry: Registry, life: AbortSignal) {
  const { name, stage, random } = options
  const clock = mortalClock(options.clock, life)
  const day = mortalClock(options.day, life)
  const [kubeHttp, watchHttp, openstackHttp, prometheusHttp] = https as [
    Https[0],
    Https[0],
    Https[0],
    Https[0],
  ]
  const common = { clock, random, log: silentLog }
  const kube = createKubeClient({
    ...common,
    http: kubeHttp,
    watchHttp,
    server: stage.urls.kube,
    authorization: () => Promise.resolve(undefined),
    metrics: registry,
  })
  const session = createSession({ ...common, http: openstackHttp, credentials: login(stage) })
  const elector = createElector({
    ...common,
    client: kube,
    namespace: NAMESPACE,
    identity: name,
    metrics: registry,
    timing: LEASE,
  })
  const config = parseConfig(CONFIG_YAML, 'config.yaml')
  const controller = createController({
    kube,
    volumes: createVolumeService({ session, log: silentLog }),
    copies: createCopyService({ session, log: silentLog }),
    // what happens in the demo is on the screen, and nowhere else
    auditSink: { write: () => Promise.resolve() },
    sources: onlyPrometheus(
      createPrometheusSource({
        ...common,
        http: prometheusHttp,
        config: { endpoint: stage.urls.prometheus, queryTimeoutMs: 30_000, preset: 'agent' },
      }),
    ),
    clock: day,
    processClock: clock,
    random,
    uuid: options.uuid,
    log: silentLog,
    metrics: registry,
    config: () => config,
    elector,
    events: createEventRecorder({
      client: kube,
      clock: stampedWith(day, clock),
      log: silentLog,
      instance: name,
    }),
    namespace: NAMESPACE,
    strategies: STRATEGIES,
    timing: TIMING,
  })
  return { controller, elector }
}

function login({ world, urls }: Stage) {
  const { id, secret } = world.cloud.seams.operator
  return readCredentials({
    env: {
      OS_AUTH_URL: `${urls.identity}/v3`,
      OS_APPLICATION_CREDENTIAL_ID: id,
      OS_APPLICATION_CREDENTIAL_SECRET: secret,
      OS_REGION_NAME: 'RegionOne',
    },
  })
}
