import type { KubeJson } from '../../src/sim/apiserver/types.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import type { World } from '../../src/sim/world.ts'

/** As the CSI driver does. True when Cinder has accepted it, or knows no such volume. */
export async function deleteInCinder(world: World, id: string): Promise<boolean> {
  const { token, project } = await login(world)
  const signal = new AbortController().signal
  const url = `/v3/${project}/volumes/${id}`
  const headers = { 'x-auth-token': token, accept: 'application/json' }
  const handler = world.cloud.cinder
  const { status } = await handler({ method: 'DELETE', url, headers, body: '', signal })
  return status === 202 || status === 404
}

async function login({ cloud }: World): Promise<{ token: string; project: string }> {
  const { id, secret } = cloud.seams.operator
  const methods = ['application_credential']
  const body = JSON.stringify({
    auth: { identity: { methods, application_credential: { id, secret } } },
  })
  const response = await cloud.keystone({
    method: 'POST',
    url: `${new URL(WORLD_ORIGINS.identity).pathname}v3/auth/tokens`,
    headers: { 'content-type': 'application/json' },
    body,
    signal: new AbortController().signal,
  })
  const { token } = parsed(response.body) as unknown as { token: { project: { id: string } } }
  return { token: response.headers?.['x-subject-token'] ?? '', project: token.project.id }
}

export function parsed(body: unknown): KubeJson {
  return JSON.parse(typeof body === 'string' && body !== '' ? body : '{}') as KubeJson
}
