import type { Clock } from '../clock.ts'
import { messageOf } from '../errors.ts'
import { ConnectionError, type HttpClient, type HttpRequest } from '../http.ts'
import type { Log } from '../log.ts'
import { authenticate, type Owner, type Token } from './authenticate.ts'
import {
  describeCatalog,
  type EndpointBase,
  findEndpoint,
  plainBase,
  regionsOf,
  type ServiceName,
  volumeBase,
} from './catalog.ts'
import type { Credentials } from './credentials.ts'
import { AuthenticationError, neverSent, sentence, unreachable } from './errors.ts'
import type { OpenStackMetrics } from './openstack-metrics.ts'
import { createRefusals } from './refusals.ts'
import { retrying } from './retry.ts'
import { scrub } from './secret-text.ts'
import { createTokenKeeper } from './token-keeper.ts'
import { type Answer, createSend } from './transport.ts'

export type { ServiceName } from './catalog.ts'

export type SessionRequest = {
  readonly service: ServiceName
  /** Name of the call in metrics, logs and errors, such as `volumes.list`; never holds an id. */
  readonly operation: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the endpoint, with its leading slash and query. */
  readonly path: string
  /** Where the path starts. Default `endpoint`: for block storage the project's. */
  readonly base?: keyof EndpointBase
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** `3.NN`, sent as `OpenStack-API-Version: volume 3.NN`. */
  readonly microversion?: string
  /** Default 30,000. With `safe` for each try; with `never` for everything, login included. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Called synchronously right before each sending; what it throws means that nothing is sent. */
  readonly fence?: () => void
  /** `safe`: up to 5 tries. `never`: sent once; only an answer 401, which means nothing was done, is followed by one more. */
  readonly retry: 'safe' | 'never'
  /** For what everybody may read: an answer 401 comes back as any other and leads to no login. */
  readonly open?: boolean
}

export type SessionResponse = Answer

/** One logged-in project. Every answer comes back, whatever its status; no answer and no login are thrown. */
export interface Session {
  /**
   * Throws `CinderError` (Unreachable; `sent` false when the service certainly never saw it), `AuthenticationError`,
   * or `UserError` when the catalog lacks the service.
   */
  request(request: SessionRequest): Promise<SessionResponse>
  projectId(signal?: AbortSignal): Promise<string>
  /** URL the requests of a service go to, without a slash at its end. */
  endpoint(service: ServiceName, signal?: AbortSignal): Promise<string>
  /** `text` without the secrets and tokens of this session. */
  clean(text: string): string
  /** To be called when the credential's Secret or file has changed. */
  forget(): void
}

export type SessionParts = {
  readonly http: HttpClient
  /** A function is asked at each login, so that a changed Secret is picked up. */
  readonly credentials: Credentials | (() => Credentials | Promise<Credentials>)
  readonly clock: Clock
  /** In [0, 1); spreads the retries. */
  readonly random: () => number
  readonly log: Log
  readonly metrics?: OpenStackMetrics
  /** Called after each login, before its token is used; must not throw. */
  readonly onLogin?: (owner: Owner) => void
}

type Login = Token & { readonly credentials: Credentials }

const DEFAULT_TIMEOUT_MS = 30_000
const REMEMBERED_SECRETS = 16

/** A session that logs in when first used. It holds no timers, connections or files of its own. */
export function createSession(parts: SessionParts): Session {
  const { clock, random, log } = parts
  const secrets: string[] = []
  const clean = (text: string) => scrub(text, secrets)
  // a token is of no further use once a few later ones were given
  const remember = (secret: string) => {
    if (secrets.push(secret) > REMEMBERED_SECRETS) secrets.shift()
  }
  const send = createSend({ http: parts.http, clock, log, metrics: parts.metrics })
  const logins = new WeakMap<Token, Login>()
  const refusals = createRefusals(clock)

  const keeper = createTokenKeeper({
    clock,
    log,
    credentials: async () => {
      const given = parts.credentials
      const credentials = typeof given === 'function' ? await given() : given
      remember(secretOf(credentials))
      return credentials
    },
    login: async (credentials) => {
      const token = await authenticate(credentials, { send, clock, random, clean })
      remember(token.value)
      logins.set(token, { ...token, credentials })
      log.debug({ catalog: describeCatalog(token.catalog) }, 'openstack service catalog')
      warnOfRegions(token, credentials, log)
      parts.onLogin?.(token.owner)
      return token
    },
  })

  function base(token: Token, service: ServiceName): EndpointBase {
    const { credentials } = logins.get(token)!
    const override = credentials.endpointOverrides[service]
    const url =
      override ??
      findEndpoint(token.catalog, {
        service,
        interface: credentials.interface,
        region: credentials.region,
      })
    return service === 'block-storage' ? volumeBase(url, token.projectId) : plainBase(url)
  }

  async function attempt(request: SessionRequest, limit: Limit): Promise<Answer> {
    const what = nameOf(request)
    const call = async (token: Token) => {
      const url = `${base(token, request.service)[request.base ?? 'endpoint']}${request.path}`
      passFence(request, what)
      return send(httpRequest(request, url, token, limit), request, {
        bodyOptional: request.retry === 'never',
      })
    }
    const token = await until(keeper.get(), limit, what)
    const answer = await call(token)
    if (answer.status !== 401 || request.open === true) return answer
    // somebody else may have logged in meanwhile
    if (keeper.isCurrent(token) && !refusals.mayLogIn(request.operation))
      throw refusedTwice(what, answer, clean)
    keeper.invalidate(token)
    const second = await call(await until(keeper.get(), limit, what))
    if (second.status !== 401) return second
    refusals.note(request.operation)
    throw refusedTwice(what, second, clean)
  }

  async function request(req: SessionRequest): Promise<Answer> {
    const what = nameOf(req)
    try {
      if (req.retry === 'never')
        return await withDeadline(clock, req, (limit) => attempt(req, limit))
      const limit: Limit = {
        signal: req.signal,
        why: () => 'given up',
        timeoutMs: () => timeoutOf(req),
      }
      return await retrying({ clock, random, signal: req.signal }, () => attempt(req, limit))
    } catch (e) {
      if (e instanceof ConnectionError) throw unreachable(what, e, clean)
      throw e
    }
  }

  const now = (signal: AbortSignal | undefined) =>
    until(keeper.get(), { signal, why: () => 'given up', timeoutMs: () => 0 }, 'Keystone: log in')

  return {
    request,
    clean,
    forget: () => {
      refusals.clear()
      keeper.forget()
    },
    projectId: async (signal) => (await now(signal)).projectId,
    endpoint: async (service, signal) => base(await now(signal), service).endpoint,
  }
}

/** How long one try may take, and what ends it. */
type Limit = {
  readonly signal: AbortSignal | undefined
  readonly why: () => string
  readonly timeoutMs: () => number
}

/**
 * Runs `work` under one deadline for everything, so that the caller knows when nothing of it can be on its way any more.
 */
async function withDeadline(
  clock: Clock,
  req: SessionRequest,
  work: (limit: Limit) => Promise<Answer>,
): Promise<Answer> {
  const total = timeoutOf(req)
  const end = clock.monotonic() + total
  const deadline = new AbortController()
  const timer = clock.setTimer(total, () => deadline.abort())
  const signal =
    req.signal === undefined ? deadline.signal : AbortSignal.any([req.signal, deadline.signal])
  const late = `no answer within ${total / 1000} s`
  try {
    return await work({
      signal,
      why: () => (deadline.signal.aborted ? late : 'given up'),
      timeoutMs: () => Math.max(1, end - clock.monotonic()),
    })
  } catch (e) {
    if (e instanceof ConnectionError && deadline.signal.aborted)
      throw new ConnectionError('timeout', late)
    throw e
  } finally {
    timer.cancel()
  }
}

/** The shared login goes on for the others when one who waits gives up. */
function until<T>(shared: Promise<T>, limit: Limit, what: string): Promise<T> {
  const { signal } = limit
  if (signal === undefined) return shared
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(neverSent(what, `${limit.why()} while logging in`))
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true })
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function passFence(request: SessionRequest, what: string): void {
  try {
    request.fence?.()
  } catch (e) {
    throw neverSent(what, messageOf(e))
  }
}

function httpRequest(
  request: SessionRequest,
  url: string,
  token: Token,
  limit: Limit,
): HttpRequest {
  return {
    method: request.method,
    url,
    timeoutMs: limit.timeoutMs(),
    headers: {
      accept: 'application/json',
      'user-agent': 'couchestor',
      'x-auth-token': token.value,
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(request.microversion === undefined
        ? {}
        : { 'openstack-api-version': `volume ${request.microversion}` }),
      ...request.headers,
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    ...(limit.signal === undefined ? {} : { signal: limit.signal }),
  }
}

const timeoutOf = (request: SessionRequest) => request.timeoutMs ?? DEFAULT_TIMEOUT_MS

const PEOPLE_CALL_IT: Readonly<Record<ServiceName, string>> = {
  'block-storage': 'Cinder',
  metric: 'Gnocchi',
  identity: 'Keystone',
}

/** "Cinder: volumes.list", the start of every error message. */
export function nameOf(request: Pick<SessionRequest, 'service' | 'operation'>): string {
  return `${PEOPLE_CALL_IT[request.service]}: ${request.operation}`
}

function refusedTwice(
  what: string,
  answer: Answer,
  clean: (text: string) => string,
): AuthenticationError {
  return new AuthenticationError(
    clean(
      `${what} refused a token that Keystone has just given (${sentence(answer)}): an application credential with access rules must allow this call, and the service must trust the same Keystone`,
    ),
    { refusedBy: 'service', status: answer.status, requestId: answer.requestId },
  )
}

function secretOf({ auth }: Credentials): string {
  if (auth.kind === 'applicationCredential') return auth.secret.reveal()
  return (auth.kind === 'password' ? auth.password : auth.token).reveal()
}

function warnOfRegions(token: Token, credentials: Credentials, log: Log): void {
  const regions = regionsOf(token.catalog, 'block-storage')
  if (credentials.region !== undefined || regions.length < 2) return
  log.warn({ regions, using: regions[0] }, 'several regions and none chosen: set OS_REGION_NAME')
}
