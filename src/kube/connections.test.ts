import { createServer } from 'node:http'
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createHttpClient } from '../http.ts'
import { silentLog } from '../log.ts'
import { createKubeClient } from './client.ts'
import { PERSISTENT_VOLUME, POD } from './resources.ts'
import type { KubeClient, KubeObject } from './types.ts'

const WATCHES = 12
const CALL_CONNECTIONS = 4

let server: Server
let client: KubeClient
let opened = 0
let watches: ServerResponse[]

beforeEach(async () => {
  opened = 0
  watches = []
  server = createServer((req, res) => {
    if (!req.url!.includes('watch=true')) {
      res.end(JSON.stringify({ metadata: { name: 'x' } }))
      return
    }
    watches.push(res)
    res.writeHead(200)
    res.flushHeaders()
  })
  server.on('connection', () => (opened += 1))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  client = createKubeClient({
    http: createHttpClient({ connections: CALL_CONNECTIONS }),
    watchHttp: createHttpClient({ connections: 64 }),
    server: `http://127.0.0.1:${port}`,
    authorization: () => Promise.resolve('Bearer t'),
    clock: createVirtualClock(),
    random: () => 0,
    log: silentLog,
  })
})

afterEach(async () => {
  await client.close()
  await new Promise((resolve) => server.close(resolve))
})

const query = { resourceVersion: '1', timeoutSeconds: 300 }

function watchOnce(signal = new AbortController().signal) {
  return client.watch<KubeObject>(POD, query, signal)[Symbol.asyncIterator]()
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

it('500 calls beside twelve watches use a constant number of connections', async () => {
  const stop = new AbortController()
  const streams = Array.from({ length: WATCHES }, () => watchOnce(stop.signal))
  const nexts = streams.map((s) => s.next())
  await until(() => watches.length === WATCHES)
  const burst = () =>
    Promise.all(Array.from({ length: 50 }, () => client.get(PERSISTENT_VOLUME, 'x')))
  await burst()
  const after50 = opened
  for (let i = 0; i < 9; i++) await burst()

  expect(after50).toBe(WATCHES + CALL_CONNECTIONS)
  expect(opened).toBe(after50)
  stop.abort()
  await Promise.allSettled(nexts)
})

it('a watch that the server ends gives its connection to the next one', async () => {
  for (let i = 0; i < 20; i++) {
    const events = watchOnce()
    const next = events.next()
    await until(() => watches.length === i + 1)
    watches[i]!.end()
    expect((await next).done).toBe(true)
  }

  // the next one may be dialled just before the last one is free
  expect(opened).toBeLessThanOrEqual(2)
})

it('a character that is cut between two packets arrives whole', async () => {
  const event = { type: 'ADDED', object: { metadata: { name: 'größe-äöü-価格' } } }
  const bytes = Buffer.from(`${JSON.stringify(event)}\n`)
  const events = watchOnce()
  const next = events.next()
  await until(() => watches.length === 1)
  for (const byte of bytes) {
    watches[0]!.write(Uint8Array.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }

  expect((await next).value).toEqual(event)
  await events.return?.()
})

it('leaving a watch closes its connection on the server', async () => {
  const events = watchOnce()
  const next = events.next()
  await until(() => watches.length === 1)
  let closed = false
  watches[0]!.on('close', () => (closed = true))
  watches[0]!.write('{"type":"BOOKMARK","object":{"metadata":{"name":"b"}}}\n')
  await next
  await events.return?.()
  await until(() => closed)

  expect(closed).toBe(true)
})
