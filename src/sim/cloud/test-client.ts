import { inProcess } from '../server.ts'
import type { Cloud } from './cloud.ts'
import type { Account } from './seams.ts'

type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  // oxlint-disable-next-line no-explicit-any -- the assertions say what it should be
  readonly body: any
}

/** Requests of one account to the volume service in the same process, at microversion 3.66. */
export function createClient({ keystone, cinder }: Cloud, account: Account) {
  const http = inProcess({ 'http://keystone': keystone, 'http://cinder': cinder })
  const { user, project } = account
  const login = async () => {
    const identity = {
      methods: ['password'],
      password: { user: { id: user.id, password: user.password } },
    }
    const res = await http.request({
      method: 'POST',
      url: 'http://keystone/v3/auth/tokens?nocatalog',
      body: JSON.stringify({ auth: { identity, scope: { project: { id: project.id } } } }),
    })
    return res.headers['x-subject-token'] ?? ''
  }
  let token: string | undefined
  return async (
    method: string,
    path: string,
    body?: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    token ??= await login()
    const res = await http.request({
      method,
      url: `http://cinder/v3/${project.id}${path}`,
      headers: { 'x-auth-token': token, 'openstack-api-version': 'volume 3.66', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await res.text()
    const parsed: unknown = text.startsWith('{') ? JSON.parse(text) : text
    return { status: res.status, headers: res.headers, body: parsed }
  }
}
