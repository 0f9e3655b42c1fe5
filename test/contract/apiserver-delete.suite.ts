import { describe, expect, it } from 'vitest'
import { claim, configMap, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'
import { until } from './apiserver-setup.ts'

const FINALIZER = 'couchestor.io/contract'

/** Deletion: preconditions, finalizers, namespaces. */
export function deleteContract(use: () => Setup) {
  describe('deleting', () => {
    it('answers with a Status that names the object', async () => {
      const { api, configmaps } = use()
      const { body: made } = await api.post(configmaps, configMap('gone'))
      const first = await api.delete(`${configmaps}/gone`)
      const again = await api.delete(`${configmaps}/gone`)

      expect(first.body).toMatchObject({
        kind: 'Status',
        status: 'Success',
        details: { name: 'gone', kind: 'configmaps', uid: made.metadata.uid },
      })
      expect([again.status, again.body.reason]).toEqual([404, 'NotFound'])
    })

    it.each([{ uid: 'other' }, { resourceVersion: '1' }])(
      'with a precondition that does not hold (%j) answers 409',
      async (preconditions) => {
        const { api, configmaps } = use()
        await api.post(configmaps, configMap('kept'))
        const { status, body } = await api.delete(`${configmaps}/kept`, { preconditions })

        expect([status, body.reason]).toEqual([409, 'Conflict'])
        expect((await api.get(`${configmaps}/kept`)).status).toBe(200)
      },
    )

    it('waits for finalizers, then ends with the last one', async () => {
      const { api, widgets } = use()
      const path = `${widgets}/held`
      await api.post(widgets, widget('held', { size: 1 }, { finalizers: [FINALIZER] }))
      const deleted = await api.delete(path)
      const again = await api.post(widgets, widget('held'))
      const more = await api.patch(path, { metadata: { finalizers: [FINALIZER, 'a.io/b'] } })
      const status = await api.patch(`${path}/status`, { status: { phase: 'ending' } })
      const released = await api.patch(path, { metadata: { finalizers: null } })
      const after = await api.get(path)

      expect(deleted.body.kind).toBe('Widget')
      expect(deleted.body.metadata).toMatchObject({
        deletionTimestamp: expect.any(String),
        deletionGracePeriodSeconds: 0,
        generation: 2,
      })
      expect(again.body).toMatchObject({ code: 409, reason: 'AlreadyExists' })
      expect(again.body.message).toContain('object is being deleted')
      expect([more.status, status.status, released.status, after.status]).toEqual([
        422, 200, 200, 404,
      ])
      expect(more.body.message).toContain('no new finalizers can be added')
    })

    it('of a claim that nobody uses ends at once', async () => {
      const { api, claims } = use()
      await api.post(claims, claim('unused'))
      const { body } = await api.delete(`${claims}/unused`)

      expect(body.kind).toBe('PersistentVolumeClaim')
      expect(body.metadata.deletionTimestamp).toEqual(expect.any(String))
      await until(async () => (await api.get(`${claims}/unused`)).status === 404)
    })

    it('of a collection takes what its selector matches', async () => {
      const { api, widgets } = use()
      await api.post(widgets, widget('many-1', { size: 1 }, { labels: { batch: 'one' } }))
      await api.post(widgets, widget('many-2', { size: 1 }, { labels: { batch: 'two' } }))
      await api.delete(`${widgets}?labelSelector=batch%3Done`)
      const left = await api.get(`${widgets}?labelSelector=batch`)

      const names = left.body.items.map((w: { metadata: { name: string } }) => w.metadata.name)
      expect(names).toEqual(['many-2'])
    })

    it('of a namespace takes its contents, and nothing new comes in', async () => {
      const { api, prefix } = use()
      const path = `/api/v1/namespaces/${prefix}-ending`
      await api.post('/api/v1/namespaces', { metadata: { name: `${prefix}-ending` } })
      const kept = configMap('kept', {}, { finalizers: [FINALIZER] })
      await api.post(`${path}/configmaps`, kept)
      const deleted = await api.delete(path)
      const late = await api.post(`${path}/configmaps`, configMap('late'))
      await until(async () => {
        const { body } = await api.get(`${path}/configmaps/kept`)
        return body.metadata.deletionTimestamp !== undefined
      })
      await api.patch(`${path}/configmaps/kept`, { metadata: { finalizers: null } })

      expect(deleted.body.status.phase).toBe('Terminating')
      expect([late.status, late.body.reason]).toEqual([403, 'Forbidden'])
      expect(late.body.details.causes[0].reason).toBe('NamespaceTerminating')
      await until(async () => (await api.get(path)).status === 404)
    })
  })
}
