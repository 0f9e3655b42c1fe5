import type { Clock } from '../../clock.ts'
import { sleep } from '../../clock.ts'
import { ConnectionLost } from '../connection-lost.ts'
import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { SERVER_ERROR } from './reply.ts'

/** What goes wrong. A drop is a connection that ends without an answer. */
export type FaultAction =
  | { readonly kind: 'dropBefore' }
  | { readonly kind: 'dropAfter' }
  | { readonly kind: 'delay'; readonly ms: number; readonly when?: 'before' | 'after' }
  | { readonly kind: 'status'; readonly status: 401 | 429 | 500 | 502 | 503 | 504 }
  /** Something in front of the service answers instead of it. */
  | { readonly kind: 'answer'; readonly answer: SimResponse }
  /** The service answers, with another body: another release, or something in between that rewrites. */
  | { readonly kind: 'rewrite'; readonly rewrite: (body: string) => string }

export type FaultRule = {
  readonly action: FaultAction
  readonly service?: ServiceName
  /** Every method when left out. */
  readonly method?: string
  /** Searched in path and query; every path when left out. */
  readonly path?: RegExp
  /** Searched in the body, so that one action of several can be distinguished. */
  readonly body?: RegExp
  /** How many requests it meets before it is spent. Default 1. */
  readonly times?: number
}

export type ServiceName = 'keystone' | 'cinder' | 'gnocchi'

/** One request that could change something, as the service received it. */
export type JournalEntry = {
  /** Clock time, ms. */
  readonly at: number
  readonly service: ServiceName
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Parsed; undefined for Keystone, whose bodies are secrets. */
  readonly body: unknown
  /** The client's `X-OpenStack-Request-ID`; empty when it sent none. */
  readonly globalRequestId: string
  /** The service's own. */
  readonly requestId: string
  /** The answer the service gave or would have given; undefined when it never came to one. */
  readonly status: number | undefined
  readonly dropped?: 'before' | 'after'
}

type Live = FaultRule & { left: number }

/** The simulators' fault injection and journal, in one wrapper around a handler. */
export type Faults = {
  wrap(service: ServiceName, inner: SimHandler): SimHandler
  /** Returns a function that takes the rule away again. */
  add(rule: FaultRule): () => void
  clear(): void
  setDown(service: ServiceName, down: boolean): void
  journal(): readonly JournalEntry[]
  clearJournal(): void
}

/** An empty set of rules; delays wait on `clock`. */
export function createFaults(clock: Clock): Faults {
  const rules: Live[] = []
  const down = new Set<ServiceName>()
  const journal: JournalEntry[] = []

  const take = (service: ServiceName, req: SimRequest): FaultAction | undefined => {
    const rule = rules.find((r) => matches(r, service, req))
    if (!rule) return undefined
    rule.left -= 1
    if (rule.left <= 0) rules.splice(rules.indexOf(rule), 1)
    return rule.action
  }

  const record = (
    service: ServiceName,
    req: SimRequest,
    res: SimResponse | undefined,
    dropped?: 'before' | 'after',
  ) => {
    if (req.method === 'GET' || req.method === 'HEAD') return
    journal.push({
      at: clock.now(),
      service,
      method: req.method,
      path: req.url.split('?')[0]!,
      body: service === 'keystone' ? undefined : parsed(req.body),
      globalRequestId: req.headers['x-openstack-request-id'] ?? '',
      requestId: res?.headers?.['x-openstack-request-id'] ?? '',
      status: res?.status,
      ...(dropped === undefined ? {} : { dropped }),
    })
  }

  const answer = async (service: ServiceName, inner: SimHandler, req: SimRequest) => {
    const action = take(service, req)
    if (action?.kind === 'dropBefore') {
      record(service, req, undefined, 'before')
      throw new ConnectionLost()
    }
    if (action?.kind === 'status') {
      const res = plain(service, action.status)
      record(service, req, res)
      return res
    }
    if (action?.kind === 'answer') {
      record(service, req, action.answer)
      return action.answer
    }
    if (action?.kind === 'delay' && action.when !== 'after')
      await sleep(clock, action.ms, req.signal)
    const res = rewritten(await inner(req), action)
    record(service, req, res, action?.kind === 'dropAfter' ? 'after' : undefined)
    if (action?.kind === 'delay' && action.when === 'after')
      await sleep(clock, action.ms, req.signal)
    if (action?.kind === 'dropAfter') throw new ConnectionLost()
    return res
  }

  return {
    wrap: (service, inner) => (req) =>
      down.has(service)
        ? Promise.reject(new ConnectionLost('refused'))
        : answer(service, inner, req),
    add: (rule) => {
      const live = { ...rule, left: rule.times ?? 1 }
      rules.push(live)
      return () => {
        const at = rules.indexOf(live)
        if (at >= 0) rules.splice(at, 1)
      }
    },
    clear: () => void rules.splice(0),
    setDown: (service, isDown) => void (isDown ? down.add(service) : down.delete(service)),
    journal: () => [...journal],
    clearJournal: () => void journal.splice(0),
  }
}

function rewritten(res: SimResponse, action: FaultAction | undefined): SimResponse {
  if (action?.kind !== 'rewrite' || typeof res.body !== 'string') return res
  return { ...res, body: action.rewrite(res.body) }
}

function matches(rule: FaultRule, service: ServiceName, req: SimRequest): boolean {
  if (rule.service !== undefined && rule.service !== service) return false
  if (rule.method !== undefined && rule.method !== req.method) return false
  if (rule.path !== undefined && !rule.path.test(req.url)) return false
  return rule.body === undefined || rule.body.test(req.body)
}

function parsed(body: string): unknown {
  try {
    return body === '' ? undefined : JSON.parse(body)
  } catch {
    return body
  }
}

const REASONS: Readonly<Record<number, string>> = {
  429: 'Too Many Requests',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Time-out',
}

// 429, 502, 503 and 504 come from a proxy in front of the service, which answers in HTML
function plain(service: ServiceName, status: number): SimResponse {
  const reason = REASONS[status]
  if (reason !== undefined)
    return {
      status,
      headers: { 'content-type': 'text/html' },
      body: `<html><body><h1>${status} ${reason}</h1></body></html>`,
    }
  const message =
    status === 401 ? 'The request you have made requires authentication.' : SERVER_ERROR
  const error = { code: status, message, title: status === 401 ? 'Unauthorized' : 'Server Error' }
  const body =
    service === 'cinder' && status !== 401 ? { computeFault: { code: status, message } } : { error }
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
}
