import type { Context } from './context.ts'
import { limitOf, links, nextLink } from './context.ts'
import type { MessageRow } from './model.ts'
import { json } from '../json-reply.ts'
import { notFound } from './reply.ts'
import type { State } from './state.ts'
import { cinderTime } from './times.ts'

const KEPT_MS = 30 * 24 * 3_600_000

/** Writes a message for a user, as Cinder does for some failures. Retypes and migrations never write one. */
export function addMessage(state: State, row: Omit<MessageRow, 'id' | 'createdAt'>): void {
  state.messages.push({ ...row, id: state.ids.uuid(), createdAt: state.clock.now() })
}

export const messages = {
  list: (ctx: Context) => {
    const { query } = ctx
    const limit = limitOf(ctx)
    const found = visible(ctx)
      .filter((m) => !query.has('resource_uuid') || m.resourceId === query.get('resource_uuid'))
      .filter((m) => !query.has('request_id') || m.requestId === query.get('request_id'))
    const after = found.findIndex((m) => m.id === query.get('marker')) + 1
    const page = found.slice(after, after + limit)
    return json(200, {
      messages: page.map((m) => view(ctx, m)),
      ...(page.length === limit && { messages_links: nextLink(ctx, page.at(-1)!.id) }),
    })
  },
  show: (ctx: Context, id: string) => {
    const found = visible(ctx).find((m) => m.id === id)
    if (!found) throw notFound(`Message ${id} could not be found.`)
    return json(200, { message: view(ctx, found) })
  },
}

const visible = (ctx: Context) =>
  ctx.state.messages.filter((m) => m.projectId === ctx.caller.projectId).toReversed()

function view(ctx: Context, m: MessageRow): Record<string, unknown> {
  return {
    id: m.id,
    event_id: m.eventId,
    user_message: m.userMessage,
    message_level: 'ERROR',
    created_at: cinderTime(m.createdAt),
    guaranteed_until: cinderTime(m.createdAt + KEPT_MS),
    request_id: m.requestId,
    links: links(ctx, `messages/${m.id}`),
    resource_type: m.resourceType,
    resource_uuid: m.resourceId,
  }
}
