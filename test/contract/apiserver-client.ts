import type { HttpClient } from '../../src/http.ts'

/** Parsed JSON of any shape: the suite inspects answers of both servers field by field. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Json = any

export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Json
}

export const MERGE = 'application/merge-patch+json'
export const JSON_PATCH = 'application/json-patch+json'
export const STRATEGIC = 'application/strategic-merge-patch+json'
export const APPLY = 'application/apply-patch+yaml'

/** Raw requests to an API server, in the words of the suite. */
export class ApiClient {
  readonly #http: HttpClient
  readonly #url: string

  constructor(http: HttpClient, url: string) {
    this.#http = http
    this.#url = url
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers)
  }

  post(path: string, body: Json): Promise<Answer> {
    return this.send('POST', path, body, { 'content-type': 'application/json' })
  }

  put(path: string, body: Json): Promise<Answer> {
    return this.send('PUT', path, body, { 'content-type': 'application/json' })
  }

  patch(path: string, body: Json, type: string = MERGE): Promise<Answer> {
    return this.send('PATCH', path, body, { 'content-type': type })
  }

  delete(path: string, body?: Json): Promise<Answer> {
    return this.send('DELETE', path, body, { 'content-type': 'application/json' })
  }

  async send(
    method: string,
    path: string,
    body: Json,
    headers: Record<string, string>,
  ): Promise<Answer> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await this.#http.request({
      method,
      url: this.#url + path,
      headers: { 'user-agent': 'contract/1', ...headers },
      ...(text === undefined ? {} : { body: text }),
    })
    const answer = await response.text()
    return { status: response.status, headers: response.headers, body: parsed(answer) }
  }

  /**
   * Events of a watch, as soon as `until` is satisfied with them or the server ends the stream.
   * `during` runs once the watch is open.
   */
  async watch(
    path: string,
    until: (events: Json[]) => boolean,
    during: () => Promise<unknown> = async () => {},
  ): Promise<Json[]> {
    const stop = new AbortController()
    const response = await this.#http.request({
      method: 'GET',
      url: this.#url + path,
      signal: stop.signal,
      timeoutMs: 20_000,
    })
    await during()
    const events: Json[] = []
    let rest = ''
    for await (const chunk of response.chunks()) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      events.push(...lines.map((line) => JSON.parse(line)))
      if (until(events)) break
    }
    stop.abort()
    return events
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
