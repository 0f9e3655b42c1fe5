import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'

const SERVER = '11111111-1111-4111-8111-111111111111'

/** Volumes in use, and transfers of idle ones. */
export function attachmentCases(get: () => CinderFixture): void {
  const reserve = (id: string) =>
    get().member.cinder('POST', '/attachments', {
      body: { attachment: { volume_uuid: id, instance_uuid: SERVER } },
    })
  const attach = async (id: string): Promise<string> => {
    const reserved = await reserve(id)
    const at: string = reserved.body.attachment.id
    await get().member.cinder('POST', `/attachments/${at}/action`, { body: { 'os-complete': {} } })
    return at
  }

  describe('attachments', () => {
    it('reserve a volume first, and then make it in-use', async () => {
      const { volume, member, show } = get()
      const id = await volume('hot')
      const reserved = await reserve(id)
      expect(reserved.status).toBe(200)
      expect(reserved.body.attachment).toMatchObject({ status: 'reserved', instance: SERVER })
      expect(await show(id)).toMatchObject({ status: 'reserved', attachments: [] })
      const at = reserved.body.attachment.id
      const completed = await member.cinder('POST', `/attachments/${at}/action`, {
        body: { 'os-complete': {} },
      })
      expect(completed.status).toBe(204)
      const seen = await show(id)
      expect(seen.status).toBe('in-use')
      expect(seen.attachments).toHaveLength(1)
      expect(seen.attachments[0]).toMatchObject({
        id,
        attachment_id: at,
        volume_id: id,
        server_id: SERVER,
      })
      expect((await member.cinder('DELETE', `/attachments/${at}`)).status).toBe(200)
      expect(await show(id)).toMatchObject({ status: 'available', attachments: [] })
    })

    it('keep their volume from being deleted or attached to another server', async () => {
      const { volume, member } = get()
      const id = await volume('hot')
      const at = await attach(id)
      expect((await member.cinder('DELETE', `/volumes/${id}`)).status).toBe(400)
      const second = await member.cinder('POST', '/attachments', {
        body: { attachment: { volume_uuid: id, instance_uuid: id } },
      })
      expect(second.status).toBe(400)
      expect(second.body.badRequest.message).toContain('the current status is in-use')
      await member.cinder('DELETE', `/attachments/${at}`)
    })

    it('let a snapshot be made, from 3.66 without a flag', async () => {
      const { volume, member, snapshot, dropSnapshot } = get()
      const id = await volume('hot')
      const at = await attach(id)
      const body = { snapshot: { volume_id: id } }
      expect((await member.cinder('POST', '/snapshots', { body, minor: 65 })).status).toBe(400)
      await dropSnapshot(await snapshot(id))
      await member.cinder('DELETE', `/attachments/${at}`)
    })

    it('of an unknown id are 404', async () => {
      expect((await get().member.cinder('GET', `/attachments/${SERVER}`)).status).toBe(404)
    })

    it('keep a retype with the policy never on the old type, in-use', async () => {
      const { volume, retype, settle, typeId, member } = get()
      const id = await volume('hot')
      const at = await attach(id)
      expect((await retype(id, typeId.warm, 'never')).status).toBe(202)
      const after = await settle(id)
      expect(after).toMatchObject({ status: 'in-use', volume_type: 'couchestor-hot' })
      expect(after.attachments).toHaveLength(1)
      await member.cinder('DELETE', `/attachments/${at}`)
    })

    it('do not stop this release from moving the data under its client', async () => {
      const { volume, retype, settle, typeId, member } = get()
      const id = await volume('hot')
      const at = await attach(id)
      expect((await retype(id, typeId.warm, 'on-demand')).status).toBe(202)
      const after = await settle(id)
      expect(after).toMatchObject({ status: 'in-use', volume_type: 'couchestor-warm' })
      expect(after.attachments).toHaveLength(1)
      await member.cinder('DELETE', `/attachments/${at}`)
    })
  })

  describe('transfers', () => {
    it('hand a volume to another project under the same id, with the key reported once', async () => {
      const { volume, member, other, show } = get()
      const id = await volume('hot')
      const answer = await member.cinder('POST', '/volume-transfers', {
        body: { transfer: { volume_id: id, name: `${get().cloud.prefix}-t` } },
      })
      expect(answer.status).toBe(202)
      const { transfer } = answer.body
      expect(transfer.auth_key).toMatch(/^[0-9a-f]{16}$/)
      expect((await show(id)).status).toBe('awaiting-transfer')
      const shown = await member.cinder('GET', `/volume-transfers/${transfer.id}`)
      expect(shown.body.transfer).not.toHaveProperty('auth_key')
      const accept = (key: string) =>
        other.cinder('POST', `/volume-transfers/${transfer.id}/accept`, {
          body: { accept: { auth_key: key } },
        })
      expect((await accept('0'.repeat(16))).status).toBe(400)
      expect((await accept(transfer.auth_key)).status).toBe(202)
      expect((await member.cinder('GET', `/volumes/${id}`)).status).toBe(404)
      const there = await other.cinder('GET', `/volumes/${id}`)
      expect(there.body.volume.status).toBe('available')
    })

    it('can be taken back', async () => {
      const { volume, member, show } = get()
      const id = await volume('hot')
      const { body } = await member.cinder('POST', '/volume-transfers', {
        body: { transfer: { volume_id: id } },
      })
      const at = `/volume-transfers/${body.transfer.id}`
      expect((await member.cinder('DELETE', at)).status).toBe(202)
      expect((await show(id)).status).toBe('available')
      expect((await member.cinder('GET', at)).status).toBe(404)
    })
  })
}
