import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'
import type { Dispatcher } from 'undici'
import { messageOf, UserError } from './errors.ts'
import { createProxyAgent, NO_TUNNEL } from './proxy-agent.ts'
import { describeProxy, orWithout } from './proxy.ts'
import { textOf } from './text-file.ts'
import type { Proxy, ProxyChoice } from './proxy.ts'

/**
 * The one door to the network. Kubernetes, OpenStack and metrics clients are given an `HttpClient`;
 * production passes the undici one below, tests pass one that calls a simulator in the same process.
 */
export interface HttpClient {
  /** Sends one request. Throws `ConnectionError` when there is no answer; never on a status code. */
  request(req: HttpRequest): Promise<HttpResponse>
  /** Closes idle connections; requests in flight are aborted. */
  close(): Promise<void>
}

export type HttpRequest = {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
  /** Deadline in ms for the headers, and between two chunks of the body. Default 30,000. */
  readonly timeoutMs?: number
}

export type HttpResponse = {
  readonly status: number
  /** Names in lower case; a repeated header is joined by ", ". */
  readonly headers: Readonly<Record<string, string>>
  /** The whole body as text. Throws `ConnectionError` when the connection breaks on the way. */
  text(): Promise<string>
  /** The body piece by piece, for watches. The consumer ends it by leaving the loop or aborting the signal. */
  chunks(): AsyncIterable<string>
  /** The proxy that handed it on, or answered itself: "http://proxy:3128 (HTTP_PROXY)". Never holds its credentials. */
  readonly proxy?: string
}

export type ConnectionFailure = 'refused' | 'dns' | 'tls' | 'timeout' | 'reset' | 'aborted'

/** No answer came. `sent` is false only when the request certainly never reached the server. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
  readonly failure: ConnectionFailure
  readonly sent: boolean
  constructor(failure: ConnectionFailure, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.failure = failure
    this.sent = !(failure === 'refused' || failure === 'dns' || failure === 'tls')
  }
}

export type TlsMaterial = {
  /** PEM text of the certificate authority to trust, instead of the system's. */
  readonly ca?: string
  /** PEM text of a client certificate and its key. */
  readonly cert?: string
  readonly key?: string
}

export type HttpOptions = TlsMaterial & {
  readonly insecureSkipVerify?: boolean
  /** The name that the server's certificate must have, where it is not the one of the URL. */
  readonly servername?: string
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /**
   * What the files hold now; asked before every request, and with `true` after the server refused what there was. New
   * connections are opened with it; requests in flight end on the old ones.
   */
  readonly renewed?: (refused: boolean) => Promise<TlsMaterial>
  /** Most connections per origin. Default 8. */
  readonly connections?: number
  /** Which proxy a request goes through. Default: none. */
  readonly proxy?: ProxyChoice
}

const DEFAULT_TIMEOUT_MS = 30_000
const CONNECT_TIMEOUT_MS = 10_000

/** An `HttpClient` on shared undici agents: a bounded number of connections, kept alive, HTTP/1.1. */
export function createHttpClient(options: HttpOptions = {}): HttpClient {
  const connections = renewable(options)
  const send = async (req: HttpRequest): Promise<HttpResponse> => {
    const timeout = req.timeoutMs ?? DEFAULT_TIMEOUT_MS
    const proxy = options.proxy?.(new URL(req.url))
    try {
      const asked = request(req.url, {
        dispatcher: connections.current().dispatcherFor(proxy),
        method: req.method,
        headers: { ...req.headers, ...(options.headers as Record<string, string | string[]>) },
        body: req.body ?? null,
        signal: req.signal ?? null,
        headersTimeout: timeout,
        bodyTimeout: timeout,
      })
      const res = await unlessAborted(asked, req.signal)
      return {
        status: res.statusCode,
        headers: Object.fromEntries(
          Object.entries(res.headers).map(([k, v]) => [
            k,
            Array.isArray(v) ? v.join(', ') : (v ?? ''),
          ]),
        ),
        text: () =>
          res.body.text().catch((e: unknown) => Promise.reject(asConnectionError(e, req, proxy))),
        chunks: () => decoded(res.body, req, proxy),
        ...(proxy === undefined ? {} : { proxy: describeProxy(proxy) }),
      }
    } catch (e) {
      throw asConnectionError(e, req, proxy)
    }
  }
  return {
    request: async (req) => {
      await connections.renew(false)
      try {
        const response = await send(req)
        // the caller repeats what was refused with 401, then on a connection with the new certificate
        if (response.status === 401) await connections.renew(true)
        return response
      } catch (e) {
        const refused = e instanceof ConnectionError && e.failure === 'tls'
        if (!refused || !(await connections.renew(true))) throw e
        return send(req)
      }
    },
    close: () => connections.close(),
  }
}

/** Agents that give way to other ones when the certificates have changed. */
function renewable(options: HttpOptions) {
  let material: TlsMaterial = options
  let current = agentsWith(options, material)
  const retired = new Set<Agents>()
  const retire = (old: Agents) => {
    retired.add(old)
    const gone = () => void retired.delete(old)
    old.close().then(gone, gone)
  }
  return {
    current: () => current,
    /** True when there are other certificates than before. */
    renew: async (refused: boolean): Promise<boolean> => {
      if (options.renewed === undefined) return false
      const next = await options.renewed(refused)
      if (next.ca === material.ca && next.cert === material.cert && next.key === material.key)
        return false
      material = next
      retire(current)
      current = agentsWith(options, next)
      return true
    },
    close: async () => {
      await Promise.all([current, ...retired].map((agents) => agents.destroy()))
    },
  }
}

type Agents = ReturnType<typeof agentsWith>

/** One agent for the direct way, and one for each proxy, with the same certificates. */
function agentsWith(options: HttpOptions, material: TlsMaterial) {
  const pool = { connections: options.connections ?? 8, allowH2: false, keepAliveTimeout: 30_000 }
  const connect = { timeout: CONNECT_TIMEOUT_MS, ...tlsOf(options, material) }
  const direct = new Agent({ ...pool, connect })
  const proxied = new Map<Proxy, Dispatcher>()
  const all = () => [direct, ...proxied.values()]
  return {
    dispatcherFor: (proxy: Proxy | undefined): Dispatcher => {
      if (proxy === undefined) return direct
      const known = proxied.get(proxy) ?? createProxyAgent(proxy, pool, connect)
      proxied.set(proxy, known)
      return known
    },
    /** Ends when the requests in flight have. */
    close: async () => void (await Promise.all(all().map((agent) => agent.close()))),
    destroy: async () => void (await Promise.all(all().map((agent) => agent.destroy()))),
  }
}

function tlsOf(options: HttpOptions, { ca, cert, key }: TlsMaterial) {
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
  }
}

/** The library notices the end of a request only once it has a connection, for which it may wait long. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const onAbort = () => reject(new DOMException('given up', 'AbortError'))
  signal.addEventListener('abort', onAbort, { once: true })
  work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  return promise
}

async function* decoded(
  body: AsyncIterable<Uint8Array>,
  req: HttpRequest,
  proxy: Proxy | undefined,
): AsyncIterable<string> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body) yield decoder.decode(chunk, { stream: true })
  } catch (e) {
    throw asConnectionError(e, req, proxy)
  }
}

/** Reads a PEM file. Throws `UserError` (ConfigInvalid) that names the file and what it is for. */
export function readPem(path: string, what: string): string {
  let text: string
  try {
    text = textOf(readFileSync(path))
  } catch (e) {
    throw new UserError('ConfigInvalid', `cannot read ${what} "${path}": ${messageOf(e)}`, {
      fix: 'mount the file there, or correct the path',
      cause: e,
    })
  }
  // an unusable certificate would show only with the first connection, as one that broke off
  if (text.includes('-----BEGIN ')) return text
  throw new UserError('ConfigInvalid', `${what} "${path}" is no PEM text (-----BEGIN …)`, {
    fix: 'convert it, for example with openssl x509 -inform DER',
  })
}

function asConnectionError(
  e: unknown,
  req: HttpRequest,
  proxy: Proxy | undefined,
): ConnectionError {
  if (e instanceof ConnectionError) return e
  const { origin } = new URL(req.url)
  const code = codeOf(e)
  const text = messageOf(e)
  const aborted = req.signal?.aborted === true
  const refusal = proxy === undefined || aborted ? undefined : proxyRefusal(text, proxy)
  const failure =
    refusal === undefined ? failureOf(code, text, aborted, isDuringConnect(e)) : 'refused'
  const via = proxy === undefined ? '' : ` through the proxy ${describeProxy(proxy)}`
  // the URL's path may carry names but never secrets; its query may, so only the origin is shown
  const message = `${req.method} ${origin}${via}: ${refusal ?? `${failure} (${code || text})${PLAIN_SERVER.test(code) ? NO_TLS : ''}`}`
  return new ConnectionError(failure, message, { cause: e })
}

/** TLS was spoken to a server that answered in the clear. */
const PLAIN_SERVER = /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)/
const NO_TLS = ': nothing speaks TLS there, is the URL to begin with http://?'

/** What a proxy said that did not let the request pass: the server has certainly not seen it. */
function proxyRefusal(text: string, { from }: Proxy): string | undefined {
  const status = /Proxy response \((\d+)\)|Proxy Authentication Required \((407)\)/.exec(text)
  const code = status?.[1] ?? status?.[2]
  if (text.startsWith('SOCKS5')) return `the proxy does not connect (${text})`
  if (code === undefined) return undefined
  if (code === '407')
    return `the proxy answered 407: it wants a user and a password, or refuses those of ${from}`
  return `the proxy answered ${code} and opens no connection: allow the host there${orWithout(from)}`
}

function codeOf(e: unknown): string {
  const own = (e as { code?: unknown } | null)?.code
  if (typeof own === 'string') return own
  const cause = (e as { cause?: { code?: unknown } } | null)?.cause?.code
  return typeof cause === 'string' ? cause : ''
}

/**
 * Failures in front of the first byte of a request. Other TLS errors (a bad record, an alert after the handshake) break
 * a connection that may have carried it already.
 */
const HANDSHAKE =
  /^(?!ERR_SSL_TLSV13_ALERT).*(CERT|SELF_SIGNED|UNABLE_TO)|^ERR_SSL_.*(WRONG_VERSION|UNSUPPORTED_PROTOCOL|PROTOCOL_VERSION|HANDSHAKE_FAILURE|UNKNOWN_CA|NO_SHARED|NO_CIPHERS|UNRECOGNIZED_NAME)/

/** True when the system says that it failed to connect, to any of the addresses it tried. */
function isDuringConnect(e: unknown): boolean {
  const { syscall, errors, cause } = (e ?? {}) as {
    readonly syscall?: unknown
    readonly errors?: unknown
    readonly cause?: unknown
  }
  if (syscall !== undefined) return syscall === 'connect'
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isDuringConnect)
  return cause !== undefined && isDuringConnect(cause)
}

function failureOf(
  code: string,
  text: string,
  aborted: boolean,
  duringConnect: boolean,
): ConnectionFailure {
  if (aborted || code === 'UND_ERR_ABORTED') return 'aborted'
  if (
    code === 'ECONNREFUSED' ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    code === NO_TUNNEL ||
    code.startsWith('UND_ERR_SOCKS5')
  )
    return 'refused'
  // a connection that has carried the request may end with these too
  if ((code === 'EHOSTUNREACH' || code === 'ENETUNREACH') && duringConnect) return 'refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'dns'
  if (code.startsWith('ERR_TLS') || code === 'UND_ERR_PRX_TLS' || HANDSHAKE.test(code)) return 'tls'
  if (
    code === 'UND_ERR_HEADERS_TIMEOUT' ||
    code === 'UND_ERR_BODY_TIMEOUT' ||
    /timeout/i.test(text)
  )
    return 'timeout'
  return 'reset'
}
