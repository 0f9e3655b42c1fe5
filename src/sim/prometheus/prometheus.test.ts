import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { inProcess } from '../server.ts'
import type { PrometheusFault } from './prometheus.ts'
import { createPrometheus } from './prometheus.ts'
import type { SampledFunction } from './series.ts'

const NOW = 1_767_225_600
const TEXT = { 'content-type': 'text/plain' }

function setup(options: { authorization?: string } = {}) {
  const clock = createVirtualClock(NOW * 1000)
  const { handle, seams } = createPrometheus({ clock, ...options })
  const http = inProcess({ 'http://prometheus': handle })
  const ask = async (query: string, extra = '', headers: Record<string, string> = {}) => {
    const response = await http.request({
      method: 'GET',
      url: `http://prometheus/api/v1/query?query=${encodeURIComponent(query)}${extra}`,
      headers,
    })
    const text = await response.text()
    const json = /json/.test(response.headers['content-type']!)
    return { status: response.status, body: json ? (JSON.parse(text) as unknown) : text }
  }
  const values = async (query: string, time = NOW) => {
    const { body } = await ask(query, `&time=${time}`)
    const { result } = (body as { data: { result: { value: [number, string] }[] } }).data
    return result.map((r) => Number(r.value[1]))
  }
  return { clock, seams, http, ask, values }
}

const counter = (extra: Partial<SampledFunction> = {}): SampledFunction => ({
  intervalSeconds: 30,
  value: (t) => (t - NOW + 86_400 * 30) * 10,
  ...extra,
})

describe('a simulated Prometheus', () => {
  it('has days of history and nothing from the future', async () => {
    const { seams, values, clock } = setup()
    seams.addSeries('x_total', {}, counter())

    expect(await values('rate(x_total[1h])', NOW - 20 * 86_400)).toEqual([10])
    expect(await values('count_over_time(x_total[10m])', NOW + 300)).toEqual([10])
    await clock.advance(300_000)
    expect(await values('count_over_time(x_total[10m])', NOW + 300)).toEqual([20])
  })

  it('marks a series as stale that has ended, and keeps its history', async () => {
    const { seams, values } = setup()
    seams.addSeries('x_total', {}, counter({ toSeconds: NOW - 60 }))

    expect(await values('x_total')).toEqual([])
    expect(await values('x_total', NOW - 60)).toHaveLength(1)
    expect(await values('count_over_time(x_total[5m])')).toEqual([8])
  })

  it('forgets a series that is removed', async () => {
    const { seams, values } = setup()
    seams.addSeries('x_total', {}, counter()).remove()

    expect(await values('x_total')).toEqual([])
  })

  it('answers alike whether or not a series promises to be monotonic', async () => {
    const { seams, values } = setup()
    const offset = fc.integer({ min: -29, max: 29 })
    const from = fc.integer({ min: -4000, max: 0 })
    const length = fc.integer({ min: 0, max: 4000 })
    await fc.assert(
      fc.asyncProperty(offset, from, length, async (offsetSeconds, start, seconds) => {
        const source = counter({
          offsetSeconds,
          fromSeconds: NOW + start,
          toSeconds: NOW + start + seconds,
        })
        const a = seams.addSeries('a_total', {}, source)
        const b = seams.addSeries('b_total', {}, { ...source, monotonic: true })
        for (const fn of ['rate', 'count_over_time', 'last_over_time'])
          expect(await values(`${fn}(b_total[30m])`)).toEqual(await values(`${fn}(a_total[30m])`))
        a.remove()
        b.remove()
      }),
      { numRuns: 200 },
    )
  })

  it.each([
    ['not-ready', { kind: 'not-ready' }, 503, 'Service Unavailable'],
    ['a fixed answer', { kind: 'answer', status: 418, body: 'x', headers: TEXT }, 418, 'x'],
  ] as [string, PrometheusFault, number, string][])(
    'can fail: %s',
    async (_, fault, status, body) => {
      const { seams, ask } = setup()
      seams.setFault(fault, 1)
      expect(await ask('1')).toEqual({ status, body })
      expect((await ask('1')).status).toBe(200)
    },
  )

  it.each([
    ['empty', { kind: 'empty' }, { data: { result: [] } }],
    ['partial', { kind: 'partial', warning: 'w' }, { data: { result: [{}] }, warnings: ['w'] }],
    ['is-partial', { kind: 'is-partial' }, { data: { result: [{}] }, isPartial: true }],
  ] as [string, PrometheusFault, object][])(
    'can lie with a success: %s',
    async (_, fault, body) => {
      const { seams, ask } = setup()
      seams.addSeries('x', { a: '1' }, [[NOW, 1]])
      seams.addSeries('x', { a: '2' }, [[NOW, 1]])
      seams.setFault(fault)

      expect(await ask('x')).toMatchObject({ status: 200, body: { status: 'success', ...body } })
    },
  )

  it('can break or refuse the connection', async () => {
    const { seams, ask } = setup()
    seams.setFault({ kind: 'down' })
    await expect(ask('1')).rejects.toMatchObject({ failure: 'reset' })
    seams.setFault({ kind: 'down', failure: 'refused' })
    await expect(ask('1')).rejects.toMatchObject({ failure: 'refused' })
  })

  it('can be slow on its own clock', async () => {
    const { seams, ask, clock } = setup()
    seams.setFault({ kind: 'slow', ms: 5000 })
    let status = 0
    const asked = ask('1').then((r) => (status = r.status))
    await clock.advance(4900)
    expect(status).toBe(0)
    await clock.advance(200)
    await asked
    expect(status).toBe(200)
  })

  it('refuses everyone without the right credentials', async () => {
    const { ask } = setup({ authorization: 'Bearer x' })

    expect((await ask('1')).status).toBe(401)
    expect((await ask('1', '', { authorization: 'Bearer x' })).status).toBe(200)
  })

  it('remembers the queries it was asked', async () => {
    const { ask, seams } = setup()
    await ask('1 + 1', '&dedup=true')

    expect(seams.queries).toEqual([{ query: '1 + 1', params: { query: '1 + 1', dedup: 'true' } }])
  })
})
