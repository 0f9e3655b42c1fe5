import { readdirSync, readFileSync } from 'node:fs'
import { load } from 'js-yaml'
import { describe, expect, it } from 'vitest'
import type { CustomResourceDefinition } from './custom-resource.ts'
import { configMap, testServer } from './testing.ts'

const PATH = '/api/v1/namespaces/default/configmaps'
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const PODS = '/api/v1/namespaces/default/pods'

function claim(name: string) {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default' },
    spec,
  }
}

function pod(name: string, claimName: string, nodeName?: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: {
      containers: [{ name: 'c', image: 'i' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName } }],
      ...(nodeName === undefined ? {} : { nodeName }),
    },
  }
}

describe('a claim', () => {
  it('that a pod uses is kept until the pod has gone', async () => {
    const { send } = testServer()
    await send('POST', CLAIMS, claim('used'))
    await send('POST', PODS, pod('user', 'used'))
    await send('DELETE', `${CLAIMS}/used`)
    const held = await send('GET', `${CLAIMS}/used`)
    await send('DELETE', `${PODS}/user`)
    const after = await send('GET', `${CLAIMS}/used`)

    expect(held.body.metadata.deletionTimestamp).toEqual(expect.any(String))
    expect(after.status).toBe(404)
  })
})

describe('a pod', () => {
  it('on a node ends gracefully, and at once when forced', async () => {
    const { send } = testServer()
    await send('POST', PODS, pod('running', 'x', 'node-1'))
    const ending = await send('DELETE', `${PODS}/running`)
    const still = await send('GET', `${PODS}/running`)
    await send('DELETE', `${PODS}/running?gracePeriodSeconds=0`)
    const gone = await send('GET', `${PODS}/running`)

    expect(ending.body.metadata.deletionGracePeriodSeconds).toBe(30)
    expect([still.status, gone.status]).toEqual([200, 404])
  })

  it('is found by its node', async () => {
    const { send, server } = testServer()
    server.seed(pod('one', 'x', 'node-1'), pod('two', 'x', 'node-2'))
    const { body } = await send('GET', '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-2')

    expect(body.items.map((p: { metadata: { name: string } }) => p.metadata.name)).toEqual(['two'])
  })
})

describe('who may come in', () => {
  it('is asked for a token, which may be changed while it runs', async () => {
    const tokens = new Set(['old'])
    const { send } = testServer({ tokens })
    const get = (token: string) =>
      send('GET', PATH, undefined, { authorization: `Bearer ${token}` })
    const before = await get('old')
    tokens.delete('old')
    tokens.add('new')

    expect([before.status, (await get('old')).status, (await get('new')).status]).toEqual([
      200, 401, 200,
    ])
  })

  it('learns what is forbidden, by request and by review', async () => {
    const { send } = testServer({ allow: ({ resource }) => resource !== 'nodes' })
    const refused = await send('GET', '/api/v1/nodes')
    const review = await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      spec: { resourceAttributes: { verb: 'list', resource: 'nodes' } },
    })

    expect([refused.status, refused.body.reason]).toEqual([403, 'Forbidden'])
    expect(refused.body.message).toContain('cannot list resource "nodes" in API group ""')
    expect(review.body.status.allowed).toBe(false)
  })
})

describe('seeded objects', () => {
  it('are stored as they are, and the same again replaces them', async () => {
    const { send, server } = testServer()
    server.seed(configMap('a', { x: '1' }))
    server.seed(configMap('a', { x: '2' }))
    const { body } = await send('GET', `${PATH}/a`)

    expect(body.data).toEqual({ x: '2' })
    expect(server.objects(PATH)).toHaveLength(1)
  })

  it('of an unknown kind are refused with the way out', () => {
    const { server } = testServer()
    const seed = () => server.seed({ apiVersion: 'a.io/v1', kind: 'Odd', metadata: { name: 'a' } })

    expect(seed).toThrow('no resource serves a.io/v1 Odd: pass its CRD to createApiServer')
  })
})

describe('every request', () => {
  it('is recorded with verb and resource, for tests that count', async () => {
    const { send, server } = testServer()
    await send('POST', PATH, configMap('a'))
    await send('GET', `${PATH}/a`)

    expect(server.requests.map((r) => [r.verb, r.resource, r.name])).toEqual([
      ['create', 'configmaps', undefined],
      ['get', 'configmaps', 'a'],
    ])
  })
})

describe('the project’s own resources', () => {
  const crds = readdirSync('crds')
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => load(readFileSync(`crds/${file}`, 'utf8')) as CustomResourceDefinition)

  it.each(crds.map((crd) => [crd.spec.names.kind, crd] as const))(
    '%s is served and listed',
    async (kind, crd) => {
      const { send } = testServer({ crds })
      const { plural } = crd.spec.names
      const { status, body } = await send('GET', `/apis/couchestor.io/v1alpha1/${plural}`)

      expect([status, body.kind]).toEqual([200, `${kind}List`])
    },
  )
})
