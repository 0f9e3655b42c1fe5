import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../http.ts'
import {
  failureOf,
  ACTION,
  LOGIN,
  never,
  PROJECT,
  read,
  type Reply,
  setUp,
  testCredentials,
  tokenReply,
  VOLUME,
  write,
} from './testing.ts'

describe('repeating', () => {
  it.each([429, 500, 502, 503, 504])('a read is tried again after %i', async (status) => {
    const { session, of, clock } = setUp({ [VOLUME]: [{ status }, { json: { ok: true } }] })
    const answer = session.request(read)
    await clock.advance(1_900)
    expect(of(VOLUME)).toHaveLength(1)
    await clock.advance(1_100)
    await expect(answer).resolves.toMatchObject({ status: 200, json: { ok: true } })
  })

  it.each([400, 403, 404, 409, 413, 501])('an answer %i is final', async (status) => {
    const headers = { 'retry-after': '0' }
    const { session, of, clock } = setUp({ [VOLUME]: { status, headers } })
    await expect(session.request(read)).resolves.toMatchObject({ status })
    await clock.advance(120_000)
    expect(of(VOLUME)).toHaveLength(1)
  })

  it('ends after five tries, 2 to 30 s apart and growing', async () => {
    const times: number[] = []
    const context = setUp({
      [VOLUME]: () => {
        times.push(context.clock.monotonic())
        throw new ConnectionError('timeout', 'GET https://cinder.test: timeout')
      },
    })
    const failed = failureOf(context.session.request(read))
    await context.clock.advance(200_000)
    expect(await failed).toMatchObject({
      code: 'Unreachable',
      sent: true,
      message: expect.stringMatching(/^Cinder: volumes.get got no answer: GET/) as string,
    })
    expect(times.slice(1).map((t, i) => t - times[i]!)).toEqual([2_500, 5_000, 10_000, 20_000])
  })

  it('a body that breaks off is a failed try of a read', async () => {
    const { session, clock } = setUp({ [VOLUME]: [{ torn: true }, { json: 1 }] })
    const answer = session.request(read)
    await clock.advance(3_000)
    await expect(answer).resolves.toMatchObject({ json: 1 })
  })

  it.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(Date.UTC(2030, 5, 1, 12, 0, 20)).toUTCString(), 20_000],
  ])('waits as long as Retry-After asks in %s', async (_, value, ms) => {
    const { session, of, clock } = setUp({
      [VOLUME]: [{ status: 429, headers: { 'retry-after': value } }, {}],
    })
    const answer = session.request(read)
    await clock.advance(ms - 100)
    expect(of(VOLUME)).toHaveLength(1)
    await clock.advance(200)
    await expect(answer).resolves.toMatchObject({ status: 200 })
  })

  it('gives a wait of an hour back to the caller', async () => {
    const { session } = setUp({ [VOLUME]: { status: 503, headers: { 'retry-after': '3600' } } })
    await expect(session.request(read)).resolves.toMatchObject({ status: 503 })
  })

  it('ends at once when the caller gives up, leaving no timer', async () => {
    const { session, clock } = setUp({ [VOLUME]: { status: 503 } })
    const giveUp = new AbortController()
    const failed = failureOf(session.request({ ...read, signal: giveUp.signal }))
    await clock.settle()
    giveUp.abort()
    expect(await failed).toMatchObject({ code: 'Unreachable', sent: true })
    expect(clock.pending).toBe(0)
  })
})

describe('a request that must go out once', () => {
  it.each([500, 503, 429])('is not repeated after %i', async (status) => {
    const { session, of, clock } = setUp({ [ACTION]: { status } })
    await expect(session.request(write)).resolves.toMatchObject({ status })
    await clock.advance(120_000)
    expect(of(ACTION)).toHaveLength(1)
  })

  it('is over after its deadline, and may have been done', async () => {
    const { session, clock } = setUp({ [ACTION]: () => never })
    const failed = failureOf(session.request(write))
    await clock.advance(30_000)
    expect(await failed).toMatchObject({
      code: 'Unreachable',
      sent: true,
      message: expect.stringContaining('no answer within 30 s') as string,
    })
  })

  it('is never sent late: a login that takes too long ends it unsent', async () => {
    let letIn: (reply: Reply) => void = () => {}
    const slow = new Promise<Reply>((resolve) => (letIn = resolve))
    const { session, of, clock } = setUp({ [LOGIN]: () => slow, [ACTION]: { status: 202 } })
    const failed = failureOf(session.request(write))
    await clock.advance(30_000)
    expect(await failed).toMatchObject({ sent: false })
    letIn(tokenReply(1))
    await clock.advance(60_000)
    expect(of(ACTION)).toHaveLength(0)
  })

  it('is not sent when its fence throws, also not the second time', async () => {
    let fences = 0
    const { session, of } = setUp({ [ACTION]: { status: 401 } })
    const fence = () => {
      fences += 1
      if (fences === 2) throw new Error('the lease is lost')
    }
    await expect(session.request({ ...write, fence })).rejects.toMatchObject({
      sent: false,
      message: 'Cinder: volumes.retype was not sent: the lease is lost',
    })
    expect(of(ACTION)).toHaveLength(1)
  })

  it('keeps its answer when only the body breaks off', async () => {
    const { session } = setUp({ [ACTION]: { status: 202, torn: true } })
    await expect(session.request(write)).resolves.toMatchObject({ status: 202 })
  })
})

describe('a service that refuses good tokens now and then', () => {
  it('leads to ten logins at once, and then to one a minute', async () => {
    let asked = 0
    const { session, of, clock } = setUp({
      [LOGIN]: () => tokenReply(of(LOGIN).length),
      [VOLUME]: () => ({ status: asked++ % 2 === 0 ? 401 : 200 }),
    })
    const ask = async () => {
      asked = 0
      await session.request(read).catch(() => {})
    }
    for (let i = 0; i < 40; i++) await ask()
    const first = of(LOGIN).length
    expect(first).toBe(11)
    for (let i = 0; i < 40; i++) {
      await clock.advance(15_000)
      await ask()
    }
    expect(of(LOGIN).length - first).toBe(10)
  })
})

describe('what others see', () => {
  it('the microversion goes out in the header Cinder wants', async () => {
    const { session, of } = setUp({ [VOLUME]: {} })
    await session.request({ ...read, microversion: '3.63' })
    expect(of(VOLUME)[0]?.headers).toMatchObject({ 'openstack-api-version': 'volume 3.63' })
  })

  it('every request is counted by service, method, operation and code', async () => {
    const { session, registry } = setUp({ [VOLUME]: { status: 404 } })
    await session.request(read)
    expect(await registry.metrics()).toContain(
      'couchestor_openstack_requests_total{service="block-storage",method="GET",operation="volumes.get",code="404"} 1',
    )
  })

  it('the catalog is in the debug log, tokens and bodies are not', async () => {
    const { session, lines } = setUp({ [ACTION]: { status: 202 } })
    await session.request({ ...write, body: { auth_key: 'marker-body' } })
    const text = lines.join('')
    expect(text).toContain(`volumev3 (cinderv3) RegionOne public https://cinder.test/v3/${PROJECT}`)
    expect(text).not.toMatch(/marker/)
  })

  it('a redirect is not followed', async () => {
    const { session, requests } = setUp({
      [VOLUME]: { status: 301, headers: { location: 'https://evil.test/' } },
    })
    await expect(session.request(read)).resolves.toMatchObject({ status: 301 })
    expect(requests.every((r) => !r.url.includes('evil'))).toBe(true)
  })

  it('an endpoint override beats the catalog', async () => {
    const { session } = setUp(
      {},
      { ...testCredentials, endpointOverrides: { 'block-storage': 'http://c:8776/v3' } },
    )
    await expect(session.endpoint('block-storage')).resolves.toBe(`http://c:8776/v3/${PROJECT}`)
  })
})
