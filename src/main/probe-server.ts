import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf, UserError } from '../errors.ts'

// an import would evaluate all that the module offers, also its WebSocket, and with that 13 MB of Node's own code
const { createServer } = process.getBuiltinModule('node:http')

export type Route = (headers: IncomingHttpHeaders) => Promise<{
  readonly status: number
  readonly type?: string
  readonly body: string
}>

export type ProbeServer = { readonly port: number; close(): Promise<void> }

/** A small HTTP server for probes and metrics: GET of exact paths, nothing else. Rejects when the port is taken. */
export function serveRoutes(
  port: number,
  routes: Readonly<Record<string, Route>>,
  host?: string,
): Promise<ProbeServer> {
  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?')[0] ?? '/'
    const route = req.method === 'GET' || req.method === 'HEAD' ? routes[path] : undefined
    if (route === undefined) {
      res.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n')
      return
    }
    route(req.headers).then(
      ({ status, type = 'text/plain', body }) =>
        res.writeHead(status, { 'content-type': type }).end(body),
      () => res.writeHead(500, { 'content-type': 'text/plain' }).end('failed\n'),
    )
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((done) => {
            server.close(() => done())
            server.closeAllConnections()
          }),
      })
    })
  })
}

/** The same on the port of `--metrics-port`; a port that cannot be had is a `UserError`. */
export async function serveMetrics(
  port: number,
  routes: Readonly<Record<string, Route>>,
): Promise<ProbeServer> {
  try {
    return await serveRoutes(port, routes)
  } catch (e) {
    throw new UserError(
      'FlagsInvalid',
      `--metrics-port: cannot listen on ${port} (${messageOf(e)})`,
      {
        fix: 'choose another port',
        cause: e,
      },
    )
  }
}
