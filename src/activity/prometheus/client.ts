import type { Clock } from '../../clock.ts'
import { sleep } from '../../clock.ts'
import { messageOf } from '../../errors.ts'
import type { HttpClient, HttpResponse } from '../../http.ts'
import { ConnectionError } from '../../http.ts'
import type { Log } from '../../log.ts'
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
  /** POSTs one instant query, evaluated at `timeSeconds`. Up to 3 tries. Never throws. */
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
  return {
    query: async (query, timeSeconds, signal) => {
      const body = formOf(query, timeSeconds, deps.config.queryTimeoutMs)
      for (let tried = 1; ; tried += 1) {
        const attempt = await attemptOnce(deps, url, body, signal)
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

async function attemptOnce(
  deps: ClientDeps,
  url: string,
  body: string,
  signal: AbortSignal | undefined,
): Promise<Attempt> {
  const started = deps.clock.monotonic()
  const { result, code } = await exchange(deps, url, body, signal)
  deps.metrics?.observe(code, (deps.clock.monotonic() - started) / 1000)
  return result
}

type Exchange = { readonly result: Attempt; readonly code: string }

async function exchange(
  deps: ClientDeps,
  url: string,
  body: string,
  signal: AbortSignal | undefined,
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
      method: 'POST',
      url,
      headers: {
        ...deps.config.headers,
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
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
    if (e instanceof ConnectionError) return failed(e.failure, `no answer (${e.failure})`, true)
    return failed('error', hide(shorten(messageOf(e))), false)
  } finally {
    timer.cancel()
  }
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
  const json = /json/i.test(response.headers['content-type'] ?? '') ? parseJson(text) : undefined
  if (status >= 200 && status < 300) {
    if (json === undefined)
      return { kind: 'Failed', why: `HTTP ${status}, but the body is not JSON`, retry: true }
    return { kind: 'Body', body: json.value }
  }
  const why = `HTTP ${status}: ${hide(reasonOf(json?.value, text))}${adviceOf(status)}`
  const retry = status === 429 || status >= 500
  return { kind: 'Failed', why, retry, retryAfterMs: retryAfterMs(response, clock) }
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
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
  if (status === 404) return ' (check the endpoint: the URL up to, and without, /api/v1)'
  if (status >= 300 && status < 400) return ' (a redirect; give the final URL as the endpoint)'
  return ''
}

function retryAfterMs(response: HttpResponse, clock: Clock): number | undefined {
  const text = response.headers['retry-after']
  if (text === undefined) return undefined
  if (/^\d+$/.test(text.trim())) return Number(text) * 1000
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now())
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
