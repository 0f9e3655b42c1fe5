import { getCACertificates } from 'node:tls'
import { Pool, ProxyAgent } from 'undici'
import type { Dispatcher } from 'undici'
import type { Proxy } from './proxy.ts'

type PoolOptions = {
  readonly connections: number
  readonly allowH2: boolean
  readonly keepAliveTimeout: number
}

/** How the server at the other end is reached and checked. */
type ConnectOptions = {
  readonly timeout: number
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** Code of the error when the proxy broke off before the tunnel stood: the server has seen nothing. */
export const NO_TUNNEL = 'UND_ERR_PRX_CONN'
const BROKEN_OFF = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET', 'UND_ERR_HEADERS_TIMEOUT'])

/** Tunnels to https, and hands http on in the clear as any client of a proxy does. */
export function createProxyAgent(
  proxy: Proxy,
  pool: PoolOptions,
  connect: ConnectOptions,
): Dispatcher {
  const { ca, timeout } = connect
  return new ProxyAgent({
    ...pool,
    uri: proxy.url,
    connectTimeout: timeout,
    ...(proxy.authorization === undefined ? {} : { token: proxy.authorization }),
    ...(proxy.username === undefined ? {} : { username: proxy.username }),
    ...(proxy.password === undefined ? {} : { password: proxy.password }),
    requestTls: { ...connect },
    // a private authority for the server leaves the system's in force for the proxy
    ...(proxy.url.startsWith('https:') && ca !== undefined
      ? { proxyTls: { ca: [...getCACertificates('default'), ca] } }
      : {}),
    clientFactory: (origin, settings) =>
      // a proxy that accepts the connection and never opens the tunnel is a server that does not answer
      tunnels(new Tunnels(origin, { ...settings, headersTimeout: timeout })),
    factory: (origin, settings) => new Pool(origin, { ...pool, ...settings }),
  })
}

class Tunnels extends Pool {
  open(options: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> {
    return super.connect(options)
  }
}

function tunnels(pool: Tunnels): Pool {
  const connect = (options: Dispatcher.ConnectOptions) =>
    pool.open(options).catch((cause: unknown) => {
      if (!BROKEN_OFF.has((cause as { code?: string } | null)?.code ?? '')) throw cause
      const message = 'the proxy broke the connection off'
      throw Object.assign(new Error(message, { cause }), { code: NO_TUNNEL })
    })
  return Object.assign(pool, { connect })
}
