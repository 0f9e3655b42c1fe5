import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'

/** Snapshots, and the volumes made from them. */
export function snapshotCases(get: () => CinderFixture): void {
  describe('snapshots', () => {
    it('are listed by volume', async () => {
      const { volume, snapshot, member } = get()
      const id = await volume('hot')
      const snap = await snapshot(id)
      const { body } = await member.cinder('GET', `/snapshots/detail?volume_id=${id}`)
      expect(body.snapshots).toHaveLength(1)
      expect(body.snapshots[0]).toMatchObject({
        id: snap,
        volume_id: id,
        status: 'available',
        size: 1,
      })
      const paged = await member.cinder('GET', `/snapshots/detail?volume_id=${id}&limit=1`)
      const next = new URL(paged.body.snapshots_links[0].href)
      expect(next.searchParams.get('marker')).toBe(snap)
    })

    it('keep their volume from being deleted', async () => {
      const { volume, snapshot, member } = get()
      const id = await volume('hot')
      await snapshot(id)
      const answer = await member.cinder('DELETE', `/volumes/${id}`)
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toMatch(/^Invalid volume: Volume status must be/)
    })

    it('of another project are 404', async () => {
      const { volume, snapshot, other } = get()
      const snap = await snapshot(await volume('hot'))
      expect((await other.cinder('GET', `/snapshots/${snap}`)).status).toBe(404)
    })

    it('are refused of an unknown volume, and with the force flag from 3.66', async () => {
      const { volume, member } = get()
      const none = '00000000-0000-0000-0000-000000000000'
      const unknown = { body: { snapshot: { volume_id: none } } }
      expect((await member.cinder('POST', '/snapshots', unknown)).status).toBe(404)
      const forced = { body: { snapshot: { volume_id: await volume('hot'), force: false } } }
      expect((await member.cinder('POST', '/snapshots', forced)).status).toBe(400)
    })

    it('become volumes of their own type only, on their own backend', async () => {
      const { volume, snapshot, member, typeId } = get()
      const snap = await snapshot(await volume('hot'))
      const body = { volume: { snapshot_id: snap, volume_type: typeId.cold } }
      const refused = await member.cinder('POST', '/volumes', { body })
      expect(refused.status).toBe(400)
      expect(refused.body.badRequest.message).toBe(
        `Invalid input received: Invalid volume_type provided: ${typeId.cold} (requested type is not compatible; recommend omitting the type argument).`,
      )
    })

    it('make a clone, stay while it shares their blocks, and say so in a message', async () => {
      const { volume, snapshot, show, member, until } = get()
      const parent = await volume('hot')
      const snap = await snapshot(parent)
      const clone = await volume('hot', { snapshot_id: snap, volume_type: undefined })
      expect(await show(clone)).toMatchObject({
        status: 'available',
        snapshot_id: snap,
        volume_type: 'couchestor-hot',
        metadata: {},
      })
      expect((await member.cinder('DELETE', `/snapshots/${snap}`)).status).toBe(202)
      await until('the refusal', async () => {
        const { body } = await member.cinder('GET', `/messages?resource_uuid=${snap}`)
        return body.messages.length > 0
      })
      const kept = await member.cinder('GET', `/snapshots/${snap}`)
      expect(kept.body.snapshot.status).toBe('available')
      const { body } = await member.cinder('GET', `/messages?resource_uuid=${snap}`)
      expect(body.messages[0]).toMatchObject({
        event_id: 'VOLUME_VOLUME_SNAPSHOT_010_015',
        resource_type: 'VOLUME_SNAPSHOT',
        message_level: 'ERROR',
      })
      const deleted = await member.cinder('DELETE', `/volumes/${clone}`)
      expect([deleted.status, deleted.text]).toEqual([202, ''])
      // what only looks like the page of a proxy
      expect(deleted.headers['content-type']).toMatch(/^text\/html/)
      expect(deleted.headers['content-length']).toBe('0')
      await until('the clone to go', async () => {
        const { status } = await member.cinder('GET', `/volumes/${clone}`)
        return status === 404
      })
    })

    it('let their clone move to another tier by a retype', async () => {
      const { volume, snapshot, retype, settle, typeId, dropSnapshot } = get()
      const snap = await snapshot(await volume('hot'))
      const clone = await volume('hot', { snapshot_id: snap, volume_type: undefined })
      await retype(clone, typeId.cold, 'on-demand')
      expect((await settle(clone)).volume_type).toBe('couchestor-cold')
      await dropSnapshot(snap)
    })
  })
}
