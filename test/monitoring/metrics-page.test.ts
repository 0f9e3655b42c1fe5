import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../src/metrics.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { fromText, metricsCatalogue } from '../../tools/metrics-catalogue.ts'
import { HOUR, MINUTE, Stage } from '../controller/stage.ts'

const CATALOGUE = new Map(metricsCatalogue().map((m) => [m.name, m]))

/** The page as `/metrics` shows it, and the lines of one name. */
async function pageOf(stage: Stage, configYaml = '') {
  const registry = createRegistry()
  const { controller } = stage.start({ registry, configYaml })
  await stage.clock.advance(2 * HOUR)
  const read = async () => (await registry.metrics()) + (await controller.volumeMetrics())
  return { read, lines: async (name: string) => linesOf(await read(), name) }
}

function linesOf(page: string, name: string): string[] {
  return page
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

async function remove(stage: Stage, path: string): Promise<void> {
  const url = `${WORLD_ORIGINS.kube}${path}`
  const signal = new AbortController().signal
  await stage.world.api.handle({ method: 'DELETE', url, headers: {}, body: '', signal })
}

const PRICES = { hot: 0.3, warm: 0.1, cold: 0.02 }

function priced(stage: Stage, more: object = {}): void {
  const tiers = Object.entries(PRICES).map(([name, costPerGiBMonth], i) => ({
    name,
    storageClass: `couchestor-${name}`,
    iopsThreshold: [1000, 100, 0][i],
    costPerGiBMonth,
  }))
  stage.policy({ tiers, ...more })
}

describe('the page of a leader', () => {
  it('holds only metrics of the documented table, with its labels', async () => {
    const stage = new Stage()
    priced(stage)
    stage.claim({ name: 'idle' })
    stage.claim({ name: 'busy', iops: 3000, node: 'node-1' })
    const { read } = await pageOf(stage, 'own_metrics: { per_volume: true }')
    const shown = fromText(await read(), 'controller')
    expect(shown.length).toBeGreaterThan(30)
    for (const { name, type, help, labels } of shown) {
      const known = CATALOGUE.get(name)
      expect({ name, type: known?.type, help: known?.help }).toEqual({ name, type, help })
      for (const label of labels.filter((l) => l !== 'le')) expect(known?.labels).toContain(label)
    }
  })

  it('reports volumes, size and money by tier', async () => {
    const stage = new Stage()
    priced(stage, { mode: 'Observe', budget: { maxMonthlyCost: 5 } })
    stage.claim({ name: 'idle', sizeGiB: 10 })
    stage.claim({ name: 'busy', iops: 3000, node: 'node-1', sizeGiB: 4 })
    const { lines } = await pageOf(stage)
    const own = 'policy="tiered"'
    expect(await lines('couchestor_volumes')).toContain(`couchestor_volumes{${own},tier="hot"} 2`)
    expect(await lines('couchestor_volumes_size_bytes')).toContain(
      `couchestor_volumes_size_bytes{${own},tier="hot"} ${14 * 2 ** 30}`,
    )
    expect(await lines('couchestor_monthly_cost')).toEqual([
      `couchestor_monthly_cost{${own},kind="now"} 4.2`,
      `couchestor_monthly_cost{${own},kind="wanted"} 1.4`,
      `couchestor_monthly_cost{${own},kind="retention"} 0`,
      `couchestor_monthly_cost{${own},kind="fastest"} 4.2`,
    ])
    expect(await lines('couchestor_monthly_budget')).toEqual([
      `couchestor_monthly_budget{${own}} 5`,
    ])
    expect(await lines('couchestor_policy_info')).toEqual([
      `couchestor_policy_info{${own},mode="Observe",prices="given"} 1`,
    ])
  })

  it('reports how far usage numbers reach, and until when', async () => {
    const stage = new Stage()
    stage.policy({ migration: { attached: 'Allow' } })
    stage.claim({ name: 'unseen', iops: undefined, node: 'node-1' })
    stage.claim({ name: 'busy', iops: 3000, node: 'node-1' })
    const { lines } = await pageOf(stage)
    expect(await lines('couchestor_attached_volumes')).toEqual([
      'couchestor_attached_volumes{policy="tiered"} 2',
    ])
    expect(await lines('couchestor_covered_volumes')).toEqual([
      'couchestor_covered_volumes{policy="tiered"} 1',
    ])
    const [end = ''] = await lines('couchestor_window_end_timestamp_seconds')
    const age = stage.clock.now() / 1000 - Number(end.split(' ')[1])
    expect(age).toBeGreaterThan(0)
    expect(age).toBeLessThan((30 * MINUTE + 2 * MINUTE) / 1000)
    expect(await lines('couchestor_source_up')).toEqual(['couchestor_source_up{policy="tiered"} 1'])
  })

  it('reports a source that is down, and keeps the end of the last window', async () => {
    const stage = new Stage()
    stage.policy()
    stage.claim({ name: 'busy', iops: 3000, node: 'node-1' })
    const { lines } = await pageOf(stage)
    const before = await lines('couchestor_window_end_timestamp_seconds')
    stage.world.prometheus.seams.setFault({ kind: 'down', failure: 'refused' })
    await stage.clock.advance(2 * HOUR)
    expect(await lines('couchestor_source_up')).toEqual(['couchestor_source_up{policy="tiered"} 0'])
    expect(await lines('couchestor_window_end_timestamp_seconds')).toEqual(before)
  })

  it('reports the conditions of a policy, and forgets those of one that is gone', async () => {
    const stage = new Stage()
    stage.policy({ paused: true })
    stage.claim({ name: 'idle' })
    const { lines } = await pageOf(stage)
    expect(await lines('couchestor_policy_condition')).toContain(
      'couchestor_policy_condition{policy="tiered",type="Ready",status="False",reason="Paused"} 1',
    )
    await remove(stage, '/apis/couchestor.io/v1alpha1/storagepolicies/tiered')
    await stage.clock.advance(10 * MINUTE)
    expect(await lines('couchestor_policy_condition')).toEqual([])
    expect(await lines('couchestor_unmanaged_claims')).toEqual([
      'couchestor_unmanaged_claims{reason="NoPolicy"} 1',
    ])
  })

  it('counts claims that two policies select', async () => {
    const stage = new Stage()
    stage.policy({ priority: 5 })
    stage.policy({}, 'other')
    stage.claim({ name: 'idle' })
    const { lines } = await pageOf(stage)
    expect(await lines('couchestor_contested_claims')).toEqual(
      expect.arrayContaining([
        'couchestor_contested_claims{policy="tiered"} 1',
        'couchestor_contested_claims{policy="other"} 0',
      ]),
    )
  })
})

describe('series per volume', () => {
  it('are not there unless config.yaml asks for them', async () => {
    const stage = new Stage()
    stage.policy()
    stage.claim({ name: 'idle' })
    const { read } = await pageOf(stage)
    expect(await read()).not.toContain('volume_id=')
  })

  it('report tier, demand, coverage, cost and lead, and go with the volume', async () => {
    const stage = new Stage()
    priced(stage, { mode: 'Observe' })
    const volume = stage.claim({ name: 'idle', sizeGiB: 10 })
    const { read, lines } = await pageOf(stage, 'own_metrics: { per_volume: true }')
    const own = `volume_id="${volume.id}",pvc_namespace="default",pvc="idle"`
    expect(await lines('couchestor_volume_info')).toEqual([
      `couchestor_volume_info{${own},policy="tiered",tier="hot",wanted_tier="cold",reason="Observe"} 1`,
    ])
    expect(await lines('couchestor_volume_monthly_cost')).toEqual([
      `couchestor_volume_monthly_cost{${own}} 3`,
    ])
    const [lead = ''] = await lines('couchestor_volume_lead_ratio')
    expect(Number(lead.split(' ')[1])).toBeGreaterThan(1)
    await remove(stage, '/api/v1/namespaces/default/persistentvolumeclaims/idle')
    await stage.clock.advance(10 * MINUTE)
    expect(await read()).not.toContain('volume_id=')
  })
})

it('a standby exports nothing of the fleet', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle' })
  stage.start()
  await stage.clock.advance(MINUTE)
  const registry = createRegistry()
  stage.start({ identity: 'standby', registry, configYaml: 'own_metrics: { per_volume: true }' })
  await stage.clock.advance(HOUR)
  const page = await registry.metrics()
  for (const name of [
    'cinder_up',
    'halted',
    'volumes',
    'source_up',
    'cinder_read_timestamp_seconds',
  ])
    expect(linesOf(page, `couchestor_${name}`)).toEqual([])
})
