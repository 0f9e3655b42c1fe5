import { describe, expect, it } from 'vitest'
import type { Session, SessionRequest, SessionResponse } from '../../openstack/session.ts'
import type { AggregatesQuery } from './client.ts'
import { createGnocchiClient } from './client.ts'

const SERVER = '11111111-2222-4333-8444-555555555555'
const ASKED: AggregatesQuery = {
  disks: [{ serverId: SERVER, device: 'vdb' }],
  aggregation: 'mean',
  startSeconds: 0,
  stopSeconds: 600,
  granularitySeconds: 300,
}

type Reply = Partial<SessionResponse> | Error

/** A session whose Gnocchi answers what the test says; it hides the word "secret", as the real one its secrets. */
function sessionOf(reply: (request: SessionRequest) => Reply) {
  const requests: SessionRequest[] = []
  const session: Session = {
    request: (request) => {
      requests.push(request)
      const answer = reply(request)
      if (answer instanceof Error) return Promise.reject(answer)
      return Promise.resolve({
        status: 200,
        headers: {},
        json: undefined,
        requestId: undefined,
        ...answer,
      })
    },
    projectId: () => Promise.resolve('p'),
    endpoint: () => Promise.resolve('http://gnocchi.test'),
    clean: (text) => text.replaceAll('secret', '[hidden]'),
    forget: () => {},
  }
  return { session, requests }
}

const row = (id: string, device = id, more = {}) => ({
  id,
  original_resource_id: `${SERVER}-${device}`,
  metrics: {},
  ended_at: null,
  ...more,
})

describe('disks', () => {
  it('follows the marker of each Link, not its host, to the last page', async () => {
    const { session, requests } = sessionOf(({ path }) =>
      path.includes('marker=a')
        ? { json: [row('b')] }
        : {
            json: [row('a')],
            headers: { link: '<http://inside.test:1/v1/x?limit=1&marker=a>; rel="next"' },
          },
    )
    const answer = await createGnocchiClient({ session }).disks()
    expect(answer).toMatchObject({ kind: 'Disks', disks: [{ device: 'a' }, { device: 'b' }] })
    expect(requests.map((r) => r.path)).toEqual([
      '/v1/resource/instance_disk?limit=1000&sort=id%3Aasc',
      '/v1/resource/instance_disk?limit=1000&sort=id%3Aasc&marker=a',
    ])
  })

  it('leaves out what is no disk of a server, and disks of deleted servers unless asked for', async () => {
    const ended = row('c', 'vdc', { ended_at: '2026-01-01T00:00:00+00:00' })
    const other = { id: 'x', original_resource_id: 'tap-1', metrics: {} }
    const { session } = sessionOf(() => ({ json: [row('a', 'vdb'), ended, other, 5] }))
    const client = createGnocchiClient({ session })
    const devices = async (all: boolean) => {
      const answer = await client.disks({ ended: all })
      return answer.kind === 'Disks' ? answer.disks.map((d) => d.device) : []
    }
    expect(await devices(false)).toEqual(['vdb'])
    expect(await devices(true)).toEqual(['vdb', 'vdc'])
  })

  it('gives up a list that never ends', async () => {
    const link = '<http://g/v1/x?marker=a>; rel="next"'
    const { session, requests } = sessionOf(() => ({ json: [row('a')], headers: { link } }))
    const answer = await createGnocchiClient({ session }).disks()
    expect(answer).toEqual({
      kind: 'Failed',
      why: 'Gnocchi: resources.list gives page after page without end',
    })
    expect(requests.length).toBeLessThanOrEqual(1000)
  })
})

describe('aggregates', () => {
  it('asks for the four counters of the disks by the ids that Ceilometer gives them', async () => {
    const { session, requests } = sessionOf(() => ({ json: { measures: {}, references: [] } }))
    await createGnocchiClient({ session }).aggregates(ASKED)
    expect(requests[0]).toMatchObject({
      service: 'metric',
      method: 'POST',
      retry: 'safe',
      path: '/v1/aggregates?start=0&stop=600&granularity=300&details=true',
      body: {
        resource_type: 'instance_disk',
        search: { in: { original_resource_id: [`${SERVER}-vdb`] } },
        operations: [
          'metric',
          ['disk.device.read.requests', 'mean'],
          ['disk.device.write.requests', 'mean'],
          ['disk.device.read.bytes', 'mean'],
          ['disk.device.write.bytes', 'mean'],
        ],
      },
    })
  })

  it('does not send ids that Gnocchi falls over', async () => {
    const { session, requests } = sessionOf(() => ({}))
    const disks = [{ serverId: 'nope', device: 'vdb' }]
    const answer = await createGnocchiClient({ session }).aggregates({ ...ASKED, disks })
    expect(answer).toEqual({ kind: 'NoneMatch' })
    expect(requests).toEqual([])
  })

  it.each([
    [404, { cause: 'Metrics not found', detail: [] }, 'NoneMatch'],
    [400, { cause: 'Metrics not found', detail: [] }, 'NoneMatch'],
    [
      404,
      { cause: 'Metrics with unknown aggregation', detail: [['m', 'mean']] },
      'UnknownAggregation',
    ],
    [404, { cause: 'Metrics with unknown aggregation' }, 'UnknownAggregation'],
    [400, { cause: 'x', reason: 'Granularities are missing' }, 'GranularityMissing'],
    [500, { cause: 'Metrics not found' }, 'Failed'],
    [400, 'Metrics not found', 'Failed'],
  ])('takes %d %j for %s', async (status, description, kind) => {
    const { session } = sessionOf(() => ({ status, json: { code: status, description } }))
    expect((await createGnocchiClient({ session }).aggregates(ASKED)).kind).toBe(kind)
  })

  it.each<[string, Reply, RegExp]>([
    ['403', { status: 403, json: { title: 'Forbidden' } }, /403 Forbidden \(.*reader role\)$/],
    ['an HTML 404', { status: 404 }, /^Gnocchi: aggregates answered 404 \(check gnocchi\.endpoint/],
    ['no JSON', { status: 200 }, /^Gnocchi: aggregates answered something else$/],
    ['half an answer', { json: { measures: {} } }, /something else/],
    ['a secret', { status: 400, json: { title: 'a secret' } }, /400 a \[hidden\]$/],
    ['no answer', new Error('Gnocchi: aggregates got no answer'), /got no answer$/],
  ])('says in one sentence what %s means', async (_, reply, why) => {
    const { session } = sessionOf(() => reply)
    const answer = await createGnocchiClient({ session }).aggregates(ASKED)
    expect(answer).toEqual({ kind: 'Failed', why: expect.stringMatching(why) as string })
  })

  it.each([
    ['a row that is none', [['2026-01-01T00:00:00+00:00', 300]]],
    ['a time that is none', [['yesterday', 300, 1]]],
    ['a number for a time', [['48', 300, 1]]],
    ['a day that does not exist', [['2026-02-30T00:00:00+00:00', 300, 1]]],
    ['rows that are none', 7],
  ])('trusts no answer with %s', async (_, rows) => {
    const measures = { a: { 'disk.device.read.requests': { mean: rows } } }
    const { session } = sessionOf(() => ({ json: { measures, references: [row('a', 'vdb')] } }))
    expect((await createGnocchiClient({ session }).aggregates(ASKED)).kind).toBe('Failed')
  })

  it.each(['2026-01-01T00:05:00', '2026-01-01T00:05:00+00:00', '2026-01-01T02:05:00+02:00'])(
    'takes %s for the same instant, wherever this runs',
    async (at) => {
      const measures = { a: { 'disk.device.read.requests': { mean: [[at, 300, 1]] } } }
      const { session } = sessionOf(() => ({ json: { measures, references: [row('a', 'vdb')] } }))
      const answer = await createGnocchiClient({ session }).aggregates(ASKED)
      expect(JSON.stringify(answer)).toContain(
        `"startSeconds":${Date.UTC(2026, 0, 1, 0, 5) / 1000}`,
      )
    },
  )
})
