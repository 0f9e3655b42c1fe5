import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { theLab } from './env.ts'

/** A cloud of the lab's clouds.yaml: the administrator, two tenants' members, and the operator's application credential. */
export type Cloud = 'admin' | 'couchestor' | 'other' | 'operator'

export type RestAnswer = { readonly status: number; readonly body: Record<string, unknown> }

/** Raw REST on one service of the lab, with a token of one cloud. Never throws on a status code. */
export interface RestClient {
  readonly projectId: string
  /** `path` is relative to the service's endpoint, which for Cinder already holds the project: `/volumes/<id>`. */
  request(method: string, path: string, body?: object, microversion?: string): Promise<RestAnswer>
}

type Auth = Readonly<Record<string, string>>
type Token = {
  project: { id: string }
  catalog: { type: string; endpoints: { interface: string; url: string }[] }[]
}

function identity(auth: Auth): object {
  if (auth['application_credential_id'] !== undefined) {
    const id = auth['application_credential_id']
    const secret = auth['application_credential_secret']
    return {
      identity: { methods: ['application_credential'], application_credential: { id, secret } },
    }
  }
  const domain = { name: auth['user_domain_name'] }
  const user = { name: auth['username'], password: auth['password'], domain }
  return {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: auth['project_name'], domain } },
  }
}

/** Logs in at Keystone as `cloud` and finds the service of that catalog type, by default Cinder. */
export async function openstack(cloud: Cloud, service = 'volumev3'): Promise<RestClient> {
  const text = readFileSync(join(theLab().state, 'clouds.yaml'), 'utf8')
  const { auth } = (load(text) as { clouds: Record<Cloud, { auth: Auth }> }).clouds[cloud]
  const res = await fetch(`${auth['auth_url']}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: identity(auth) }),
  })
  if (res.status !== 201) throw new Error(`login as ${cloud}: ${res.status} ${await res.text()}`)
  const { token } = (await res.json()) as { token: Token }
  const base = token.catalog
    .find((s) => s.type === service)
    ?.endpoints.find((e) => e.interface === 'public')?.url
  if (base === undefined) throw new Error(`no service "${service}" in the catalog`)
  const secret = res.headers.get('x-subject-token') ?? ''
  return { projectId: token.project.id, request: requester(base, secret) }
}

function requester(base: string, token: string): RestClient['request'] {
  return async (method, path, body, microversion) => {
    const res = await fetch(`${base}${path}`, {
      method,
      headers: {
        'x-auth-token': token,
        'content-type': 'application/json',
        ...(microversion === undefined ? {} : { 'openstack-api-version': microversion }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await res.text()
    return {
      status: res.status,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
    }
  }
}
