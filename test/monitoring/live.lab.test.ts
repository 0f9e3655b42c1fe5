import { afterAll, beforeAll, expect, it } from 'vitest'
import { ALERTS, RULE_GROUPS } from '../../tools/monitoring/rules.ts'
import { command } from '../lab/command.ts'
import { buildController, startController, stopControllers } from '../lab/controller-process.ts'
import type { ControllerProcess } from '../lab/controller-process.ts'
import { describeLab } from '../lab/describe-lab.ts'
import { eventually } from '../lab/eventually.ts'
import { createFleet } from '../lab/fleet.ts'
import type { Fleet, FleetClaim } from '../lab/fleet.ts'
import { install } from '../lab/install.ts'
import { query, scrapeTarget } from '../lab/prometheus.ts'
import type { Labels } from '../lab/prometheus.ts'
import { fromText, metricsCatalogue } from '../../tools/metrics-catalogue.ts'

const NAME = 'live-metrics'
const JOB = `${NAME}/couchestor-controller`
/** Only what concerns our own controller: other tests' targets may be down. */
const isOurs = ({ job }: Labels) => job === undefined || job === JOB
const ASKED = RULE_GROUPS.flatMap((g) => g.rules).map((r): [string, string] =>
  'alert' in r ? [r.alert, r.expr] : [r.record, r.expr],
)

let fleet: Fleet
let claim: FleetClaim
let controller: ControllerProcess
let removeTarget: (() => void) | undefined

const page = async () => (await fetch(controller.metricsUrl)).text()

describeLab('a real controller that a real Prometheus scrapes', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet(NAME)
    await fleet.up()
    await fleet.policy(NAME, { mode: 'Observe' })
    claim = await fleet.claim('data', NAME)
    controller = await startController({ config: { own_metrics: { per_volume: true } } })
    removeTarget = scrapeTarget(NAME, new URL(controller.metricsUrl).host, { job: JOB })
    await fleet.policyWhen(NAME, 'has counts', (p) => p.status?.managedClaims === 1)
    const leads = `leader_election_master_status{job="${JOB}"} == 1`
    await eventually('Prometheus knows the leader', async () => (await query(leads)).length > 0)
  })
  afterAll(async () => {
    removeTarget?.()
    await stopControllers()
    await fleet.down()
  })

  it('shows what promtool finds nothing to say about, all of it documented', async () => {
    const text = await page()
    expect(await command('promtool', ['check', 'metrics'], { input: text })).toBe('')
    const known = new Map(metricsCatalogue().map((m) => [m.name, m]))
    for (const { name, type, labels } of fromText(text, 'controller')) {
      expect({ name, type: known.get(name)?.type }).toEqual({ name, type })
      for (const label of labels.filter((l) => l !== 'le'))
        expect(known.get(name)!.labels).toContain(label)
    }
  })

  it('reports its fleet, and its volume', async () => {
    const text = await page()
    expect(text).toContain(`couchestor_volumes{policy="${NAME}",tier="hot"} 1`)
    expect(text).toContain(`couchestor_volumes_size_bytes{policy="${NAME}",tier="hot"} ${2 ** 30}`)
    expect(text).toContain('couchestor_cinder_up 1')
    expect(text).toMatch(/couchestor_build_info\{version="\d/)
    const own = `volume_id="${claim.volumeId}",pvc_namespace="${NAME}",pvc="data"`
    expect(text).toContain(`couchestor_volume_info{${own},policy="${NAME}",tier="hot"`)
  })

  it.each(ASKED)('the real Prometheus evaluates %s', async (_, expr) => {
    await expect(query(expr)).resolves.toBeDefined()
  })

  it('raises no alert when all is well', async () => {
    let raised: string[] = []
    await eventually('no alert is raised', async () => {
      raised = []
      for (const { alert, expr } of ALERTS)
        if ((await query(expr)).some(({ labels }) => isOurs(labels))) raised.push(alert)
      return raised.length === 0
    }).catch(() => {})
    expect(raised).toEqual([])
  })
})
