import { beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './apiserver-client.ts'
import { configMap, widget } from './apiserver-fixtures.ts'
import type { Setup } from './apiserver-setup.ts'

/** Watches. */
export function watchContract(use: () => Setup) {
  const query = (values: Record<string, string>) =>
    String(new URLSearchParams({ watch: '1', timeoutSeconds: '15', ...values }))
  const seen = (events: Json[]) => events.map((e) => [e.type, e.object.metadata.name])
  const version = async (path: string) => (await use().api.get(path)).body.metadata.resourceVersion
  const count = (n: number) => (events: Json[]) => events.length >= n

  describe('a watch', () => {
    it('reports what happens after its version, with the version of each event', async () => {
      const { api, widgets } = use()
      const resourceVersion = await version(widgets)
      const select = { labelSelector: 'watch=life', resourceVersion }
      const path = `${widgets}/watch-life`
      const events = await api.watch(`${widgets}?${query(select)}`, count(3), async () => {
        await api.post(widgets, widget('watch-life', { size: 1 }, { labels: { watch: 'life' } }))
        await api.patch(path, { spec: { size: 2 } })
        await api.delete(path)
      })

      expect(events.map((e) => [e.type, e.object.kind, e.object.spec.size])).toEqual([
        ['ADDED', 'Widget', 1],
        ['MODIFIED', 'Widget', 2],
        ['DELETED', 'Widget', 2],
      ])
      const versions = events.map((e) => Number(e.object.metadata.resourceVersion))
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
      expect(versions[0]).toBeGreaterThan(Number(resourceVersion))
    })

    it('resumes without losing what happened in between', async () => {
      const { api, widgets } = use()
      const resourceVersion = await version(widgets)
      const labels = { watch: 'gap' }
      await api.post(widgets, widget('watch-gap', { size: 1 }, { labels }))
      await api.delete(`${widgets}/watch-gap`)
      const select = { labelSelector: 'watch=gap', resourceVersion }
      const events = await api.watch(`${widgets}?${query(select)}`, count(2))

      expect(seen(events)).toEqual([
        ['ADDED', 'watch-gap'],
        ['DELETED', 'watch-gap'],
      ])
    })

    it('shows an object that begins to match as added, and one that ceases to as deleted', async () => {
      const { api, widgets } = use()
      await api.post(widgets, widget('watch-turn'))
      const select = { labelSelector: 'watch=turn', resourceVersion: await version(widgets) }
      const path = `${widgets}/watch-turn`
      const events = await api.watch(`${widgets}?${query(select)}`, count(2), async () => {
        await api.patch(path, { metadata: { labels: { watch: 'turn' } } })
        await api.patch(path, { metadata: { labels: { watch: null } } })
      })
      const now = await api.get(path)

      expect(seen(events)).toEqual([
        ['ADDED', 'watch-turn'],
        ['DELETED', 'watch-turn'],
      ])
      // the deletion shows the last state that matched, at the version of the change
      expect(events[1].object.metadata).toMatchObject({
        labels: { watch: 'turn' },
        resourceVersion: now.body.metadata.resourceVersion,
      })
    })

    it.each(['', '0'])('from version "%s" begins with what is there', async (resourceVersion) => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('watch-there', {}, { labels: { watch: 'there' } }))
      const select = { labelSelector: 'watch=there', resourceVersion }
      const events = await api.watch(`${configmaps}?${query(select)}`, count(1))

      expect(seen(events)).toEqual([['ADDED', 'watch-there']])
      expect(events[0].object.kind).toBe('ConfigMap')
    })

    it('marks the end of the first objects when asked to send them', async () => {
      const { api, configmaps } = use()
      await api.post(configmaps, configMap('watch-first', {}, { labels: { watch: 'first' } }))
      const select = {
        labelSelector: 'watch=first',
        sendInitialEvents: 'true',
        resourceVersionMatch: 'NotOlderThan',
        allowWatchBookmarks: 'true',
      }
      const events = await api.watch(`${configmaps}?${query(select)}`, count(2))

      expect(events.map((e) => e.type)).toEqual(['ADDED', 'BOOKMARK'])
      expect(events[1].object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    })

    it('of one object sees no other', async () => {
      const { api, configmaps } = use()
      const resourceVersion = await version(configmaps)
      const select = { fieldSelector: 'metadata.name=watch-one', resourceVersion }
      const events = await api.watch(`${configmaps}?${query(select)}`, count(1), async () => {
        await api.post(configmaps, configMap('watch-other'))
        await api.post(configmaps, configMap('watch-one'))
      })

      expect(seen(events)).toEqual([['ADDED', 'watch-one']])
    })

    it('across namespaces reports the namespace', async () => {
      const { api, configmaps, namespace } = use()
      const resourceVersion = await version(configmaps)
      const select = { labelSelector: 'watch=all', resourceVersion }
      const events = await api.watch(`/api/v1/configmaps?${query(select)}`, count(1), () =>
        api.post(configmaps, configMap('watch-all', {}, { labels: { watch: 'all' } })),
      )

      expect(events[0].object.metadata.namespace).toBe(namespace)
    })

    it('ends cleanly after its timeout', async () => {
      const { api, widgets } = use()
      const values = { timeoutSeconds: '1', resourceVersion: await version(widgets) }
      const events = await api.watch(`${widgets}?${query(values)}`, () => false)

      expect(events).toEqual([])
    })

    it('shows the last step of an object held by a finalizer', async () => {
      const { api, widgets } = use()
      const metadata = { finalizers: ['couchestor.io/contract'], labels: { watch: 'held' } }
      const select = { labelSelector: 'watch=held', resourceVersion: await version(widgets) }
      const events = await api.watch(`${widgets}?${query(select)}`, count(3), async () => {
        await api.post(widgets, widget('watch-held', { size: 1 }, metadata))
        await api.delete(`${widgets}/watch-held`)
        await api.patch(`${widgets}/watch-held`, { metadata: { finalizers: null } })
      })

      expect(events.map((e) => [e.type, 'deletionTimestamp' in e.object.metadata])).toEqual([
        ['ADDED', false],
        ['MODIFIED', true],
        ['DELETED', true],
      ])
    })
  })

  describe('a version that is too old', () => {
    beforeAll(() => use().forgetHistory())

    it('is refused by a watch with an ERROR event in the stream', async () => {
      const { api, widgets } = use()
      const events = await api.watch(`${widgets}?${query({ resourceVersion: '1' })}`, count(1))

      expect(events).toHaveLength(1)
      expect(events[0]).toMatchObject({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired', status: 'Failure' },
      })
      expect(events[0].object.message).toMatch(/^too old resource version: 1 \(\d+\)$/)
    })

    it('is refused by an exact list with 410 Expired', async () => {
      const { api, widgets } = use()
      const { status, body } = await api.get(
        `${widgets}?resourceVersion=1&resourceVersionMatch=Exact`,
      )

      expect([status, body.reason]).toEqual([410, 'Expired'])
    })

    it('is refused in a continue token with 410, which offers to go on all the same', async () => {
      const { api, widgets } = use()
      const token = (rv: number) =>
        Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv, start: 'list-c\0' })).toString(
          'base64url',
        )
      const refused = await api.get(`${widgets}?limit=500&continue=${token(1)}`)
      const goOn = refused.body.metadata.continue
      const rest = await api.get(`${widgets}?limit=500&continue=${goOn}`)

      expect([refused.status, refused.body.reason]).toEqual([410, 'Expired'])
      expect(rest.status).toBe(200)
    })
  })
}
