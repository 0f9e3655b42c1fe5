import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { ConnectionError } from '../http.ts'
import type { HttpResponse } from '../http.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createKubeClient } from './client.ts'
import { EVENT, LEASE, PERSISTENT_VOLUME, SELF_SUBJECT_ACCESS_REVIEW } from './resources.ts'
import { json, scriptedHttp, silence, status, stream } from './testing.ts'
import type { Script } from './testing.ts'
import { ApiError, LostLeaseError } from './types.ts'
import type { KubeClient, KubeObject } from './types.ts'

const volume = { metadata: { name: 'pv-1', resourceVersion: '7' }, spec: { unknown: [1] } }

type Step = HttpResponse | ConnectionError | 'silence'

function kube(steps: readonly Step[], more: { script?: Script } = {}) {
  const clock = createVirtualClock()
  const metrics = createRegistry()
  const refreshed: boolean[] = []
  const http = scriptedHttp(
    more.script ??
      ((_, n) => {
        const step = steps[Math.min(n, steps.length - 1)]!
        if (step === 'silence') return silence()
        if (step instanceof Error) throw step
        return step
      }),
  )
  const client = createKubeClient({
    http,
    server: 'https://api.test:6443',
    authorization: (refresh = false) => {
      refreshed.push(refresh)
      return Promise.resolve(`Bearer secret-${refreshed.filter(Boolean).length}`)
    },
    clock,
    random: () => 1,
    log: silentLog,
    metrics,
  })
  return { clock, http, client, metrics, refreshed }
}

/** Lets a call run to its end with virtual time passing. */
async function ended<T>(clock: { advance(ms: number): Promise<void> }, call: Promise<T>) {
  const settled = call.then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  await clock.advance(120_000)
  return settled
}

const reset = () => new ConnectionError('reset', 'GET https://api.test: reset')
const refusedConnection = () => new ConnectionError('refused', 'GET https://api.test: refused')

const merge = (client: KubeClient) =>
  client.patch(PERSISTENT_VOLUME, 'pv-1', { metadata: { labels: { a: 'b' } } }, { type: 'merge' })
const swap = (client: KubeClient) =>
  client.patch(
    PERSISTENT_VOLUME,
    'pv-1',
    { metadata: { resourceVersion: '7' }, status: {} },
    { type: 'merge', subresource: 'status' },
  )
const apply = (client: KubeClient) =>
  client.patch(PERSISTENT_VOLUME, 'pv-1', { a: 1 }, { type: 'apply', force: true })
const jsonPatch = (client: KubeClient) =>
  client.patch(PERSISTENT_VOLUME, 'pv-1', [{ op: 'add', path: '/x/-' }], { type: 'json' })
const get = (client: KubeClient) => client.get(PERSISTENT_VOLUME, 'pv-1')
const create = (client: KubeClient) => client.create(PERSISTENT_VOLUME, volume)
const replace = (client: KubeClient) => client.replace(PERSISTENT_VOLUME, volume)
const remove = (client: KubeClient) => client.delete(PERSISTENT_VOLUME, 'pv-1', { uid: 'u' })
const removeVersion = (client: KubeClient) =>
  client.delete(PERSISTENT_VOLUME, 'pv-1', { resourceVersion: '7' })

const idempotent = { get, merge, apply, remove }
const onceOnly = { create, replace, swap, jsonPatch, removeVersion }
const all = { ...idempotent, ...onceOnly }

type Case = [string, (client: KubeClient) => Promise<unknown>]
const cases = (calls: Record<string, (client: KubeClient) => Promise<unknown>>): Case[] =>
  Object.entries(calls)

describe('a failure', () => {
  it.each(cases(idempotent))(
    'of %s, which may be repeated, is answered with another try',
    async (_, call) => {
      for (const failure of [
        reset(),
        refusedConnection(),
        status(429, 'TooManyRequests'),
        status(503, 'ServiceUnavailable'),
        status(500, 'InternalError'),
      ]) {
        const { client, clock, http } = kube([failure, json(200, volume)])
        expect((await ended(clock, call(client))).error).toBeUndefined()
        expect(http.requests).toHaveLength(2)
      }
    },
  )

  it.each(cases(onceOnly))(
    'of %s with an unclear outcome is reported and not repeated',
    async (_, call) => {
      for (const failure of [
        reset(),
        status(500, 'InternalError'),
        status(503, 'ServiceUnavailable'),
      ]) {
        const { client, clock, http } = kube([failure, json(200, volume)])
        expect((await ended(clock, call(client))).error).toBeInstanceOf(Error)
        expect(http.requests).toHaveLength(1)
      }
    },
  )

  it.each(cases(onceOnly))(
    'of %s that was certainly not carried out is repeated',
    async (_, call) => {
      for (const failure of [refusedConnection(), status(429, 'TooManyRequests')]) {
        const { client, clock, http } = kube([failure, json(200, volume)])
        expect((await ended(clock, call(client))).error).toBeUndefined()
        expect(http.requests).toHaveLength(2)
      }
    },
  )

  it.each([409, 404, 422, 403, 410])('%i is an answer: it is reported at once', async (code) => {
    const { client, clock, http } = kube([status(code, 'Said')])
    const { error } = await ended(clock, get(client))

    expect(error).toMatchObject({ name: 'ApiError', status: code, reason: 'Said' })
    expect(http.requests).toHaveLength(1)
  })

  it('of a deletion that a repetition finds gone is a success', async () => {
    const { client, clock } = kube([reset(), status(404, 'NotFound')])

    expect((await ended(clock, remove(client))).error).toBeUndefined()
  })

  it('of a deletion of what was never there is reported', async () => {
    const { client, clock } = kube([refusedConnection(), status(404, 'NotFound')])

    expect((await ended(clock, remove(client))).error).toMatchObject({ reason: 'NotFound' })
  })

  it('of a write is followed by another try only while its fence lets it', async () => {
    const { client, http, clock } = kube([status(503, 'ServiceUnavailable'), json(200, volume)])
    let leads = true
    const body = { metadata: { labels: { a: 'b' } } }
    const fence = () => {
      if (!leads) throw new LostLeaseError('lost')
    }
    const call = client.patch(PERSISTENT_VOLUME, 'pv-1', body, { type: 'merge', fence })
    await clock.settle()
    leads = false
    const { error } = await ended(clock, call)
    expect(error).toBeInstanceOf(LostLeaseError)
    expect(http.requests).toHaveLength(1)
  })

  it('of the certificate is reported at once: it would be refused again', async () => {
    const { client, clock, http } = kube([new ConnectionError('tls', 'CERT_HAS_EXPIRED')])

    expect((await ended(clock, get(client))).error).toMatchObject({ failure: 'tls' })
    expect(http.requests).toHaveLength(1)
  })

  it('that stays ends after six tries', async () => {
    const { client, clock, http } = kube([status(503, 'ServiceUnavailable')])

    expect((await ended(clock, get(client))).error).toMatchObject({ status: 503 })
    expect(http.requests).toHaveLength(6)
  })
})

describe('Retry-After', () => {
  it('is waited for', async () => {
    const { client, clock, http } = kube([
      status(429, 'TooManyRequests', { 'retry-after': '7' }),
      json(200, volume),
    ])
    const call = get(client)
    await clock.advance(7_000)
    expect(http.requests).toHaveLength(1)
    await clock.advance(300)

    expect(http.requests).toHaveLength(2)
    await call
  })

  it('beyond the deadline is handed to the caller', async () => {
    const { client, clock } = kube([status(429, 'TooManyRequests', { 'retry-after': '90' })])

    expect((await ended(clock, get(client))).error).toMatchObject({ retryAfterSeconds: 90 })
  })
})

describe('401', () => {
  it.each(cases(all))('makes %s read the credential again and try once more', async (_, call) => {
    const { client, clock, http, refreshed } = kube([
      status(401, 'Unauthorized'),
      json(200, volume),
    ])
    await ended(clock, call(client))

    expect(refreshed).toEqual([false, true])
    expect(http.requests.map((r) => r.headers?.['authorization'])).toEqual([
      'Bearer secret-0',
      'Bearer secret-1',
    ])
  })

  it('twice is reported', async () => {
    const { client, clock, http } = kube([status(401, 'Unauthorized')])

    expect((await ended(clock, get(client))).error).toMatchObject({ status: 401 })
    expect(http.requests).toHaveLength(2)
  })
})

describe('deadline', () => {
  it('ends a call that is never answered, however often it was tried', async () => {
    const { client, clock, http } = kube(['silence'])
    const call = ended(clock, get(client))

    expect((await call).error).toMatchObject({
      name: 'ConnectionError',
      failure: 'timeout',
      sent: true,
    })
    expect(http.requests).toHaveLength(3)
    expect(http.requests.every((r) => r.signal?.aborted)).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('of a call that must not be repeated is used for the one try', async () => {
    const { client, clock, http } = kube(['silence'])

    expect((await ended(clock, create(client))).error).toMatchObject({ failure: 'timeout' })
    expect(http.requests).toHaveLength(1)
  })
})

describe('errors', () => {
  it('of a proxy, which speaks no JSON, are reported in words', async () => {
    const { client, clock } = kube([json(502, '<html><h1>Bad\nGateway</h1></html>')])

    const { error } = await ended(clock, create(client))
    expect(error).toBeInstanceOf(ApiError)
    expect((error as Error).message).toBe(
      'POST /api/v1/persistentvolumes: 502 Unknown: Bad Gateway',
    )
  })

  it('never hold the credential, even when the server repeats it', async () => {
    const { client, clock } = kube([json(403, 'not with secret-0, says "Bearer secret-0"')])

    const { error } = await ended(clock, get(client))
    expect((error as Error).message).not.toContain('secret')
  })
})

describe('requests', () => {
  it.each([
    ['merge', 'application/merge-patch+json', merge],
    ['json', 'application/json-patch+json', jsonPatch],
    ['apply', 'application/apply-patch+yaml', apply],
  ] as const)('a %s patch says so in its content type', async (_, contentType, call) => {
    const { client, http } = kube([json(200, volume)])
    await call(client)

    expect(http.requests[0]!.headers?.['content-type']).toBe(contentType)
    expect(http.requests[0]!.url).toContain('fieldManager=couchestor-controller')
  })

  it('force goes with apply only', async () => {
    const { client, http } = kube([json(200, volume)])
    await apply(client)
    await client.patch(PERSISTENT_VOLUME, 'x', {}, { type: 'merge', force: true })

    expect(http.requests.map((r) => r.url.includes('force=true'))).toEqual([true, false])
  })

  it('a status patch goes to the subresource', async () => {
    const { client, http } = kube([json(200, volume)])
    await swap(client)

    expect(new URL(http.requests[0]!.url).pathname).toBe('/api/v1/persistentvolumes/pv-1/status')
  })

  it('a deletion carries its preconditions', async () => {
    const { client, http } = kube([json(200, {})])
    await client.delete(PERSISTENT_VOLUME, 'pv-1', { uid: 'u', resourceVersion: '7' })

    expect(JSON.parse(http.requests[0]!.body!)).toMatchObject({
      preconditions: { uid: 'u', resourceVersion: '7' },
    })
  })

  it('a replacement sends back fields that we do not know', async () => {
    const { client, http } = kube([json(200, volume)])
    const lease = { metadata: { name: 'l', namespace: 'ns' }, spec: { strategy: 'new' } }
    await client.replace(LEASE, lease)

    expect(JSON.parse(http.requests[0]!.body!)).toEqual({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      ...lease,
    })
  })

  it('a new object without its namespace is a mistake of ours, not a request', async () => {
    const { client, http } = kube([json(201, {})])

    const call = client.create(EVENT, { metadata: { name: 'e' } })
    await expect(call).rejects.toThrow('needs a namespace')
    expect(http.requests).toHaveLength(0)
  })

  it('a review has no name', async () => {
    const { client, http } = kube([json(201, { metadata: {}, status: { allowed: true } })])
    await client.create(SELF_SUBJECT_ACCESS_REVIEW, { metadata: { name: '' } })

    expect(new URL(http.requests[0]!.url).pathname).toMatch(/selfsubjectaccessreviews$/)
  })

  it('a list asks for a page and gives what is needed for the next', async () => {
    const { client, http } = kube([
      json(200, { metadata: { resourceVersion: '9', continue: 't' }, items: [volume] }),
    ])
    const page = await client.list(PERSISTENT_VOLUME, { limit: 500, labelSelector: 'a=b' })

    expect(page).toEqual({ items: [volume], resourceVersion: '9', continue: 't' })
    expect(http.requests[0]!.url).toMatch(/\?labelSelector=a%3Db&limit=500$/)
  })
})

describe('a watch', () => {
  const query = { resourceVersion: '7', timeoutSeconds: 300 }

  it('asks for bookmarks and gives each event as it comes', async () => {
    const added = { type: 'ADDED', object: volume }
    let server!: ReturnType<typeof stream>
    const { client, http } = kube([], { script: (req) => (server = stream(req)).response })
    const events = client
      .watch<KubeObject>(PERSISTENT_VOLUME, query, new AbortController().signal)
      [Symbol.asyncIterator]()
    const first = events.next()
    await new Promise((r) => setImmediate(r))
    server.send(JSON.stringify(added).slice(0, 9))
    server.send(`${JSON.stringify(added).slice(9)}\n`)

    expect((await first).value).toEqual(added)
    expect(http.requests[0]!.url).toContain('allowWatchBookmarks=true&timeoutSeconds=300')
    await events.return?.()
    expect(http.requests[0]!.signal?.aborted).toBe(true)
  })

  it('that is refused throws the refusal', async () => {
    const { client } = kube([status(410, 'Expired')])
    const events = client.watch(PERSISTENT_VOLUME, query, new AbortController().signal)

    await expect(events[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 410 })
  })

  it('without headers is given up after the deadline, once open not', async () => {
    const { client, clock } = kube(['silence'])
    const events = client.watch(PERSISTENT_VOLUME, query, new AbortController().signal)

    const { error } = await ended(clock, events[Symbol.asyncIterator]().next())
    expect(error).toMatchObject({ failure: 'timeout' })
  })

  it('ends with its signal, also long after it was opened', async () => {
    const stop = new AbortController()
    const { client, clock, http } = kube([], { script: (req) => stream(req).response })
    const next = client.watch(PERSISTENT_VOLUME, query, stop.signal)[Symbol.asyncIterator]().next()
    await clock.advance(200_000)
    stop.abort()

    await expect(next).rejects.toMatchObject({ failure: 'aborted' })
    expect(http.requests[0]!.signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('runs on connections of its own when it has some', async () => {
    const calls = scriptedHttp(() => json(200, volume))
    const watches = scriptedHttp(() => json(200, ''))
    const client = createKubeClient({
      http: calls,
      watchHttp: watches,
      server: 'https://api.test',
      authorization: () => Promise.resolve(undefined),
      clock: createVirtualClock(),
      random: () => 0,
      log: silentLog,
    })
    await get(client)
    for await (const _ of client.watch(PERSISTENT_VOLUME, query, new AbortController().signal));

    expect([calls.requests.length, watches.requests.length]).toEqual([1, 1])
    expect(calls.requests[0]!.headers).not.toHaveProperty('authorization')
  })
})

it('counts every request by code, method and host', async () => {
  const { client, clock, metrics } = kube([reset(), status(503, 'x'), json(200, volume)])
  await ended(clock, get(client))

  const text = await metrics.metrics()
  for (const code of ['<error>', '503', '200'])
    expect(text).toContain(
      `rest_client_requests_total{code="${code}",method="GET",host="api.test:6443"} 1`,
    )
  expect(text).toContain(
    'rest_client_request_duration_seconds_count{verb="GET",host="api.test:6443"} 3',
  )
})
