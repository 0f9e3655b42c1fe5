import type { Caller } from './model.ts'
import type { Migrations } from './migrations.ts'
import { badRequest } from './reply.ts'
import type { State } from './state.ts'

/** One request to the volume service, after authentication and version negotiation. */
export type Context = {
  readonly state: State
  readonly migrations: Migrations
  readonly caller: Caller
  /** Minor of the negotiated microversion 3.minor. */
  readonly minor: number
  readonly query: URLSearchParams
  readonly requestId: string
  /** `http://host:port` as the client addressed it. */
  readonly base: string
  /** `/v3/{project}` or `/v3`, and the same without the version, as links have it. */
  readonly prefix: string
  readonly bookmarkPrefix: string
  /** Path after the prefix. */
  readonly path: string
  readonly rawBody: string
}

/** The JSON object of a request's body; 400 otherwise. */
export function bodyOf(ctx: Context): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(ctx.rawBody)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed))
      return parsed as Record<string, unknown>
  } catch {
    // falls through to the same answer
  }
  throw badRequest('Malformed request body')
}

/** The object under the one key a create or update wants. */
export function section(ctx: Context, key: string): Record<string, unknown> {
  const inner = bodyOf(ctx)[key]
  if (typeof inner !== 'object' || inner === null)
    throw badRequest(`'${key}' is a required property`)
  return inner as Record<string, unknown>
}

/** Links of a resource: where it is, and the bookmark without a version. */
export function links(ctx: Context, path: string) {
  return [
    { rel: 'self', href: `${ctx.base}${ctx.prefix}/${path}` },
    { rel: 'bookmark', href: `${ctx.base}${ctx.bookmarkPrefix}/${path}` },
  ]
}

/** The `next` link of a full page, from the request's own query with another marker. */
export function nextLink(ctx: Context, lastId: string) {
  const query = [...ctx.query.entries()].filter(([k]) => k !== 'marker')
  const text = [...query, ['marker', lastId]]
    .map(([k, v]) => `${encodeURIComponent(k!)}=${encodeURIComponent(v!)}`)
    .join('&')
  return [{ rel: 'next', href: `${ctx.base}${ctx.prefix}${ctx.path}?${text}` }]
}

/** The page size asked for, capped; 400 as Cinder says it. */
export function limitOf(ctx: Context): number {
  const text = ctx.query.get('limit')
  if (text === null) return ctx.state.maxPage
  if (!/^-?\d+$/.test(text)) throw badRequest('limit param must be an integer')
  const limit = Number(text)
  if (limit < 0) throw badRequest('limit param must be positive')
  return Math.min(limit, ctx.state.maxPage)
}
