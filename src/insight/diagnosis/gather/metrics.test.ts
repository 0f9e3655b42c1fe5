import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../../test/virtual-clock.ts'
import { scriptedHttp, vector } from '../../../activity/prometheus/scripted-http.ts'
import type { ActivitySource } from '../../../activity/types.ts'
import { parseConfig } from '../../../api/config.ts'
import { silentLog } from '../../../log.ts'
import type { Session } from '../../../openstack/session.ts'
import type { DoctorDeps } from '../deps.ts'
import { gatherMetrics } from './metrics.ts'
import type { Asked } from './metrics.ts'

const A = 'aaaaaaaa-1111-4222-8333-444444444444'
const NOW = 1_767_226_200
const ENDPOINT = 'http://prometheus:9090'

/** A Prometheus that has the numbers of the agent for volume A, and of nothing else. */
const http = scriptedHttp((request) => {
  const form = new URLSearchParams(request.body)
  const isAgents = form.get('query')?.includes('couchestor_volume_') === true
  return vector(Number(form.get('time')), isAgents ? [[{ volume_id: A }, '60']] : [])
})
const silent: ActivitySource = {
  name: 'gnocchi',
  lagSeconds: 0,
  window: () => Promise.resolve({ kind: 'Answer', volumes: new Map(), warnings: [] }),
}

it('names the source too where the preset that is configured has what Gnocchi lacks', async () => {
  const clock = createVirtualClock(NOW * 1000)
  const base = { clock, timeoutMs: 20_000, random: () => 0.5, log: silentLog }
  const preset = 'agent' as const
  const asked: Asked = {
    config: parseConfig(`prometheus: {endpoint: '${ENDPOINT}'}`, 'test'),
    session: {} as Session,
    prometheus: {
      http,
      config: { endpoint: ENDPOINT, queryTimeoutMs: 30_000, preset, scrapeIntervalSeconds: 30 },
      seen: { failures: new Map(), skews: new Map(), login: undefined },
    },
    hasGnocchi: true,
    wanted: new Map([['Gnocchi', { volumes: new Set([A]), windowSeconds: 1800 }]]),
    all: [A],
    attached: { attachments: () => [] },
  }
  const deps = { ...base, connectGnocchi: () => silent } as unknown as DoctorDeps
  const [found] = await gatherMetrics(deps, asked)
  expect([...(found?.others ?? [])].filter(([, volumes]) => volumes > 0)).toEqual([
    ['metrics.source: Prometheus', 1],
  ])
  expect([...(found?.others.keys() ?? [])]).toContain(
    'metrics.source: Prometheus, prometheus.preset: libvirt',
  )
})
