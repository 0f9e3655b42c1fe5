import { expect, it } from 'vitest'
import type { PrometheusFault } from '../../src/sim/prometheus/prometheus.ts'
import { fillTemplate, presetOf } from '../../src/activity/prometheus/presets.ts'
import { PRESETS } from '../../src/activity/prometheus/config.ts'
import { HOUR, Stage } from '../controller/stage.ts'
import { CONFIG, doctorOn } from '../doctor/doctor-on.ts'

it.each<[string, PrometheusFault]>([
  ['lets no POST through (405)', { kind: 'proxy', refuses: { method: 'POST', status: 405 } }],
  ['lets no POST through (403)', { kind: 'proxy', refuses: { method: 'POST', status: 403 } }],
  ['knows no POST (501)', { kind: 'proxy', refuses: { method: 'POST', status: 501 } }],
  ['calls JSON text/plain', { kind: 'proxy', contentType: 'text/plain; charset=utf-8' }],
])('an idle volume is moved by the numbers of a Prometheus whose proxy %s', async (_, fault) => {
  const stage = new Stage()
  stage.world.prometheus.seams.setFault(fault)
  stage.policy()
  const volume = stage.claim({ name: 'idle', iops: 0.1 })
  stage.start()
  expect(await stage.until(() => stage.tier(volume) === 'cold', 6 * HOUR, 60_000)).toBe(true)
})

it('every query of a preset is short enough for any URL', () => {
  for (const preset of PRESETS.filter((p) => p !== 'custom')) {
    const { templates } = presetOf({
      endpoint: 'http://p',
      queryTimeoutMs: 1,
      preset,
      matchers: { cluster: 'production-eu-west-1', namespace: 'monitoring' },
    })
    for (const template of Object.values(templates)) {
      const query = fillTemplate(template, { windowSeconds: 86_400, volumes: '[0-9a-f].*' })
      expect(new URLSearchParams({ query }).toString().length).toBeLessThan(1500)
    }
  }
})

it.each([
  ['node_disk_info', { serial: '' }, /no series node_disk_info has the label serial.*udev/],
  ['node_disk_info_of_others', {}, /there are no series node_disk_info.*diskstats/],
])('the doctor says what is wrong with %s that has no serials', async (metric, labels, message) => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'data', node: 'node-1', iops: undefined })
  const { seams } = stage.world.prometheus
  const source = { intervalSeconds: 60, value: (t: number) => t, monotonic: true }
  const device = { instance: 'node-1', device: 'vdb' }
  for (const what of ['reads_completed', 'writes_completed', 'read_bytes', 'written_bytes'])
    seams.addSeries(`node_disk_${what}_total`, device, source)
  seams.addSeries(metric, { ...device, ...labels }, { intervalSeconds: 60, value: () => 1 })
  const { diagnosis } = await doctorOn(stage.world, stage.clock, {
    configYaml: `${CONFIG.replace('}', ', preset: node-exporter}')}`,
  })
  const text = JSON.stringify(diagnosis.findings.filter((f) => f.group === 'metrics'))
  expect(text).toMatch(message)
})
