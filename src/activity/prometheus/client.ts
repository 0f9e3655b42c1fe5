import type { Clock } from '../../clock.ts'
import { sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { HttpClient, HttpResponse } from '../../http.ts'
import { ConnectionError } from '../../http.ts'
import type { Log } from '../../log.ts'
import { retryAfterMs } from '../../time.ts'
import { asRecord, shorten } from '../foreign.ts'
import type { PrometheusSourceConfig } from './config.ts'
import type { RequestMetrics } from './request-metrics.ts'
import type { Turn } from './turns.ts'

/** The body of a 2xx answer as parsed JSON, or one sentence that says why there is none. */
export type Fetched =
  | { readonly kind: 'Body'; readonly body: unknown }
  | { readonly kind: 'Failed'; readonly why: string }

type Attempt = Fetched & { readonly retryAfterMs?: number | undefined; readonly retry?: boolean }

export type PrometheusClient = {
  /**
   * Asks one instant query, evaluated at `timeSeconds`: by POST, or by GET where something in between refuses that. Up
   * to 3 tries. Never throws.
   */
  query(query: string, timeSeconds: number, signal?: AbortSignal): Promise<Fetched>
}

export type ClientDeps = {
  readonly http: HttpClient
  readonly config: PrometheusSourceConfig
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  readonly log: Log
  readonly metrics?: RequestMetrics
  /** Awaited before a large body is parsed, and after. */
  readonly turn: Turn
}

const TRIES = 3
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** What the server may need beyond its own query timeout to queue and send. */
const GRACE_MS = 10_000
/** 20,000 series are about 2.5 MB; a body beyond this is not an answer to our question. */
export const MAX_BODY_CHARACTERS = 64 * 1024 * 1024
/** Parsed in well under a millisecond. */
const SMALL_BODY = 64 * 1024

export function createPrometheusClient(deps: ClientDeps): PrometheusClient {
  const url = queryUrl(deps.config.endpoint)
  const way: Way = { method: 'POST' }
  return {
    query: async (query, timeSeconds, signal) => {
      const body = formOf(query, timeSeconds, deps.config.queryTimeoutMs)
      for (let tried = 1; ; tried += 1) {
        const attempt = await attemptOnce(deps, way, { url, body, signal })
        if (attempt.kind === 'Body') return attempt
        if (attempt.retry !== true || tried === TRIES || signal?.aborted) return attempt
        const pause = pauseMs(tried, attempt.retryAfterMs, deps.random())
        deps.log.info(
          { why: attempt.why, tried, pauseMs: pause },
          'prometheus query failed, trying again',
        )
        await sleep(deps.clock, pause, signal)
        if (signal?.aborted) return attempt
      }
    },
  }
}

/** `endpoint` + /api/v1/query, keeping a prefix and a query such as `?namespace=x`. */
function queryUrl(endpoint: string): string {
  const url = new URL(endpoint)
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`
  return url.href
}

/** Plain Prometheus ignores the last three; Thanos and VictoriaMetrics then refuse rather than answer in part. */
function formOf(query: string, timeSeconds: number, timeoutMs: number): string {
  return new URLSearchParams({
    query,
    time: String(timeSeconds),
    timeout: `${Math.ceil(timeoutMs / 1000)}s`,
    partial_response: 'false',
    dedup: 'true',
    deny_partial_response: '1',
  }).toString()
}

function pauseMs(tried: number, retryAfterMs: number | undefined, random: number): number {
  if (retryAfterMs !== undefined) return Math.min(LONGEST_PAUSE_MS, retryAfterMs)
  return Math.round(FIRST_PAUSE_MS * 2 ** (tried - 1) * (0.5 + random))
}

/** How this server is asked, until it refuses that. */
type Way = { method: 'POST' | 'GET' }

type Question = {
  readonly url: string
  /** The form's fields; the query of the URL for GET. */
  readonly body: string
  readonly signal: AbortSignal | undefined
}

/** A proxy that lets only reads through, and the API server's, for which a POST takes another right. */
const REFUSES_METHOD = new Set(['403', '405', '501'])
/** Of a GET: the query does not fit into the URL. */
const TOO_LONG = new Set(['414', '431'])

async function attemptOnce(deps: ClientDeps, way: Way, question: Question): Promise<Attempt> {
  const { method } = way
  const first = await measured(deps, method, question)
  const isTooLong = method === 'GET' && TOO_LONG.has(first.code)
  if (!REFUSES_METHOD.has(first.code) && !isTooLong) return first.result
  const other = method === 'POST' ? 'GET' : 'POST'
  const second = await measured(deps, other, question)
  // 401 and 404 say no more than the first answer did
  if (REFUSES_METHOD.has(second.code) || ['401', '404'].includes(second.code)) return first.result
  if (second.result.kind === 'Body' && way.method !== other) {
    deps.log.info({ refused: method, code: first.code, using: other }, 'prometheus method changed')
    way.method = other
  }
  return second.result
}

async function measured(
  deps: ClientDeps,
  method: Way['method'],
  question: Question,
): Promise<Exchange> {
  const started = deps.clock.monotonic()
  const answer = await exchange(deps, method, question)
  deps.metrics?.observe(answer.code, (deps.clock.monotonic() - started) / 1000)
  return answer
}

type Exchange = { readonly result: Attempt; readonly code: string }

async function exchange(
  deps: ClientDeps,
  method: Way['method'],
  { url, body, signal }: Question,
): Promise<Exchange> {
  let authorization: string | undefined
  try {
    authorization = await deps.config.authorization?.()
  } catch (e) {
    return failed('auth', `its credentials cannot be read: ${shorten(messageOf(e))}`, true)
  }
  const hide = hider([authorization, ...Object.values(deps.config.headers ?? {})])
  const deadline = new AbortController()
  const limit = deps.config.queryTimeoutMs + GRACE_MS
  const timer = deps.clock.setTimer(limit, () => deadline.abort())
  try {
    const response = await deps.http.request({
      ...(method === 'POST' ? { method, url, body } : { method, url: withQuery(url, body) }),
      headers: {
        ...deps.config.headers,
        accept: 'application/json',
        ...(method === 'POST' ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...(authorization === undefined ? {} : { authorization }),
      },
      timeoutMs: limit,
      signal: signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]),
    })
    const text = await bounded(response, deadline)
    timer.cancel()
    if (text.length > SMALL_BODY) await deps.turn()
    const result = judge(response, text, deps.clock, hide)
    if (text.length > SMALL_BODY) await deps.turn()
    return { result, code: String(response.status) }
  } catch (e) {
    if (e instanceof BodyTooLarge) return failed('too-large', e.message, false)
    if (deadline.signal.aborted) return failed('timeout', `no answer within ${limit} ms`, true)
    if (e instanceof ConnectionError)
      return failed(e.failure, `no answer (${e.failure})${proxyIn(e)}`, true)
    return failed('error', hide(shorten(messageOf(e))), false)
  } finally {
    timer.cancel()
  }
}

/** A proxy on the way, and what it said; the server itself is named already. */
function proxyIn({ message }: ConnectionError): string {
  return /( through the proxy .*)$/s.exec(message)?.[1] ?? ''
}

/** The endpoint may have a query of its own. */
function withQuery(url: string, query: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}${query}`
}

class BodyTooLarge extends Error {}

async function bounded(response: HttpResponse, deadline: AbortController): Promise<string> {
  const parts: string[] = []
  let length = 0
  for await (const part of response.chunks()) {
    length += part.length
    if (length > MAX_BODY_CHARACTERS) {
      deadline.abort()
      throw new BodyTooLarge(
        `the answer is larger than ${MAX_BODY_CHARACTERS / 1024 / 1024} MiB; the query must yield one series per volume`,
      )
    }
    parts.push(part)
  }
  return parts.join('')
}

function judge(
  response: HttpResponse,
  text: string,
  clock: Clock,
  hide: (text: string) => string,
): Attempt {
  const { status } = response
  // whatever its content type says: some proxies call everything text
  const json = parseJson(text)
  if (status >= 200 && status < 300) {
    if (json === undefined) return { kind: 'Failed', why: notJson(response, text), retry: true }
    return { kind: 'Body', body: json.value }
  }
  const via = json === undefined && response.proxy ? `, through the proxy ${response.proxy}` : ''
  const target = shownTarget(response.headers['location'], status)
  const why = `HTTP ${status}: ${hide(reasonOf(json?.value, text))}${via}${adviceOf(status)}${hide(target)}`
  const retry = status === 429 || status >= 500
  return { kind: 'Failed', why, retry, retryAfterMs: retryAfterMs(response.headers, clock.now()) }
}

function notJson({ status, proxy }: HttpResponse, text: string): string {
  const page = /^\s*</.test(text)
    ? ' but a page: is there a login in between? Set prometheus.auth, or the URL of Prometheus itself'
    : ''
  const via = proxy === undefined ? '' : `, through the proxy ${proxy}`
  return `HTTP ${status}, but the body is not JSON${page}${via}`
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text.replace(/^\uFEFF/, '')) as unknown }
  } catch {
    return undefined
  }
}

function reasonOf(body: unknown, text: string): string {
  const envelope = asRecord(body)
  if (typeof envelope?.['error'] !== 'string') return shorten(text) || 'no reason given'
  return `${shorten(String(envelope['errorType']))}: ${shorten(envelope['error'])}`
}

function adviceOf(status: number): string {
  if (status === 401 || status === 403) return ' (check the credentials for Prometheus)'
  if (status === 405 || status === 501)
    return ' (something in between refuses both POST and GET of /api/v1/query)'
  if (status === 414 || status === 431)
    return ' (the query is too long for a URL: let POST to /api/v1/query pass, or shorten prometheus.queries)'
  if (status === 404) return ' (check the endpoint: the URL up to, and without, /api/v1)'
  if (status >= 300 && status < 400) return ' (a redirect; give the final URL as the endpoint)'
  return ''
}

/** Without user and query: they may hold a secret. */
function shownTarget(location: string | undefined, status: number): string {
  if (location === undefined || status < 300 || status >= 400) return ''
  return ` to ${location.split(/[?#]/)[0]!.replace(/\/\/[^/]*@/, '//')}`
}

/** A proxy may echo what it was sent. */
function hider(secrets: readonly (string | undefined)[]): (text: string) => string {
  const words = secrets
    .flatMap((s) => (s === undefined ? [] : [s, s.replace(/^\w+ /, '')]))
    .filter((word) => word.length >= 4)
  return (text) => words.reduce((shown, word) => shown.replaceAll(word, '[hidden]'), text)
}

function failed(code: string, why: string, retry: boolean): Exchange {
  return { code, result: { kind: 'Failed', why, retry } }
}
