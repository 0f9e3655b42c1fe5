import { Readable } from 'node:stream'
import type { HttpRequest, HttpResponse } from '../../src/http.ts'
import type { Gate } from '../life.ts'

/** An answer as a service, or something in front of it, gives it. */
export function answer(
  status: number,
  body: object | string = '',
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/html' : 'application/json'
  return {
    status,
    headers: { 'content-type': type, ...headers },
    text: () => Promise.resolve(text),
    chunks: () => Readable.from([text]),
  }
}

type Rule = {
  readonly meets: (request: HttpRequest) => boolean
  readonly reply: (
    request: HttpRequest,
    nth: number,
  ) => HttpResponse | undefined | Promise<HttpResponse | undefined>
  met: number
}

/** A network in which single requests meet something else than the service; `undefined` lets a request through. */
export function network() {
  let rules: Rule[] = []
  const seen: HttpRequest[] = []
  const gate: Gate = async (request, send) => {
    seen.push(request)
    for (const rule of rules)
      if (rule.meets(request)) {
        const reply = await rule.reply(request, (rule.met += 1))
        if (reply !== undefined) return reply
      }
    return send()
  }
  return {
    gate,
    /** `about`: method and a piece of the URL, such as `POST /action`. */
    on(about: string, reply: Rule['reply']): void {
      rules.push({ meets: matcher(about), reply, met: 0 })
    },
    clear(): void {
      rules = []
    },
    count: (about: string) => seen.filter(matcher(about)).length,
  }
}

function matcher(about: string): (request: HttpRequest) => boolean {
  const [method = '', piece = ''] = about.split(' ')
  return (request) => request.method === method && request.url.includes(piece)
}

export const NOT_FOUND_PAGE = '<html><body><h1>404 Not Found</h1></body></html>'

/** As Cinder's fault middleware writes it. */
export function fault(status: number, name: string, message: string): object {
  return { [name]: { code: status, message } }
}
