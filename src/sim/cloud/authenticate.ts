import type { Clock } from '../../clock.ts'
import type { AppCredentialRow, Identity, ProjectRow, TokenRow, UserRow } from './identity.ts'
import { KeystoneFault } from './keystone-fault.ts'

type Named = { readonly id?: string; readonly name?: string; readonly domain?: Named }
type UserInput = Named & { readonly password?: string }
type CredentialInput = Named & { readonly secret?: string; readonly user?: Named }
type AuthBody = {
  readonly identity?: {
    readonly methods?: readonly string[]
    readonly password?: { readonly user?: UserInput }
    readonly application_credential?: CredentialInput
    readonly token?: { readonly id?: string }
  }
  readonly scope?: { readonly project?: Named } | 'unscoped'
}

const METHODS = ['external', 'password', 'token', 'oauth1', 'mapped', 'application_credential']

/** The body of POST /v3/auth/tokens to a fresh token; throws `KeystoneFault` as Keystone refuses. */
export function authenticate(
  parts: { readonly identity: Identity; readonly clock: Clock },
  body: string,
): TokenRow {
  const auth = parse(body)
  const methods = auth.identity?.methods ?? []
  if (methods.length === 0) throw KeystoneFault.unauthorized()
  if (methods.some((m) => !METHODS.includes(m)))
    throw new KeystoneFault(401, 'Attempted to authenticate with an unsupported method.', {
      identity: { methods: METHODS },
    })
  if (methods.includes('application_credential')) return byCredential(parts, auth)
  return methods.includes('token')
    ? byToken(parts.identity, auth)
    : byPassword(parts.identity, auth)
}

function parse(body: string): AuthBody {
  let parsed: { auth?: AuthBody } | null
  try {
    parsed = JSON.parse(body) as { auth?: AuthBody } | null
  } catch {
    throw KeystoneFault.badRequest('Expecting to find valid JSON in request body.')
  }
  if (!parsed?.auth) throw KeystoneFault.badRequest('Expecting to find auth in request body.')
  return parsed.auth
}

function byPassword(identity: Identity, auth: AuthBody): TokenRow {
  const input = auth.identity?.password?.user
  const user = findUser(identity, input)
  if (!user || user.password !== input?.password || !user.enabled)
    throw KeystoneFault.unauthorized()
  const project = findProject(identity, auth.scope, user)
  return issueFor(identity, user, project, 'password')
}

function byToken(identity: Identity, auth: AuthBody): TokenRow {
  const old = identity.valid(auth.identity?.token?.id)
  const user = old && identity.users.get(old.userId)
  if (!user) throw KeystoneFault.unauthorized()
  return issueFor(identity, user, findProject(identity, auth.scope, user), 'token')
}

function issueFor(
  identity: Identity,
  user: UserRow,
  project: ProjectRow | undefined,
  method: 'password' | 'token',
): TokenRow {
  const roles = project && user.roles.get(project.id)
  if (!project || !roles) throw KeystoneFault.unauthorized()
  return identity.issue({
    userId: user.id,
    projectId: project.id,
    roles,
    method,
    appCredentialId: undefined,
  })
}

function byCredential(
  { identity, clock }: { readonly identity: Identity; readonly clock: Clock },
  auth: AuthBody,
): TokenRow {
  const input = auth.identity?.application_credential ?? {}
  if (auth.scope !== undefined)
    throw new KeystoneFault(
      401,
      'Error authenticating with application credential: Application credentials cannot request a scope.',
      { identity: {} },
    )
  const found = findCredential(identity, input)
  if (!found)
    throw KeystoneFault.notFound(
      `Could not find Application Credential: ${input.id ?? input.name ?? ''}.`,
    )
  const user = identity.users.get(found.userId)
  const expired = found.expiresAt !== undefined && found.expiresAt <= clock.now()
  if (found.secret !== input.secret || expired || user?.enabled !== true)
    throw KeystoneFault.unauthorized()
  return identity.issue({
    userId: found.userId,
    projectId: found.projectId,
    roles: found.roles,
    method: 'application_credential',
    appCredentialId: found.id,
  })
}

function findCredential(identity: Identity, input: CredentialInput): AppCredentialRow | undefined {
  if (input.id !== undefined) return identity.appCredentials.get(input.id)
  const user = findUser(identity, input.user)
  return [...identity.appCredentials.values()].find(
    (c) => c.name === input.name && c.userId === user?.id,
  )
}

function findUser(identity: Identity, input: Named | undefined): UserRow | undefined {
  if (input?.id !== undefined) return identity.users.get(input.id)
  if (input?.name === undefined || !isDefaultDomain(input.domain)) return undefined
  return [...identity.users.values()].find((u) => u.name === input.name)
}

function findProject(
  identity: Identity,
  scope: AuthBody['scope'],
  user: UserRow,
): ProjectRow | undefined {
  const input = scope === 'unscoped' ? undefined : scope?.project
  if (input === undefined) return identity.projects.get(user.defaultProjectId)
  if (input.id !== undefined) return identity.projects.get(input.id)
  if (!isDefaultDomain(input.domain)) return undefined
  return [...identity.projects.values()].find((p) => p.name === input.name)
}

const isDefaultDomain = (domain: Named | undefined) =>
  domain?.id === 'default' || domain?.name === 'Default'
