import { describe, expect, it } from 'vitest'
import { ConnectionError, type ConnectionFailure } from '../http.ts'
import { ACTION, LOGIN, never, type Reply, setUp } from './testing.ts'
import { CALL_TIMEOUT_MS } from './one-call.ts'
import type { RetypeRequest } from './types.ts'

const request: RetypeRequest = {
  volumeId: 'v1',
  newTypeId: 'type-cold',
  migrationPolicy: 'on-demand',
  requestId: 'req-1',
}

const fails = (failure: ConnectionFailure) => () => {
  throw new ConnectionError(failure, failure)
}
const fault = (status: number, name: string, message = 'because'): Reply => ({
  status,
  headers: { 'x-openstack-request-id': 'req-c', 'retry-after': '0' },
  json: { [name]: { code: status, message } },
})

describe('a retype', () => {
  it('is one POST with the type id, the policy and our request id, and no microversion', async () => {
    const { service, of } = setUp({
      [ACTION]: { status: 202, headers: { 'x-openstack-request-id': 'req-c' } },
    })
    expect(await service.retype(request)).toEqual({ kind: 'Accepted', cinderRequestId: 'req-c' })
    const [sent] = of(ACTION)
    expect(JSON.parse(sent?.body ?? '')).toEqual({
      'os-retype': { new_type: 'type-cold', migration_policy: 'on-demand' },
    })
    expect(sent?.headers).toMatchObject({ 'x-openstack-request-id': 'req-1' })
    expect(sent?.headers).not.toHaveProperty('openstack-api-version')
  })

  it.each<[number, string, boolean]>([
    [400, 'badRequest', false],
    [403, 'forbidden', false],
    [404, 'itemNotFound', false],
    [409, 'conflictingRequest', false],
    [413, 'overLimit', true],
    [413, 'overLimitFault', false],
    [429, 'overLimit', false],
  ])('refused with %i %s has not started; quota: %s', async (httpStatus, name, quota) => {
    const { service, of, clock } = setUp({ [ACTION]: fault(httpStatus, name) })
    expect(await service.retype(request)).toEqual({
      kind: 'Rejected',
      httpStatus,
      quota,
      message: 'because',
      cinderRequestId: 'req-c',
    })
    await clock.advance(300_000)
    expect(of(ACTION)).toHaveLength(1)
  })

  it.each<[string, Reply]>([
    ['an HTML 400 of a proxy', { status: 400, text: '<html>Bad Request</html>' }],
    ['an HTML 403 of a firewall', { status: 403, text: '<html>Forbidden</html>' }],
    ['an empty 404', { status: 404 }],
    [
      'a 413 of a proxy',
      {
        status: 413,
        headers: { 'content-type': 'text/html' },
        text: '<html>Request Entity Too Large</html>',
      },
    ],
    ['a 403 of another service', { status: 403, json: { error: { code: 403, message: 'no' } } }],
    ['a fault of another status', { status: 400, json: { itemNotFound: { code: 404 } } }],
    [
      'a fault sent as HTML',
      {
        status: 400,
        headers: { 'content-type': 'text/html' },
        json: { badRequest: { code: 400, message: 'no' } },
      },
    ],
    ['a redirect', { status: 302, headers: { location: 'https://login.test/' } }],
    ['a page with 200', { status: 200, headers: { 'content-type': 'text/html' }, text: 'Welcome' }],
    ['an answer 204 that Cinder never gives', { status: 204 }],
  ])('answered with %s is neither refused nor accepted', async (_, reply) => {
    const { service, of, clock } = setUp({ [ACTION]: reply })
    expect(await service.retype(request)).toMatchObject({
      kind: 'Unknown',
      httpStatus: reply.status,
    })
    await clock.advance(300_000)
    expect(of(ACTION)).toHaveLength(1)
  })

  it('refused by a limiter says how long to wait, five minutes at most', async () => {
    const limited = (seconds: string): Reply => ({
      status: 429,
      headers: { 'retry-after': seconds },
      text: '<html>Too Many Requests</html>',
    })
    const { service } = setUp({ [ACTION]: [limited('30'), limited('86400'), limited('-5')] })
    expect(await service.retype(request)).toMatchObject({ kind: 'Rejected', retryAfterMs: 30_000 })
    expect(await service.retype(request)).toMatchObject({ retryAfterMs: 300_000 })
    expect(await service.retype(request)).not.toHaveProperty('retryAfterMs')
  })

  it('reports no request id in its message, so that two attempts read the same', async () => {
    const said = 'Server error (Request-ID: req-6b1e2f00-1111-2222-3333-444455556666), try again'
    const { service } = setUp({ [ACTION]: fault(503, 'serviceUnavailable', said) })
    const answer = await service.retype(request)
    expect(answer).toMatchObject({ kind: 'Unknown', message: 'Server error, try again' })
  })

  it.each([500, 502, 503, 504, 408, 499])(
    'answered with %i may have started, and is not repeated',
    async (status) => {
      const { service, of, clock } = setUp({ [ACTION]: fault(status, 'computeFault') })
      expect(await service.retype(request)).toMatchObject({ kind: 'Unknown', httpStatus: status })
      await clock.advance(300_000)
      expect(of(ACTION)).toHaveLength(1)
    },
  )

  it.each<[ConnectionFailure, string]>([
    ['refused', 'NotSent'],
    ['dns', 'NotSent'],
    ['tls', 'NotSent'],
    ['timeout', 'Unknown'],
    ['reset', 'Unknown'],
    ['aborted', 'Unknown'],
  ])('that ends in "%s" is %s', async (failure, kind) => {
    const { service, of, clock } = setUp({ [ACTION]: fails(failure) })
    expect(await service.retype(request)).toMatchObject({ kind })
    await clock.advance(300_000)
    expect(of(ACTION)).toHaveLength(1)
  })

  it('is given up in time as unknown', async () => {
    const { service, clock } = setUp({ [ACTION]: () => never })
    const answer = service.retype(request)
    await clock.advance(CALL_TIMEOUT_MS)
    expect(await answer).toMatchObject({
      kind: 'Unknown',
      message: expect.stringContaining(`${CALL_TIMEOUT_MS / 1000} s`) as string,
    })
  })

  it('is repeated once after 401, which means nothing was done', async () => {
    const { service, of } = setUp({ [ACTION]: [{ status: 401 }, { status: 202 }] })
    expect(await service.retype(request)).toMatchObject({ kind: 'Accepted' })
    expect(of(ACTION)).toHaveLength(2)
  })

  it('refused with 401 twice has not started', async () => {
    const { service, of } = setUp({ [ACTION]: { status: 401 } })
    expect(await service.retype(request)).toMatchObject({
      kind: 'Rejected',
      httpStatus: 401,
      quota: false,
    })
    expect(of(ACTION)).toHaveLength(2)
  })

  it.each<[string, Reply]>([
    ['refuses us', { status: 401 }],
    [
      'shows no endpoint',
      {
        status: 201,
        headers: { 'x-subject-token': 't' },
        json: { token: { expires_at: '2030-01-01T00:00:00Z', project: { id: 'p' } } },
      },
    ],
  ])('is not sent when Keystone %s', async (_, reply) => {
    const { service, of } = setUp({ [LOGIN]: reply })
    expect(await service.retype(request)).toMatchObject({ kind: 'NotSent' })
    expect(of(ACTION)).toHaveLength(0)
  })

  it('is not sent when Keystone does not answer, whatever the kind of failure', async () => {
    const { service, of, clock } = setUp({ [LOGIN]: fails('reset') })
    const answer = service.retype(request)
    await clock.advance(31_000)
    expect(await answer).toMatchObject({ kind: 'NotSent' })
    await clock.advance(300_000)
    expect(of(ACTION)).toHaveLength(0)
  })

  it('is not sent when the fence throws', async () => {
    const { service, of } = setUp({ [ACTION]: { status: 202 } })
    const fence = () => {
      throw new Error('the lease is lost')
    }
    expect(await service.retype({ ...request, fence })).toMatchObject({ kind: 'NotSent' })
    expect(of(ACTION)).toHaveLength(0)
  })

  it('is not sent when the caller has given up already', async () => {
    const { service, of } = setUp({ [ACTION]: { status: 202 } })
    expect(await service.retype(request, AbortSignal.abort())).toMatchObject({ kind: 'NotSent' })
    expect(of(ACTION)).toHaveLength(0)
  })

  it.each(['../../types', 'a/action?x='])('of "%s" goes nowhere', async (volumeId) => {
    const { service, requests } = setUp({})
    expect(await service.retype({ ...request, volumeId })).toMatchObject({
      kind: 'Rejected',
      httpStatus: 400,
    })
    expect(requests).toEqual([])
  })
})
