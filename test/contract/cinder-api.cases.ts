import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'
import { call } from './raw-http.ts'
import type { Json } from './raw-http.ts'

const NOBODY = '00000000-0000-0000-0000-000000000000'
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000000$/

/** Versions, authentication, error bodies, and what a member sees of a volume. */
export function apiCases(get: () => CinderFixture): void {
  describe('versions and authentication', () => {
    it('reports its versions at / to everyone, with status 300', async () => {
      const answer = await call('GET', `${new URL(get().member.volumeUrl).origin}/`)
      expect(answer.status).toBe(300)
      expect(answer.body.versions[0]).toMatchObject({ id: 'v3.0', min_version: '3.0' })
      expect(answer.body.versions[0].version).toMatch(/^3\.\d+$/)
    })

    it('reports its versions at /v3/ to known users', async () => {
      const { token, volumeUrl } = get().member
      const url = `${new URL(volumeUrl).origin}/v3/`
      expect((await call('GET', url)).status).toBe(401)
      const answer = await call('GET', url, { token })
      expect(answer.status).toBe(200)
      expect(answer.body.versions[0].id).toBe('v3.0')
    })

    it.each([
      ['no token', undefined],
      ['an invalid token', 'nope'],
    ])('answers 401 to %s', async (_, token) => {
      const answer = await call('GET', `${get().member.volumeUrl}/types`, { token, minor: 66 })
      expect(answer.status).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri=/)
      expect(answer.body.error).toMatchObject({ code: 401, title: 'Unauthorized' })
    })

    it('echoes the microversion and reports a request id', async () => {
      const answer = await get().member.cinder('GET', '/types', { minor: 60 })
      expect(answer.headers['openstack-api-version']).toBe('volume 3.60')
      expect(answer.headers['vary']).toBe('OpenStack-API-Version')
      expect(answer.headers['x-openstack-request-id']).toMatch(/^req-[0-9a-f-]{36}$/)
    })

    it('speaks 3.0 when no microversion is asked for', async () => {
      const answer = await get().member.cinder('GET', '/types', { minor: undefined })
      expect(answer.headers['openstack-api-version']).toBe('volume 3.0')
    })

    it('answers 406 to a microversion it does not have', async () => {
      const answer = await get().member.cinder('GET', '/types', { minor: 999 })
      expect(answer.status).toBe(406)
      expect(answer.body.computeFault.message).toMatch(
        /^Version 3\.999 is not supported by the API\. Minimum is 3\.0 and maximum is 3\.\d+\.$/,
      )
    })

    it.each([['volume x.y'], ['block-storage 3.60']])(
      'answers 400 to the version header "%s"',
      async (text) => {
        const headers = { 'openstack-api-version': text }
        const answer = await get().member.cinder('GET', '/types', { minor: undefined, headers })
        expect(answer.status).toBe(400)
        expect(answer.body.badRequest.code).toBe(400)
      },
    )

    it.each([
      ['GET', '/messages', 2],
      ['GET', '/attachments', 26],
      ['GET', '/volumes/summary', 11],
    ])('answers 404 to %s %s at 3.%i, which does not have it yet', async (method, path, minor) => {
      const answer = await get().member.cinder(method, path, { minor })
      expect(answer.status).toBe(404)
      expect(answer.body.itemNotFound.message).toBe('The resource could not be found.')
    })

    it('answers 404 without JSON to a path it does not know', async () => {
      const answer = await get().member.cinder('GET', '/nope')
      expect(answer.status).toBe(404)
      expect(answer.headers['content-type']).toMatch(/^text\/html/)
    })

    it('answers 400 to the URL of a project that is not the token’s', async () => {
      const { member, other } = get()
      const answer = await call('GET', `${other.volumeUrl}/types`, { token: member.token })
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toBe('Malformed request url')
    })

    it('needs no project in the URL', async () => {
      const { member } = get()
      const url = `${new URL(member.volumeUrl).origin}/v3/types`
      expect((await call('GET', url, { token: member.token, minor: 67 })).status).toBe(200)
    })
  })

  describe('what only administrators may do', () => {
    it.each([
      ['GET', '/scheduler-stats/get_pools', undefined],
      ['GET', '/os-services', undefined],
      ['PUT', '/os-quota-sets/{project}', { quota_set: { volumes: 5 } }],
      ['GET', '/os-quota-sets/{other}', undefined],
    ])('%s %s is 403 for a member', async (method, path, body) => {
      const { member, other } = get()
      const url = path.replace('{project}', member.projectId).replace('{other}', other.projectId)
      const answer = await member.cinder(method, url, { body })
      expect(answer.status).toBe(403)
      expect(answer.body.forbidden.message).toMatch(/^Policy doesn't allow \S+ to be performed\.$/)
    })

    it('the administrator sees pools with their capacity', async () => {
      const answer = await get().admin.cinder('GET', '/scheduler-stats/get_pools?detail=True')
      const names = answer.body.pools.map((p: Json) => p.capabilities.volume_backend_name)
      expect(names.toSorted()).toEqual(expect.arrayContaining(['cold', 'hot', 'warm']))
      for (const pool of answer.body.pools) {
        expect(pool.name).toMatch(/^\S+@\S+#\S+$/)
        expect(typeof pool.capabilities.total_capacity_gb).toBe('number')
        expect(typeof pool.capabilities.free_capacity_gb).toBe('number')
      }
    })

    it('the administrator sees services', async () => {
      const { admin, until } = get()
      let states: string[] = []
      // one that stood still for a while is down until its next report
      await until('all services to be up', async () => {
        const { body } = await admin.cinder('GET', '/os-services')
        states = body.services
          .filter((s: Json) => s.binary === 'cinder-volume')
          .map((s: Json) => s.state)
        return states.every((state) => state === 'up')
      })
      expect(states).toHaveLength(3)
    })
  })

  describe('volume types', () => {
    it('shows a member the types without extra specs', async () => {
      const { member, typeId } = get()
      const { body } = await member.cinder('GET', '/types')
      const hot = body.volume_types.find((t: Json) => t.id === typeId.hot)
      expect(hot).toMatchObject({ name: 'couchestor-hot', is_public: true })
      expect(hot).not.toHaveProperty('extra_specs')
      const specs = await member.cinder('GET', `/types/${typeId.hot}/extra_specs`)
      expect(specs.body).toEqual({ extra_specs: {} })
    })

    it('are paged, with a link of another name than other lists', async () => {
      const { member } = get()
      const all = (await member.cinder('GET', '/types')).body.volume_types
      const first = await member.cinder('GET', '/types?limit=1')
      expect(first.body.volume_types).toEqual([all[0]])
      const { searchParams } = new URL(first.body.volume_type_links[0].href)
      expect(searchParams.get('marker')).toBe(all[0].id)
      const second = await member.cinder('GET', `/types?${searchParams.toString()}`)
      expect(second.body.volume_types).toEqual([all[1]])
    })

    it('shows an administrator the backend of a type', async () => {
      const { admin, typeId } = get()
      const { body } = await admin.cinder('GET', `/types/${typeId.hot}`)
      expect(body.volume_type.extra_specs).toEqual({ volume_backend_name: 'hot' })
    })

    it('answers 404 to an unknown type', async () => {
      const answer = await get().member.cinder('GET', '/types/nope')
      expect(answer.status).toBe(404)
      expect(answer.body.itemNotFound.message).toBe('Volume type nope could not be found.')
    })
  })

  describe('a volume', () => {
    it('is created as it was asked for, and is available after a while', async () => {
      const { member, settle, until, typeId, cloud } = get()
      const answer = await member.cinder('POST', '/volumes', {
        body: {
          volume: {
            name: `${cloud.prefix}-made`,
            size: 1,
            volume_type: typeId.warm,
            metadata: { a: 'b' },
          },
        },
      })
      expect(answer.status).toBe(202)
      const { volume } = answer.body
      expect(volume).toMatchObject({ status: 'creating', updated_at: null, metadata: { a: 'b' } })
      expect(await settle(volume.id)).toMatchObject({
        status: 'available',
        volume_type: 'couchestor-warm',
      })
      expect((await member.cinder('DELETE', `/volumes/${volume.id}`)).status).toBe(202)
      await until('the volume to go', async () => {
        const { status } = await member.cinder('GET', `/volumes/${volume.id}`)
        return status === 404
      })
    })

    it('reports times without a zone, bootable as text, and the type by name and id', async () => {
      const { volume, show, typeId, member } = get()
      const id = await volume('hot')
      const seen = await show(id)
      expect(seen).toMatchObject({
        id,
        size: 1,
        status: 'available',
        bootable: 'false',
        encrypted: false,
        multiattach: false,
        attachments: [],
        volume_type: 'couchestor-hot',
        volume_type_id: typeId.hot,
        group_id: null,
        consumes_quota: true,
        availability_zone: 'nova',
        'os-vol-tenant-attr:tenant_id': member.projectId,
      })
      expect(seen.created_at).toMatch(TIME)
      expect(seen.updated_at).toMatch(TIME)
    })

    it('hides from members what administrators see', async () => {
      const { volume, show, asAdmin } = get()
      const id = await volume('hot')
      const seen = await show(id)
      const hidden = [
        'migration_status',
        'os-vol-host-attr:host',
        'os-vol-mig-status-attr:migstat',
        'os-vol-mig-status-attr:name_id',
      ]
      for (const field of hidden) expect(seen).not.toHaveProperty([field])
      const whole = await asAdmin(id)
      for (const field of hidden) expect(whole).toHaveProperty([field])
      expect(whole['os-vol-host-attr:host']).toMatch(/^\S+@hot#\S+$/)
    })

    it('shows fields only from the microversion that has them', async () => {
      const { volume, member } = get()
      const id = await volume('hot')
      const at = async (minor: number) =>
        (await member.cinder('GET', `/volumes/${id}`, { minor })).body.volume
      expect(await at(12)).not.toHaveProperty('group_id')
      expect(await at(62)).not.toHaveProperty('volume_type_id')
      expect(await at(64)).not.toHaveProperty('consumes_quota')
      expect(await at(63)).toHaveProperty('volume_type_id')
    })

    it('of another project is 404, for every request', async () => {
      const { volume, other } = get()
      const id = await volume('hot')
      const shown = await other.cinder('GET', `/volumes/${id}`)
      expect(shown.status).toBe(404)
      expect(shown.body.itemNotFound.message).toBe(`Volume ${id} could not be found.`)
      const body = { 'os-retype': { new_type: 'couchestor-warm' } }
      const moved = await other.cinder('POST', `/volumes/${id}/action`, { body })
      expect(moved.status).toBe(404)
      expect((await other.cinder('DELETE', `/volumes/${id}`)).status).toBe(404)
    })

    it.each<[string, unknown, number, RegExp]>([
      ['an empty body', {}, 400, /^'volume' is a required property$/],
      ['no JSON', '{x', 400, /^Malformed request body$/],
      ['no size', { volume: { name: 'x' } }, 400, /^The server could not comply/],
      ['size 0', { volume: { size: 0 } }, 400, /0 is less than the minimum of 1$/],
      [
        'an unknown type',
        { volume: { size: 1, volume_type: 'nope' } },
        404,
        /^Volume type with name nope could not be found\.$/,
      ],
      [
        'an unknown zone',
        { volume: { size: 1, availability_zone: 'nope' } },
        400,
        /^Availability zone 'nope' is invalid\.$/,
      ],
      ['an unknown key', { volume: { size: 1, zz: 1 } }, 400, /'zz' was unexpected/],
      [
        'an unknown snapshot',
        { volume: { snapshot_id: NOBODY } },
        404,
        /^Snapshot \S+ could not be found\.$/,
      ],
      [
        'an unknown source',
        { volume: { source_volid: NOBODY } },
        404,
        /^Volume \S+ could not be found\.$/,
      ],
    ])('is refused with %s', async (_, body, status, message) => {
      const answer = await get().member.cinder('POST', '/volumes', { body })
      expect(answer.status).toBe(status)
      const fault = answer.body[status === 404 ? 'itemNotFound' : 'badRequest']
      expect(fault.code).toBe(status)
      expect(fault.message).toMatch(message)
    })

    it('keeps metadata: merged by POST, replaced by PUT, a key removed by DELETE', async () => {
      const { volume, member, show } = get()
      const id = await volume('hot', { metadata: { k: 'v' } })
      const at = `/volumes/${id}/metadata`
      await member.cinder('POST', at, { body: { metadata: { a: 'b' } } })
      expect((await show(id)).metadata).toEqual({ a: 'b', k: 'v' })
      const replaced = await member.cinder('PUT', at, { body: { metadata: { c: 'd' } } })
      expect(replaced.body).toEqual({ metadata: { c: 'd' } })
      expect((await member.cinder('DELETE', `${at}/c`)).status).toBe(200)
      expect((await member.cinder('DELETE', `${at}/c`)).status).toBe(404)
      const bad = await member.cinder('POST', at, { body: { metadata: { a: 1 } } })
      expect(bad.status).toBe(400)
    })

    it('grows, and never shrinks', async () => {
      const { volume, act, settle } = get()
      const id = await volume('hot')
      const same = await act(id, { 'os-extend': { new_size: 1 } })
      expect(same.status).toBe(400)
      expect(same.body.badRequest.message).toContain('must be greater than current size')
      expect((await act(id, { 'os-extend': { new_size: 2 } })).status).toBe(202)
      expect(await settle(id)).toMatchObject({ size: 2, status: 'available' })
    })

    it('becomes bootable, reported as text', async () => {
      const { volume, act, show } = get()
      const id = await volume('hot')
      expect((await act(id, { 'os-set_bootable': { bootable: true } })).status).toBe(200)
      expect((await show(id)).bootable).toBe('true')
    })

    it.each([
      ['os-reset_status', { status: 'error' }],
      ['os-migrate_volume', { host: 'a@b#c' }],
      ['os-force_delete', {}],
    ])('refuses a member the action %s', async (action, input) => {
      const { volume, act } = get()
      expect((await act(await volume('hot'), { [action]: input })).status).toBe(403)
    })

    it.each<[string, object]>([
      ['unknown', { 'os-foo': {} }],
      ['missing', {}],
      ['two at once', { 'os-foo': {}, 'os-extend': { new_size: 2 } }],
    ])('answers 400 to an action that is %s', async (_, body) => {
      const { volume, act } = get()
      expect((await act(await volume('hot'), body)).status).toBe(400)
    })
  })
}
