import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { ConnectionError } from '../http.ts'
import type { HttpRequest } from '../http.ts'
import { silentLog } from '../log.ts'
import { createKubeClient } from './client.ts'
import { createPersistentVolumes, REPLACEMENT_RIGHTS } from './persistent-volumes.ts'
import { json, scriptedHttp, status } from './testing.ts'
import type { Script } from './testing.ts'
import type { KubeClient } from './types.ts'

let clock = createVirtualClock()

async function during<T>(work: Promise<T>): Promise<T> {
  let ended = false
  const end = () => void (ended = true)
  work.then(end, end)
  while (!ended) await clock.advance(1000)
  return work
}

function ports(script: Script) {
  clock = createVirtualClock()
  const http = scriptedHttp(script)
  const client = createKubeClient({
    http,
    server: 'https://api.test',
    authorization: () => Promise.resolve(undefined),
    clock,
    random: () => 0,
    log: silentLog,
  })
  return { volumes: createPersistentVolumes(client), requests: http.requests }
}

const OF = { name: 'pv-1', uid: 'u1', fence: () => {} }
const manifest = { metadata: { name: 'pv-1' }, spec: {} }
const bodyOf = (request: HttpRequest | undefined): unknown => JSON.parse(String(request?.body))

describe('a write to a PersistentVolume', () => {
  it.each<[string, (v: ReturnType<typeof ports>['volumes']) => Promise<unknown>, string, unknown]>([
    [
      'that sets its reclaim policy tests the uid',
      (v) => v.setReclaimPolicy({ ...OF, policy: 'Retain' }),
      'PATCH',
      [
        { op: 'test', path: '/metadata/uid', value: 'u1' },
        { op: 'replace', path: '/spec/persistentVolumeReclaimPolicy', value: 'Retain' },
      ],
    ],
    [
      'that releases it tests uid, version and finalizers',
      (v) => v.setFinalizers({ ...OF, resourceVersion: '7', finalizers: ['a'], keep: [] }),
      'PATCH',
      [
        { op: 'test', path: '/metadata/uid', value: 'u1' },
        { op: 'test', path: '/metadata/resourceVersion', value: '7' },
        { op: 'test', path: '/metadata/finalizers', value: ['a'] },
        { op: 'remove', path: '/metadata/finalizers' },
      ],
    ],
    [
      'that takes one finalizer off leaves the others',
      (v) => v.setFinalizers({ ...OF, resourceVersion: '7', finalizers: ['a', 'b'], keep: ['b'] }),
      'PATCH',
      expect.arrayContaining([{ op: 'replace', path: '/metadata/finalizers', value: ['b'] }]),
    ],
    [
      'that deletes it has its uid for a precondition',
      (v) => v.delete(OF),
      'DELETE',
      { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid: 'u1' } },
    ],
  ])('%s', async (_, write, method, body) => {
    const { volumes, requests } = ports(() => json(200, {}))

    expect(await write(volumes)).toEqual({ kind: 'Accepted' })
    expect(requests).toHaveLength(1)
    expect(requests[0]?.method).toBe(method)
    expect(bodyOf(requests[0])).toEqual(body)
  })

  it.each([
    ['a refusal', () => status(409, 'Conflict'), { kind: 'Rejected', httpStatus: 409 }],
    ['an error of the server', () => status(500, 'InternalError'), { kind: 'Unknown' }],
    ['a page of a proxy', () => json(403, '<html>no</html>'), { kind: 'Unknown' }],
  ] as const)('answered with %s says so', async (_, answer, expected) => {
    const { volumes } = ports(answer)

    expect(await volumes.create(manifest, OF.fence)).toMatchObject(expected)
  })

  it('whose answer is lost may have been carried out, and is not sent a second time', async () => {
    const { volumes, requests } = ports(() => {
      throw new ConnectionError('reset', 'reset')
    })

    expect(await volumes.create(manifest, OF.fence)).toMatchObject({ kind: 'Unknown' })
    expect(requests).toHaveLength(1)
  })

  it('that never left says so', async () => {
    const { volumes } = ports(() => {
      throw new ConnectionError('tls', 'no trust')
    })

    expect(await volumes.create(manifest, OF.fence)).toMatchObject({ kind: 'NotSent' })
  })

  it('does not leave when the fence forbids it', async () => {
    const { volumes, requests } = ports(() => json(200, {}))
    const fence = () => {
      throw new Error('no leader any more')
    }

    for (const answer of [
      await volumes.create(manifest, fence),
      await volumes.delete({ ...OF, fence }),
      await volumes.setReclaimPolicy({ ...OF, policy: 'Retain', fence }),
      await volumes.annotateClaim({ ...OF, namespace: 'n', annotations: {}, fence }),
      await volumes.deleteAttachment({ ...OF, fence }),
    ])
      expect(answer).toEqual({ kind: 'NotSent', message: 'no leader any more' })
    expect(requests).toHaveLength(0)
  })
})

describe('a deletion that was repeated', () => {
  const script = (second: () => never) => (_: unknown, n: number) =>
    n === 0 ? status(500, 'InternalError') : second()

  it('may have been carried out by the first call, although the second never left', async () => {
    const { volumes } = ports(
      script(() => {
        throw new ConnectionError('refused', 'refused')
      }),
    )
    expect(await during(volumes.delete(OF))).toMatchObject({ kind: 'Unknown' })
  })

  it('may have been carried out, although the lease was lost before the second call', async () => {
    const { volumes, requests } = ports(() => status(500, 'InternalError'))
    const fence = () => {
      if (requests.length > 0) throw new Error('no leader any more')
    }
    expect(await during(volumes.delete({ ...OF, fence }))).toMatchObject({ kind: 'Unknown' })
    expect(requests).toHaveLength(1)
  })
})

describe('a write that has no line in the audit', () => {
  it('was not sent, and says why', async () => {
    const refusal = Object.assign(new Error('the disk is full'), { unaudited: true })
    const client = { delete: () => Promise.reject(refusal) } as unknown as KubeClient
    expect(await createPersistentVolumes(client).delete(OF)).toEqual({
      kind: 'NotSent',
      message: 'the disk is full',
      unaudited: true,
    })
  })
})

describe('a dry run', () => {
  it('that the server itself could not answer is no refusal', async () => {
    const { volumes } = ports(() => status(503, 'ServiceUnavailable'))
    await expect(during(volumes.tryCreate(manifest))).rejects.toThrow('503')
  })
})

describe('a read for a replacement', () => {
  it('of all Pods reads every page', async () => {
    const pod = (name: string, claimName: string) => ({
      metadata: { name },
      spec: { volumes: [{ persistentVolumeClaim: { claimName } }, {}] },
      status: { phase: 'Running' },
    })
    const { volumes } = ports((_, n) =>
      n === 0
        ? json(200, { items: [pod('a', 'data')], metadata: { continue: 'next' } })
        : json(200, { items: [pod('b', 'data'), pod('c', 'other')], metadata: {} }),
    )

    expect((await volumes.podsOf('shop', 'data')).map((p) => p.metadata.name)).toEqual(['a', 'b'])
  })

  it('of Pods counts the one whose generic ephemeral volume the claim is', async () => {
    const volumes = [{ name: 'scratch', ephemeral: {} }]
    const { volumes: api } = ports(() =>
      json(200, { items: [{ metadata: { name: 'web-0' }, spec: { volumes } }], metadata: {} }),
    )
    expect(await api.podsOf('shop', 'web-0-scratch')).toHaveLength(1)
    expect(await api.podsOf('shop', 'scratch')).toEqual([])
  })

  it('that finds none says so only when the API server itself does', async () => {
    const { volumes } = ports((request) =>
      request.url.includes('gone') ? status(404, 'NotFound') : json(404, '<html>404</html>'),
    )

    expect(await volumes.get('gone')).toBeUndefined()
    await expect(volumes.get('pv-1')).rejects.toThrow('404')
  })

  it('of rights names each that is missing', async () => {
    const { volumes } = ports((request) => {
      const { spec } = bodyOf(request) as { spec: { resourceAttributes: { verb: string } } }
      return json(201, { status: { allowed: spec.resourceAttributes.verb !== 'create' } })
    })

    expect(await volumes.missing(REPLACEMENT_RIGHTS)).toEqual(['create persistentvolumes'])
  })

  it('that tries a creation stores nothing, and takes the name that is in use for no refusal', async () => {
    const { volumes, requests } = ports((_, n) =>
      n === 0 ? status(409, 'AlreadyExists') : status(422, 'Invalid'),
    )

    expect(await volumes.tryCreate(manifest)).toBeUndefined()
    expect(await volumes.tryCreate(manifest)).toContain('Invalid')
    expect(requests.every((r) => r.url.includes('dryRun=All'))).toBe(true)
  })
})
