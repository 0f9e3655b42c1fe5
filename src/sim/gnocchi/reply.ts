import { json } from '../json-reply.ts'
import type { SimRequest, SimResponse } from '../handler.ts'

/** Thrown by a route to answer as Gnocchi refuses. */
export class Refusal extends Error {
  readonly status: number
  readonly description: unknown
  constructor(status: number, description: unknown) {
    super(String(status))
    this.status = status
    this.description = description
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  415: 'Unsupported Media Type',
}

/** An object for who accepts JSON by name; a page for everybody else, also for those who accept anything. */
export function refusalReply(req: SimRequest, { status, description }: Refusal): SimResponse {
  const title = TITLES[status] ?? 'Error'
  if (req.headers['accept']?.includes('application/json') === true)
    return json(status, { code: status, title, description })
  const text = typeof description === 'string' ? description : JSON.stringify(description)
  return {
    status,
    headers: { 'content-type': 'text/html; charset=UTF-8' },
    body: `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n${text}\n </body>\n</html>`,
  }
}

/** The JSON of a request's body. */
export function bodyOf(req: SimRequest): Record<string, unknown> {
  if (!/json/.test(req.headers['content-type'] ?? ''))
    throw new Refusal(415, 'The request media type is not supported by this server.')
  try {
    return JSON.parse(req.body) as Record<string, unknown>
  } catch {
    const reason = 'Expected object or value'
    throw new Refusal(400, { cause: 'Unable to decode body', reason, detail: [] })
  }
}
