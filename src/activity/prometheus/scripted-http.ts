import { Readable } from 'node:stream'
import type { HttpClient, HttpRequest, HttpResponse } from '../../http.ts'

/** For tests: an answer, or an error to throw instead of one, or a function of the request. */
export type Scripted =
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body: unknown }
  | Error
  | ((request: HttpRequest) => Scripted | Promise<Scripted>)

export type ScriptedHttp = HttpClient & {
  readonly requests: HttpRequest[]
  /** The form fields of request `n`. */
  form(n: number): Record<string, string>
}

/** For tests: an `HttpClient` that answers each request by `script`; a body that is no string is sent as JSON. */
export function scriptedHttp(script: Scripted): ScriptedHttp {
  const requests: HttpRequest[] = []
  return {
    requests,
    form: (n) => Object.fromEntries(new URLSearchParams(requests[n]!.body ?? '')),
    close: () => Promise.resolve(),
    request: async (request) => {
      requests.push(request)
      let step: Scripted = script
      while (typeof step === 'function') step = await step(request)
      if (step instanceof Error) throw step
      return responseOf(step)
    },
  }
}

function responseOf(
  step: Exclude<Scripted, Error | ((request: HttpRequest) => unknown)>,
): HttpResponse {
  const json = typeof step.body !== 'string'
  const body = json ? JSON.stringify(step.body) : String(step.body)
  return {
    status: step.status ?? 200,
    headers: { 'content-type': json ? 'application/json' : 'text/plain', ...step.headers },
    text: () => Promise.resolve(body),
    // in two pieces, as a network would
    chunks: () => Readable.from([body.slice(0, body.length / 2), body.slice(body.length / 2)]),
  }
}

/** A success envelope with one series per entry, evaluated at `time`. */
export function vector(
  time: number,
  entries: readonly (readonly [labels: Record<string, string>, value: string])[],
): { body: unknown } {
  const result = entries.map(([metric, value]) => ({ metric, value: [time, value] }))
  return { body: { status: 'success', data: { resultType: 'vector', result } } }
}
