import type * as z from 'zod'
import type { Log } from '../log.ts'
import { discoverVersion, type Microversion } from './cinder-versions.ts'
import { answerError, CinderError } from './errors.ts'
import { nameOf, type Session, type SessionResponse } from './session.ts'

/** The highest minor microversion that shows something we use: 3.65 marks Cinder's own temporary volumes. */
export const BEST = 65

/** A GET of Cinder. `wants`: the minor microversion that shows everything we can use; less is accepted. */
export type Read = {
  readonly operation: string
  readonly path: string
  readonly wants?: number
  readonly signal?: AbortSignal | undefined
}

/** Reads from Cinder with the best microversion both sides know. */
export interface CinderReader {
  /** A 2xx answer, or one of `accept`; anything else is thrown as `CinderError`. */
  get(read: Read, accept?: readonly number[]): Promise<SessionResponse>
  /** The whole body by its schema; a body that does not fit is a `CinderError` naming the field. */
  parsed<T>(read: Read, schema: z.ZodType<T>): Promise<T>
  maxMicroversion(signal?: AbortSignal): Promise<Microversion>
  /** Asks the server again; for clouds upgraded while we run. */
  rediscover(signal?: AbortSignal): Promise<Microversion>
}

export function createCinderReader(parts: { session: Session; log: Log }): CinderReader {
  const { session, log } = parts
  let known: Microversion | undefined

  async function rediscover(signal?: AbortSignal): Promise<Microversion> {
    const found = await discoverVersion(session, BEST, signal)
    if (found.join('.') !== known?.join('.'))
      log.info({ microversion: found.join('.') }, 'cinder microversion')
    known = found
    return found
  }

  async function get(read: Read, accept: readonly number[] = []): Promise<SessionResponse> {
    const answer = await ask(session, read, await bestFor(read))
    // a load balancer may lead to an older server than the one that was asked for its versions
    const usable = answer.status === 406 ? await ask(session, read, undefined) : answer
    if (answer.status === 406) known = undefined
    if ((usable.status >= 200 && usable.status < 300) || accept.includes(usable.status))
      return usable
    throw answerError(whatOf(read), usable, session.clean)
  }

  async function bestFor(read: Read): Promise<string | undefined> {
    if (read.wants === undefined) return undefined
    const [major, minor] = known ?? (await rediscover(read.signal))
    return `${major}.${Math.min(read.wants, minor)}`
  }

  return {
    get,
    rediscover,
    parsed: async (read, schema) => parseBody(whatOf(read), await get(read), schema, session.clean),
    maxMicroversion: async (signal) => known ?? rediscover(signal),
  }
}

function ask(session: Session, read: Read, microversion: string | undefined) {
  return session.request({
    service: 'block-storage',
    operation: read.operation,
    method: 'GET',
    path: read.path,
    retry: 'safe',
    ...(microversion === undefined ? {} : { microversion }),
    ...(read.signal === undefined ? {} : { signal: read.signal }),
  })
}

const whatOf = (read: Read) => nameOf({ service: 'block-storage', operation: read.operation })

/** `answer.json` by `schema`. Throws one `CinderError` that names the first wrong field. */
export function parseBody<T>(
  what: string,
  answer: SessionResponse,
  schema: z.ZodType<T>,
  clean: (text: string) => string,
): T {
  const result = schema.safeParse(answer.json)
  if (result.success) return result.data
  const id = answer.requestId === undefined ? '' : `, request ${answer.requestId}`
  throw new CinderError({
    code: 'ServerError',
    sent: true,
    status: answer.status,
    requestId: answer.requestId,
    message: clean(`${what} answered ${answer.status} with ${wrongField(result.error)}${id}`),
  })
}

/** "field volumes.3.size: expected number, received string" */
export function wrongField(error: z.ZodError): string {
  const [issue] = error.issues
  const path = issue?.path.join('.') ?? ''
  return path === '' ? 'a body that is not the expected JSON' : `field ${path}: ${issue?.message}`
}
