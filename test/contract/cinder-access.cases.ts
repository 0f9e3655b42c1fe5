import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'

/** A retype counts against both types by name, and needs to see both. */
export function accessCases(get: () => CinderFixture): void {
  const setPublic = (type: string, is_public: boolean) =>
    get().admin.cinder('PUT', `/types/${type}`, { body: { volume_type: { is_public } } })
  const seen = async () => {
    const { body } = await get().member.cinder('GET', '/types?is_public=None')
    return body.volume_types.map((t: { name: string }) => t.name)
  }
  const reserved = async (key: string): Promise<number> => {
    const { member } = get()
    const { body } = await member.cinder('GET', `/os-quota-sets/${member.projectId}?usage=True`)
    return body.quota_set[key].reserved
  }

  describe('a type without access', () => {
    it('is in no list of the project, and in its quota set all the same', async () => {
      const { typeId } = get()
      try {
        expect((await setPublic(typeId.cold, false)).status).toBe(200)
        expect(await seen()).not.toContain('couchestor-cold')
        expect(await reserved('gigabytes_couchestor-cold')).toEqual(expect.any(Number))
      } finally {
        await setPublic(typeId.cold, true)
      }
      expect(await seen()).toContain('couchestor-cold')
    })

    it('as the target is 404, and touches nothing', async () => {
      const { volume, retype, show, typeId } = get()
      const id = await volume('warm')
      const before = await reserved('volumes_couchestor-cold')
      try {
        await setPublic(typeId.cold, false)
        const answer = await retype(id, typeId.cold, 'on-demand')
        expect(answer.status).toBe(404)
        expect(answer.body.itemNotFound.message).toMatch(/^Volume type \S+ could not be found\.$/)
      } finally {
        await setPublic(typeId.cold, true)
      }
      expect(await show(id)).toMatchObject({ status: 'available', volume_type: 'couchestor-warm' })
      expect(await reserved('volumes_couchestor-cold')).toBe(before)
    })

    it('as the type that the volume has is 500, leaves it retyping, and its reservation behind', async () => {
      const { volume, retype, settle, show, typeId } = get()
      const id = await volume('warm')
      // as after an earlier move
      await retype(id, typeId.hot, 'on-demand')
      await settle(id)
      const before = await reserved('volumes_couchestor-cold')
      try {
        await setPublic(typeId.hot, false)
        const answer = await retype(id, typeId.cold, 'on-demand')
        expect(answer.status).toBe(500)
        expect(answer.body.computeFault.code).toBe(500)
        expect((await show(id)).status).toBe('retyping')
      } finally {
        await setPublic(typeId.hot, true)
      }
      expect(await reserved('volumes_couchestor-cold')).toBe(before + 1)
    })
  })

  it("an administrator's retype of another project's volume that fails leaves its reservation there", async () => {
    const { admin, volume, retype, settle, member, typeId } = get()
    const id = await volume('warm')
    const before = await reserved('volumes_couchestor-cold')
    const body = { 'os-retype': { new_type: typeId.cold, migration_policy: 'never' } }
    expect((await admin.cinder('POST', `/volumes/${id}/action`, { body })).status).toBe(202)
    expect((await settle(id)).volume_type).toBe('couchestor-warm')
    expect(await reserved('volumes_couchestor-cold')).toBe(before + 1)
    // the same by the project's own token gives it back
    expect((await retype(id, typeId.hot, 'never')).status).toBe(202)
    await settle(id)
    expect(await reserved('volumes_couchestor-hot')).toEqual(expect.any(Number))
    expect((await admin.cinder('GET', `/volumes/${id}`)).body.volume).toMatchObject({
      'os-vol-tenant-attr:tenant_id': member.projectId,
    })
  })
}
