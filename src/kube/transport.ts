import { FIELD_MANAGER } from '../api/names.ts'
import { sleep } from '../clock.ts'
import type { Clock } from '../clock.ts'
import { ConnectionError } from '../http.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../http.ts'
import type { Log } from '../log.ts'
import type { Registry } from '../metrics.ts'
import { apiErrorFrom } from './api-error.ts'
import { jittered } from './backoff.ts'
import { counter, histogram } from './metrics.ts'
import { ApiError } from './types.ts'

/**
 * Value of the `Authorization` header, or undefined for none (client certificate, plain proxy).
 * `refresh` reads the credential again: the server refused the last one.
 */
export type Authorization = (refresh?: boolean) => Promise<string | undefined>

export type TransportOptions = {
  readonly http: HttpClient
  /** Connections for watches: they are held for minutes and must not starve the calls. Default `http`. */
  readonly watchHttp?: HttpClient
  /** Base URL, `https://host:port`. */
  readonly server: string
  readonly authorization: Authorization
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly metrics?: Registry
  /** For one call with all its repetitions, ms. Default 30,000. */
  readonly deadlineMs?: number
}

export type Call = {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: string
  readonly contentType?: string
  /**
   * `always`: the call may be sent again after any failure. `unprocessed`: only when the server certainly did not
   * carry it out (nothing sent, 429, 401), since a second one would do it twice or be refused because of the first.
   */
  readonly repeat: 'always' | 'unprocessed'
  readonly deadlineMs?: number
  readonly signal?: AbortSignal | undefined
  /** Asked right before each time it is sent; what it throws ends the call. */
  readonly fence?: (() => void) | undefined
}

export interface Transport {
  /** The body of a successful answer. Throws `ApiError` or `ConnectionError`. */
  call(call: Call): Promise<string>
  /** Opens a stream; the deadline counts until the headers are there, `idleMs` between two chunks. Sent once. */
  open(
    call: Call & { readonly signal: AbortSignal; readonly idleMs: number },
  ): Promise<HttpResponse>
}

const DEADLINE_MS = 30_000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 5_000
const MOST_TRIES = 6
// a call that may be repeated gives up a silent connection early enough to try another
const TRIES_PER_DEADLINE = 3
const UNWELL = new Set([429, 500, 502, 503, 504])
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60]

/** Requests with credentials, deadlines, repetition and metrics; what a request means is the client's business. */
export function createTransport(options: TransportOptions): Transport {
  const { http, watchHttp = http, server, authorization, clock, random, log } = options
  const observe = observer(options.metrics, new URL(server).host)
  let secret: string | undefined

  const request = async (client: HttpClient, call: Call, signal: AbortSignal, refresh: boolean) => {
    const credential = await authorization(refresh)
    secret = credential?.split(' ').at(-1)
    const started = clock.monotonic()
    const observed = (code: string) => observe(call.method, code, clock.monotonic() - started)
    call.fence?.()
    try {
      const response = await client.request(requestOf(server, call, credential, signal))
      observed(String(response.status))
      return response
    } catch (e) {
      observed('<error>')
      throw e
    }
  }

  const send = async (client: HttpClient, call: Call, signal: AbortSignal) => {
    const response = await request(client, call, signal, false)
    // 401 comes before anything is carried out, so every call may be sent again with a new credential
    const again = response.status === 401
    if (again) await response.text()
    return again ? request(client, call, signal, true) : response
  }

  const refusal = async (call: Call, response: HttpResponse) => {
    const what = `${call.method} ${call.path}`
    return apiErrorFrom(response.status, response.headers, await response.text(), what, secret)
  }

  const once = async (call: Call, signal: AbortSignal) => {
    const response = await send(http, call, signal)
    if (response.status >= 300) throw await refusal(call, response)
    return response.text()
  }

  return {
    call: async (call) => {
      const deadlineMs = call.deadlineMs ?? options.deadlineMs ?? DEADLINE_MS
      const tryMs = call.repeat === 'always' ? deadlineMs / TRIES_PER_DEADLINE : deadlineMs
      const until = clock.monotonic() + deadlineMs
      let unclear = false
      for (let tries = 1; ; tries++) {
        const left = Math.min(tryMs, until - clock.monotonic())
        try {
          return await within(clock, left, call, (signal) => once(call, signal))
        } catch (e) {
          // an earlier try may have removed it
          if (unclear && call.method === 'DELETE' && statusOf(e) === 404) return ''
          const wait = waitAfter(e, tries, random)
          const late = tries >= MOST_TRIES || clock.monotonic() + wait >= until
          if (late || !mayRepeat(call, e)) throw e
          unclear ||= !unprocessed(e)
          log.debug({ method: call.method, path: call.path, tries, wait }, 'request is sent again')
          await sleep(clock, wait, call.signal)
          if (call.signal?.aborted) throw e
        }
      }
    },
    open: (call) =>
      within(clock, options.deadlineMs ?? DEADLINE_MS, call, async (headersInTime) => {
        const stream = streamSignal(call.signal, headersInTime)
        const response = await send(watchHttp, call, stream.signal)
        if (response.status >= 300) throw await refusal(call, response)
        stream.detach()
        return response
      }),
  }
}

/** Runs `fn` with a signal that is aborted with the call's own or after `ms`, and waits no longer than that. */
async function within<T>(
  clock: Clock,
  ms: number,
  call: Call,
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController()
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const end = (failure: 'timeout' | 'aborted', text: string) => {
    reject(new ConnectionError(failure, `${call.method} ${call.path}: ${text}`))
    controller.abort()
  }
  const timer = clock.setTimer(ms, () => end('timeout', `no answer within ${Math.round(ms)} ms`))
  const onAbort = () => end('aborted', 'the call was given up')
  call.signal?.addEventListener('abort', onAbort, { once: true })
  if (call.signal?.aborted) onAbort()
  try {
    return await Promise.race([ended, fn(controller.signal)])
  } finally {
    timer.cancel()
    call.signal?.removeEventListener('abort', onAbort)
  }
}

/** Follows the caller's signal for the life of the stream, and `opening` until `detach`. */
function streamSignal(caller: AbortSignal, opening: AbortSignal) {
  const controller = new AbortController()
  const abort = () => controller.abort()
  caller.addEventListener('abort', abort, { once: true })
  opening.addEventListener('abort', abort, { once: true })
  if (caller.aborted || opening.aborted) abort()
  return {
    signal: controller.signal,
    detach: () => opening.removeEventListener('abort', abort),
  }
}

function requestOf(
  server: string,
  call: Call & { readonly idleMs?: number },
  credential: string | undefined,
  signal: AbortSignal,
): HttpRequest {
  const query = Object.entries(call.query ?? {}).filter((e): e is [string, string] => e[1] != null)
  const suffix = query.length === 0 ? '' : `?${new URLSearchParams(query).toString()}`
  return {
    method: call.method,
    url: `${server}${call.path}${suffix}`,
    headers: {
      accept: 'application/json',
      'user-agent': FIELD_MANAGER,
      ...(credential !== undefined && { authorization: credential }),
      ...(call.body !== undefined && { 'content-type': call.contentType ?? 'application/json' }),
    },
    ...(call.body !== undefined && { body: call.body }),
    signal,
    timeoutMs: call.idleMs ?? call.deadlineMs ?? DEADLINE_MS,
  }
}

function mayRepeat(call: Call, e: unknown): boolean {
  if (unprocessed(e)) return true
  if (call.repeat === 'unprocessed') return false
  if (e instanceof ConnectionError) return e.failure !== 'aborted' && e.failure !== 'tls'
  return e instanceof ApiError && UNWELL.has(e.status)
}

/** The server has certainly not carried it out. A certificate that is refused now is refused again: not worth a try. */
function unprocessed(e: unknown): boolean {
  if (e instanceof ConnectionError) return !e.sent && e.failure !== 'tls'
  return statusOf(e) === 429
}

function waitAfter(e: unknown, tries: number, random: () => number): number {
  const step = jittered(Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS), random)
  const asked = e instanceof ApiError ? (e.retryAfterSeconds ?? 0) : 0
  return asked * 1000 + step
}

function statusOf(e: unknown): number | undefined {
  return e instanceof ApiError ? e.status : undefined
}

function observer(registry: Registry | undefined, host: string) {
  if (!registry) return () => {}
  const requests = counter(
    registry,
    'rest_client_requests_total',
    'Requests to the API server by status code, method and host.',
    ['code', 'method', 'host'],
  )
  const durations = histogram(
    registry,
    'rest_client_request_duration_seconds',
    'Time until the headers of the answer, by method and host.',
    ['verb', 'host'],
    BUCKETS,
  )
  return (method: string, code: string, ms: number) => {
    requests.inc({ code, method, host })
    durations.observe({ verb: method, host }, ms / 1000)
  }
}
