import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createKubeClient } from './client.ts'
import { createEventRecorder } from './events.ts'
import { json, scriptedHttp, silence, status } from './testing.ts'
import type { Script } from './testing.ts'
import type { ObjectReference } from './types.ts'

const claim: ObjectReference = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  name: 'data',
  namespace: 'shop',
  uid: 'uid-1',
}
const policy: ObjectReference = {
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'StoragePolicy',
  name: 'p',
  uid: 'uid-2',
}

function recorder(script: Script = () => json(200, {})) {
  const clock = createVirtualClock(Date.UTC(2026, 0, 1))
  const http = scriptedHttp(script)
  const metrics = createRegistry()
  const client = createKubeClient({
    http,
    server: 'https://api.test',
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0,
    log: silentLog,
  })
  const events = createEventRecorder({ client, instance: 'pod-1', clock, log: silentLog, metrics })
  const bodies = () => http.requests.map((r) => ({ method: r.method, ...JSON.parse(r.body!) }))
  return { clock, http, metrics, events, bodies }
}

describe('an event', () => {
  it('is created beside its object with what kubectl describe shows', async () => {
    const { events, http, bodies } = recorder()
    events.event(claim, 'Normal', 'MigrationStarted', 'hot -> cold')
    await events.flush()

    expect(new URL(http.requests[0]!.url).pathname).toBe('/api/v1/namespaces/shop/events')
    expect(bodies()[0]).toMatchObject({
      method: 'POST',
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: expect.stringMatching(/^data\.[0-9a-f]+\.[0-9a-f]{10}$/),
        namespace: 'shop',
      },
      involvedObject: claim,
      type: 'Normal',
      reason: 'MigrationStarted',
      message: 'hot -> cold',
      count: 1,
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      source: { component: 'couchestor-controller' },
      reportingComponent: 'couchestor-controller',
      reportingInstance: 'pod-1',
    })
  })

  it('about a cluster-scoped object goes to the namespace default', async () => {
    const { events, http } = recorder()
    events.event(policy, 'Normal', 'Ready', 'ok')
    await events.flush()

    expect(new URL(http.requests[0]!.url).pathname).toBe('/api/v1/namespaces/default/events')
  })

  it('that says the same again is a patch of count and time', async () => {
    const { events, clock, http, bodies } = recorder()
    events.event(claim, 'Warning', 'Blocked', 'has a snapshot')
    await events.flush()
    await clock.advance(5 * 60_000)
    events.event(claim, 'Warning', 'Blocked', 'has a snapshot')
    await events.flush()

    expect(bodies()[1]).toEqual({
      method: 'PATCH',
      count: 2,
      lastTimestamp: '2026-01-01T00:05:00Z',
    })
    expect(http.requests[1]!.headers?.['content-type']).toBe('application/merge-patch+json')
    expect(new URL(http.requests[1]!.url).pathname).toBe(
      `/api/v1/namespaces/shop/events/${bodies()[0].metadata.name}`,
    )
  })

  it.each([
    ['another message', claim, 'Warning', 'Blocked', 'other'],
    ['another reason', claim, 'Warning', 'Stuck', 'm'],
    ['another type', claim, 'Normal', 'Blocked', 'm'],
    ['another object', { ...claim, uid: 'uid-9' }, 'Warning', 'Blocked', 'm'],
  ] as const)('with %s is another one', async (_, about, type, reason, message) => {
    const { events, bodies } = recorder()
    events.event(claim, 'Warning', 'Blocked', 'm')
    events.event(about, type, reason, message)
    await events.flush()

    expect(bodies().map((b) => b.method)).toEqual(['POST', 'POST'])
    expect(new Set(bodies().map((b) => b.metadata.name)).size).toBe(2)
  })

  it('said many times before it could be written is written once with its count', async () => {
    const { events, bodies } = recorder()
    for (let i = 0; i < 7; i++) events.event(claim, 'Warning', 'Blocked', 'm')
    await events.flush()

    expect(bodies()).toMatchObject([{ method: 'POST', count: 7 }])
  })

  it('after ten quiet minutes is a new one', async () => {
    const { events, clock, bodies } = recorder()
    events.event(claim, 'Warning', 'Blocked', 'm')
    await events.flush()
    await clock.advance(600_000)
    events.event(claim, 'Warning', 'Blocked', 'm')
    await events.flush()

    expect(bodies()).toMatchObject([{ count: 1 }, { method: 'POST', count: 1 }])
  })

  it('that the server has forgotten is created again with its count', async () => {
    const { events, bodies } = recorder((req) =>
      req.method === 'PATCH' ? status(404, 'NotFound') : json(201, {}),
    )
    for (let i = 0; i < 2; i++) {
      events.event(claim, 'Warning', 'Blocked', 'm')
      await events.flush()
    }

    expect(bodies().map((b) => [b.method, b.count])).toEqual([
      ['POST', 1],
      ['PATCH', 2],
      ['POST', 2],
    ])
  })

  it('has a message of at most 1024 bytes, cut between characters, without credentials', async () => {
    const { events, bodies } = recorder()
    events.event(claim, 'Warning', 'Blocked', 'é'.repeat(600))
    events.event(claim, 'Warning', 'Failed', 'said Bearer abc')
    await events.flush()

    const [long, secret] = bodies().map((b) => b.message as string)
    expect(Buffer.byteLength(long!)).toBeLessThanOrEqual(1024)
    expect(long).toMatch(/^é+…$/)
    expect(secret).toBe('said Bearer [hidden]')
  })
})

describe('too many', () => {
  it('about one object are limited to 25 and then one in five minutes', async () => {
    const { events, clock, http, metrics } = recorder()
    const say = (n: number) => events.event(claim, 'Normal', 'R', `m${n}`)
    for (let i = 0; i < 40; i++) say(i)
    events.event(policy, 'Normal', 'R', 'other object')
    await events.flush()
    expect(http.requests).toHaveLength(26)
    await clock.advance(300_000)
    say(41)
    say(42)
    await events.flush()

    expect(http.requests).toHaveLength(27)
    expect(await metrics.metrics()).toContain('couchestor_events_dropped_total{why="rate"} 16')
  })

  it('waiting for a server that does not answer are dropped, never kept without bound', async () => {
    const { events, metrics } = recorder(() => silence())
    for (let i = 0; i < 1500; i++)
      events.event({ ...claim, name: `c${i}`, uid: `u${i}` }, 'Normal', 'R', 'm')

    expect(await metrics.metrics()).toContain('couchestor_events_dropped_total{why="queue"} 500')
  })
})

describe('trouble', () => {
  it.each([
    ['a refusal', () => status(403, 'Forbidden')],
    ['a failure', () => status(500, 'InternalError')],
  ])('with %s drops the event and goes on with the next', async (_, answer) => {
    const { events, http } = recorder((_req, n) => (n === 0 ? answer() : json(201, {})))
    events.event(claim, 'Normal', 'A', 'm')
    events.event(claim, 'Normal', 'B', 'm')
    await events.flush()

    expect(http.requests).toHaveLength(2)
  })

  it('never reaches the caller', () => {
    const { events } = recorder()

    expect(() => events.event(undefined as never, 'Normal', 'A', 'm')).not.toThrow()
  })

  it('does not hold up the end for more than five seconds', async () => {
    const { events, clock } = recorder(() => silence())
    events.event(claim, 'Normal', 'A', 'm')
    let flushed = false
    void events.flush().then(() => (flushed = true))
    await clock.advance(4_999)
    expect(flushed).toBe(false)
    await clock.advance(1)

    expect(flushed).toBe(true)
  })
})
