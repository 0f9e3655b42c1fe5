import * as z from 'zod'
import { answerError, CinderError } from './errors.ts'
import { nameOf, type Session, type SessionResponse } from './session.ts'

/** [major, minor] */
export type Microversion = readonly [number, number]

const Version = z.object({
  id: z.string(),
  version: z.string().nullish().catch(undefined),
  max_version: z.string().nullish().catch(undefined),
})
type Version = z.infer<typeof Version>

const ASKED = { service: 'block-storage', operation: 'versions' } as const

/**
 * The highest microversion of API 3. `GET /v3/` answers 200, `GET /` 300; behind a proxy often only one of them exists,
 * or neither, or a page: then the headers of a read decide. Links in the documents are never followed: their scheme and
 * host are the server's own idea of itself. `probe` is the best that we have a use for.
 */
export async function discoverVersion(
  session: Session,
  probe: number,
  signal: AbortSignal | undefined,
): Promise<Microversion> {
  const tried: string[] = []
  let outage: SessionResponse | undefined
  for (const base of ['version', 'root'] as const) {
    const answer = await ask(session, { base, path: '/', signal })
    const found = maxOf(answer.json)
    if (found !== undefined) return found
    if (answer.status >= 500) outage = answer
    tried.push(`${base === 'version' ? '…/v3/' : '…/'} gave ${describe(answer)}`)
  }
  if (outage !== undefined) throw answerError(nameOf(ASKED), outage, session.clean)
  return probed(session, probe, tried, signal)
}

function ask(
  session: Session,
  request: {
    base?: 'version' | 'root'
    path: string
    microversion?: string
    signal: AbortSignal | undefined
  },
): Promise<SessionResponse> {
  const { base, path, microversion, signal } = request
  return session.request({
    ...ASKED,
    method: 'GET',
    path,
    retry: 'safe',
    // documents are open to all; a proxy that guards them says nothing about the token
    ...(base === undefined ? {} : { base, open: true }),
    ...(microversion === undefined ? {} : { microversion }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** "404" or "no list of versions (200)" */
function describe({ status, json }: SessionResponse): string {
  const ids = versionsIn(json).map((v) => v.id)
  if (ids.length > 0) return `the versions ${ids.join(', ')}`
  return status < 300 ? `no list of versions (${status})` : String(status)
}

/** The highest microversion of API 3 in a version document of any shape. */
function maxOf(json: unknown): Microversion | undefined {
  const v3 = versionsIn(json).find((v) => /^v3(\.|$)/.test(v.id))
  if (v3 === undefined) return undefined
  const match = /^3\.(\d+)$/.exec(v3.version || v3.max_version || '')
  return [3, match === null ? 0 : Number(match[1])]
}

/** `{versions: [...]}`, `{versions: {values: [...]}}` or `{version: {...}}`; what is no version is left out. */
function versionsIn(json: unknown): readonly Version[] {
  const { versions, version } = asObject(json)
  const values = asObject(versions)['values']
  const all: unknown[] = Array.isArray(versions)
    ? versions
    : Array.isArray(values)
      ? values
      : [version]
  return all.flatMap((v) => Version.safeParse(v).data ?? [])
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** Asks for a type with the best microversion: the answer names the one that was spoken, a 406 the highest there is. */
async function probed(
  session: Session,
  minor: number,
  tried: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Microversion> {
  const answer = await ask(session, {
    path: '/types?limit=1',
    microversion: `3.${minor}`,
    signal,
  })
  const spoken = /volume 3\.(\d+)/.exec(answer.headers['openstack-api-version'] ?? '')
  if (answer.status >= 200 && answer.status < 300 && isTypes(answer.json))
    return [3, Number(spoken?.[1] ?? 0)]
  if (answer.status === 406) {
    const most = /maximum is 3\.(\d+)/.exec(JSON.stringify(answer.json ?? ''))
    return [3, Number(most?.[1] ?? 0)]
  }
  throw await nothingWorks(session, answer, tried, signal)
}

function isTypes(json: unknown): boolean {
  return Array.isArray(asObject(json)['volume_types'])
}

async function nothingWorks(
  session: Session,
  answer: SessionResponse,
  tried: readonly string[],
  signal: AbortSignal | undefined,
): Promise<CinderError> {
  const { code, status, fault, requestId } = answerError(nameOf(ASKED), answer, session.clean)
  const endpoint = await session.endpoint('block-storage', signal)
  return new CinderError({
    code,
    status,
    fault,
    requestId,
    sent: true,
    message: session.clean(
      `nothing at ${endpoint} answers as version 3 of Cinder (${tried.join(', ')}, …/types gave ${describe(answer)}): ` +
        'set openstack.endpoint_override to the URL of the block storage API',
    ),
  })
}
