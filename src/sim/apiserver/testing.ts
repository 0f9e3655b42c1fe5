import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { VirtualClock } from '../../../test/virtual-clock.ts'
import type { HttpClient } from '../../http.ts'
import { inProcess } from '../server.ts'
import type { ApiServer, ApiServerOptions } from './apiserver.ts'
import { createApiServer } from './apiserver.ts'

/** Parsed JSON of any shape. */
// oxlint-disable-next-line typescript/no-explicit-any -- tests inspect answers field by field
export type Json = any

export type TestServer = {
  readonly server: ApiServer
  readonly clock: VirtualClock
  readonly http: HttpClient
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: Json }>
  /** Reads a watch in the background; `events` grows, `ended` says how it ended. */
  watch(path: string): Promise<{ events: Json[]; ended: Promise<string>; stop(): void }>
}

/** An API server in this process on a clock that stands still. */
export function testServer(options: Partial<ApiServerOptions> = {}): TestServer {
  const clock = createVirtualClock()
  const server = createApiServer({ clock, ...options })
  const http = inProcess({ 'http://k': server.handle })
  return {
    server,
    clock,
    http,
    send: async (method, path, body, headers = {}) => {
      const response = await http.request({
        method,
        url: `http://k${path}`,
        headers: { 'content-type': contentType(method), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      return { status: response.status, headers: response.headers, body: JSON.parse(text) }
    },
    watch: async (path) => {
      const stop = new AbortController()
      const response = await http.request({
        method: 'GET',
        url: `http://k${path}`,
        signal: stop.signal,
      })
      const events: Json[] = []
      const ended = collect(response.chunks(), events)
      return { events, ended, stop: () => stop.abort() }
    },
  }
}

function contentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
}

async function collect(chunks: AsyncIterable<string>, events: Json[]): Promise<string> {
  try {
    for await (const chunk of chunks)
      for (const line of chunk.split('\n').filter(Boolean)) events.push(JSON.parse(line))
    return 'end'
  } catch (e) {
    return (e as { failure?: string }).failure ?? String(e)
  }
}

export function configMap(name: string, data: Record<string, string> = {}) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data }
}
