import { beforeAll, describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'
import type { Json } from './raw-http.ts'

type Listed = { readonly id: string; readonly name: string; readonly created_at: string }

/** Paging, filters and sorting of the volume list. */
export function listCases(get: () => CinderFixture): void {
  describe('the list of volumes', () => {
    let mine: string[] = []
    beforeAll(async () => {
      const name = `${get().cloud.prefix}-list`
      mine = []
      for (let i = 0; i < 3; i++) mine.push(await get().volume('hot', { name }))
    })

    const list = async (query: string, detail = true, minor = 66) =>
      get().member.cinder('GET', `/volumes${detail ? '/detail' : ''}${query}`, { minor })
    const byName = () => `name=${get().cloud.prefix}-list`

    it('is newest first, and has id, name and links in its short form', async () => {
      const { body } = await list('', false)
      for (const volume of body.volumes)
        expect(Object.keys(volume).toSorted()).toEqual(['id', 'links', 'name'])
      const detail: Listed[] = (await list('')).body.volumes
      const keys = detail.map((v) => `${v.created_at} ${v.id}`)
      expect(keys).toEqual(keys.toSorted().toReversed())
    })

    it('goes page by page with the marker of the link, and may end in an empty page', async () => {
      const seen: string[] = []
      let query = `?limit=1&${byName()}`
      for (let page = 0; page < mine.length; page++) {
        const { body } = await list(query)
        seen.push(...body.volumes.map((v: Listed) => v.id))
        const [link] = body.volumes_links
        expect(link.rel).toBe('next')
        const params = new URL(link.href).searchParams
        expect(params.get('marker')).toBe(seen.at(-1))
        expect(params.get('limit')).toBe('1')
        query = `?${params.toString()}`
      }
      expect((await list(query)).body).toEqual({ volumes: [] })
      expect(seen.toSorted()).toEqual(mine.toSorted())
    })

    it('has no link when the page is not full', async () => {
      expect((await list(`?limit=100&${byName()}`)).body).not.toHaveProperty('volumes_links')
    })

    it('is empty with limit 0', async () => {
      expect((await list('?limit=0')).body).toEqual({ volumes: [] })
    })

    it('reports the count of all pages from 3.45', async () => {
      const { body } = await list(`?limit=1&with_count=true&${byName()}`)
      expect(body.count).toBe(3)
      const earlier = await list('?with_count=true', true, 44)
      expect(earlier.status).toBe(400)
    })

    it.each([
      ['?limit=-1', 400, 'limit param must be positive'],
      ['?limit=x', 400, 'limit param must be an integer'],
      ['?marker=nope', 404, 'Volume nope could not be found.'],
      ['?sort=zz:asc', 400, 'Invalid input received: Invalid sort key'],
      [
        '?sort=name:up',
        400,
        "Invalid input received: Unknown sort direction, must be 'desc' or 'asc'.",
      ],
      ['?foo=bar', 400, 'Invalid filters foo are found in query options.'],
      [
        '?volume_type=couchestor-hot',
        400,
        'Invalid filters volume_type are found in query options.',
      ],
      ['?host=x', 400, 'Invalid filters host are found in query options.'],
      ['?updated_at=gte:zzz', 400, 'Invalid zzz value'],
      ['?updated_at=near:2020-01-01T00:00:00', 400, 'Invalid near operator'],
    ])('refuses a member %s', async (query, status, message) => {
      const answer = await list(query)
      expect(answer.status).toBe(status)
      expect(answer.body[status === 404 ? 'itemNotFound' : 'badRequest'].message).toBe(message)
    })

    it('ignores unknown filters before 3.31', async () => {
      const answer = await list('?foo=bar', true, 30)
      expect(answer.status).toBe(200)
      expect(answer.body.volumes.length).toBeGreaterThan(0)
    })

    it('sorts by a key and a direction', async () => {
      const { body } = await list(`?sort=created_at:asc&${byName()}`)
      const keys = body.volumes.map((v: Listed) => `${v.created_at} ${v.id}`)
      expect(keys).toEqual(keys.toSorted())
      expect(keys.length).toBe(3)
    })

    it.each([
      ['status=error', 0],
      ['status=available', 3],
      ['availability_zone=nova', 3],
      ['size=7', 0],
    ])('filters by %s', async (filter, count) => {
      expect((await list(`?${filter}&${byName()}`)).body.volumes.length).toBe(count)
    })

    it('filters by metadata', async () => {
      const id = await get().volume('hot', { metadata: { 'contract/key': get().cloud.prefix } })
      const filter = encodeURIComponent(`{'contract/key':'${get().cloud.prefix}'}`)
      const { body } = await list(`?metadata=${filter}`)
      expect(body.volumes.map((v: Listed) => v.id)).toEqual([id])
    })

    it('lists what changed since a time', async () => {
      const later = new Date(get().cloud.now() + 60_000).toISOString().slice(0, 19)
      expect((await list(`?updated_at=gt:${later}`)).body.volumes).toEqual([])
      for (const form of ['2020-01-01T00:00:00', '2020-01-01T00:00:00Z']) {
        const { body } = await list(`?updated_at=gte:${form}&${byName()}`)
        expect(body.volumes.length).toBe(3)
      }
    })

    it('has all projects for an administrator, and ignores that wish of a member', async () => {
      const { admin, member } = get()
      const query = `/volumes/detail?all_tenants=1&${byName()}`
      expect((await admin.cinder('GET', query)).body.volumes.length).toBe(3)
      const own = await get().other.cinder('GET', query)
      expect(own.status).toBe(200)
      expect(own.body.volumes).toEqual([])
      const all = await member.cinder('GET', '/volumes/detail?all_tenants=1')
      const projects = all.body.volumes.map((v: Json) => v['os-vol-tenant-attr:tenant_id'])
      expect(new Set(projects)).toEqual(new Set([member.projectId]))
    })
  })
}
