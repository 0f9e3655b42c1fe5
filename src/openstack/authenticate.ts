import * as z from 'zod'
import type { Clock } from '../clock.ts'
import { ConnectionError, type HttpRequest } from '../http.ts'
import { notKeystone, sendLogin } from './auth-url.ts'
import { Catalog } from './catalog.ts'
import type { CatalogEntry } from './catalog.ts'
import type { AuthMethod, Credentials, InDomain } from './credentials.ts'
import { answerError, AuthenticationError, CinderError, sentence, unreachable } from './errors.ts'
import { openStackTime } from '../time.ts'
import { retrying } from './retry.ts'
import type { Answer, Send } from './transport.ts'

export type Token = {
  readonly value: string
  readonly projectId: string
  readonly catalog: readonly CatalogEntry[]
  /** `clock.boot()` at which it ends, by Keystone's own clock: ours may be wrong. */
  readonly endsAt: number
  readonly owner: Owner
}

/** Whose token it is, as far as Keystone says. */
export type Owner = {
  readonly userId?: string | undefined
  readonly applicationCredentialId?: string | undefined
  /** ms; undefined = the user's password has no end. */
  readonly passwordEnd?: number | undefined
}

const TokenBody = z.object({
  token: z.object({
    expires_at: z.string().catch(''),
    issued_at: z.string().optional().catch(undefined),
    project: z.object({ id: z.string() }).optional().catch(undefined),
    catalog: Catalog,
    user: z
      .object({ id: z.string(), password_expires_at: z.string().nullish() })
      .optional()
      .catch(undefined),
    application_credential: z.object({ id: z.string() }).nullish().catch(undefined),
  }),
})

/** For a token whose end makes no sense (unreadable, or our clock is hours ahead of a given token). */
const SHORTEST_LIFE_MS = 300_000

const WHAT = 'Keystone: log in'

type Parts = {
  readonly send: Send
  readonly clock: Clock
  readonly random: () => number
  readonly clean: (text: string) => string
}

/**
 * Asks Keystone for a token (or reads up a given one). Repeated on outages. Throws `AuthenticationError` when the
 * credential is refused, `CinderError` with `sent: false` when Keystone cannot be asked.
 */
export async function authenticate(credentials: Credentials, parts: Parts): Promise<Token> {
  const answer = await ask(credentials, parts)
  if (answer.status !== 200 && answer.status !== 201) throw refusal(credentials, answer, parts)
  return tokenOf(credentials, answer, parts)
}

async function ask(credentials: Credentials, parts: Parts): Promise<Answer> {
  try {
    return await retrying(parts, () =>
      sendLogin(requestOf(credentials), { ...parts, authUrl: credentials.authUrl }),
    )
  } catch (e) {
    if (!(e instanceof ConnectionError)) throw e
    const { message, code } = unreachable(WHAT, e, parts.clean)
    throw new CinderError({ code, message, sent: false })
  }
}

/** A caller that waits for the token has sent nothing yet: `sent` is about their request. */
function refusal(credentials: Credentials, answer: Answer, parts: Parts): Error {
  const elsewhere = notKeystone(answer, { ...parts, authUrl: credentials.authUrl })
  if (elsewhere !== undefined) return elsewhere
  if ([400, 401, 403, 404].includes(answer.status))
    return new AuthenticationError(
      parts.clean(
        `Keystone ${credentials.authUrl} refused ${nameOf(credentials.auth)}: ${sentence(answer)}. ${fixOf(credentials.auth)}`,
      ),
      { refusedBy: 'identity', status: answer.status, requestId: answer.requestId },
    )
  const { message, code, status, requestId, fault } = answerError(WHAT, answer, parts.clean)
  return new CinderError({ message, code, status, requestId, fault, sent: false })
}

function requestOf(credentials: Credentials): HttpRequest {
  const { auth } = credentials
  const url = `${credentials.authUrl}/auth/tokens`
  // a connection kept alive for an hour between two logins is only good for being reset
  const headers = { accept: 'application/json', connection: 'close', 'user-agent': 'couchestor' }
  if (auth.kind === 'token' && auth.project === undefined) {
    const token = auth.token.reveal()
    return {
      method: 'GET',
      url,
      headers: { ...headers, 'x-auth-token': token, 'x-subject-token': token },
    }
  }
  return {
    method: 'POST',
    url,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(loginBody(auth)),
  }
}

/** Keystone's login document. An application credential brings its project and must not name one. */
export function loginBody(auth: AuthMethod): object {
  if (auth.kind === 'applicationCredential') {
    const application_credential = { ...auth.credential, secret: auth.secret.reveal() }
    return identity('application_credential', { application_credential })
  }
  if (auth.kind === 'password') {
    const user = { ...auth.user, password: auth.password.reveal() }
    return identity('password', { password: { user } }, auth.project)
  }
  return identity('token', { token: { id: auth.token.reveal() } }, auth.project)
}

function identity(method: string, body: object, project?: InDomain): object {
  const scope = project === undefined ? {} : { scope: { project } }
  return { auth: { identity: { methods: [method], ...body }, ...scope } }
}

function tokenOf(credentials: Credentials, answer: Answer, parts: Parts): Token {
  const body = TokenBody.safeParse(answer.json)
  const given = credentials.auth.kind === 'token' ? credentials.auth.token.reveal() : undefined
  const value = answer.headers['x-subject-token'] ?? given
  if (!body.success || value === undefined)
    throw notKeystone(answer, { ...parts, authUrl: credentials.authUrl }) ?? noToken(answer)
  const { token } = body.data
  if (token.project === undefined) throw noProject(credentials, answer)
  // a fresh token lives from issued_at; a given one was issued long ago
  const issued = answer.status === 201 ? openStackTime(token.issued_at) : undefined
  const lifetime = (openStackTime(token.expires_at) ?? 0) - (issued ?? parts.clock.now())
  return {
    value,
    projectId: token.project.id,
    catalog: token.catalog,
    endsAt: parts.clock.boot() + (lifetime > 0 ? lifetime : SHORTEST_LIFE_MS),
    owner: {
      userId: token.user?.id,
      applicationCredentialId: token.application_credential?.id,
      passwordEnd: openStackTime(token.user?.password_expires_at),
    },
  }
}

function noToken({ status }: Answer): CinderError {
  return new CinderError({
    code: 'ServerError',
    status,
    sent: false,
    message: `${WHAT} answered ${status} without a token`,
  })
}

function noProject(credentials: Credentials, answer: Answer): AuthenticationError {
  return new AuthenticationError(
    `Keystone ${credentials.authUrl} accepted ${nameOf(credentials.auth)}, but the token belongs to no project: set OS_PROJECT_NAME and OS_PROJECT_DOMAIN_NAME (or OS_PROJECT_ID)`,
    { refusedBy: 'identity', status: answer.status, requestId: answer.requestId },
  )
}

function nameOf(auth: AuthMethod): string {
  if (auth.kind === 'applicationCredential')
    return `application credential "${idOrName(auth.credential)}"`
  if (auth.kind === 'password') return `user "${idOrName(auth.user)}"`
  return 'the token of OS_TOKEN'
}

function idOrName(of: { readonly id: string } | { readonly name: string }): string {
  return 'id' in of ? of.id : of.name
}

function fixOf(auth: AuthMethod): string {
  if (auth.kind === 'applicationCredential')
    return 'Check OS_APPLICATION_CREDENTIAL_ID and OS_APPLICATION_CREDENTIAL_SECRET; the credential may have expired, or its user lost the role or was disabled'
  if (auth.kind === 'password')
    return 'Check OS_USERNAME, OS_PASSWORD, OS_PROJECT_NAME and their domains'
  return 'It has expired or was revoked: a token lives for hours only, an application credential lasts'
}
