import type { SimRequest, SimResponse } from '../handler.ts'
import type { AppCredentialRow, TokenRow } from './identity.ts'
import { KeystoneFault } from './keystone-fault.ts'
import type { KeystoneParts } from './keystone.ts'
import { json } from '../json-reply.ts'
import { cinderTime, parseTime } from './times.ts'

type Body = {
  readonly application_credential?: {
    readonly name?: string
    readonly expires_at?: string
    readonly unrestricted?: boolean
  }
}

/** `/v3/users/{user}/application_credentials`: create, list, show, delete, by the users themselves. */
export function appCredentialRoutes(
  parts: KeystoneParts,
  req: SimRequest,
  token: TokenRow,
  userId: string,
  id: string | undefined,
): SimResponse {
  if (token.userId !== userId && !token.roles.includes('admin'))
    throw KeystoneFault.forbidden('identity:list_application_credentials')
  if (req.method === 'POST' && id === undefined) return create(parts, req, token)
  const own = [...parts.identity.appCredentials.values()].filter((c) => c.userId === userId)
  if (req.method === 'GET' && id === undefined)
    return json(200, { application_credentials: own.map((c) => view(parts, c)) })
  const found = own.find((c) => c.id === id)
  if (!found) throw KeystoneFault.notFound(`Could not find Application Credential: ${id ?? ''}.`)
  if (req.method === 'GET') return json(200, { application_credential: view(parts, found) })
  refuseRestricted(parts, token)
  parts.identity.removeAppCredential(found.id)
  return { status: 204, body: '' }
}

function refuseRestricted(parts: KeystoneParts, token: TokenRow): void {
  if (token.appCredentialId === undefined) return
  if (parts.identity.appCredentials.get(token.appCredentialId)?.unrestricted) return
  throw KeystoneFault.forbidden(
    "Using method 'application_credential' is not allowed for managing additional application credentials.",
  )
}

function create(parts: KeystoneParts, req: SimRequest, token: TokenRow): SimResponse {
  refuseRestricted(parts, token)
  const input = (JSON.parse(req.body) as Body).application_credential
  if (input?.name === undefined) throw new KeystoneFault(400, "'name' is a required property")
  const expiresAt = input.expires_at === undefined ? undefined : parseTime(input.expires_at)
  if (expiresAt !== undefined && expiresAt < parts.clock.now())
    throw KeystoneFault.badRequest("The 'expires_at' must not be before now.")
  const all = [...parts.identity.appCredentials.values()]
  if (all.some((c) => c.userId === token.userId && c.name === input.name))
    throw new KeystoneFault(
      409,
      `Conflict occurred attempting to store application_credential - Duplicate entry found with name ${input.name}.`,
    )
  const row = parts.identity.addAppCredential({
    name: input.name,
    userId: token.userId,
    projectId: token.projectId,
    roles: token.roles,
    expiresAt,
    unrestricted: input.unrestricted === true,
  })
  return json(201, { application_credential: { ...view(parts, row), secret: row.secret } })
}

function view(parts: KeystoneParts, row: AppCredentialRow): Record<string, unknown> {
  return {
    id: row.id,
    name: row.name,
    description: null,
    user_id: row.userId,
    project_id: row.projectId,
    system: null,
    expires_at: row.expiresAt === undefined ? null : cinderTime(row.expiresAt),
    unrestricted: row.unrestricted ? true : null,
    roles: row.roles.map((name) => ({
      id: parts.identity.roleId(name),
      name,
      domain_id: null,
      description: null,
      options: { immutable: true },
    })),
    links: { self: `${parts.baseUrl()}/v3/application_credentials/${row.id}` },
  }
}
