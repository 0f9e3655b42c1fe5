import type { Clock } from '../../clock.ts'
import type { SimHandler, SimRequest, SimResponse } from '../handler.ts'
import { appCredentialRoutes } from './app-credentials.ts'
import { authenticate } from './authenticate.ts'
import type { CatalogEntry } from './catalog.ts'
import type { Identity, TokenRow } from './identity.ts'
import type { Ids } from './ids.ts'
import { KeystoneFault } from './keystone-fault.ts'
import { json } from '../json-reply.ts'
import { keystoneTime } from './times.ts'

export type KeystoneParts = {
  readonly clock: Clock
  readonly ids: Ids
  readonly identity: Identity
  readonly catalog: (projectId: string) => readonly CatalogEntry[]
  readonly baseUrl: () => string
}

const DOMAIN = { id: 'default', name: 'Default' }

/** Keystone v3 as Zed answers: versions, tokens, the catalog and application credentials. */
export function createKeystone(parts: KeystoneParts): SimHandler {
  return (req) => {
    const common = { vary: 'X-Auth-Token', 'x-openstack-request-id': `req-${parts.ids.uuid()}` }
    const res = guarded(parts, req)
    return Promise.resolve({ ...res, headers: { ...common, ...res.headers } })
  }
}

function guarded(parts: KeystoneParts, req: SimRequest): SimResponse {
  try {
    return route(parts, req)
  } catch (e) {
    if (!(e instanceof KeystoneFault)) throw e
    const challenge =
      e.status === 401 ? { 'www-authenticate': `Keystone uri="${parts.baseUrl()}/v3"` } : {}
    return json(e.status, e.body, { ...challenge })
  }
}

function route(parts: KeystoneParts, req: SimRequest): SimResponse {
  const url = new URL(req.url, 'http://sim')
  const path = url.pathname.replace(/\/+$/, '')
  if (path === '') return versions(parts, 300)
  if (path === '/v3') return versions(parts, 200)
  if (path === '/v3/auth/tokens') return tokens(parts, req, url)
  if (path === '/v3/auth/catalog') {
    const token = required(parts, req)
    return json(200, { catalog: parts.catalog(token.projectId) })
  }
  const credentials = /^\/v3\/users\/([^/]+)\/application_credentials(?:\/([^/]+))?$/.exec(path)
  if (credentials)
    return appCredentialRoutes(parts, req, required(parts, req), credentials[1]!, credentials[2])
  return {
    status: 404,
    headers: { 'content-type': 'text/html; charset=utf-8' },
    body: '<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n',
  }
}

function versions(parts: KeystoneParts, status: 200 | 300): SimResponse {
  const version = {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${parts.baseUrl()}/v3/` }],
    'media-types': [
      { base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' },
    ],
  }
  return status === 200
    ? json(200, { version })
    : json(300, { versions: { values: [version] } }, { location: `${parts.baseUrl()}/v3/` })
}

function tokens(parts: KeystoneParts, req: SimRequest, url: URL): SimResponse {
  const noCatalog = url.searchParams.has('nocatalog')
  if (req.method === 'POST') {
    const token = authenticate(parts, req.body)
    return json(201, view(parts, token, noCatalog), { 'x-subject-token': token.value })
  }
  if (req.method === 'GET' || req.method === 'HEAD') {
    const subject = subjectOf(parts, req, required(parts, req), 'identity:validate_token')
    const res = json(200, view(parts, subject, noCatalog), { 'x-subject-token': subject.value })
    return req.method === 'HEAD' ? { ...res, body: '' } : res
  }
  if (req.method === 'DELETE') {
    subjectOf(parts, req, required(parts, req), 'identity:revoke_token').revoked = true
    return { status: 204, body: '' }
  }
  return json(
    405,
    { message: 'The method is not allowed for the requested URL.' },
    { allow: 'POST, HEAD, GET, DELETE, OPTIONS' },
  )
}

function required(parts: KeystoneParts, req: SimRequest): TokenRow {
  const token = parts.identity.valid(req.headers['x-auth-token'])
  if (!token) throw KeystoneFault.unauthorized()
  return token
}

function subjectOf(
  parts: KeystoneParts,
  req: SimRequest,
  asker: TokenRow,
  policy: string,
): TokenRow {
  const value = req.headers['x-subject-token']
  const subject = value === undefined ? undefined : parts.identity.valid(value)
  if (value !== undefined && !subject)
    throw parts.identity.tokens.has(value)
      ? KeystoneFault.notFound('Failed to validate token')
      : KeystoneFault.notFound('Could not recognize Fernet token')
  const allowed = subject && (subject.userId === asker.userId || asker.roles.includes('admin'))
  if (!allowed) throw KeystoneFault.forbidden(policy)
  return subject
}

function view(parts: KeystoneParts, token: TokenRow, noCatalog: boolean): unknown {
  const { identity } = parts
  const user = identity.users.get(token.userId)!
  const project = identity.projects.get(token.projectId)!
  const credential =
    token.appCredentialId === undefined
      ? undefined
      : identity.appCredentials.get(token.appCredentialId)
  return {
    token: {
      methods: [token.method],
      user: { domain: DOMAIN, id: user.id, name: user.name, password_expires_at: null },
      audit_ids: [token.auditId],
      expires_at: keystoneTime(token.expiresAt),
      issued_at: keystoneTime(token.issuedAt),
      project: { domain: DOMAIN, id: project.id, name: project.name },
      is_domain: false,
      roles: token.roles.map((name) => ({ id: identity.roleId(name), name })),
      ...(credential && {
        application_credential: {
          id: credential.id,
          name: credential.name,
          restricted: !credential.unrestricted,
        },
      }),
      ...(noCatalog ? {} : { catalog: parts.catalog(project.id) }),
    },
  }
}
