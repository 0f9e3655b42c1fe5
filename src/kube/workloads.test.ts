import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import type { HttpRequest } from '../http.ts'
import { silentLog } from '../log.ts'
import { createKubeClient } from './client.ts'
import { json, scriptedHttp, status } from './testing.ts'
import type { Script } from './testing.ts'
import { createWorkloads, WORKLOAD_RIGHTS } from './workloads.ts'

function ports(script: Script) {
  const http = scriptedHttp(script)
  const client = createKubeClient({
    http,
    server: 'https://api.test',
    authorization: () => Promise.resolve(undefined),
    clock: createVirtualClock(),
    random: () => 0,
    log: silentLog,
  })
  return { workloads: createWorkloads(client), requests: http.requests }
}

const OF = {
  kind: 'StatefulSet',
  namespace: 'shop',
  name: 'db',
  uid: 'u1',
  resourceVersion: '7',
  fence: () => {},
} as const
const bodyOf = (request: HttpRequest | undefined): unknown => JSON.parse(String(request?.body))

describe('a write to a workload', () => {
  it.each([
    [
      'that stops ordinal 0 names uid and version, and sets count, start and mark at once',
      { ...OF, scale: { replicas: 2, start: 1 }, stoppedFor: 'move' },
      { 'couchestor.io/stopped-for': 'move' },
      { replicas: 2, ordinals: { start: 1 } },
    ],
    [
      'that restores a StatefulSet takes the start off that it did not have',
      { ...OF, scale: { replicas: 3 }, stoppedFor: undefined },
      { 'couchestor.io/stopped-for': null },
      { replicas: 3, ordinals: null },
    ],
    [
      'that scales a Deployment sets no ordinals',
      { ...OF, kind: 'Deployment' as const, scale: { replicas: 0 }, stoppedFor: 'move' },
      { 'couchestor.io/stopped-for': 'move' },
      { replicas: 0 },
    ],
    [
      'that takes the mark off leaves the scale as it is',
      { ...OF, stoppedFor: undefined },
      { 'couchestor.io/stopped-for': null },
      undefined,
    ],
  ])('%s', async (_, write, annotations, spec) => {
    const { workloads, requests } = ports(() => json(200, {}))

    expect(await workloads.write(write)).toEqual({ kind: 'Accepted' })
    expect(requests).toHaveLength(1)
    expect(requests[0]?.headers?.['content-type']).toBe('application/merge-patch+json')
    expect(bodyOf(requests[0])).toEqual({
      metadata: { uid: 'u1', resourceVersion: '7', annotations },
      ...(spec === undefined ? {} : { spec }),
    })
  })

  it('is not sent a second time when its answer is lost', async () => {
    const { workloads, requests } = ports(() => status(503, 'ServiceUnavailable'))

    expect(await workloads.write({ ...OF, stoppedFor: 'move' })).toMatchObject({ kind: 'Unknown' })
    expect(requests).toHaveLength(1)
  })

  it('does not leave when the fence forbids it', async () => {
    const { workloads, requests } = ports(() => json(200, {}))
    const fence = () => {
      throw new Error('no leader any more')
    }

    expect((await workloads.write({ ...OF, stoppedFor: 'move', fence })).kind).not.toBe('Accepted')
    expect(requests).toHaveLength(0)
  })
})

describe('a read for the stop of a workload', () => {
  it('reads the workloads before all else, and says what cannot be read', async () => {
    const { workloads, requests } = ports((request) => {
      if (request.url.includes('/poddisruptionbudgets')) return status(403, 'Forbidden')
      if (request.url.endsWith('/apis/keda.sh/v1alpha1')) return status(404, 'NotFound')
      if (request.url.includes('/deployments'))
        return json(200, { items: [{ metadata: { name: 'web' }, spec: {} }], metadata: {} })
      return json(200, { items: [], metadata: {} })
    })
    const seen = await workloads.read('shop')

    expect(requests.slice(0, 2).map((r) => new URL(r.url).pathname)).toEqual([
      '/apis/apps/v1/namespaces/shop/deployments',
      '/apis/apps/v1/namespaces/shop/statefulsets',
    ])
    expect(seen).toMatchObject({
      workloads: [{ kind: 'Deployment', metadata: { name: 'web' } }],
      pods: [],
      budgets: { unread: expect.stringContaining('403') },
      scaledObjects: [],
    })
  })

  it('that finds none says so only when the API server itself does', async () => {
    const { workloads } = ports((request) =>
      request.url.includes('gone') ? status(404, 'NotFound') : json(404, '<html>404</html>'),
    )

    expect(await workloads.get({ ...OF, name: 'gone' })).toBeUndefined()
    await expect(workloads.get(OF)).rejects.toThrow('404')
  })

  it('of rights names each that is missing', async () => {
    const { workloads } = ports((request) => {
      const { spec } = bodyOf(request) as { spec: { resourceAttributes: { verb: string } } }
      return json(201, { status: { allowed: spec.resourceAttributes.verb !== 'patch' } })
    })

    expect(await workloads.missing(WORKLOAD_RIGHTS)).toEqual([
      'patch deployments.apps',
      'patch statefulsets.apps',
    ])
  })
})
