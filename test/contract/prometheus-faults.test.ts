import { describe, expect, it } from 'vitest'
import { createPrometheusSource } from '../../src/activity/prometheus/source.ts'
import { silentLog } from '../../src/log.ts'
import type { PrometheusFault } from '../../src/sim/prometheus/prometheus.ts'
import { createPrometheus } from '../../src/sim/prometheus/prometheus.ts'
import { inProcess } from '../../src/sim/server.ts'
import { createVirtualClock } from '../virtual-clock.ts'

const END = Date.UTC(2026, 0, 2) / 1000
const ID = (n: number) => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`
const METRICS = ['reads_completed', 'writes_completed', 'read_bytes', 'written_bytes']

function setup(authorization?: () => Promise<string>) {
  const clock = createVirtualClock((END + 60) * 1000)
  const sim = createPrometheus({
    clock,
    ...(authorization === undefined ? {} : { authorization: 'Bearer right' }),
  })
  for (let n = 0; n < 10; n += 1)
    for (const metric of METRICS)
      sim.seams.addSeries(
        `couchestor_volume_${metric}_total`,
        { volume_id: ID(n), node: 'a', device: 'vdb' },
        { intervalSeconds: 30, value: (t) => t * 10, monotonic: true },
      )
  const source = createPrometheusSource({
    http: inProcess({ 'http://prometheus': sim.handle }, { clock }),
    config: {
      endpoint: 'http://prometheus',
      queryTimeoutMs: 5000,
      preset: 'agent',
      ...(authorization === undefined ? {} : { authorization }),
    },
    clock,
    random: () => 0.5,
    log: silentLog,
  })
  const window = async () => {
    const answer = source.window({ endSeconds: END, windowSeconds: 1800 })
    await clock.advance(120_000)
    return answer
  }
  return { sim, window, clock }
}

describe('the source against a Prometheus in trouble', () => {
  it.each([
    ['is down', { kind: 'down' }, /no answer \(reset\)/],
    ['refuses connections', { kind: 'down', failure: 'refused' }, /no answer \(refused\)/],
    ['is starting', { kind: 'not-ready' }, /HTTP 503: Service Unavailable/],
    ['answers in part, with a warning', { kind: 'partial' }, /may be partial/],
    ['answers in part, with a mark', { kind: 'is-partial' }, /isPartial/],
    ['is slower than the deadline', { kind: 'slow', ms: 60_000 }, /no answer/],
  ] as [string, PrometheusFault, RegExp][])('knows nothing while it %s', async (_, fault, why) => {
    const { sim, window, clock } = setup()
    sim.seams.setFault(fault)
    const during = await window()
    sim.seams.setFault(undefined)
    const after = await window()

    expect(during).toEqual({ kind: 'Down', why: expect.stringMatching(why) })
    expect(after).toMatchObject({ kind: 'Answer', warnings: [] })
    expect(after).toHaveProperty('volumes.size', 10)
    expect(clock.pending).toBe(0)
  })

  it('gives no volume a number while it answers without series', async () => {
    const { sim, window } = setup()
    sim.seams.setFault({ kind: 'empty' })

    expect(await window()).toEqual({ kind: 'Answer', volumes: new Map(), warnings: [] })
  })

  it.each([1, 2])('rides out %i bad answers', async (times) => {
    const { sim, window } = setup()
    sim.seams.setFault({ kind: 'not-ready' }, times)

    expect(await window()).toHaveProperty('volumes.size', 10)
  })

  it('says that it was refused when the credentials are wrong', async () => {
    const { window } = setup(() => Promise.resolve('Bearer wrong'))

    expect(await window()).toEqual({
      kind: 'Down',
      why: 'Prometheus http://prometheus: HTTP 401: Unauthorized (check the credentials for Prometheus)',
    })
  })

  it('takes a renewed credential without a restart', async () => {
    let token = 'Bearer wrong'
    const { window } = setup(() => Promise.resolve(token))
    const before = await window()
    token = 'Bearer right'

    expect([before.kind, (await window()).kind]).toEqual(['Down', 'Answer'])
  })
})
