import { dump } from 'js-yaml'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadConfig } from '../../src/api/config.ts'
import { BACKTEST_FLAGS, runBacktest } from '../../src/cli/backtest/command.ts'
import { readFlags } from '../../src/cli/flags.ts'
import type { Plan, PlanRow } from '../../src/insight/plan/plan.ts'
import { PLAN_FLAGS, runPlan } from '../../src/cli/plan/run-plan.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { WorldVolume } from '../../src/sim/world.ts'
import { Stage } from '../controller/stage.ts'
import { controllerOn } from '../harness.ts'
import { createLife } from '../life.ts'
import { readerOn, recordingTerminal } from '../reader.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { onlyPrometheus } from '../../src/activity/only-prometheus.ts'
import { describeLab } from './describe-lab.ts'
import { countersOf, pastFleet } from './history-fleet.ts'
import { PROMETHEUS, startPrometheus } from './prometheus-server.ts'
import type { PrometheusServer } from './prometheus-server.ts'
import { RealUsage } from './real-usage.ts'

// Days of counters in a real Prometheus; the cluster around them is simulated, so that its time can be those days.

const WINDOW = 1800
const DAYS = 4
const LAG = 60
/** Start and end of the history, seconds; the end is the newest complete window of "now". */
const END = Math.floor(Date.now() / 1000 / WINDOW) * WINDOW - 12 * WINDOW
const START = END - DAYS * 86_400
const FLEET = pastFleet(30)
const SPEC = {
  tiers: [
    { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
    { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
    { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
  ],
  metrics: { window: '30m', minHistory: '12h' },
  // a move takes some minutes, which a replay does not have: the cooldown ends between two windows
  migration: { cooldownPeriod: '100m', maxConcurrent: 100, attached: 'Allow' },
}
const CONFIG = 'migration: {concurrent_migrations: 100}\n'

/** What the backtest writes for each decision: seconds since its start. */
type Decision = { volume: string; at: number; from: string | undefined; to: string }

/** The cluster as it was `seconds` after the start of the history, with nobody at work; the ids of its volumes are always the same. */
function clusterAt(seconds: number): { stage: Stage; volumes: Map<string, WorldVolume> } {
  const stage = new Stage({ at: (START + seconds) * 1000 })
  stage.policy(SPEC)
  const volumes = FLEET.map(
    ({ name, sizeGiB, tier }) =>
      [
        name,
        stage.claim({
          name,
          sizeGiB,
          tier,
          node: 'node-1',
          ageHours: seconds / 3600,
        }),
      ] as const,
  )
  return { stage, volumes: new Map(volumes) }
}

/** `couchestor backtest` over the history, with the policy's guards. */
async function backtest(usage: RealUsage): Promise<Decision[]> {
  const { stage } = clusterAt(0)
  const { kube } = readerOn(stage.world, stage.clock).deps
  const files = new Map<string, string>()
  const policy = {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'StoragePolicy',
    metadata: { name: 'tiered' },
    spec: { selector: { matchLabels: { app: 'stage' } }, ...SPEC },
  }
  const args = ['--policy=p.yaml', '--guards', `--days=${DAYS}`, '--out=out.ndjson']
  const url = `--prometheus=${WORLD_ORIGINS.prometheus}`
  const code = await runBacktest(readFlags('backtest', [...args, url], BACKTEST_FLAGS), {
    clock: {
      now: () => (END + LAG + 1) * 1000,
      monotonic: () => 0,
      boot: () => 0,
      setTimer: (_, fn) => {
        setImmediate(fn)
        return { cancel: () => {} }
      },
    },
    readFile: () => Promise.resolve(dump(policy)),
    writeFile: (path, text) => Promise.resolve(void files.set(path, text)),
    resolve: (_, path) => path,
    out: { write: () => {} },
    terminal: { write: () => {} },
    config: () => loadConfig('none', () => Promise.resolve('')),
    source: () => usage.source(),
    kube: () => Promise.resolve({ list: kube.list.bind(kube), close: () => Promise.resolve() }),
  })
  expect(code).toBe(0)
  const lines = (files.get('out.ndjson') ?? '').split('\n').filter((line) => line !== '')
  return lines.map((line) => JSON.parse(line) as Decision)
}

/** `couchestor plan` at that time, with no checkpoint: everything is read from history. */
async function planAt(usage: RealUsage, seconds: number): Promise<readonly PlanRow[]> {
  const { stage } = clusterAt(seconds)
  await stage.clock.advance((LAG + 1) * 1000)
  const { deps } = readerOn(stage.world, stage.clock, CONFIG)
  const sources = onlyPrometheus(usage.source())
  const terminal = recordingTerminal()
  const { signal } = new AbortController()
  const planned = runPlan(
    readFlags('plan', ['--output', 'json', '--all'], PLAN_FLAGS),
    { ...deps, sources },
    terminal,
    signal,
  )
  let done = false
  void planned.catch(() => {}).finally(() => (done = true))
  while (!done) await usage.pass(stage.clock, 1, 1)
  expect(await planned).toBe(0)
  return (JSON.parse(terminal.text()) as Plan).rows
}

/** The controller itself, from the first window to the last, with a restart in between; what it has moved, and when. */
async function live(usage: RealUsage): Promise<Decision[]> {
  const { stage } = clusterAt(0)
  // days of decisions, minutes of leases and watches
  const processClock = createVirtualClock(START * 1000)
  const step = async (ms: number) => {
    await stage.clock.advance(ms)
    for (let i = 0; i < 6; i++) await usage.pass(processClock, 1000, 1000)
  }
  for (const identity of ['first', 'second']) {
    const { clock, http } = createLife({
      clock: stage.clock,
      routes: stage.world.routes,
      gate: usage.gate,
    })
    const options = { world: stage.world, clock, http, identity, configYaml: CONFIG }
    const controller = controllerOn({ ...options, processClock })
    const stopping = new AbortController()
    const ended = controller.run(stopping.signal)
    for (let n = 0; n < ((DAYS / 2) * 86_400) / WINDOW; n++) {
      // the window ends, it is asked, what it moves is on its new tier minutes later
      const moments = [LAG + 2, 120, 300]
      for (const seconds of moments) await step(seconds * 1000)
      await step((WINDOW - moments.reduce((sum, s) => sum + s)) * 1000)
    }
    stopping.abort()
    await processClock.advance(5000)
    await ended
  }
  return stage.moves().map(({ spec, status }) => {
    const startedAt = Date.parse(status?.startedAt ?? '') / 1000
    const at = Math.floor(startedAt / WINDOW) * WINDOW - START
    return { volume: `default/${spec.claim.name}`, at, from: spec.from, to: spec.to }
  })
}

const inOrder = (a: Decision, b: Decision): number =>
  a.volume < b.volume ? -1 : Number(a.volume > b.volume) || a.at - b.at

describeLab.each(PROMETHEUS)('days of history in a real Prometheus $version', (program) => {
  let server: PrometheusServer
  let usage: RealUsage

  beforeAll(async () => {
    const { volumes } = clusterAt(0)
    const series = FLEET.flatMap((v) => countersOf(volumes.get(v.name)!.id, v, START, END))
    server = await startPrometheus(program, series)
    usage = new RealUsage(server.url)
  })
  afterAll(async () => {
    await usage.close()
    await server.stop()
  })

  it('the controller moves what the backtest moves, in the same windows, across a restart', async () => {
    const reported = await backtest(usage)
    expect(reported.length).toBeGreaterThan(20)
    expect((await live(usage)).toSorted(inOrder)).toEqual(reported.toSorted(inOrder))
  })

  it('a plan without a checkpoint wants, from history alone, what the backtest decides then', async () => {
    const reported = await backtest(usage)
    const first = new Map(reported.toReversed().map((d) => [d.volume, d]))
    // when something is decided for the first time, and once when all is said
    const times = [...new Set([...first.values()].map((d) => d.at))].toSorted((a, b) => a - b)
    const chosen = [...times.filter((_, i) => i % 2 === 0), DAYS * 86_400 - WINDOW]
    const verdicts = { wanted: 0, stays: 0 }
    for (const at of chosen) {
      for (const { namespace, claim, action, to } of await planAt(usage, at)) {
        const decided = first.get(`${namespace}/${claim}`)
        // by then the backtest has moved it, and evaluates it on another tier
        if (decided !== undefined && decided.at < at) continue
        const expected = decided?.at === at ? decided.to : ''
        const wanted = action === 'next' || action === 'wait' ? to : ''
        expect({ at, claim, wanted }).toEqual({ at, claim, wanted: expected })
        verdicts[expected === '' ? 'stays' : 'wanted']++
      }
    }
    expect(verdicts.wanted).toBeGreaterThanOrEqual(chosen.length - 1)
    expect(verdicts.stays).toBeGreaterThan(50)
  })
})
