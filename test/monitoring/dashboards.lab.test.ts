import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DASHBOARDS } from '../../tools/monitoring/dashboards/dashboards.ts'
import type { Target } from '../../tools/monitoring/dashboards/grafana.ts'
import { startAgent, stopAgents } from '../lab/agent-process.ts'
import { buildController, startController, stopControllers } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { theLab } from '../lab/env.ts'
import { eventually } from '../lab/eventually.ts'
import { createFleet } from '../lab/fleet.ts'
import type { Fleet, FleetClaim } from '../lab/fleet.ts'
import { install } from '../lab/install.ts'
import { apply } from '../lab/kubectl.ts'
import { scrapeTarget } from '../lab/prometheus.ts'
import { askInstant, askRange } from './ask.ts'
import type { Series, View } from './ask.ts'
import { expressionOf, panelsOf } from './dashboard-lint.ts'
import { createFixtureNode } from './fixture-node.ts'
import type { FixtureNode } from './fixture-node.ts'
import { serveForeign } from './foreign-exporters.ts'
import type { ForeignExporters } from './foreign-exporters.ts'
import { RIGHTLY_EMPTY } from './rightly-empty.ts'

const NAME = 'dashboards'
const POLICY = 'dashboards'
const WATCHED = 'dashboards-watched'
const ASKED = 'dashboards-asked'
const TIERS = [
  { name: 'hot', costPerGiBMonth: 0.3 },
  { name: 'warm', costPerGiBMonth: 0.1 },
  { name: 'cold', costPerGiBMonth: 0.03 },
]
const NAMES = ['idle', 'busy', 'held', 'pinned', 'noted', 'metered'] as const
/** Policies of those that have another. */
const OTHERS: Partial<Record<Name, string>> = { busy: WATCHED, noted: ASKED }
/** The others are seen by other exporters. */
const SEEN_BY_AGENT = ['idle', 'busy', 'held'] as const
type Name = (typeof NAMES)[number]

/** A volume of each exporter. */
const COUNTED = {
  agent: 'busy',
  libvirt: 'pinned',
  node_exporter: 'noted',
  Gnocchi: 'metered',
} as const

// a label of this run alone: others use the same Prometheus
const cluster = `${NAME}-${Math.round(Date.now() / 1000)}`
const began = Math.floor(Date.now() / 1000)
let fleet: Fleet
let claims: Record<Name, FleetClaim>
let node: FixtureNode
let foreign: ForeignExporters
const ends: (() => void)[] = []

function view(volumeId: string): View {
  return {
    prometheusUrl: theLab().prometheusUrl,
    variables: {
      cluster,
      job: 'couchestor',
      policy: '.*',
      namespace: '.*',
      claim: '.*',
      volume_id: volumeId,
      serial: volumeId.slice(0, 20),
      io_unit_kib: '256',
    },
    from: began,
    to: Math.ceil(Date.now() / 1000),
    step: 15,
    scrapeInterval: 5,
  }
}

const answers = ({ expr, range }: Target, at: View) => (range ? askRange : askInstant)(expr, at)

/** Title of the dashboard or who counts the volume; name of the query; the query, and the volume. */
type Asked = readonly [where: string, name: string, Target, Name]

function* everyQuery(counted: Record<string, Name>): Iterable<Asked> {
  for (const d of DASHBOARDS) {
    const one: [string, Name][] = [[d.title, 'busy']]
    for (const [where, name] of d.uid === 'couchestor-volume' ? Object.entries(counted) : one)
      for (const p of panelsOf(d))
        for (const target of p.targets)
          yield [where, `${where}: ${p.title} ${target.refId}`, { ...target }, name]
  }
}

/** A number, whatever the number is. */
function isThere(answer: readonly Series[] | Error | undefined): boolean {
  return Array.isArray(answer) && answer.some((s: Series) => s.points.some(([, v]) => !isNaN(v)))
}

function mayBeEmpty([, name]: Asked): boolean {
  return name in RIGHTLY_EMPTY
}

function scraped(job: string, address: string): void {
  ends.push(scrapeTarget(`${NAME}-${job}`, address, { cluster, job }))
}

describeLab('the dashboards, with the series of a running controller and agent', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet(NAME)
    await fleet.up()
    const made = await Promise.all(
      NAMES.map(async (name) => [name, await fleet.claim(name, OTHERS[name] ?? POLICY)] as const),
    )
    claims = Object.fromEntries(made) as Record<Name, FleetClaim>
    node = createFixtureNode([
      { device: 'vda', reads: 1, writes: 2, bytesPerOperation: 4096 },
      ...SEEN_BY_AGENT.map((name, i) => ({
        device: `vd${'bcd'[i]}`,
        serial: claims[name].volumeId,
        reads: name === 'busy' ? 250 : 0.05,
        writes: name === 'busy' ? 150 : 0.05,
        bytesPerOperation: 16_384,
      })),
    ])
    const agent = await startAgent('dist', [
      '--node-name=lab-node',
      `--proc=${node.proc}`,
      `--sys=${node.sys}`,
    ])
    scraped('agent', agent.address)
    const known = NAMES.map((name) => ({ ...claims[name], namespace: NAME }))
    const { noted, pinned, metered } = claims
    const others = [noted.volumeId, pinned.volumeId, metered.volumeId] as const
    foreign = await serveForeign(others, known)
    scraped('foreign', foreign.address)
    await fleet.pod('worker', 'held', claims.held.volumeId)
    await apply({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        name: 'astray',
        namespace: NAME,
        annotations: { 'couchestor.io/policy': 'dashboards-gone' },
      },
      spec: {
        storageClassName: 'couchestor-hot',
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
      },
    })
    const controller = await startController({ config: { own_metrics: { per_volume: true } } })
    scraped('couchestor', new URL(controller.metricsUrl).host)
    // only now is there something to do: its counters begin at zero
    await controller.logged('leading')
    await fleet.annotate('pinned', { 'couchestor.io/force-tier': 'warm' })
    await fleet.policy(POLICY, {
      tiers: TIERS,
      decision: { algorithm: 'Threshold' },
      metrics: { window: '1m', minHistory: '1m' },
      budget: { maxMonthlyCost: 100 },
    })
    // a move that nobody approves waits
    await fleet.annotate('noted', { 'couchestor.io/force-tier': 'warm' })
    await fleet.policy(ASKED, { tiers: TIERS, mode: 'Approve', metrics: { window: '1m' } })
    await fleet.policy(WATCHED, { tiers: TIERS, mode: 'Observe', metrics: { window: '1m' } })
    process.stdout.write(`cluster ${cluster} from ${began}\n`)
  }, 600_000)
  afterAll(async () => {
    await stopControllers()
    await stopAgents()
    for (const end of ends) end()
    await foreign?.down()
    node?.down()
    await fleet?.down()
  })

  it('follow a fleet that moves', async () => {
    for (const name of ['pinned', 'idle'] as const) {
      const ended = await fleet.migrationWhen(
        name,
        'ends',
        (m) => m.status?.completedAt !== undefined,
        240,
      )
      expect(ended.status?.step).toBe('Succeeded')
    }
  }, 600_000)

  describe('ask what Prometheus has an answer to', () => {
    const queries = [...everyQuery(COUNTED)]
    const found = new Map<Target, readonly Series[] | Error>()
    const ask = async (target: Target, volume: Name) => {
      try {
        found.set(target, await answers(target, view(claims[volume].volumeId)))
      } catch (e) {
        found.set(target, e instanceof Error ? e : new Error(String(e)))
      }
    }
    beforeAll(async () => {
      const all = async () => {
        const open = queries.filter((q) => !isThere(found.get(q[2])) && !mayBeEmpty(q))
        for (const [, , target, volume] of open) await ask(target, volume)
        return open.length === 0
      }
      // rates need some scrapes; what is still missing after them is listed query by query
      await eventually('every query has an answer', all, 200, 2000).catch(() => undefined)
      for (const q of queries.filter(mayBeEmpty)) await ask(q[2], q[3])
    })

    it.each(queries.map((q) => [q[1], q] as const))('%s', (_, q) => {
      const answer = found.get(q[2]) ?? []
      if (answer instanceof Error) throw answer
      expect(isThere(answer) || mayBeEmpty(q)).toBe(true)
      for (const [, label] of q[2].legendFormat.matchAll(/\{\{(\w+)\}\}/g))
        for (const { labels } of answer) expect(labels).toHaveProperty(label!)
    })
  })

  it('know every volume by its claim, and the claims by their namespace', async () => {
    const at = view('')
    const values = async (name: string) => {
      const variable = DASHBOARDS.at(-1)!.templating.list.find((v) => v.name === name)!
      const label = /"?(\w+)="/.exec(String(variable['regex']))![1]!
      const series = await askInstant(expressionOf(variable)!, at)
      return series.map((s) => s.labels[label])
    }
    expect(await values('namespace')).toContain(NAME)
    expect(await values('claim')).toEqual(expect.arrayContaining([...NAMES]))
    const ids = NAMES.map((name) => claims[name].volumeId)
    expect(await values('volume_id')).toEqual(expect.arrayContaining(ids))
  })

  it('count moves whose counter began with them', async () => {
    const ended = DASHBOARDS.flatMap(panelsOf).find((p) => p.title === 'How moves ended')!
    // the end of the last move may not have been scraped yet
    await eventually('both moves are counted', async () => {
      const rows = await askInstant(ended.targets[0]!.expr, view(''))
      const moves = rows.map(({ labels, points }) => [
        labels['to'],
        labels['result'],
        points[0]?.[1],
      ])
      expect(moves).toEqual(
        expect.arrayContaining([
          ['warm', 'Succeeded', 1],
          ['cold', 'Succeeded', 1],
        ]),
      )
      return true
    })
  })

  it('mark the moves', async () => {
    const asked = DASHBOARDS.flatMap((d) => d.annotations.list).flatMap((a) => a.expr ?? [])
    // a graph has a point every 15 s only, and the last move may lie behind the last of them
    await eventually('every move is marked', async () => {
      const at = view(claims.idle.volumeId)
      const marks = await Promise.all(asked.map((expr) => askRange(expr, at)))
      // of two dashboards: succeeded, failed; of the volume's: moved
      expect(marks.map((series) => series.length > 0)).toEqual([true, false, true, false, true])
      return true
    })
  })
})
