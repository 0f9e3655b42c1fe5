import type { Clock } from '../../clock.ts'
import { sleep } from '../../clock.ts'
import { ConnectionLost } from '../connection-lost.ts'
import type { SimResponse } from '../handler.ts'
import { StatusError } from './status.ts'

/** A request as rules and permissions see it. */
export type ApiRequest = {
  readonly verb:
    'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection'
  readonly group: string
  /** Plural name. */
  readonly resource: string
  readonly subresource: string
  readonly namespace: string | undefined
  /** undefined for collections. */
  readonly name: string | undefined
  readonly body: string
}

export type Fault =
  /** The connection breaks: `refused` and `before` leave no trace, `after` has had its effect. */
  | { readonly kind: 'drop'; readonly when: 'refused' | 'before' | 'after' }
  /** The answer waits on the server's clock. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** An error status; `after` has had its effect all the same, as a 500 after the commit does. */
  | {
      readonly kind: 'status'
      readonly code: number
      readonly reason?: string
      readonly message?: string
      readonly retryAfterSeconds?: number
      readonly when?: 'before' | 'after'
    }
  /** get and list answer as of an older version. */
  | { readonly kind: 'stale'; readonly resourceVersion: number }
  /** The watch ends after that many events; `how` the client sees it: the end, a broken connection, or 410. */
  | {
      readonly kind: 'cut'
      readonly afterEvents: number
      readonly how: 'end' | 'reset' | 'expired'
    }

export type FaultRule = {
  /** Which requests: the given fields must be equal, or a function that decides. */
  readonly match: Partial<Omit<ApiRequest, 'body'>> | ((request: ApiRequest) => boolean)
  readonly fault: Fault
  /** Matching requests to let pass first. Default 0. */
  readonly skip?: number
  /** How often it strikes. Default 1; `Infinity` until it is removed. */
  readonly times?: number
}

type Armed = { readonly rule: FaultRule; skip: number; left: number }

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** The rules that are armed. */
export class Faults {
  readonly #clock: Clock
  readonly #armed = new Set<Armed>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns the removal of the rule. */
  add(rule: FaultRule): () => void {
    const armed = { rule, skip: rule.skip ?? 0, left: rule.times ?? 1 }
    this.#armed.add(armed)
    return () => this.#armed.delete(armed)
  }

  /** The faults that strike this request; each counts as used. */
  strike(request: ApiRequest): Fault[] {
    const faults: Fault[] = []
    for (const armed of this.#armed) {
      if (!applies(armed.rule, request)) continue
      if (armed.skip-- > 0) continue
      faults.push(armed.rule.fault)
      if (--armed.left <= 0) this.#armed.delete(armed)
    }
    return faults
  }

  async before(faults: readonly Fault[], signal: AbortSignal) {
    for (const fault of faults) {
      if (fault.kind === 'delay') await sleep(this.#clock, fault.ms, signal)
      if (fault.kind === 'drop' && fault.when === 'refused') throw new ConnectionLost('refused')
      if (fault.kind === 'drop' && fault.when === 'before') throw new ConnectionLost()
      if (fault.kind === 'status' && fault.when !== 'after') throw asError(fault)
    }
  }

  /** The answer after the effect. */
  after(faults: readonly Fault[], response: SimResponse): SimResponse {
    for (const fault of faults) {
      if (fault.kind === 'drop' && fault.when === 'after') throw new ConnectionLost()
      if (fault.kind === 'status' && fault.when === 'after') return asError(fault).response()
    }
    return response
  }
}

function applies({ match }: FaultRule, request: ApiRequest): boolean {
  if (typeof match === 'function') return match(request)
  return Object.entries(match).every(([key, value]) => request[key as keyof ApiRequest] === value)
}

function asError(fault: Fault & { kind: 'status' }): StatusError {
  const { code, retryAfterSeconds } = fault
  return new StatusError(
    code,
    fault.reason ?? REASONS[code] ?? '',
    fault.message ?? `simulated failure ${code}`,
    retryAfterSeconds === undefined ? undefined : { retryAfterSeconds },
    retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
  )
}
