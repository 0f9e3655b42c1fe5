import { describe, expect, it } from 'vitest'
import { JSON_PATCH, MERGE, STRATEGIC } from './apiserver-client.ts'
import { claim, configMap, GROUP, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'
import { until } from './apiserver-setup.ts'

const LEASES = '/apis/coordination.k8s.io/v1/namespaces'

/** Create, update and patch. */
export function writeContract(use: () => Setup) {
  describe('creating', () => {
    it('sets uid, version and time, and refuses the same name again', async () => {
      const { api, configmaps } = use()
      const first = await api.post(configmaps, configMap('twice'))
      const again = await api.post(configmaps, configMap('twice'))

      expect(first.status).toBe(201)
      expect(first.body.metadata).toMatchObject({
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      })
      expect(again.status).toBe(409)
      expect(again.body).toMatchObject({
        reason: 'AlreadyExists',
        message: 'configmaps "twice" already exists',
        details: { name: 'twice', kind: 'configmaps' },
      })
    })

    it('makes names from generateName', async () => {
      const { api, configmaps } = use()
      const { body } = await api.post(configmaps, { metadata: { generateName: 'gen-' } })

      expect(body.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/)
    })

    it.each([
      ['no name', {}, 'name or generateName is required'],
      ['a name of capitals', { name: 'A_b' }, 'RFC 1123'],
      ['a bad label', { name: 'a', labels: { x: 'b b' } }, 'metadata.labels'],
      ['an unqualified finalizer', { name: 'a', finalizers: ['nope'] }, 'fully qualified'],
    ])('refuses %s with 422', async (_what, metadata, message) => {
      const { api, configmaps } = use()
      const { status, body } = await api.post(configmaps, { metadata })

      expect([status, body.reason]).toEqual([422, 'Invalid'])
      expect(body.message).toContain(message)
      expect(body.details.causes[0]).toHaveProperty('field')
    })

    it.each([
      ['another namespace in the body', configMap('a', {}, { namespace: 'other' })],
      ['another kind in the body', { ...configMap('a'), kind: 'Pod' }],
      ['a boolean annotation', configMap('a', {}, { annotations: { x: true } })],
      ['text that is not JSON', 'xx'],
    ])('refuses %s with 400', async (_what, body) => {
      const { api, configmaps } = use()
      const answer = await api.post(configmaps, body)

      expect([answer.status, answer.body.reason]).toEqual([400, 'BadRequest'])
    })

    it('refuses a resourceVersion', async () => {
      const { api, configmaps } = use()
      const { status } = await api.post(configmaps, configMap('v', {}, { resourceVersion: '5' }))

      expect(status).toBe(500)
    })

    it('answers 404 naming the namespace when that is missing', async () => {
      const { status, body } = await use().api.post(
        '/api/v1/namespaces/contract-nowhere/configmaps',
        configMap('a'),
      )

      expect([status, body.message]).toEqual([404, 'namespaces "contract-nowhere" not found'])
    })

    it('answers 415 for a body that is not JSON', async () => {
      const { api, configmaps } = use()
      const { status, body } = await api.send('POST', configmaps, 'a: b', {
        'content-type': 'text/plain',
      })

      expect([status, body.reason]).toEqual([415, 'UnsupportedMediaType'])
    })

    it('gives a claim its protection and its first phase', async () => {
      const { api, claims } = use()
      const { body } = await api.post(claims, claim('fresh'))

      expect(body.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
      expect(body.metadata).not.toHaveProperty('generation')
      expect([body.status.phase, body.spec.volumeMode]).toEqual(['Pending', 'Filesystem'])
    })
  })

  describe('replacing', () => {
    it('refuses a stale version with 409 Conflict', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('stale'))
      const metadata = { resourceVersion: '1' }
      const { status, body } = await api.put(
        `${configmaps}/stale`,
        configMap('stale', { a: '1' }, metadata),
      )

      expect([status, body.reason]).toEqual([409, 'Conflict'])
      expect(body.message).toContain('the object has been modified; please apply your changes')
      expect(body.details).toEqual({ name: 'stale', kind: 'configmaps' })
    })

    it('of a configmap needs no version, of a lease it does', async () => {
      const { api, configmaps, namespace } = use()
      await api.post(configmaps, configMap('free'))
      const free = await api.put(`${configmaps}/free`, configMap('free', { a: '1' }))
      const leases = `${LEASES}/${namespace}/leases`
      await api.post(leases, { metadata: { name: 'bound' }, spec: { holderIdentity: 'a' } })
      const bound = await api.put(`${leases}/bound`, {
        metadata: { name: 'bound' },
        spec: { holderIdentity: 'b' },
      })

      expect(free.status).toBe(200)
      expect(bound.status).toBe(422)
      expect(bound.body.message).toContain('metadata.resourceVersion')
    })

    it('creates a missing lease, but not a missing configmap', async () => {
      const { api, configmaps, namespace } = use()
      const lease = { metadata: { name: 'late' }, spec: { holderIdentity: 'a' } }
      const made = await api.put(`${LEASES}/${namespace}/leases/late`, lease)
      const missing = await api.put(`${configmaps}/late`, configMap('late'))

      expect([made.status, missing.status]).toEqual([201, 404])
    })

    it('refuses another uid with 409 and another name with 400', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('same'))
      const uid = await api.put(`${configmaps}/same`, configMap('same', {}, { uid: 'zz' }))
      const name = await api.put(`${configmaps}/same`, configMap('other'))

      expect([uid.status, name.status]).toEqual([409, 400])
      expect(name.body.message).toBe(
        'the name of the object (other) does not match the name on the URL (same)',
      )
    })

    it('that changes nothing keeps the version', async () => {
      const { api, configmaps } = use()
      const before = await api.post(configmaps, configMap('quiet', { a: '1' }))
      const after = await api.put(`${configmaps}/quiet`, configMap('quiet', { a: '1' }))

      expect(after.body.metadata.resourceVersion).toBe(before.body.metadata.resourceVersion)
    })
  })

  describe('patching', () => {
    it('merges, and null removes', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('merge', { a: '1', b: '2' }))
      const { status, body } = await api.patch(`${configmaps}/merge`, { data: { a: null, c: '3' } })

      expect([status, body.data]).toEqual([200, { b: '2', c: '3' }])
    })

    it('is a compare-and-swap when it carries a version', async () => {
      const { api, configmaps } = use()
      const made = await api.post(configmaps, configMap('swap'))
      const { resourceVersion } = made.body.metadata
      const swap = { metadata: { resourceVersion, annotations: { x: '1' } } }
      const first = await api.patch(`${configmaps}/swap`, swap)
      const second = await api.patch(`${configmaps}/swap`, { ...swap, data: { late: '1' } })

      expect([first.status, second.status, second.body.reason]).toEqual([200, 409, 'Conflict'])
    })

    it('applies JSON patches as a whole, or not at all', async () => {
      const { api, configmaps } = use()
      const path = `${configmaps}/json`
      await api.post(configmaps, configMap('json', { a: '1', b: '2' }))
      const done = await api.patch(
        path,
        [
          { op: 'test', path: '/data/a', value: '1' },
          { op: 'replace', path: '/data/a', value: '9' },
          { op: 'remove', path: '/data/b' },
          { op: 'add', path: '/metadata/annotations', value: { 'x.y/z': '1' } },
          { op: 'add', path: '/metadata/annotations/x.y~1w', value: '2' },
        ],
        JSON_PATCH,
      )
      const failed = await api.patch(
        path,
        [
          { op: 'replace', path: '/data/a', value: 'never' },
          { op: 'test', path: '/data/a', value: 'other' },
        ],
        JSON_PATCH,
      )
      const after = await api.get(path)

      expect(done.body.data).toEqual({ a: '9' })
      expect(done.body.metadata.annotations).toEqual({ 'x.y/z': '1', 'x.y/w': '2' })
      expect([failed.status, failed.body.reason]).toEqual([422, 'Invalid'])
      expect(after.body.data).toEqual({ a: '9' })
    })

    it.each([
      [
        'a JSON patch of a path that is not there',
        [{ op: 'remove', path: '/data/zz' }],
        JSON_PATCH,
        422,
      ],
      ['a JSON patch cut short', '[{"op":"rem', JSON_PATCH, 400],
      ['a merge patch that is a list', [1], MERGE, 400],
      ['plain application/json', {}, 'application/json', 415],
      ['another uid', { metadata: { uid: 'x' } }, MERGE, 422],
      ['another name', { metadata: { name: 'x' } }, MERGE, 400],
      ['a boolean annotation', { metadata: { annotations: { a: true } } }, MERGE, 422],
    ])('refuses %s', async (_what, patch, type, status) => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('patched'))
      const answer = await api.patch(`${configmaps}/patched`, patch, type)

      expect(answer.status).toBe(status)
      expect(answer.body.kind).toBe('Status')
    })

    it('takes strategic merge patches of built-in kinds only', async () => {
      const { api, configmaps, widgets } = use()
      await api.post(configmaps, configMap('strategic', { a: '1' }))
      await api.post(widgets, widget('strategic'))
      const builtIn = await api.patch(`${configmaps}/strategic`, { data: { b: '2' } }, STRATEGIC)
      const custom = await api.patch(`${widgets}/strategic`, { spec: { size: 2 } }, STRATEGIC)

      expect([builtIn.status, builtIn.body.data]).toEqual([200, { a: '1', b: '2' }])
      expect([custom.status, custom.body.reason]).toEqual([415, 'UnsupportedMediaType'])
    })

    it('with dryRun reports the result and stores nothing', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('dry', { a: '1' }))
      const dry = await api.patch(`${configmaps}/dry?dryRun=All`, { data: { a: '2' } })
      const after = await api.get(`${configmaps}/dry`)

      expect([dry.body.data, after.body.data]).toEqual([{ a: '2' }, { a: '1' }])
    })

    it('of a claim may annotate it, never change its class', async () => {
      const { api, claims } = use()
      await api.post(claims, claim('fixed'))
      const noted = await api.patch(`${claims}/fixed`, { metadata: { annotations: { a: '1' } } })
      const moved = await api.patch(`${claims}/fixed`, { spec: { storageClassName: 'other' } })

      expect([noted.status, moved.status]).toEqual([200, 422])
      expect(moved.body.message).toContain('spec: Forbidden: spec is immutable after creation')
    })

    it('of a missing object answers 404', async () => {
      const { api, widgets } = use()
      const { status, body } = await api.patch(`${widgets}/nobody`, { spec: { size: 1 } })

      expect([status, body.message]).toEqual([404, `widgets.${GROUP} "nobody" not found`])
    })
  })

  describe('cluster-scoped storage', () => {
    it('a volume keeps its handle, but may change its reclaim policy', async () => {
      const { api, prefix } = use()
      const path = `/api/v1/persistentvolumes/${prefix}-pv`
      const made = await api.post('/api/v1/persistentvolumes', {
        metadata: { name: `${prefix}-pv` },
        spec: {
          capacity: { storage: '1Gi' },
          accessModes: ['ReadWriteOnce'],
          csi: { driver: 'contract.example', volumeHandle: 'h' },
          // a claim that is not there keeps the binder away
          claimRef: { namespace: 'contract-nowhere', name: 'x' },
        },
      })
      const handle = await api.patch(path, { spec: { csi: { volumeHandle: 'h2' } } })
      const policy = await api.patch(path, { spec: { persistentVolumeReclaimPolicy: 'Retain' } })
      await api.delete(path)

      expect(made.body.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
      expect([handle.status, policy.status]).toEqual([422, 200])
      expect(handle.body.message).toContain('spec.persistentvolumesource is immutable')
      await until(async () => (await api.get(path)).status === 404)
    })

    it('a class keeps its parameters', async () => {
      const { api, prefix } = use()
      const classes = '/apis/storage.k8s.io/v1/storageclasses'
      const metadata = { name: `${prefix}-class` }
      const made = await api.post(classes, {
        metadata,
        provisioner: 'x',
        parameters: { type: 'a' },
      })
      const path = `${classes}/${prefix}-class`
      const changed = await api.patch(path, { parameters: { type: 'b' } })
      const deleted = await api.delete(path)

      expect(made.body).toMatchObject({ reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' })
      expect([changed.status, deleted.body.kind]).toEqual([422, 'StorageClass'])
    })

    it('a secret is stored in base64, whatever it was given as', async () => {
      const { api, namespace } = use()
      const secrets = `/api/v1/namespaces/${namespace}/secrets`
      const text = await api.post(secrets, { metadata: { name: 'text' }, stringData: { a: 'b' } })
      const raw = await api.post(secrets, { metadata: { name: 'raw' }, data: { a: 'b' } })

      expect([text.body.data, text.body.stringData]).toEqual([{ a: 'Yg==' }, undefined])
      expect(raw.status).toBe(400)
    })

    it('a permanent namespace is never deleted', async () => {
      const { status } = await use().api.delete('/api/v1/namespaces/kube-public')

      expect(status).toBe(403)
    })
  })

  describe('leases and events', () => {
    it.each(['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123Z'])(
      'a lease time needs six digits: %s is refused',
      async (renewTime) => {
        const { api, namespace } = use()
        const lease = { metadata: { name: 'digits' }, spec: { holderIdentity: 'a', renewTime } }
        const { status } = await api.post(`${LEASES}/${namespace}/leases`, lease)

        expect(status).toBe(400)
      },
    )

    it('a lease duration must be above zero', async () => {
      const { api, namespace } = use()
      const lease = { metadata: { name: 'zero' }, spec: { leaseDurationSeconds: 0 } }
      const { status } = await api.post(`${LEASES}/${namespace}/leases`, lease)

      expect(status).toBe(422)
    })

    it.each([
      ['its own namespace', (ns: string) => ns, 201],
      ['another namespace', () => 'other', 422],
      ['nothing, outside default', () => undefined, 422],
    ])('an event about %s', async (what, about, status) => {
      const { api, namespace } = use()
      const answer = await api.post(`/api/v1/namespaces/${namespace}/events`, {
        metadata: { name: `about-${what.replaceAll(/[^a-z]+/g, '-')}` },
        involvedObject: { kind: 'PersistentVolume', name: 'x', namespace: about(namespace) },
        reason: 'Test',
      })

      expect(answer.status).toBe(status)
    })

    it('an event about a cluster-scoped object goes to default', async () => {
      const { api, prefix } = use()
      const name = `${prefix}-cluster-scoped`
      const { status } = await api.post('/api/v1/namespaces/default/events', {
        metadata: { name },
        involvedObject: { kind: 'PersistentVolume', name: 'x' },
      })
      await api.delete(`/api/v1/namespaces/default/events/${name}`)

      expect(status).toBe(201)
    })
  })
}
