import { createVirtualClock } from '../../test/virtual-clock.ts'
import { ConnectionError, type HttpClient, type HttpRequest } from '../http.ts'
import type { Log } from '../log.ts'
import { createLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import type { Credentials } from './credentials.ts'
import { createOpenStackMetrics } from './openstack-metrics.ts'
import { SecretText } from './secret-text.ts'
import { createSession, type SessionRequest } from './session.ts'
import { createVolumeService } from './cinder.ts'

/** For tests of this room only: an OpenStack that answers what the test says, and records what it was asked. */
export type Reply = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Instead of json. */
  readonly text?: string
  /** The body breaks off. */
  readonly torn?: boolean
}
export type Handler = (request: HttpRequest, nth: number) => Reply | Promise<Reply>

export const SECRET = 'marker-secret-2718281828'
export const PROJECT = 'p0000000000000000000000000000001'

export const testCredentials: Credentials = {
  authUrl: 'https://keystone.test/v3',
  auth: {
    kind: 'applicationCredential',
    credential: { id: 'app-1' },
    secret: new SecretText(SECRET),
  },
  interface: 'public',
  endpointOverrides: {},
  tls: { insecure: false },
}

/** Marker tokens: `marker-token-1`, `marker-token-2`, … */
export function tokenReply(n: number, lifeSeconds = 3600, over: object = {}): Reply {
  const issued = Date.UTC(2030, 5, 1, 12)
  return {
    status: 201,
    headers: { 'x-subject-token': `marker-token-${n}` },
    json: {
      token: {
        issued_at: new Date(issued).toISOString(),
        expires_at: new Date(issued + lifeSeconds * 1000).toISOString(),
        project: { id: PROJECT },
        catalog: [
          {
            type: 'volumev3',
            name: 'cinderv3',
            endpoints: [
              {
                interface: 'public',
                region: 'RegionOne',
                url: `https://cinder.test/v3/${PROJECT}`,
              },
            ],
          },
        ],
        ...over,
      },
    },
  }
}

export const VERSIONS = (minor: number): Reply => ({
  json: {
    versions: [{ id: 'v3.0', status: 'CURRENT', version: `3.${minor}`, min_version: '3.0' }],
  },
})

/** An HttpClient that answers by `METHOD /path` (without query, project as `{p}`), and records every request. */
export function scriptedHttp(
  routes: Readonly<Record<string, Handler | Reply | readonly Reply[]>>,
): {
  http: HttpClient
  requests: HttpRequest[]
  /** Requests of one route. */
  of(route: string): HttpRequest[]
} {
  const requests: HttpRequest[] = []
  let logins = 0
  const all: typeof routes = { 'POST /v3/auth/tokens': () => tokenReply(++logins), ...routes }
  const routeOf = (r: HttpRequest) =>
    `${r.method} ${new URL(r.url).pathname.replace(PROJECT, '{p}')}`
  const of = (route: string) => requests.filter((r) => routeOf(r) === route)
  const http: HttpClient = {
    close: async () => {},
    request: async (request) => {
      requests.push(request)
      const route = routeOf(request)
      const found = all[route]
      if (found === undefined) throw new Error(`the test did not expect ${route}`)
      const reply = await raceAbort(pick(found, request, of(route).length), request.signal)
      return {
        status: reply.status ?? 200,
        headers: reply.headers ?? {},
        text: () => (reply.torn ? Promise.reject(torn()) : Promise.resolve(bodyOf(reply))),
        chunks: () => {
          throw new Error('not used')
        },
      }
    },
  }
  return { http, requests, of }
}

const torn = () => new ConnectionError('reset', 'torn')
const bodyOf = (reply: Reply) =>
  reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json))

/** What `call` fails with; its result when it does not fail. */
export const failureOf = (call: Promise<unknown>): Promise<unknown> => call.catch((e: unknown) => e)

function pick(
  found: Handler | Reply | readonly Reply[],
  request: HttpRequest,
  nth: number,
): Reply | Promise<Reply> {
  if (typeof found === 'function') return found(request, nth)
  if (!Array.isArray(found)) return found as Reply
  const reply = found[Math.min(nth, found.length) - 1] as Reply | undefined
  return reply ?? {}
}

/** As the real client: an aborted request ends at once. */
async function raceAbort(
  reply: Reply | Promise<Reply>,
  signal: AbortSignal | undefined,
): Promise<Reply> {
  if (signal === undefined) return reply
  return new Promise((resolve, reject) => {
    const abort = () => reject(new ConnectionError('aborted', 'aborted'))
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    Promise.resolve(reply).then(resolve, reject)
  })
}

/** A debug log whose lines can be searched. */
function linesLog(): { log: Log; lines: string[] } {
  const lines: string[] = []
  return { lines, log: createLog('debug', { write: (line) => void lines.push(line) }) }
}

export const never = new Promise<never>(() => {})

export const LOGIN = 'POST /v3/auth/tokens'

/** A read that may be repeated, and its route. */
export const VOLUME = 'GET /v3/{p}/volumes/v1'
export const read: SessionRequest = {
  service: 'block-storage',
  operation: 'volumes.get',
  method: 'GET',
  path: '/volumes/v1',
  retry: 'safe',
}

/** A write that must go out once, and its route. */
export const ACTION = 'POST /v3/{p}/volumes/v1/action'
export const write: SessionRequest = {
  ...read,
  operation: 'volumes.retype',
  method: 'POST',
  path: '/volumes/v1/action',
  body: { 'os-retype': {} },
  retry: 'never',
}

/** A session and a volume service on a scripted OpenStack, with a clock that stands still. */
export function setUp(
  routes: Parameters<typeof scriptedHttp>[0],
  credentials: Credentials | (() => Credentials) = testCredentials,
) {
  const clock = createVirtualClock(Date.UTC(2030, 5, 1, 12))
  const script = scriptedHttp(routes)
  const { log, lines } = linesLog()
  const registry = createRegistry()
  const metrics = createOpenStackMetrics(registry)
  const random = () => 0.5
  const session = createSession({ http: script.http, credentials, clock, random, log, metrics })
  const service = createVolumeService({ session, log })
  return { ...script, clock, session, service, lines, registry }
}
