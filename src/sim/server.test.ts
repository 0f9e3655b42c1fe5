import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { createHttpClient } from '../http.ts'
import type { HttpClient } from '../http.ts'
import { ConnectionLost } from './connection-lost.ts'
import type { SimHandler } from './handler.ts'
import { inProcess, serve } from './server.ts'
import { textStream } from './text-stream.ts'

const URL_IN_PROCESS = 'http://sim'

/** The same handler by both ways; the second has a real socket. */
const ways: [
  string,
  (handler: SimHandler) => Promise<{ http: HttpClient; url: string; close(): Promise<void> }>,
][] = [
  [
    'in one process',
    (handler) => {
      const http = inProcess({ [URL_IN_PROCESS]: handler })
      return Promise.resolve({ http, url: URL_IN_PROCESS, close: () => http.close() })
    },
  ],
  [
    'over a socket',
    async (handler) => {
      const server = await serve(handler)
      const http = createHttpClient()
      const close = async () => {
        await http.close()
        await server.close()
      }
      return { http, url: server.url, close }
    },
  ],
]

describe.each(ways)('a simulator reached %s', (_way, reach) => {
  it('is given method, path, headers and body, and its answer comes back', async () => {
    const { http, url, close } = await reach(({ method, url: path, headers, body }) =>
      Promise.resolve({
        status: 201,
        headers: { 'X-Seen': headers['x-sent'] ?? '' },
        body: `${method} ${path} ${body}`,
      }),
    )
    const request = {
      method: 'POST',
      url: `${url}/a/b?c=1`,
      headers: { 'X-Sent': 'yes' },
      body: 'é',
    }
    const response = await http.request(request)

    expect(response.status).toBe(201)
    expect(response.headers['x-seen']).toBe('yes')
    expect(await response.text()).toBe('POST /a/b?c=1 é')
    await close()
  })

  it('streams piece by piece, and learns that the client has left the loop', async () => {
    const gone = Promise.withResolvers<void>()
    const stream = textStream(() => gone.resolve())
    const { http, url, close } = await reach(() => Promise.resolve({ status: 200, body: stream }))
    const response = await http.request({ method: 'GET', url: `${url}/watch` })
    stream.push('one')
    const seen: string[] = []
    for await (const chunk of response.chunks()) {
      seen.push(chunk)
      if (seen.length === 2) break
      stream.push('two')
    }

    expect(seen).toEqual(['one', 'two'])
    await gone.promise
    await close()
  })

  it('ends the stream of a client that aborts while nothing happens', async () => {
    const gone = Promise.withResolvers<void>()
    const stream = textStream(() => gone.resolve())
    const { http, url, close } = await reach(() => Promise.resolve({ status: 200, body: stream }))
    const stop = new AbortController()
    const response = await http.request({ method: 'GET', url, signal: stop.signal })
    const reading = response.text()
    stop.abort()

    await expect(reading).rejects.toMatchObject({ name: 'ConnectionError', failure: 'aborted' })
    await gone.promise
    await close()
  })

  it('loses the connection when the simulator says so', async () => {
    const { http, url, close } = await reach(() => Promise.reject(new ConnectionLost()))

    await expect(http.request({ method: 'GET', url })).rejects.toMatchObject({
      name: 'ConnectionError',
      failure: 'reset',
      sent: true,
    })
    await close()
  })

  it('breaks in the middle of a stream when that fails', async () => {
    const stream = textStream(() => {})
    const { http, url, close } = await reach(() => Promise.resolve({ status: 200, body: stream }))
    const response = await http.request({ method: 'GET', url })
    stream.end(new ConnectionLost())

    await expect(response.text()).rejects.toMatchObject({ failure: 'reset' })
    await close()
  })
})

describe('a client in one process', () => {
  it('is refused where nothing is routed, also after an outage began', async () => {
    const routes: Record<string, SimHandler> = {
      'http://a': () => Promise.resolve({ status: 200, body: '' }),
    }
    const http = inProcess(routes)
    const get = (url: string) => http.request({ method: 'GET', url })

    expect((await get('http://a/x')).status).toBe(200)
    await expect(get('http://b/x')).rejects.toMatchObject({ failure: 'refused', sent: false })
    delete routes['http://a']
    await expect(get('http://a/x')).rejects.toMatchObject({ failure: 'refused' })
  })

  it('times out on the given clock, and the simulator sees it gone', async () => {
    const clock = createVirtualClock()
    let signal: AbortSignal | undefined
    const silent: SimHandler = (request) => {
      ;({ signal } = request)
      return new Promise(() => {})
    }
    const http = inProcess({ 'http://a': silent }, { clock })
    const answer = http.request({ method: 'GET', url: 'http://a/', timeoutMs: 5000 })
    const failure = answer.catch((e: unknown) => e)
    await clock.advance(5000)

    expect(await failure).toMatchObject({ failure: 'timeout', sent: true })
    expect(signal?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it('aborts what is under way when it is closed', async () => {
    const http = inProcess({ 'http://a': () => new Promise(() => {}) })
    const answer = http.request({ method: 'GET', url: 'http://a/' })
    const failure = answer.catch((e: unknown) => e)
    await http.close()

    expect(await failure).toMatchObject({ failure: 'aborted' })
  })
})
