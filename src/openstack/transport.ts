import type { Clock } from '../clock.ts'
import { ConnectionError, type HttpClient, type HttpRequest, type HttpResponse } from '../http.ts'
import type { Log } from '../log.ts'
import type { OpenStackMetrics } from './openstack-metrics.ts'

/** A whole answer. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** undefined when the body is empty or not JSON. */
  readonly json: unknown
  readonly requestId: string | undefined
  /** The proxy it came through. */
  readonly proxy?: string
}

/** What a request is called in metrics and logs. */
export type Label = { readonly service: string; readonly operation: string }

/** `bodyOptional`: the status alone is the answer, so a body that breaks off does not make the outcome unknown. */
export type Send = (
  request: HttpRequest,
  label: Label,
  options?: { readonly bodyOptional?: boolean },
) => Promise<Answer>

/** One request, its whole body read, measured and logged at debug level. Throws `ConnectionError` only. */
export function createSend(parts: {
  http: HttpClient
  clock: Clock
  log: Log
  metrics?: OpenStackMetrics | undefined
}): Send {
  const { http, clock, log, metrics } = parts
  return async (request, { service, operation }, options = {}) => {
    const { method } = request
    const started = clock.monotonic()
    const done = (code: string, requestId?: string) => {
      const ms = clock.monotonic() - started
      metrics?.observe({ service, method, operation, code }, ms / 1000)
      log.debug({ service, method, operation, code, ms, requestId }, 'openstack request')
    }
    try {
      const response = await http.request(request)
      const text = await bodyOf(response, options.bodyOptional === true)
      const requestId = requestIdOf(response.headers)
      done(String(response.status), requestId)
      return {
        status: response.status,
        headers: response.headers,
        json: parse(text),
        requestId,
        ...(response.proxy === undefined ? {} : { proxy: response.proxy }),
      }
    } catch (e) {
      const error = e instanceof ConnectionError ? e : unexpected(e)
      done(error.failure)
      throw error
    }
  }
}

async function bodyOf(response: HttpResponse, optional: boolean): Promise<string> {
  try {
    return await response.text()
  } catch (e) {
    if (optional) return ''
    throw e
  }
}

/** Anything else an HttpClient throws leaves the outcome as unknown as a reset does. */
function unexpected(e: unknown): ConnectionError {
  return new ConnectionError('reset', e instanceof Error ? e.message : String(e))
}

function requestIdOf(headers: Readonly<Record<string, string>>): string | undefined {
  return headers['x-openstack-request-id'] ?? headers['x-compute-request-id']
}

function parse(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
