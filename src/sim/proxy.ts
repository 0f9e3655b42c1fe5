import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect, createServer as createNetServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

export type ProxyOptions = {
  /** Real `host:port` by the `host:port` that a client asks for; names that exist only behind the proxy. */
  readonly hosts: Readonly<Record<string, string>>
  /** `user:password` that a client must give. */
  readonly credentials?: string
  /** Answers every CONNECT, and every request in the clear, with this status. */
  readonly refusesWith?: number
  /** Takes connections and never answers. */
  readonly silent?: boolean
}

export type ProxySim = {
  readonly url: string
  readonly port: number
  /** `CONNECT host:port` and `METHOD http://host/path`, as they came. */
  readonly seen: readonly string[]
  close(): Promise<void>
}

/** An HTTP forward proxy as squid is one: tunnels by CONNECT, plain HTTP by absolute URLs. */
export async function serveProxy(options: ProxyOptions): Promise<ProxySim> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer((req, res) => {
    seen.push(`${req.method} ${req.url}`)
    if (options.silent) return
    const status = refusalOf(options, req)
    if (status !== undefined) return refuse(res, status)
    forward(options, req, res)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('connect', (req, socket: Socket, head) => {
    seen.push(`CONNECT ${req.url}`)
    socket.on('error', () => socket.destroy())
    if (options.silent) return
    const real = options.hosts[req.url ?? '']
    const status = refusalOf(options, req) ?? (real === undefined ? 503 : undefined)
    if (status !== undefined) return void socket.end(`HTTP/1.1 ${status} Refused\r\n\r\n`)
    const [host, port] = real!.split(':')
    const there = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.write(head)
      there.pipe(socket).pipe(there)
    })
    there.on('error', () => socket.destroy())
    socket.on('close', () => there.destroy())
  })
  return listening(server, 'http', { seen, sockets })
}

function refusalOf({ credentials, refusesWith }: ProxyOptions, req: IncomingMessage) {
  if (refusesWith !== undefined) return refusesWith
  if (credentials === undefined) return undefined
  const wanted = `Basic ${Buffer.from(credentials).toString('base64')}`
  return req.headers['proxy-authorization'] === wanted ? undefined : 407
}

function refuse(res: ServerResponse, status: number): void {
  res.writeHead(status, { 'content-type': 'text/html' })
  res.end(`<html><body><h1>${status} from the proxy</h1></body></html>`)
}

function forward({ hosts }: ProxyOptions, req: IncomingMessage, res: ServerResponse): void {
  const url = URL.canParse(req.url ?? '') ? new URL(req.url ?? '') : undefined
  const real = url && hosts[`${url.hostname}:${url.port || '80'}`]
  if (url === undefined || real === undefined) return refuse(res, 503)
  const [host, port] = real.split(':')
  const { 'proxy-authorization': _, 'proxy-connection': _keep, ...headers } = req.headers
  const onward = request(
    { host, port, method: req.method, path: url.pathname + url.search, headers },
    (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    },
  )
  onward.on('error', () => refuse(res, 502))
  req.pipe(onward)
}

/** A SOCKS5 proxy without credentials, for names that exist only behind it. `seen` holds `host:port`. */
export async function serveSocks({ hosts }: Pick<ProxyOptions, 'hosts'>): Promise<ProxySim> {
  const seen: string[] = []
  const sockets = new Set<Socket>()
  const server = createNetServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]))
      socket.once('data', (ask: Buffer) => {
        const length = ask[4] ?? 0
        const wanted = `${ask.toString('utf8', 5, 5 + length)}:${ask.readUInt16BE(5 + length)}`
        seen.push(wanted)
        const real = hosts[wanted]
        const reply = (code: number) => socket.write(Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
        // 4: host unreachable
        if (real === undefined) return void (reply(4) && socket.end())
        const [host, port] = real.split(':')
        const there = connect(Number(port), host, () => {
          reply(0)
          there.pipe(socket).pipe(there)
        })
        there.on('error', () => socket.destroy())
        socket.on('close', () => there.destroy())
      })
    })
  })
  return listening(server, 'socks5', { seen, sockets })
}

async function listening(
  server: Server,
  scheme: 'http' | 'socks5',
  { seen, sockets }: { readonly seen: string[]; readonly sockets: ReadonlySet<Socket> },
): Promise<ProxySim> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${scheme}://127.0.0.1:${port}`,
    port,
    seen,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
