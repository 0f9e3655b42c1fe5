import { onlyPrometheus } from '../../src/activity/only-prometheus.ts'
import { randomUUID } from 'node:crypto'
import type { Histogram } from 'prom-client'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import { parseConfig } from '../../src/api/config.ts'
import type { Clock } from '../../src/clock.ts'
import { createController } from '../../src/controller/controller.ts'
import type { Controller } from '../../src/controller/controller.ts'
import { DEFAULT_TIMING } from '../../src/controller/deps.ts'
import { createHttpClient } from '../../src/http.ts'
import { createKubeClient } from '../../src/kube/client.ts'
import { createEventRecorder } from '../../src/kube/events.ts'
import { createElector } from '../../src/kube/lease.ts'
import { createLog } from '../../src/log.ts'
import { systemClock } from '../../src/main/system-clock.ts'
import { createRegistry } from '../../src/metrics.ts'
import { createCopyService } from '../../src/openstack/cinder-copies.ts'
import { createVolumeService } from '../../src/openstack/cinder.ts'
import { readCredentials } from '../../src/openstack/credentials.ts'
import { createSession } from '../../src/openstack/session.ts'
import { answerQuestions } from './messages.ts'
import type { SimUrls } from './sim-process.ts'
import { openStackEnv } from './environment.ts'
import { percentile } from './table.ts'
import { STRATEGIES } from '../../src/controller/strategies.ts'

/** The real controller and clients, with a decision clock that jumps, so that windows need not be waited for. */

type Waiting = { readonly at: number; readonly fn: () => void; readonly real: { cancel(): void } }

let ahead = 0
const waiting = new Set<Waiting>()

/** The machine's clock, plus what has been jumped over. */
const jumping: Clock = {
  ...systemClock,
  now: () => Date.now() + ahead,
  setTimer: (ms, fn) => {
    const fire = () => {
      waiting.delete(timer)
      fn()
    }
    const timer: Waiting = {
      at: jumping.now() + ms,
      fn: fire,
      real: systemClock.setTimer(ms, fire),
    }
    waiting.add(timer)
    return {
      cancel: () => {
        timer.real.cancel()
        waiting.delete(timer)
      },
    }
  },
}

function jump(ms: number): void {
  ahead += ms
  for (const timer of waiting)
    if (timer.at <= jumping.now()) {
      timer.real.cancel()
      timer.fn()
    }
}

const registry = createRegistry()
const passes: number[] = []
let controller: Controller | undefined
const stopping = new AbortController()

function start(urls: SimUrls): void {
  const log = createLog('error')
  const common = { clock: systemClock, random: Math.random, log }
  const http = (connections: number) => createHttpClient({ connections })
  const kube = createKubeClient({
    ...common,
    http: http(8),
    watchHttp: http(16),
    server: urls.kube,
    authorization: () => Promise.resolve(undefined),
  })
  const credentials = readCredentials({ env: openStackEnv(urls) })
  const session = createSession({ ...common, http: http(8), credentials })
  const source = createPrometheusSource({
    ...common,
    http: http(4),
    config: { endpoint: urls.prometheus, queryTimeoutMs: 30_000, preset: 'agent' },
  })
  const config = parseConfig('own_metrics: { per_volume: true }', 'config.yaml')
  const identity = `bench-${randomUUID()}`
  const namespace = 'couchestor-system'
  controller = createController({
    ...common,
    kube,
    volumes: createVolumeService({ session, log }),
    copies: createCopyService({ session, log }),
    auditSink: { write: () => Promise.resolve() },
    sources: onlyPrometheus(source),
    clock: jumping,
    processClock: systemClock,
    uuid: randomUUID,
    metrics: registry,
    config: () => config,
    elector: createElector({ ...common, client: kube, namespace, identity }),
    events: createEventRecorder({ client: kube, clock: systemClock, log, instance: identity }),
    namespace,
    strategies: STRATEGIES,
    timing: DEFAULT_TIMING,
  })
  notePasses()
  void controller.run(stopping.signal).then(() => process.exit(0))
}

/** Notes each pass by itself: the histogram would mix the pass of a window with shorter ones in between. */
function notePasses(): void {
  const cycle = registry.getSingleMetric('couchestor_cycle_duration_seconds') as Histogram
  const observe = cycle.observe.bind(cycle) as (labels: object, seconds: number) => void
  cycle.observe = (labels: object | number, seconds?: number) => {
    if (seconds === undefined) return
    passes.push(seconds)
    observe(labels as object, seconds)
  }
}

/** Seconds of each pass since the last question. */
function takePasses(): number[] {
  return passes.splice(0)
}

export type Scraped = { readonly ms: number; readonly bytes: number }

/** Both parts of a scrape of /metrics; medians of some scrapes, since the first ones compile. */
async function scrapes(): Promise<{ readonly own: Scraped; readonly volumes: Scraped }> {
  const timed = async (page: () => Promise<string>): Promise<Scraped> => {
    const took: number[] = []
    let bytes = 0
    for (let i = 0; i < SCRAPES; i++) {
      const begun = performance.now()
      bytes = Buffer.byteLength(await page())
      took.push(performance.now() - begun)
    }
    return { ms: percentile(took, 50), bytes }
  }
  return {
    own: await timed(() => registry.metrics()),
    volumes: await timed(() => controller?.volumeMetrics() ?? Promise.resolve('')),
  }
}
const SCRAPES = 21

// the probe forgets the channel; before `start` nothing else keeps this process
process.channel?.ref()
answerQuestions({ start, takePasses, scrapes, jump, now: () => jumping.now() })
process.on('SIGTERM', () => stopping.abort())
process.on('disconnect', () => process.exit(0))
