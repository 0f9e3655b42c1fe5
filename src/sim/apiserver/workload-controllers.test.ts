import { describe, expect, it } from 'vitest'
import { testServer } from './testing.ts'
import type { TestServer } from './testing.ts'

const PODS = '/api/v1/namespaces/shop/pods'
const APPS = '/apis/apps/v1/namespaces/shop'

const template = (app: string) => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'main', image: 'none' }] },
})

async function shop(pods: 'Pending' | 'Ready'): Promise<TestServer> {
  const server = testServer({ workloads: pods })
  await server.send('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } })
  return server
}

function names({ server }: TestServer): string[] {
  return server.objects(PODS).map((p) => p.metadata.name)
}

async function make({ send }: TestServer, plural: string, name: string, spec: object) {
  const selector = { matchLabels: { app: name } }
  const body = { metadata: { name }, spec: { selector, template: template(name), ...spec } }
  expect((await send('POST', `${APPS}/${plural}`, body)).status).toBe(201)
}

describe('the controllers of workloads', () => {
  it('bring a StatefulSet to its ordinals, and show how many of its Pods are ready', async () => {
    const at = await shop('Ready')
    await make(at, 'statefulsets', 'db', { replicas: 3 })
    expect(names(at)).toEqual(['db-0', 'db-1', 'db-2'])
    expect((await at.send('GET', `${APPS}/statefulsets/db`)).body.status).toEqual({
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
    })

    const spec = { replicas: 2, ordinals: { start: 1 } }
    await at.send('PATCH', `${APPS}/statefulsets/db`, { spec })
    expect(names(at)).toEqual(['db-1', 'db-2'])
    await at.send('DELETE', `${PODS}/db-1`)
    expect(names(at)).toEqual(['db-1', 'db-2'])
  })

  it('show a Deployment what its ReplicaSet has', async () => {
    const at = await shop('Pending')
    await make(at, 'deployments', 'web', { replicas: 2 })
    await at.send('PATCH', `${APPS}/deployments/web`, { spec: { replicas: 1 } })

    expect(names(at)).toHaveLength(1)
    expect((await at.send('GET', `${APPS}/deployments/web`)).body.status).toEqual({
      observedGeneration: 2,
      replicas: 1,
      readyReplicas: 0,
    })
  })

  it('make another Pod while one on a node ends, but none of the same name', async () => {
    const at = await shop('Ready')
    const spec = { ...template('x').spec, nodeName: 'node-1' }
    const on = { replicas: 1, template: { ...template('x'), spec } }
    await make(at, 'statefulsets', 'db', on)
    await make(at, 'deployments', 'web', on)
    for (const pod of names(at)) await at.send('DELETE', `${PODS}/${pod}`)

    expect(names(at).filter((n) => n.startsWith('web'))).toHaveLength(2)
    expect(names(at).filter((n) => n.startsWith('db'))).toEqual(['db-0'])
    await at.send('DELETE', `${PODS}/db-0`, { gracePeriodSeconds: 0 })
    const [pod] = at.server.objects(PODS).filter((p) => p.metadata.name === 'db-0')
    expect(pod?.metadata.deletionTimestamp).toBeUndefined()
  })

  it('leave nothing behind of what is deleted', async () => {
    const at = await shop('Ready')
    await make(at, 'deployments', 'web', { replicas: 2 })
    await make(at, 'statefulsets', 'db', { replicas: 2 })
    await at.send('DELETE', `${APPS}/deployments/web`)
    expect(names(at)).toEqual(['db-0', 'db-1'])

    await at.send('DELETE', '/api/v1/namespaces/shop')
    expect(names(at)).toEqual([])
    expect((await at.send('GET', '/api/v1/namespaces/shop')).status).toBe(404)
  })
})
