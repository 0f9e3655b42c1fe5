import { ConnectionError } from '../http.ts'
import type { HttpClient, HttpRequest, HttpResponse } from '../http.ts'

/** What a scripted server says: an answer, or a `ConnectionError` thrown. */
export type Script = (req: HttpRequest, index: number) => HttpResponse | Promise<HttpResponse>

export type ScriptedHttp = HttpClient & { readonly requests: readonly HttpRequest[] }

/** An `HttpClient` whose server is a function; keeps all requests. Aborted requests fail as undici's do. */
export function scriptedHttp(script: Script): ScriptedHttp {
  const requests: HttpRequest[] = []
  return {
    requests,
    request: (req) => {
      requests.push(req)
      const answer = Promise.resolve().then(() => script(req, requests.length - 1))
      return Promise.race([answer, abortion(req.signal)])
    },
    close: () => Promise.resolve(),
  }
}

/** An answer with a JSON body. */
export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { status, headers, text: () => Promise.resolve(text), chunks: () => once(text) }
}

/** A refusal as the API server words it. */
export function status(
  code: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const body = { kind: 'Status', status: 'Failure', code, reason, message: `${reason} said` }
  return json(code, body, headers)
}

/** Never answers. */
export function silence(): Promise<HttpResponse> {
  return new Promise(() => {})
}

export type Stream = {
  readonly response: HttpResponse
  /** Sends a text as it is, or an object as one line. */
  send(data: string | object): void
  end(): void
  break(): void
}

/** The answer to a watch, written by the test piece by piece; ends with the request's signal. */
export function stream(req: HttpRequest): Stream {
  const waiting: (string | Error | null)[] = []
  let wake = () => {}
  const put = (item: string | Error | null) => {
    waiting.push(item)
    wake()
  }
  req.signal?.addEventListener('abort', () => put(aborted()), { once: true })
  return {
    response: { status: 200, headers: {}, text: () => Promise.resolve(''), chunks },
    send: (data) => put(typeof data === 'string' ? data : `${JSON.stringify(data)}\n`),
    end: () => put(null),
    break: () => put(new ConnectionError('reset', 'GET http://test: reset (ECONNRESET)')),
  }

  async function* chunks(): AsyncGenerator<string> {
    for (;;) {
      if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      const item = waiting.shift()
      if (item instanceof Error) throw item
      if (item === null) return
      if (item !== undefined) yield item
    }
  }
}

function aborted(): ConnectionError {
  return new ConnectionError('aborted', 'GET http://test: aborted (AbortError)')
}

function abortion(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    if (signal?.aborted) return reject(aborted())
    signal?.addEventListener('abort', () => reject(aborted()), { once: true })
  })
}

function once(text: string): AsyncIterable<string> {
  return ReadableStream.from([text])
}
