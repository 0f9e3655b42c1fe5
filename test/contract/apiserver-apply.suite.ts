import { describe, expect, it } from 'vitest'
import type { Answer, Json } from './apiserver-client.ts'
import { APPLY } from './apiserver-client.ts'
import { configMap, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'

/** Server-side apply. */
export function applyContract(use: () => Setup) {
  const apply = (path: string, manager: string, body: Json, force = false): Promise<Answer> => {
    const query = `fieldManager=${manager}${force ? '&force=true' : ''}`
    return use().api.patch(`${path}?${query}`, body, APPLY)
  }
  const managers = (answer: Answer) =>
    answer.body.metadata.managedFields.map((m: Json) => [
      m.manager,
      m.operation,
      m.subresource ?? '',
    ])

  describe('applying', () => {
    it('creates, and the same again changes nothing', async () => {
      const path = `${use().configmaps}/apply-twice`
      const first = await apply(path, 'm1', configMap('apply-twice', { a: '1' }))
      const again = await apply(path, 'm1', configMap('apply-twice', { a: '1' }))

      expect([first.status, again.status]).toEqual([201, 200])
      expect(again.body.metadata.resourceVersion).toBe(first.body.metadata.resourceVersion)
      expect(first.body.metadata.managedFields[0]).toMatchObject({
        manager: 'm1',
        operation: 'Apply',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      })
    })

    it('removes what its manager no longer sets, and nothing else', async () => {
      const path = `${use().configmaps}/apply-less`
      await apply(path, 'm1', configMap('apply-less', { a: '1', b: '1' }))
      await apply(path, 'm2', configMap('apply-less', { c: '2' }))
      const { body } = await apply(path, 'm1', configMap('apply-less', { a: '1' }))

      expect(body.data).toEqual({ a: '1', c: '2' })
    })

    it('of the same value by two managers is shared, until the last one lets go', async () => {
      const path = `${use().configmaps}/apply-shared`
      const empty = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'apply-shared' } }
      await apply(path, 'm1', configMap('apply-shared', { a: '1' }))
      await apply(path, 'm2', configMap('apply-shared', { a: '1' }))
      const one = await apply(path, 'm1', empty)
      const none = await apply(path, 'm2', empty)

      expect(one.body.data).toEqual({ a: '1' })
      expect(none.body.data).toBeUndefined()
    })

    it("refuses to change another manager's field, unless forced", async () => {
      const path = `${use().configmaps}/apply-force`
      await apply(path, 'm1', configMap('apply-force', { a: '1' }))
      const refused = await apply(path, 'm2', configMap('apply-force', { a: '2' }))
      const forced = await apply(path, 'm2', configMap('apply-force', { a: '2' }), true)

      expect([refused.status, refused.body.reason]).toEqual([409, 'Conflict'])
      expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "m1": .data.a')
      expect(refused.body.details.causes).toEqual([
        { reason: 'FieldManagerConflict', message: 'conflict with "m1"', field: '.data.a' },
      ])
      expect([forced.body.data, managers(forced)]).toEqual([{ a: '2' }, [['m2', 'Apply', '']]])
    })

    it("conflicts with a field that a person's patch has taken", async () => {
      const { api, configmaps } = use()
      const path = `${configmaps}/apply-taken`
      await apply(path, 'm1', configMap('apply-taken', {}, { annotations: { tier: 'hot' } }))
      const taken = { metadata: { annotations: { tier: 'cold' } } }
      await api.patch(`${path}?fieldManager=person`, taken)
      const { status, body } = await apply(
        path,
        'm1',
        configMap('apply-taken', {}, { annotations: { tier: 'hot' } }),
      )

      expect(status).toBe(409)
      expect(body.message).toBe(
        'Apply failed with 1 conflict: conflict with "person" using v1: .metadata.annotations.tier',
      )
    })

    it('leaves the annotations of others alone', async () => {
      const { api, claims } = use()
      const body = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: 'apply-notes', annotations: { 'couchestor.io/tier': 'hot' } },
      }
      await api.post(claims, {
        ...body,
        metadata: { name: 'apply-notes', annotations: { mine: '1' } },
        spec: {
          accessModes: ['ReadWriteOnce'],
          storageClassName: 'none',
          resources: { requests: { storage: '1Gi' } },
        },
      })
      const set = await apply(`${claims}/apply-notes`, 'controller', body)
      const gone = await apply(`${claims}/apply-notes`, 'controller', {
        ...body,
        metadata: { name: 'apply-notes' },
      })

      expect(set.body.metadata.annotations).toEqual({ mine: '1', 'couchestor.io/tier': 'hot' })
      expect(gone.body.metadata.annotations).toEqual({ mine: '1' })
    })

    it('merges keyed lists by key and sets by value', async () => {
      const path = `${use().widgets}/apply-lists`
      const one = { size: 1, parts: [{ name: 'a', n: 1 }], tags: ['t'] }
      await apply(path, 'm1', widget('apply-lists', one))
      const two = { parts: [{ name: 'b', n: 2 }], tags: ['u'] }
      const both = await apply(path, 'm2', widget('apply-lists', two))
      const less = await apply(path, 'm1', widget('apply-lists', { size: 1 }))

      expect(both.body.spec).toMatchObject({
        parts: [
          { name: 'a', n: 1 },
          { name: 'b', n: 2 },
        ],
        tags: ['t', 'u'],
      })
      expect(less.body.spec).toMatchObject({ parts: [{ name: 'b', n: 2 }], tags: ['u'] })
    })

    it('replaces lists without a key as a whole', async () => {
      const path = `${use().widgets}/apply-plain`
      await apply(path, 'm1', widget('apply-plain', { size: 1, plain: ['a'] }))
      const refused = await apply(path, 'm2', widget('apply-plain', { plain: ['b'] }))
      const forced = await apply(path, 'm2', widget('apply-plain', { plain: ['b'] }), true)

      expect(refused.status).toBe(409)
      expect(forced.body.spec.plain).toEqual(['b'])
    })

    it('of the status is a manager of its own', async () => {
      const { widgets } = use()
      const path = `${widgets}/apply-status`
      const { spec: _spec, ...head } = widget('apply-status')
      const ready = (status: string) => ({
        ...head,
        status: { conditions: [{ type: 'Ready', status }] },
      })
      await apply(path, 'm1', widget('apply-status'))
      const set = await apply(`${path}/status`, 'm1', ready('True'))
      const other = await apply(`${path}/status`, 'm2', ready('False'))
      const none = await apply(`${path}/status`, 'm1', { ...head, status: { conditions: [] } })

      expect(set.body.status.conditions).toEqual([{ type: 'Ready', status: 'True' }])
      expect(managers(set)).toEqual([
        ['m1', 'Apply', ''],
        ['m1', 'Apply', 'status'],
      ])
      expect(other.body.message).toContain('conflict with "m1" with subresource "status"')
      expect(none.body.status?.conditions ?? []).toEqual([])
    })

    it('to the status of a missing object answers 404', async () => {
      const { status } = await apply(`${use().widgets}/nobody/status`, 'm1', {
        ...widget('nobody'),
        status: { phase: 'x' },
      })

      expect(status).toBe(404)
    })

    it('with a stale version answers 409', async () => {
      const path = `${use().configmaps}/apply-stale`
      await apply(path, 'm1', configMap('apply-stale'))
      const stale = configMap('apply-stale', {}, { resourceVersion: '1' })
      const { status, body } = await apply(path, 'm1', stale)

      expect([status, body.reason]).toEqual([409, 'Conflict'])
    })

    it('needs a field manager, a kind, and no managedFields', async () => {
      const { api, configmaps } = use()
      const path = `${configmaps}/apply-bad`
      const nobody = await api.patch(path, configMap('apply-bad'), APPLY)
      const nothing = await apply(path, 'm1', { metadata: { name: 'apply-bad' } })
      const fields = configMap('apply-bad', {}, { managedFields: [{ manager: 'x' }] })
      const managed = await apply(path, 'm1', fields)
      const forced = await api.patch(`${configmaps}/apply-stale?force=true`, { data: {} })

      expect([nobody.status, nothing.status, managed.status, forced.status]).toEqual([
        422, 400, 400, 422,
      ])
    })
  })
}
