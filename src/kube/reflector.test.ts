import { afterEach, describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { ConnectionError } from '../http.ts'
import type { HttpRequest, HttpResponse } from '../http.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { createKubeClient } from './client.ts'
import { createReflector } from './reflector.ts'
import type { ReflectorOptions } from './reflector.ts'
import { PERSISTENT_VOLUME_CLAIM } from './resources.ts'
import { json, scriptedHttp, silence, status, stream } from './testing.ts'
import type { Stream } from './testing.ts'
import type { KubeObject } from './types.ts'

type Claim = { readonly name: string; readonly version: string }

const claim = (name: string, version: number, labels: Record<string, string> = {}): KubeObject => ({
  metadata: { name, namespace: 'ns', resourceVersion: String(version), labels },
})
const event = (type: string, name: string, version: number) => ({
  type,
  object: claim(name, version),
})
const bookmark = (version: number) => ({
  type: 'BOOKMARK',
  object: { metadata: { resourceVersion: String(version) } },
})
const page = (version: number, items: readonly KubeObject[], token?: string) =>
  json(200, { metadata: { resourceVersion: String(version), continue: token }, items })
const reset = () => {
  throw new ConnectionError('reset', 'GET https://api.test: reset')
}

let stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops) await stop()
  stops = []
})

/** A reflector on a scripted server: `list` answers lists; each accepted watch is put into `watches`. */
function reflect(
  list: (req: HttpRequest, n: number) => HttpResponse | Promise<HttpResponse>,
  options: Partial<ReflectorOptions<Claim>> & {
    watch?: (req: HttpRequest, n: number) => HttpResponse | Promise<HttpResponse> | undefined
  } = {},
) {
  const clock = createVirtualClock()
  const watches: (Stream & { req: HttpRequest; at: number })[] = []
  const lists: { req: HttpRequest; at: number }[] = []
  let dialled = 0
  const http = scriptedHttp((req) => {
    const at = clock.monotonic()
    if (!req.url.includes('watch=true')) {
      lists.push({ req, at })
      return list(req, lists.length - 1)
    }
    const answer = options.watch?.(req, dialled++)
    if (answer) return answer
    const opened = { ...stream(req), req, at }
    watches.push(opened)
    return opened.response
  })
  const metrics = createRegistry()
  const client = createKubeClient({
    http,
    server: 'https://api.test',
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0,
    log: silentLog,
  })
  const reflector = createReflector<Claim>({
    client,
    resource: PERSISTENT_VOLUME_CLAIM,
    project: (o) => ({ name: o.metadata.name, version: o.metadata.resourceVersion! }),
    clock,
    random: () => 0,
    log: silentLog,
    metrics,
    ...options,
  })
  const changes: string[] = []
  reflector.store.subscribe(({ key, before, after }) =>
    changes.push(`${key} ${before?.version ?? '-'}>${after?.version ?? '-'}`),
  )
  const stopper = new AbortController()
  const running = reflector.run(stopper.signal)
  const stop = async () => {
    stopper.abort()
    await clock.settle()
    await running
  }
  stops.push(stop)
  const names = () => [...reflector.store.values()].map((c) => c.name).sort()
  return { clock, http, watches, lists, reflector, changes, names, stop, metrics }
}

/** Longest wait after the first failure; with random = 0 it is 400 ms. */
const FIRST_WAIT = 400

describe('list', () => {
  it('is read page by page, then the watch goes on from its version', async () => {
    const r = reflect((req) =>
      req.url.includes('continue=t') ? page(9, [claim('b', 8)]) : page(9, [claim('a', 7)], 't'),
    )
    await r.clock.settle()
    await r.reflector.ready()

    expect(r.names()).toEqual(['a', 'b'])
    expect(r.lists[0]!.req.url).toContain('limit=500')
    expect(r.watches[0]!.req.url).toContain('resourceVersion=9')
    expect(r.watches[0]!.req.url).toContain('timeoutSeconds=300')
    expect(r.reflector.health()).toMatchObject({ synced: true, relists: 1 })
  })

  it('that fails for a while is tried until it works', async () => {
    const r = reflect((_, n) =>
      n < 20 ? status(503, 'ServiceUnavailable') : page(9, [claim('a', 7)]),
    )
    await r.clock.advance(1_000)
    expect(r.reflector.health().synced).toBe(false)
    await r.clock.advance(300_000)

    expect(r.names()).toEqual(['a'])
  })

  it('whose continue token expired begins again at once', async () => {
    const r = reflect((req, n) => {
      if (n === 1) return status(410, 'Expired')
      return req.url.includes('continue')
        ? page(12, [claim('b', 8)])
        : page(12, [claim('a', 7)], 't')
    })
    await r.clock.settle()

    expect(r.lists.map((l) => l.req.url.includes('continue'))).toEqual([false, true, false, true])
    expect(r.names()).toEqual(['a', 'b'])
  })

  it('repeats selectors in the watch, so that both see the same objects', async () => {
    const r = reflect(() => page(9, []), { labelSelector: 'a=b', fieldSelector: 'c=d' })
    await r.clock.settle()

    for (const { req } of [r.lists[0]!, r.watches[0]!])
      expect(req.url).toMatch(/labelSelector=a%3Db.*fieldSelector=c%3Dd/)
  })
})

describe('watch', () => {
  it('follows changes', async () => {
    const r = reflect(() => page(9, [claim('a', 7)]))
    await r.clock.settle()
    r.watches[0]!.send(event('ADDED', 'b', 10))
    r.watches[0]!.send(event('MODIFIED', 'a', 11))
    r.watches[0]!.send(event('DELETED', 'b', 12))
    await r.clock.settle()

    expect(r.changes).toEqual(['ns/a ->7', 'ns/b ->10', 'ns/a 7>11', 'ns/b 10>-'])
  })

  it('that the server ends after its time goes on where it was, without a pause or a list', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.advance(60_000)
    r.watches[0]!.send(event('ADDED', 'a', 10))
    await r.clock.advance(240_000)
    r.watches[0]!.end()
    await r.clock.settle()

    expect(r.watches[1]!.at).toBe(300_000)
    expect(r.watches[1]!.req.url).toContain('resourceVersion=10')
    expect(r.lists).toHaveLength(1)
  })

  it('that breaks is opened again after a pause', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.settle()
    r.watches[0]!.break()
    await r.clock.advance(FIRST_WAIT - 1)
    expect(r.watches).toHaveLength(1)
    await r.clock.advance(1)

    expect(r.watches).toHaveLength(2)
    expect(r.lists).toHaveLength(1)
  })

  it.each([
    ['429', () => status(429, 'TooManyRequests')],
    ['500', () => status(500, 'InternalError')],
    ['503', () => status(503, 'ServiceUnavailable')],
    ['a reset', reset],
  ])('refused with %s is tried again', async (_, refuse) => {
    const r = reflect(() => page(9, []), { watch: (_req, n) => (n < 3 ? refuse() : undefined) })
    await r.clock.advance(10_000)

    expect(r.watches).toHaveLength(1)
  })

  it('refused with Retry-After waits that long', async () => {
    const r = reflect(() => page(9, []), {
      watch: (_req, n) =>
        n === 0 ? status(429, 'TooManyRequests', { 'retry-after': '20' }) : undefined,
    })
    await r.clock.advance(19_999)
    expect(r.watches).toHaveLength(0)
    await r.clock.advance(1)

    expect(r.watches).toHaveLength(1)
  })

  it.each([
    ['as its status', true],
    ['as an event', false],
  ])('whose version is too old, answered %s, leads to a list at once', async (_, asStatus) => {
    const r = reflect((_req, n) => page(9 + n * 10, [claim(n === 0 ? 'a' : 'b', 8 + n * 10)]), {
      watch: (_req, n) => (asStatus && n === 0 ? status(410, 'Expired') : undefined),
    })
    await r.clock.settle()
    if (!asStatus)
      r.watches[0]!.send({
        type: 'ERROR',
        object: { code: 410, reason: 'Expired', message: 'old' },
      })
    await r.clock.settle()

    expect(r.lists).toHaveLength(2)
    expect(r.names()).toEqual(['b'])
    expect(r.changes).toEqual(['ns/a ->8', 'ns/b ->18', 'ns/a 8>-'])
    expect(r.watches.at(-1)!.req.url).toContain('resourceVersion=19')
  })

  it('that always says 410 does not storm the server', async () => {
    const r = reflect(() => page(9, []), { watch: () => status(410, 'Expired') })
    await r.clock.advance(60_000)

    expect(r.lists.length).toBeLessThan(12)
  })

  it('with another ERROR event is opened again after a pause', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.settle()
    r.watches[0]!.send({ type: 'ERROR', object: { code: 500, message: 'etcd' } })
    await r.clock.advance(FIRST_WAIT)

    expect(r.watches).toHaveLength(2)
    expect(r.watches[1]!.req.url).toContain('resourceVersion=9')
  })

  it.each([
    ['nothing', []],
    ['one event', [event('ADDED', 'a', 10)]],
  ])(
    'that the server ends at once after %s is not redialled without a pause',
    async (_, events) => {
      const r = reflect(() => page(9, []), {
        watch: () => json(200, events.map((e) => `${JSON.stringify(e)}\n`).join('')),
      })
      await r.clock.advance(60_000)

      expect(r.reflector.health().watchRestarts).toBeLessThan(10)
    },
  )

  it('that speaks nonsense again and again leads to a list', async () => {
    const r = reflect(() => page(9, []), { watch: () => json(200, 'no json\n') })
    await r.clock.advance(120_000)

    expect(r.lists.length).toBeGreaterThan(1)
    expect(r.lists.length).toBeLessThan(4)
  })
})

describe('silence', () => {
  it('of 70 s ends a watch that had bookmarks, and their version is where the next one starts', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.settle()
    r.watches[0]!.send(bookmark(15))
    await r.clock.advance(70_000)
    expect(r.watches[0]!.req.signal?.aborted).toBe(true)
    await r.clock.advance(FIRST_WAIT)

    expect(r.watches[1]!.req.url).toContain('resourceVersion=15')
    expect(r.lists).toHaveLength(1)
    expect(r.changes).toEqual([])
  })

  it('without bookmarks is borne until the server should have ended the watch', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.advance(304_999)
    expect(r.watches[0]!.req.signal?.aborted).toBe(false)
    await r.clock.advance(1)

    expect(r.watches[0]!.req.signal?.aborted).toBe(true)
  })

  it('is none while bookmarks come', async () => {
    const r = reflect(() => page(9, []))
    await r.clock.settle()
    for (let i = 0; i < 20; i++) {
      r.watches[0]!.send(bookmark(10 + i))
      await r.clock.advance(60_000)
    }

    expect(r.watches).toHaveLength(1)
    expect(r.reflector.health().lastActivity).toBe(19 * 60_000)
  })

  it('of a list is ended by the deadline', async () => {
    const r = reflect((_, n) => (n < 3 ? silence() : page(9, [claim('a', 7)])))
    await r.clock.advance(100_000)

    expect(r.names()).toEqual(['a'])
  })
})

describe('old news', () => {
  it('and duplicates are rejected', async () => {
    const r = reflect(() => page(9, [claim('a', 9)]))
    await r.clock.settle()
    r.watches[0]!.send(event('MODIFIED', 'a', 8))
    r.watches[0]!.send(event('MODIFIED', 'a', 9))
    r.watches[0]!.send(event('MODIFIED', 'a', 12))
    r.watches[0]!.send(event('MODIFIED', 'a', 12))
    r.watches[0]!.send(event('DELETED', 'a', 11))
    await r.clock.settle()

    expect(r.changes).toEqual(['ns/a ->9', 'ns/a 9>12'])
  })

  it('does not bring back what was deleted', async () => {
    const r = reflect(() => page(9, [claim('a', 9)]))
    await r.clock.settle()
    r.watches[0]!.send(event('DELETED', 'a', 12))
    r.watches[0]!.send(event('MODIFIED', 'a', 11))
    await r.clock.settle()

    expect(r.names()).toEqual([])
  })

  it('in a list is no news: an unchanged object is not reported again', async () => {
    const r = reflect((_, n) => page(9 + n, [claim('a', 7)]))
    await r.clock.settle()
    r.watches[0]!.send({ type: 'ERROR', object: { code: 410 } })
    await r.clock.settle()

    expect(r.reflector.health().relists).toBe(2)
    expect(r.changes).toEqual(['ns/a ->7'])
  })

  it('of a restored etcd, whose versions went back, leads to a list that is believed', async () => {
    const r = reflect((_, n) => page(n === 0 ? 100 : 50, [claim('a', n === 0 ? 90 : 40)]))
    await r.clock.settle()
    r.watches[0]!.send(bookmark(50))
    await r.clock.settle()

    expect(r.changes).toEqual(['ns/a ->90', 'ns/a 90>40'])
  })
})

describe('a throwing', () => {
  it('listener neither stops the watch nor keeps the object out of the store', async () => {
    const r = reflect(() => page(9, [claim('a', 7)]))
    r.reflector.store.subscribe(() => {
      throw new Error('broken')
    })
    await r.clock.settle()
    r.watches[0]!.send(event('ADDED', 'b', 10))
    await r.clock.settle()

    expect(r.names()).toEqual(['a', 'b'])
    expect(await r.metrics.metrics()).toContain(
      'couchestor_reflector_errors_total{resource="persistentvolumeclaims",kind="listener"} 2',
    )
  })

  it('projection leaves what was known, and the rest goes on', async () => {
    const r = reflect(() => page(9, [claim('a', 7), claim('bad', 6)]), {
      project: (o) => {
        if (o.metadata.name === 'bad' || o.metadata.resourceVersion === '10') throw new Error('odd')
        return { name: o.metadata.name, version: o.metadata.resourceVersion! }
      },
    })
    await r.clock.settle()
    r.watches[0]!.send(event('MODIFIED', 'a', 10))
    r.watches[0]!.send(event('ADDED', 'b', 11))
    await r.clock.settle()

    expect([...r.reflector.store.values()]).toEqual([
      { name: 'a', version: '7' },
      { name: 'b', version: '11' },
    ])
    expect(r.watches).toHaveLength(1)
  })
})

it('a projection that wants nothing of an object removes it', async () => {
  const r = reflect(() => page(9, [claim('a', 7)]), {
    project: (o) =>
      o.metadata.resourceVersion === '10' ? undefined : { name: o.metadata.name, version: '' },
  })
  await r.clock.settle()
  r.watches[0]!.send(event('MODIFIED', 'a', 10))
  await r.clock.settle()

  expect(r.names()).toEqual([])
})

describe('403', () => {
  const forbidden = () => status(403, 'Forbidden')

  it('reports the missing rule, is asked again slowly, and ends when the role is fixed', async () => {
    let fixed = false
    const r = reflect(() => (fixed ? page(9, [claim('a', 7)]) : forbidden()))
    await r.clock.settle()
    expect(r.reflector.health()).toMatchObject({
      synced: false,
      missingRule:
        'apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: ["list", "watch"]',
    })

    await r.clock.advance(600_000)
    expect(r.lists.length).toBeLessThan(8)
    fixed = true
    await r.clock.advance(300_000)
    expect(r.names()).toEqual(['a'])
    expect(r.reflector.health().missingRule).toBeUndefined()
  })

  it.each([
    ['403', forbidden],
    ['404', () => status(404, 'NotFound')],
  ])('%s of an optional kind does not hold up the start', async (_, refuse) => {
    const r = reflect(refuse, { optional: true })
    await r.clock.advance(20_000)

    await expect(r.reflector.ready()).resolves.toBeUndefined()
    expect(r.reflector.health().synced).toBe(false)
  })

  it('once, of an optional kind, is no missing right yet: a server that starts refuses everything', async () => {
    const r = reflect((_, n) => (n === 0 ? forbidden() : page(9, [claim('a', 7)])), {
      optional: true,
    })
    let ready = false
    void r.reflector.ready().then(() => (ready = true))
    await r.clock.settle()
    expect(r.reflector.health()).toMatchObject({ synced: false, missingRule: undefined })
    expect(ready).toBe(false)

    await r.clock.advance(5_000)
    expect(r.names()).toEqual(['a'])
    expect(ready).toBe(true)
  })

  it('twice, with other trouble in between, is no missing right yet: the server has started twice', async () => {
    let refusals = 0
    const r = reflect(
      () => {
        const isUp = r.clock.monotonic() < 1 || r.clock.monotonic() > 15_000
        if (!isUp) reset()
        return refusals++ < 2 ? forbidden() : silence()
      },
      { optional: true },
    )
    await r.clock.advance(60_000)

    expect(refusals).toBeGreaterThan(1)
    expect(r.reflector.health().missingRule).toBeUndefined()
  })

  it('by the page of a proxy says nothing about our rights, and is asked again like any failure', async () => {
    const r = reflect(() => json(403, { error: 'Forbidden' }), { optional: true })
    let ready = false
    void r.reflector.ready().then(() => (ready = true))
    await r.clock.advance(600_000)

    expect(r.reflector.health().missingRule).toBeUndefined()
    expect(ready).toBe(false)
    expect(r.lists.length).toBeGreaterThan(15)
  })

  it('of a needed kind does', async () => {
    const r = reflect(forbidden)
    let ready = false
    void r.reflector.ready().then(() => (ready = true))
    await r.clock.settle()

    expect(ready).toBe(false)
  })

  it('for the watch alone is reported too', async () => {
    const r = reflect(() => page(9, []), { watch: forbidden })
    await r.clock.settle()

    expect(r.reflector.health()).toMatchObject({ synced: true, missingRule: expect.any(String) })
  })

  it('of a server that has just started is over when the watch is granted, before any event', async () => {
    const starting = (_: HttpRequest, n: number) => (n === 0 ? forbidden() : undefined)
    const r = reflect(() => page(9, []), { watch: starting })
    await r.clock.settle()
    expect(r.reflector.health().missingRule).toEqual(expect.any(String))
    await r.clock.advance(2_000)
    expect(r.watches).toHaveLength(1)
    expect(r.reflector.health().missingRule).toBeUndefined()
  })

  it('of a right that was taken away for long is over with the first event: what is held is old till then', async () => {
    let revoked = false
    const r = reflect(() => page(9, []), { watch: () => (revoked ? forbidden() : undefined) })
    await r.clock.settle()
    revoked = true
    r.watches[0]!.end()
    await r.clock.advance(3_600_000)
    expect(r.reflector.health().missingRule).toEqual(expect.any(String))
    revoked = false
    await r.clock.advance(40_000)
    expect(r.watches).toHaveLength(2)
    expect(r.reflector.health().missingRule).toEqual(expect.any(String))
    r.watches[1]!.send(event('ADDED', 'a', 10))
    await r.clock.settle()
    expect(r.reflector.health().missingRule).toBeUndefined()
  })
})

describe('stop', () => {
  it.each([
    ['a watch', undefined, 0],
    ['the pause after a failure', reset, 100],
  ])('during %s ends at once and opens nothing new', async (_, watch, ms) => {
    const r = reflect(() => page(9, []), watch ? { watch } : {})
    await r.clock.advance(ms)
    const before = r.http.requests.length
    await r.stop()
    await r.clock.advance(600_000)

    expect(r.http.requests).toHaveLength(before)
    expect(r.clock.pending).toBe(0)
  })

  it('during a list opens no watch', async () => {
    let answer!: (response: HttpResponse) => void
    const r = reflect(() => new Promise((resolve) => (answer = resolve)))
    await r.clock.settle()
    const stopped = r.stop()
    answer(page(9, [claim('a', 7)]))
    await stopped
    await r.clock.advance(600_000)

    expect(r.http.requests).toHaveLength(1)
    expect(r.names()).toEqual([])
  })
})

it('doubles the waits up to half a minute', async () => {
  const dials: number[] = []
  const r = reflect(() => page(9, []), {
    watch: () => {
      dials.push(r.clock.monotonic())
      return reset()
    },
  })
  await r.clock.advance(120_000)

  const waits = dials.slice(1).map((at, i) => at - dials[i]!)
  expect(waits.slice(0, 8)).toEqual([400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000])
})
