import { readFileSync } from 'node:fs'
import { Agent, request } from 'undici'

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

export type HttpOptions = {
  /** PEM text of the certificate authority to trust, instead of the system's. */
  readonly ca?: string
  /** PEM text of a client certificate and its key. */
  readonly cert?: string
  readonly key?: string
  readonly insecureSkipVerify?: boolean
  /** Most connections per origin. Default 8. */
  readonly connections?: number
}

const DEFAULT_TIMEOUT_MS = 30_000

/** An `HttpClient` on one shared undici agent: a bounded number of connections, kept alive, HTTP/1.1. */
export function createHttpClient(options: HttpOptions = {}): HttpClient {
  const agent = new Agent({
    connections: options.connections ?? 8,
    allowH2: false,
    keepAliveTimeout: 30_000,
    connect: {
      timeout: 10_000,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      ...(options.cert === undefined ? {} : { cert: options.cert }),
      ...(options.key === undefined ? {} : { key: options.key }),
      ...(options.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    },
  })
  return {
    request: async (req) => {
      const timeout = req.timeoutMs ?? DEFAULT_TIMEOUT_MS
      try {
        const res = await request(req.url, {
          dispatcher: agent,
          method: req.method,
          headers: { ...req.headers },
          body: req.body ?? null,
          signal: req.signal ?? null,
          headersTimeout: timeout,
          bodyTimeout: timeout,
        })
        return {
          status: res.statusCode,
          headers: Object.fromEntries(
            Object.entries(res.headers).map(([k, v]) => [
              k,
              Array.isArray(v) ? v.join(', ') : (v ?? ''),
            ]),
          ),
          text: () =>
            res.body.text().catch((e: unknown) => Promise.reject(asConnectionError(e, req))),
          chunks: () => decoded(res.body, req),
        }
      } catch (e) {
        throw asConnectionError(e, req)
      }
    },
    close: () => agent.destroy(),
  }
}

async function* decoded(body: AsyncIterable<Uint8Array>, req: HttpRequest): AsyncIterable<string> {
  const decoder = new TextDecoder()
  try {
    for await (const chunk of body) yield decoder.decode(chunk, { stream: true })
  } catch (e) {
    throw asConnectionError(e, req)
  }
}

/** Reads a PEM file; the error names the file and what it is for. */
export function readPem(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (e) {
    throw new Error(`cannot read ${what} "${path}": ${(e as Error).message}`, { cause: e })
  }
}

function asConnectionError(e: unknown, req: HttpRequest): ConnectionError {
  if (e instanceof ConnectionError) return e
  const { origin } = new URL(req.url)
  const code = codeOf(e)
  const text = e instanceof Error ? e.message : String(e)
  const failure = failureOf(code, text, req.signal?.aborted === true)
  // the URL's path may carry names but never secrets; its query may, so only the origin is told
  return new ConnectionError(failure, `${req.method} ${origin}: ${failure} (${code || text})`, {
    cause: e,
  })
}

function codeOf(e: unknown): string {
  const own = (e as { code?: unknown } | null)?.code
  if (typeof own === 'string') return own
  const cause = (e as { cause?: { code?: unknown } } | null)?.cause?.code
  return typeof cause === 'string' ? cause : ''
}

function failureOf(code: string, text: string, aborted: boolean): ConnectionFailure {
  if (aborted || code === 'UND_ERR_ABORTED') return 'aborted'
  if (
    code === 'ECONNREFUSED' ||
    code === 'UND_ERR_CONNECT_TIMEOUT' ||
    code === 'EHOSTUNREACH' ||
    code === 'ENETUNREACH'
  )
    return 'refused'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'dns'
  if (
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    /CERT|SELF_SIGNED|UNABLE_TO/.test(code)
  )
    return 'tls'
  if (
    code === 'UND_ERR_HEADERS_TIMEOUT' ||
    code === 'UND_ERR_BODY_TIMEOUT' ||
    /timeout/i.test(text)
  )
    return 'timeout'
  return 'reset'
}
