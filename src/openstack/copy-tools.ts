import * as z from 'zod'
import type { Log } from '../log.ts'
import { createCinderReader, parseBody } from './cinder-call.ts'
import type { Read } from './cinder-call.ts'
import { answerError, CinderError, cinderFault } from './errors.ts'
import { askOnce } from './one-call.ts'
import type { OneCall } from './one-call.ts'
import type { Session } from './session.ts'
import type { RetypeAnswer as CallAnswer } from './types.ts'

/** `id`: what an accepted call has made; absent when Cinder's answer does not say so. */
export type MakeAnswer = CallAnswer & { readonly id?: string }

export type Sent = Pick<OneCall, 'requestId' | 'fence' | 'signal'>
export type Marked = {
  readonly name: string
  /** By which it is known to be ours. */
  readonly metadata: Readonly<Record<string, string>>
}

export type CopyTools = ReturnType<typeof createCopyTools>

/** How a move by copy reads a row, or a few, and asks once for what it makes. */
export function createCopyTools(parts: { session: Session; log: Log }) {
  const { session, log } = parts
  const reader = createCinderReader(parts)

  async function one<T>(read: Read, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const what = `Cinder: ${read.operation}`
    const answer = await reader.get(read, [404])
    if (answer.status !== 404) {
      const row = (answer.json as Record<string, unknown> | undefined)?.[key]
      return parseBody(what, { ...answer, json: row }, schema, session.clean)
    }
    if (cinderFault(answer) !== undefined) return undefined
    throw answerError(what, answer, session.clean)
  }

  async function all<T extends { readonly id: string }>(
    read: Read,
    key: string,
    schema: z.ZodType<T>,
  ): Promise<readonly T[]> {
    const page = z.object({ [key]: z.array(schema) })
    const body = (await reader.parsed(read, page)) as Record<string, readonly T[]>
    const rows = body[key] ?? []
    if (rows.length < MOST_ROWS) return rows
    throw new CinderError({
      code: 'ServerError',
      sent: true,
      message: `Cinder: ${read.operation} answered with ${rows.length} rows, where a few were expected`,
    })
  }

  async function call(of: OneCall): Promise<{ answer: CallAnswer; json?: unknown }> {
    const result = await askOnce(session, of)
    const { operation, path, requestId } = of
    log.info({ operation, path, requestId, answer: result.answer }, 'cinder call')
    return result
  }

  async function make(key: 'snapshot' | 'volume' | 'backup', of: OneCall): Promise<MakeAnswer> {
    const { answer, json } = await call(of)
    if (answer.kind !== 'Accepted') return answer
    const id = Made(key).safeParse(json)
    return id.success ? { ...answer, id: id.data } : answer
  }

  return { one, all, call, make, reader, clean: session.clean }
}

/** A name of ours has one, and a volume a few snapshots; as many as this are not read to the end. */
export const MOST_ROWS = 1000

const Made = (key: string) =>
  z.object({ [key]: z.object({ id: z.string() }) }).transform((b) => b[key]?.id ?? '')

/** Ids come from objects that others write; in a path they must not lead anywhere else. */
export function isId(id: string): boolean {
  return /^[\w-]{1,64}$/.test(id)
}

export function segment(id: string): string {
  if (isId(id)) return id
  throw new CinderError({ code: 'BadRequest', sent: false, message: `"${id}" is not an id` })
}

export function notAnId(id: string): CallAnswer {
  return { kind: 'Rejected', httpStatus: 400, quota: false, message: `"${id}" is not an id` }
}
