import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'

const REFUSED = /^Invalid volume: Retype needs volume to be in available or in-use state/

/** The move between tiers: what is refused at once, what fails silently, what succeeds. */
export function retypeCases(get: () => CinderFixture): void {
  describe('retype', () => {
    it('moves a volume to another backend: same id, new type, updated_at changed', async () => {
      const { volume, retype, show, settle, asAdmin, typeId, cloud } = get()
      const id = await volume('hot')
      const before = await show(id)
      await cloud.pass(1100)
      const answer = await retype(id, typeId.warm, 'on-demand')
      expect(answer.status).toBe(202)
      expect(answer.text).toBe('')
      const after = await settle(id)
      expect(after).toMatchObject({
        id,
        status: 'available',
        volume_type: 'couchestor-warm',
        volume_type_id: typeId.warm,
        size: 1,
        name: before.name,
        created_at: before.created_at,
        availability_zone: before.availability_zone,
      })
      expect(after.updated_at > before.updated_at).toBe(true)
      const whole = await asAdmin(id)
      expect(whole.migration_status).toBe('success')
      expect(whole['os-vol-host-attr:host']).toMatch(/^\S+@warm#\S+$/)
    })

    it('takes a type by name too', async () => {
      const { volume, retype, settle } = get()
      const id = await volume('cold')
      expect((await retype(id, 'couchestor-hot', 'on-demand')).status).toBe(202)
      expect((await settle(id)).volume_type).toBe('couchestor-hot')
    })

    it('shows retyping by the time the 202 is there', async () => {
      const { volume, retype, show, settle, typeId, cloud } = get()
      const id = await volume('hot')
      const { status, volume_type } = await cloud.underWay(async () => {
        await retype(id, typeId.cold, 'on-demand')
        return show(id)
      })
      expect([status, volume_type]).toEqual(['retyping', 'couchestor-hot'])
      await settle(id)
    })

    it('with the policy never is accepted, and silently not done', async () => {
      const { volume, retype, settle, typeId, member } = get()
      const id = await volume('hot')
      expect((await retype(id, typeId.warm, 'never')).status).toBe(202)
      expect(await settle(id)).toMatchObject({
        status: 'available',
        volume_type: 'couchestor-hot',
      })
      const { body } = await member.cinder('GET', `/messages?resource_uuid=${id}`)
      expect(body.messages).toEqual([])
    })

    it('without a policy is as with never', async () => {
      const { volume, retype, settle, typeId } = get()
      const id = await volume('hot')
      expect((await retype(id, typeId.warm)).status).toBe(202)
      expect((await settle(id)).volume_type).toBe('couchestor-hot')
    })

    it('of a volume with a snapshot is accepted, and silently not done', async () => {
      const { volume, snapshot, dropSnapshot, retype, settle, typeId, member } = get()
      const id = await volume('hot')
      const snap = await snapshot(id)
      expect((await retype(id, typeId.warm, 'on-demand')).status).toBe(202)
      expect(await settle(id)).toMatchObject({
        status: 'available',
        volume_type: 'couchestor-hot',
      })
      const { body } = await member.cinder('GET', `/messages?resource_uuid=${id}`)
      expect(body.messages).toEqual([])
      await dropSnapshot(snap)
    })

    it('inside one backend is done with the policy never, snapshots and all', async () => {
      const { volume, snapshot, dropSnapshot, retype, settle } = get()
      const id = await volume('hot')
      const snap = await snapshot(id)
      // the default type names no backend, so that every backend fits it
      expect((await retype(id, '__DEFAULT__', 'never')).status).toBe(202)
      expect((await settle(id)).volume_type).toBe('__DEFAULT__')
      await dropSnapshot(snap)
    })

    it('to the type it has is 400', async () => {
      const { volume, retype, typeId } = get()
      const answer = await retype(await volume('hot'), typeId.hot, 'on-demand')
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toMatch(REFUSED)
    })

    it('while it is under way is 400', async () => {
      const { volume, retype, settle, typeId, cloud } = get()
      const id = await volume('hot')
      const answer = await cloud.underWay(async () => {
        await retype(id, typeId.warm, 'on-demand')
        return retype(id, typeId.cold, 'on-demand')
      })
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toMatch(REFUSED)
      await settle(id)
    })

    it('to an unknown type is 404', async () => {
      const { volume, retype } = get()
      const answer = await retype(await volume('hot'), 'nope', 'on-demand')
      expect(answer.status).toBe(404)
      expect(answer.body.itemNotFound.message).toBe(
        'Volume type with name nope could not be found.',
      )
    })

    it.each<[string, object, RegExp]>([
      ['no type', {}, /'new_type' is a required property$/],
      ['a null policy', { new_type: 'x', migration_policy: null }, /Value: None\. None is not one/],
      [
        'an unknown policy',
        { new_type: 'x', migration_policy: 'x' },
        /'x' is not one of \['on-demand', 'never'\]$/,
      ],
      ['another key', { new_type: 'x', zz: 1 }, /\('zz' was unexpected\)$/],
    ])('with %s is 400', async (_, input, message) => {
      const { volume, act } = get()
      const answer = await act(await volume('hot'), { 'os-retype': input })
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toMatch(message)
    })

    it('of a volume that is not there is 404', async () => {
      const id = '00000000-0000-0000-0000-000000000000'
      const answer = await get().retype(id, 'couchestor-warm')
      expect(answer.status).toBe(404)
      expect(answer.body.itemNotFound.message).toBe(`Volume ${id} could not be found.`)
    })

    it.each(['error', 'awaiting-transfer', 'retyping'])(
      'of a volume in status %s is 400',
      async (status) => {
        const { volume, retype, admin, typeId } = get()
        const id = await volume('hot')
        const reset = async (to: string) =>
          admin.cinder('POST', `/volumes/${id}/action`, {
            body: { 'os-reset_status': { status: to } },
          })
        expect((await reset(status)).status).toBe(202)
        const answer = await retype(id, typeId.warm, 'on-demand')
        await reset('available')
        expect(answer.status).toBe(400)
        expect(answer.body.badRequest.message).toMatch(REFUSED)
      },
    )

    it('keeps everything else away from the volume while it runs', async () => {
      const { volume, retype, act, settle, member, typeId, cloud } = get()
      const id = await volume('hot')
      const answers = await cloud.underWay(async () => {
        await retype(id, typeId.warm, 'on-demand')
        return {
          extend: await act(id, { 'os-extend': { new_size: 2 } }),
          snapshot: await member.cinder('POST', '/snapshots', {
            body: { snapshot: { volume_id: id } },
          }),
          attach: await member.cinder('POST', '/attachments', {
            body: { attachment: { volume_uuid: id, instance_uuid: id } },
          }),
          remove: await member.cinder('DELETE', `/volumes/${id}`),
        }
      })
      expect(Object.values(answers).map((answer) => answer.status)).toEqual([400, 400, 400, 400])
      expect(answers.attach.body.badRequest.message).toContain('the current status is retyping')
      await settle(id)
    })
  })
}
