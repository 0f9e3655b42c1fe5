import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { ConnectionError } from '../../http.ts'
import type { HttpResponse } from '../../http.ts'
import { silentLog } from '../../log.ts'
import { createPrometheusClient, MAX_BODY_CHARACTERS } from './client.ts'
import type { Fetched } from './client.ts'
import type { PrometheusSourceConfig } from './config.ts'
import type { Scripted } from './scripted-http.ts'
import { scriptedHttp } from './scripted-http.ts'

const OK = { body: { status: 'success', data: { resultType: 'vector', result: [] } } }
const config: PrometheusSourceConfig = {
  endpoint: 'http://prometheus:9090',
  queryTimeoutMs: 30_000,
  preset: 'agent',
}

async function run(
  script: Scripted,
  extra: Partial<PrometheusSourceConfig> = {},
  signal?: AbortSignal,
) {
  const http = scriptedHttp(script)
  const clock = createVirtualClock()
  const client = createPrometheusClient({
    http,
    clock,
    random: () => 0.5,
    log: silentLog,
    turn: async () => {},
    config: { ...config, ...extra },
  })
  let fetched: Fetched | undefined
  void client.query('up', 1_800, signal).then((f) => (fetched = f))
  const pauses: number[] = []
  for (let ms = 0; ms < 200_000 && fetched === undefined; ms += 100) {
    const before = http.requests.length
    await clock.advance(100)
    if (http.requests.length > before) pauses.push(clock.monotonic())
  }
  return { http, fetched, sentAt: pauses, clock }
}

const inTurn = (...steps: Scripted[]): Scripted => {
  let next = 0
  return () => steps[Math.min(next++, steps.length - 1)]!
}

describe('a query to Prometheus', () => {
  it('is a POST with the time of evaluation, a timeout and the words that forbid partial answers', async () => {
    const { http } = await run(OK, { endpoint: 'https://mimir/prometheus/?tenant=a' })

    expect(http.requests[0]).toMatchObject({
      method: 'POST',
      url: 'https://mimir/prometheus/api/v1/query?tenant=a',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(http.form(0)).toEqual({
      query: 'up',
      time: '1800',
      timeout: '30s',
      partial_response: 'false',
      dedup: 'true',
      deny_partial_response: '1',
    })
  })

  it.each([
    [
      '503 in plain text',
      { status: 503, body: 'Service Unavailable' },
      'HTTP 503: Service Unavailable',
    ],
    [
      '500',
      { status: 500, body: { status: 'error', errorType: 'internal', error: 'disk' } },
      'HTTP 500: internal: disk',
    ],
    ['429', { status: 429, body: '' }, 'HTTP 429: no reason given'],
    ['a refused connection', new ConnectionError('refused', 'x'), 'no answer (refused)'],
    ['a 200 that is no JSON', { body: 'hello' }, 'HTTP 200, but the body is not JSON'],
    [
      'a 200 that is a page',
      { body: '<html>login</html>' },
      'HTTP 200, but the body is not JSON but a page: is there a login in between? Set prometheus.auth, or the URL of Prometheus itself',
    ],
  ] as [string, Scripted, string][])('is tried three times on %s', async (_, script, why) => {
    const { http, fetched, clock } = await run(script)

    expect(http.requests).toHaveLength(3)
    expect(fetched).toMatchObject({ kind: 'Failed', why })
    expect(clock.pending).toBe(0)
  })

  it.each([
    [422, 'execution', 'query processing would load too many samples'],
    [400, 'bad_data', 'parse error'],
  ])(
    'is not repeated after %i, which says that the question is wrong',
    async (status, errorType, error) => {
      const { http, fetched } = await run({ status, body: { status: 'error', errorType, error } })

      expect(http.requests).toHaveLength(1)
      expect(fetched).toMatchObject({
        kind: 'Failed',
        why: `HTTP ${status}: ${errorType}: ${error}`,
      })
    },
  )

  it.each([
    [401, ['POST'], /check the credentials/],
    [403, ['POST', 'GET'], /check the credentials/],
    [404, ['POST'], /check the endpoint/],
    [302, ['POST'], /redirect/],
    [405, ['POST', 'GET'], /refuses both POST and GET/],
    [414, ['POST'], /too long for a URL/],
  ])('reports what to do after %i', async (status, methods, advice) => {
    const { http, fetched } = await run({ status, body: 'no' })

    expect(http.requests.map((r) => r.method)).toEqual(methods)
    expect(fetched).toHaveProperty('why', expect.stringMatching(advice))
  })

  it.each([405, 403, 501])(
    'is asked by GET where POST is answered with %i, and from then on at once',
    async (status) => {
      const http = scriptedHttp(({ method }) => (method === 'POST' ? { status, body: 'no' } : OK))
      const client = createPrometheusClient({
        http,
        clock: createVirtualClock(),
        random: () => 0.5,
        log: silentLog,
        turn: async () => {},
        config: { ...config, endpoint: 'http://p/x?tenant=a' },
      })
      for (let n = 0; n < 2; n += 1)
        expect(await client.query('a + b', 1_800)).toEqual({ kind: 'Body', body: OK.body })
      expect(http.requests.map((r) => r.method)).toEqual(['POST', 'GET', 'GET'])
      const { url, body, headers } = http.requests[2]!
      expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({
        tenant: 'a',
        query: 'a + b',
        time: '1800',
        partial_response: 'false',
      })
      expect(body).toBeUndefined()
      expect(headers).not.toHaveProperty('content-type')
    },
  )

  it.each([414, 431])(
    'asks by POST again what is too long for a URL (%i), where POST was refused for a moment only',
    async (status) => {
      let postRefused = true
      const http = scriptedHttp(({ method, url }) => {
        if (method === 'POST') return postRefused ? { status: 403, body: 'no' } : OK
        return url.includes('long') ? { status, body: 'too long' } : OK
      })
      const client = createPrometheusClient({
        http,
        clock: createVirtualClock(),
        random: () => 0.5,
        log: silentLog,
        turn: async () => {},
        config,
      })
      await client.query('up', 1)
      expect(await client.query('long', 1)).toHaveProperty('why', expect.stringMatching(/too long/))
      postRefused = false
      expect(await client.query('long', 1)).toEqual({ kind: 'Body', body: OK.body })
    },
  )

  it('goes back to POST where GET is refused later', async () => {
    let refused = 'POST'
    const http = scriptedHttp(({ method }) =>
      method === refused ? { status: 405, body: 'no' } : OK,
    )
    const client = createPrometheusClient({
      http,
      clock: createVirtualClock(),
      random: () => 0.5,
      log: silentLog,
      turn: async () => {},
      config,
    })
    await client.query('up', 1)
    refused = 'GET'
    await client.query('up', 1)
    await client.query('up', 1)
    expect(http.requests.map((r) => r.method)).toEqual(['POST', 'GET', 'GET', 'POST', 'POST'])
  })

  it.each(['text/plain', 'application/octet-stream', ''])(
    'is answered by JSON with the content type "%s" too',
    async (type) => {
      const { fetched } = await run({
        headers: { 'content-type': type },
        body: `\uFEFF${JSON.stringify(OK.body)}`,
      })
      expect(fetched).toEqual({ kind: 'Body', body: OK.body })
    },
  )

  it('succeeds when the second try does', async () => {
    const { http, fetched } = await run(inTurn({ status: 503, body: '' }, OK))

    expect(http.requests).toHaveLength(2)
    expect(fetched).toEqual({ kind: 'Body', body: OK.body })
  })

  it('pauses longer before the third try than before the second', async () => {
    const { sentAt } = await run({ status: 503, body: '' })

    expect(sentAt).toEqual([100, 500, 1500])
  })

  it.each([
    ['seconds', '7', 7_000],
    ['a date', new Date(Date.UTC(2026, 0, 1, 0, 0, 9)).toUTCString(), 9_000],
    ['more than is sensible', '3600', 30_000],
  ])('waits as long as Retry-After says in %s', async (_, value, atMs) => {
    const { sentAt } = await run(
      inTurn({ status: 429, headers: { 'retry-after': value }, body: '' }, OK),
    )

    expect(sentAt[1]).toBe(atMs)
  })

  it('stops when it is aborted during a pause', async () => {
    const stop = new AbortController()
    const { http, fetched, clock } = await run(
      () => {
        queueMicrotask(() => setImmediate(() => stop.abort()))
        return { status: 503, body: '' }
      },
      {},
      stop.signal,
    )

    expect(http.requests).toHaveLength(1)
    expect(fetched).toMatchObject({ kind: 'Failed' })
    expect(clock.pending).toBe(0)
  })

  it('gives up on a server that takes the request and never ends its answer', async () => {
    const { fetched } = await run(
      (request) =>
        new Promise<Scripted>((resolve) =>
          request.signal?.addEventListener('abort', () =>
            resolve(new ConnectionError('aborted', 'x')),
          ),
        ),
    )

    expect(fetched).toMatchObject({ kind: 'Failed', why: 'no answer within 40000 ms' })
  })

  it('refuses a body that is too large without reading all of it', async () => {
    let read = 0
    const huge: HttpResponse = {
      status: 200,
      headers: { 'content-type': 'application/json' },
      text: () => Promise.resolve(''),
      chunks: () =>
        Readable.from(
          (function* () {
            const piece = ' '.repeat(8 * 1024 * 1024)
            for (;;) {
              read += piece.length
              yield piece
            }
          })(),
          { highWaterMark: 1 },
        ),
    }
    const client = createPrometheusClient({
      http: { request: () => Promise.resolve(huge), close: () => Promise.resolve() },
      clock: createVirtualClock(),
      random: () => 0,
      log: silentLog,
      turn: async () => {},
      config,
    })

    expect(await client.query('up', 0)).toHaveProperty(
      'why',
      expect.stringMatching(/larger than 64 MiB/),
    )
    expect(read).toBeLessThan(MAX_BODY_CHARACTERS + 16 * 1024 * 1024)
  })

  it('asks for the credentials before each try', async () => {
    let asked = 0
    const { http } = await run(inTurn({ status: 500, body: '' }, OK), {
      authorization: () => Promise.resolve(`Bearer token-${(asked += 1)}`),
      headers: { 'X-Scope-OrgID': 'team-a' },
    })

    expect(http.requests.map((r) => r.headers!['authorization'])).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ])
    expect(http.requests[0]!.headers).toMatchObject({ 'X-Scope-OrgID': 'team-a' })
  })

  it('says so when the credentials cannot be read, and sends nothing', async () => {
    const { http, fetched } = await run(OK, {
      authorization: () => Promise.reject(new Error('no such file')),
    })

    expect(http.requests).toHaveLength(0)
    expect(fetched).toMatchObject({ why: 'its credentials cannot be read: no such file' })
  })

  it('hides credentials that a proxy echoes', async () => {
    const { fetched } = await run(
      { status: 403, body: 'denied: Bearer s3cr3t-token for tenant-42, s3cr3t-token' },
      {
        authorization: () => Promise.resolve('Bearer s3cr3t-token'),
        headers: { 'X-Scope-OrgID': 'tenant-42' },
      },
    )

    expect(JSON.stringify(fetched)).not.toMatch(/s3cr3t|tenant-42/)
    expect(fetched).toHaveProperty('why', expect.stringContaining('denied'))
  })
})
