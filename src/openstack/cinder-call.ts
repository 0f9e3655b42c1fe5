import type { z } from 'zod'
import type { Log } from '../log.ts'
import { VersionsBody } from './cinder-rows.ts'
import { answerError, CinderError } from './errors.ts'
import { nameOf, type Session, type SessionResponse } from './session.ts'

/** [major, minor] */
export type Microversion = readonly [number, number]

/** A GET of Cinder. `wants`: the minor microversion that shows everything we can use; less is made do with. */
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
  /** Asks the server anew; for clouds upgraded while we run. */
  rediscover(signal?: AbortSignal): Promise<Microversion>
}

export function createCinderReader(parts: { session: Session; log: Log }): CinderReader {
  const { session, log } = parts
  let known: Microversion | undefined

  async function rediscover(signal?: AbortSignal): Promise<Microversion> {
    const found = await discover(session, signal)
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

/** `GET /v3/` answers 200, `GET /` 300; behind a proxy often only one of them exists. */
async function discover(session: Session, signal: AbortSignal | undefined): Promise<Microversion> {
  let answer: SessionResponse | undefined
  for (const base of ['version', 'root'] as const) {
    answer = await session.request({
      service: 'block-storage',
      operation: 'versions',
      method: 'GET',
      base,
      path: '/',
      retry: 'safe',
      ...(signal === undefined ? {} : { signal }),
    })
    const found = maxOf(answer.json)
    if (found !== undefined) return found
  }
  const what = nameOf({ service: 'block-storage', operation: 'versions' })
  if (answer !== undefined && answer.status >= 400) throw answerError(what, answer, session.clean)
  throw new CinderError({
    code: 'BadRequest',
    sent: true,
    status: answer?.status,
    requestId: answer?.requestId,
    message: `${what} did not list an API version 3: is the endpoint really Cinder's?`,
  })
}

/** The highest microversion of API 3 in a version document. */
function maxOf(json: unknown): Microversion | undefined {
  const body = VersionsBody.safeParse(json)
  if (!body.success) return undefined
  const v3 = body.data.versions.find((v) => /^v3(\.|$)/.test(v.id))
  if (v3 === undefined) return undefined
  const match = /^3\.(\d+)$/.exec(v3.version ?? '')
  return [3, match === null ? 0 : Number(match[1])]
}

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
