import type { Clock } from '../../clock.ts'
import { sleep } from '../../clock.ts'
import { ConnectionLost } from '../connection-lost.ts'
import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { ExecutionError, ParseError } from './ast.ts'
import { evaluate } from './evaluate.ts'
import { createSeriesIndex } from './index-of-series.ts'
import type { SeriesIndex } from './index-of-series.ts'
import { durationMs } from './lex.ts'
import type { Value } from './operators.ts'
import { parseQuery } from './parse.ts'
import type { Semantics } from './rate.ts'
import type { Labels, SampledFunction, SampleList } from './series.ts'
import { seriesOf } from './series.ts'

export type PrometheusSimOptions = {
  readonly clock: Clock
  /** Which major version's rules for ranges and rate. Default 3. */
  readonly semantics?: Semantics
  /** Expected Authorization header; anything else is answered with 401. */
  readonly authorization?: string
  /** Default 5 minutes. */
  readonly lookbackSeconds?: number
}

export type PrometheusFault =
  /** The connection breaks, or is refused. */
  | { readonly kind: 'down'; readonly failure?: 'reset' | 'refused' }
  /** 503 in plain text on every path, as while the write-ahead log is replayed. */
  | { readonly kind: 'not-ready' }
  /** Success without series. */
  | { readonly kind: 'empty' }
  /** Half of the series with a warning, as Thanos reports partial data. */
  | { readonly kind: 'partial'; readonly warning?: string }
  /** Half of the series with `isPartial`, as VictoriaMetrics does. */
  | { readonly kind: 'is-partial' }
  /** Right answers, `ms` late on the simulator's clock. */
  | { readonly kind: 'slow'; readonly ms: number }
  /** A proxy in front that refuses a method, or calls every answer something else than JSON. */
  | {
      readonly kind: 'proxy'
      readonly refuses?: { readonly method: string; readonly status: number }
      readonly contentType?: string
    }
  /** A fixed answer. */
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly body: string
      readonly headers?: Readonly<Record<string, string>>
    }

export type PrometheusSeams = {
  /** Adds a series; `remove` takes it away with its history. */
  addSeries(name: string, labels: Labels, source: SampledFunction | SampleList): { remove(): void }
  /** Answers the next `times` requests wrongly (default: until changed). Undefined ends it. */
  setFault(fault: PrometheusFault | undefined, times?: number): void
  /** Every query that reached the evaluator, oldest first. */
  readonly queries: readonly {
    readonly query: string
    readonly params: Readonly<Record<string, string>>
  }[]
}

export type PrometheusSim = { readonly handle: SimHandler; readonly seams: PrometheusSeams }

/** A Prometheus server's HTTP API over series that are computed when asked. */
export function createPrometheus(options: PrometheusSimOptions): PrometheusSim {
  const index = createSeriesIndex()
  const queries: { query: string; params: Record<string, string> }[] = []
  let fault: PrometheusFault | undefined
  let faultsLeft = Infinity
  const takeFault = () => {
    if (fault === undefined || faultsLeft <= 0) return undefined
    faultsLeft -= 1
    return fault
  }
  const state: State = { options, index, queries }
  return {
    handle: async (request) => {
      const now = takeFault()
      if (now?.kind === 'slow') await sleep(options.clock, now.ms, request.signal)
      if (now?.kind === 'proxy' && now.refuses?.method === request.method)
        return plain(now.refuses.status, 'refused by the proxy\n')
      const answer = imposed(now) ?? route(state, request, now)
      if (now?.kind !== 'proxy' || now.contentType === undefined) return answer
      return { ...answer, headers: { ...answer.headers, 'content-type': now.contentType } }
    },
    seams: {
      queries,
      addSeries: (name, labels, source) => {
        const series = seriesOf(name, labels, source)
        index.add(series)
        return { remove: () => index.remove(series) }
      },
      setFault: (next, times = Infinity) => {
        fault = next
        faultsLeft = times
      },
    },
  }
}

type State = {
  readonly options: PrometheusSimOptions
  readonly index: SeriesIndex
  readonly queries: { query: string; params: Record<string, string> }[]
}

function imposed(fault: PrometheusFault | undefined): SimResponse | undefined {
  if (fault?.kind === 'down') throw new ConnectionLost(fault.failure ?? 'reset')
  if (fault?.kind === 'not-ready') return plain(503, 'Service Unavailable')
  if (fault?.kind === 'answer')
    return { status: fault.status, headers: fault.headers ?? {}, body: fault.body }
  return undefined
}

function route(state: State, request: SimRequest, fault: PrometheusFault | undefined): SimResponse {
  const { pathname, searchParams } = new URL(request.url, 'http://prometheus')
  const { authorization } = state.options
  if (authorization !== undefined && request.headers['authorization'] !== authorization)
    return { ...plain(401, 'Unauthorized'), headers: { 'www-authenticate': 'Basic' } }
  if (pathname === '/-/ready') return plain(200, 'Prometheus Server is Ready.\n')
  if (pathname === '/-/healthy') return plain(200, 'Prometheus Server is Healthy.\n')
  if (pathname !== '/api/v1/query') return plain(404, '404 page not found\n')
  if (request.method !== 'GET' && request.method !== 'POST')
    return plain(405, 'Method Not Allowed\n')
  const params = Object.fromEntries([
    ...searchParams,
    // a form is read only when it says that it is one, as in Go
    ...(request.headers['content-type']?.startsWith('application/x-www-form-urlencoded')
      ? new URLSearchParams(request.body)
      : []),
  ])
  return query(state, params, fault)
}

function query(
  state: State,
  params: Record<string, string>,
  fault: PrometheusFault | undefined,
): SimResponse {
  const { clock, semantics = '3', lookbackSeconds = 300 } = state.options
  const atMs = params['time'] === undefined ? clock.now() : timeMs(params['time'])
  if (atMs === undefined)
    return failure(
      400,
      'bad_data',
      `invalid parameter "time": cannot parse ${JSON.stringify(params['time'])} to a valid timestamp`,
    )
  const timeout = params['timeout']
  if (timeout !== undefined && durationMs(timeout) === undefined && !(Number(timeout) >= 0))
    return failure(
      400,
      'bad_data',
      `invalid parameter "timeout": cannot parse ${JSON.stringify(timeout)} to a valid duration`,
    )
  const text = params['query'] ?? ''
  try {
    const expr = parseQuery(text)
    state.queries.push({ query: text, params })
    const value = evaluate(expr, {
      atMs,
      semantics,
      lookbackMs: lookbackSeconds * 1000,
      nowMs: clock.now(),
      select: (selector) => state.index.select(selector),
    })
    return success(value, atMs / 1000, Number(params['limit'] ?? 0), fault)
  } catch (e) {
    if (e instanceof ParseError)
      return failure(
        400,
        'bad_data',
        `invalid parameter "query": 1:${e.at + 1}: parse error: ${e.message}`,
      )
    if (e instanceof ExecutionError) return failure(422, 'execution', e.message)
    throw e
  }
}

function timeMs(text: string): number | undefined {
  const seconds = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isFinite(seconds)) return Math.round(seconds * 1000)
  const date = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : date
}

function success(
  value: Value,
  at: number,
  limit: number,
  fault: PrometheusFault | undefined,
): SimResponse {
  const data = dataOf(value, at)
  const envelope: Record<string, unknown> = { status: 'success', data }
  const all = data.result
  const halved = all.slice(0, Math.floor(all.length / 2))
  if (fault?.kind === 'empty') data.result = []
  if (fault?.kind === 'partial') {
    data.result = halved
    envelope['warnings'] = [fault.warning ?? 'No StoreAPIs matched for this query']
  }
  if (fault?.kind === 'is-partial') {
    data.result = halved
    envelope['isPartial'] = true
  }
  if (limit > 0 && value.kind !== 'Scalar' && all.length > limit) {
    data.result = all.slice(0, limit)
    envelope['warnings'] = ['results truncated due to limit']
  }
  return json(200, envelope)
}

function dataOf(value: Value, at: number): { resultType: string; result: unknown[] } {
  switch (value.kind) {
    case 'Scalar':
      return { resultType: 'scalar', result: [at, numberText(value.value)] }
    case 'Vector':
      return {
        resultType: 'vector',
        result: value.items.map((e) => ({ metric: e.labels, value: [at, numberText(e.value)] })),
      }
    case 'Matrix':
      return {
        resultType: 'matrix',
        result: value.items.map((e) => ({
          metric: e.labels,
          values: e.samples.map((s) => [s.timeMs / 1000, numberText(s.value)]),
        })),
      }
  }
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

function failure(status: number, errorType: string, error: string): SimResponse {
  return json(status, { status: 'error', errorType, error })
}

function json(status: number, body: unknown): SimResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

function plain(status: number, body: string): SimResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}
