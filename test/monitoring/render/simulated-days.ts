import { createRegistry } from '../../../src/metrics.ts'
import { WORLD_ORIGINS } from '../../../src/sim/world.ts'
import { HOUR, MINUTE, POLICY, Stage } from '../../controller/stage.ts'
import type { History } from '../../lab/prometheus.ts'

/** Between two samples: less than the five minutes for which Prometheus takes a sample to be the value of now. */
export const SAMPLE_SECONDS = 240
const DAYS = 4
const TARGET = { cluster: 'example', job: 'couchestor', instance: '10.0.3.17:8080' }
const AGENTS = { cluster: 'example', job: 'couchestor-agent' }

/** Families that no panel shows, or that a virtual clock makes meaningless. */
const LEFT_OUT =
  /^(nodejs|process|rest_client_request_duration|workqueue_work|controller_runtime_max)/

type Day = (second: number) => number
/** Operations per second: at night little, by day much. */
const byDay =
  (most: number): Day =>
  (second) =>
    most * (0.03 + Math.max(0, Math.sin(((second / 3600 - 7) * Math.PI) / 12)) ** 2)
const until =
  (end: number, iops: number): Day =>
  (second) =>
    second < end ? iops : 0.2

export type SimulatedDays = {
  readonly history: readonly History[]
  /** Seconds since 1970. */
  readonly from: number
  readonly to: number
  readonly volumeId: string
}

/** Four days of the real controller on the simulators, as Prometheus would have seen them. Takes about a minute. */
export async function simulatedDays(): Promise<SimulatedDays> {
  const stage = new Stage({ at: Date.UTC(2026, 2, 2, 0, 7) })
  const from = stage.clock.now() / 1000
  const prices = [0.3, 0.1, 0.02]
  const tiers = POLICY.tiers.map((t, i) => ({ ...t, costPerGiBMonth: prices[i] }))
  stage.policy({ tiers, migration: { cooldownPeriod: '12h', maxConcurrent: 2 } }, 'databases')
  const archives = { selector: { matchLabels: { app: 'archive' } }, tiers, mode: 'Observe' }
  stage.policy(archives, 'archives')
  const subject = populate(stage, from)
  const registry = createRegistry()
  const { controller, stop } = stage.start({
    registry,
    configYaml: 'own_metrics: { per_volume: true }',
  })
  const series = new Map<string, { at: number; value: number }[]>()
  const add = (key: string, value: number) => {
    const samples = series.get(key) ?? []
    series.set(key, samples)
    samples.push({ at: Math.round(stage.clock.now() / 1000), value })
  }
  for (let ms = 0; ms < DAYS * 24 * HOUR; ms += SAMPLE_SECONDS * 1000) {
    if (ms % (8 * HOUR) === 0) stage.claim({ name: `review-${ms / HOUR}`, sizeGiB: 60, iops: 0.2 })
    if (ms === 60 * HOUR) stage.annotate('campaign', { 'couchestor.io/force-tier': 'cold' })
    await stage.clock.advance(SAMPLE_SECONDS * 1000)
    const page = (await registry.metrics()) + (await controller.volumeMetrics())
    for (const [name, labels, value] of samplesOf(page))
      if (!LEFT_OUT.test(name)) add(JSON.stringify([name, { ...labels, ...TARGET }]), value)
    for (const [name, labels, value] of await counters(stage))
      add(JSON.stringify([name, { ...labels, ...AGENTS }]), value)
  }
  await stop()
  const history = [...series].map(([key, samples]) => {
    const [name, labels] = JSON.parse(key) as [string, Record<string, string>]
    return { name, labels, samples }
  })
  return { history, from, to: stage.clock.now() / 1000 - MINUTE / 1000, volumeId: subject }
}

/** Claims of all kinds; gives the id of one that works until the second day, and is sent to cold on the third. */
function populate(stage: Stage, from: number): string {
  const at = (hours: number) => from + hours * 3600
  for (let i = 0; i < 8; i++) stage.claim({ name: `orders-${i}`, sizeGiB: 50 + 10 * i, iops: 2500 })
  for (let i = 0; i < 8; i++)
    stage.claim({ name: `reports-${i}`, sizeGiB: 100, tier: 'warm', iops: byDay(900) })
  for (let i = 0; i < 10; i++)
    stage.claim({ name: `staging-${i}`, sizeGiB: 40 + 20 * i, iops: 0.3 })
  for (let i = 0; i < 4; i++)
    stage.claim({ name: `web-${i}`, sizeGiB: 30, iops: 0.5, node: `node-${i % 3}` })
  for (let i = 0; i < 6; i++)
    stage.claim({ name: `old-${i}`, sizeGiB: 500, iops: 0.1, labels: { app: 'archive' } })
  return stage.claim({ name: 'campaign', sizeGiB: 200, iops: until(at(30), 1800) }).id
}

/** What the agents' counters stand at now. */
async function counters(stage: Stage): Promise<Sample[]> {
  const names = ['reads_completed', 'writes_completed', 'read_bytes', 'written_bytes']
  const found: Sample[] = []
  for (const name of names) {
    const metric = `couchestor_volume_${name}_total`
    const res = await stage.world.prometheus.handle({
      method: 'POST',
      url: `${WORLD_ORIGINS.prometheus}/api/v1/query`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: metric }).toString(),
      signal: new AbortController().signal,
    })
    const { data } = JSON.parse(res.body as string) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    for (const { metric: all, value } of data.result) {
      const { __name__: _, ...labels } = all
      found.push([metric, labels, Number(value[1])])
    }
  }
  return found
}

type Sample = readonly [name: string, labels: Readonly<Record<string, string>>, value: number]

function* samplesOf(page: string): Iterable<Sample> {
  for (const line of page.split('\n')) {
    const [, name, labels = '', value] = /^([a-z_]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) continue
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((m) => [m[1], m[2]])
    yield [name, Object.fromEntries(pairs) as Record<string, string>, Number(value)]
  }
}
