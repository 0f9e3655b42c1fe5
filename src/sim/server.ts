import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../http.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../http.ts'
import { ConnectionLost } from './connection-lost.ts'
import type { SimHandler, SimRequest, SimResponse } from './handler.ts'

export type SimServer = {
  /** `http://host:port`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Breaks open connections and frees the port. */
  close(): Promise<void>
}

/** Gives a simulator a socket. `request.signal` is aborted when the client goes away; streams are sent as they come. */
export async function serve(
  handler: SimHandler,
  { host = '127.0.0.1', port = 0 }: { host?: string; port?: number } = {},
): Promise<SimServer> {
  const server = createServer((req, res) => void answer(handler, req, res))
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const bound = (server.address() as AddressInfo).port
  return {
    url: `http://${host}:${bound}`,
    port: bound,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(handler: SimHandler, req: IncomingMessage, res: ServerResponse) {
  const gone = new AbortController()
  res.on('close', () => gone.abort())
  res.on('error', () => gone.abort())
  try {
    const body = await bodyOf(req)
    const request: SimRequest = {
      method: req.method ?? 'GET',
      url: req.url ?? '/',
      headers: headersOf(req),
      body,
      signal: gone.signal,
    }
    await send(await handler(request), res, gone.signal)
  } catch (e) {
    if (e instanceof ConnectionLost || res.headersSent) return void res.destroy()
    res.writeHead(500, { 'content-type': 'text/plain' })
    res.end(`simulator failed: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`)
  }
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}

function headersOf(req: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  return headers
}

async function send(response: SimResponse, res: ServerResponse, gone: AbortSignal) {
  res.writeHead(response.status, { ...response.headers })
  if (typeof response.body === 'string') return void res.end(response.body)
  // the client waits for the headers before the first event of a quiet stream
  res.flushHeaders()
  const stream = response.body[Symbol.asyncIterator]()
  gone.addEventListener('abort', () => void stream.return?.(), { once: true })
  for (;;) {
    const next = await stream.next()
    if (next.done || gone.aborted) break
    if (!res.write(next.value)) await drained(res, gone)
  }
  res.end()
}

function drained(res: ServerResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve()
    const done = () => {
      res.off('drain', done)
      gone.removeEventListener('abort', done)
      resolve()
    }
    res.once('drain', done)
    gone.addEventListener('abort', done, { once: true })
  })
}

/**
 * An `HttpClient` that calls simulators without a socket, so that a whole system runs deterministically in one process.
 * `routes` is read at each request by origin (`http://kube`); a missing one is refused, so deleting an entry is an outage.
 * With a `clock`, `timeoutMs` is a deadline for the headers; without one requests never time out.
 */
export function inProcess(
  routes: Readonly<Record<string, SimHandler>>,
  options: { clock?: Clock } = {},
): HttpClient {
  const open = new Set<AbortController>()
  return {
    request: async (req) => {
      const url = new URL(req.url)
      const handler = routes[url.origin]
      if (handler === undefined)
        throw new ConnectionError('refused', `${req.method} ${url.origin}: refused`)
      if (req.signal?.aborted) throw aborted(req)
      const call = new Call(req, open, options.clock)
      try {
        return call.response(await call.race(handler(call.request(url))))
      } catch (e) {
        call.end()
        throw asConnectionError(e, req)
      }
    },
    close: () => {
      for (const call of open) call.abort()
      return Promise.resolve()
    },
  }
}

/** The default reason is made again each time, with its stack: most of what ending a call would cost. */
const GONE = new Error('the client is gone')

/** One request under way: its abort signal, its deadline, and the stream that may still be open. */
class Call {
  readonly #req: HttpRequest
  readonly #open: Set<AbortController>
  readonly #gone = new AbortController()
  readonly #broken: Promise<never>
  #break: (e: Error) => void = () => {}
  readonly #onAbort: () => void
  #timer: { cancel(): void } | undefined

  constructor(req: HttpRequest, open: Set<AbortController>, clock: Clock | undefined) {
    this.#req = req
    this.#open = open
    open.add(this.#gone)
    this.#broken = new Promise((_, reject) => (this.#break = reject))
    this.#broken.catch(() => {})
    this.#onAbort = () => this.#gone.abort(GONE)
    req.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#gone.signal.addEventListener('abort', () => this.#break(aborted(req)), { once: true })
    if (clock === undefined || req.timeoutMs === undefined) return
    this.#timer = clock.setTimer(req.timeoutMs, () => {
      this.#break(
        new ConnectionError('timeout', `${req.method} ${new URL(req.url).origin}: timeout`),
      )
      this.#gone.abort(GONE)
      this.end()
    })
  }

  request({ pathname, search }: URL): SimRequest {
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(this.#req.headers ?? {}))
      headers[name.toLowerCase()] = value
    return {
      method: this.#req.method,
      url: pathname + search,
      headers,
      body: this.#req.body ?? '',
      signal: this.#gone.signal,
    }
  }

  race<T>(work: Promise<T>): Promise<T> {
    work.catch(() => {})
    return Promise.race([work, this.#broken])
  }

  response(res: SimResponse): HttpResponse {
    this.#timer?.cancel()
    if (typeof res.body === 'string') this.end()
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(res.headers ?? {}))
      headers[name.toLowerCase()] = value
    return {
      status: res.status,
      headers,
      text: async () => {
        let text = ''
        for await (const chunk of this.#chunks(res.body)) text += chunk
        return text
      },
      chunks: () => this.#chunks(res.body),
    }
  }

  async *#chunks(body: SimResponse['body']): AsyncIterable<string> {
    if (typeof body === 'string') return void (yield body)
    const stream = body[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.race(stream.next())
        if (next.done) return
        yield next.value
      }
    } catch (e) {
      throw asConnectionError(e, this.#req)
    } finally {
      this.end()
      void stream.return?.()
    }
  }

  end() {
    this.#timer?.cancel()
    this.#open.delete(this.#gone)
    this.#req.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function aborted(req: HttpRequest): ConnectionError {
  return new ConnectionError('aborted', `${req.method} ${new URL(req.url).origin}: aborted`)
}

function asConnectionError(e: unknown, req: HttpRequest): unknown {
  if (!(e instanceof ConnectionLost)) return e
  const { origin } = new URL(req.url)
  return new ConnectionError(e.failure, `${req.method} ${origin}: ${e.failure}`, { cause: e })
}
