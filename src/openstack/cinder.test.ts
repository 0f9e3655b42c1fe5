import { describe, expect, it } from 'vitest'
import { type Handler, PROJECT, type Reply, setUp as setUpSession, VERSIONS } from './testing.ts'
import type { CinderVolume } from './types.ts'

// times without a zone would pass unnoticed where local time is UTC
process.env['TZ'] = 'America/New_York'

const LIST = 'GET /v3/{p}/volumes/detail'
const TYPES = 'GET /v3/{p}/types'
const TYPE_LIST: Reply = { json: { volume_types: [{ id: 'type-hot', name: 'hot' }] } }

const setUp = (routes: Parameters<typeof setUpSession>[0] = {}, minor = 70) =>
  setUpSession({ 'GET /v3/': VERSIONS(minor), [TYPES]: TYPE_LIST, ...routes })

const row = (id: string, over: object = {}) => ({
  id,
  status: 'available',
  size: 4,
  volume_type: 'hot',
  volume_type_id: 'type-hot',
  availability_zone: 'nova',
  created_at: '2026-03-01T10:00:00.000000',
  updated_at: null,
  multiattach: false,
  encrypted: false,
  bootable: 'false',
  attachments: [],
  metadata: {},
  ...over,
})

const page = (rows: object[], next?: string): Reply => ({
  json: {
    volumes: rows,
    ...(next === undefined ? {} : { volumes_links: [{ rel: 'next', href: next }] }),
  },
})

async function all(pages: AsyncIterable<readonly CinderVolume[]>): Promise<CinderVolume[]> {
  const rows: CinderVolume[] = []
  for await (const p of pages) rows.push(...p)
  return rows
}
const ids = async (pages: AsyncIterable<readonly CinderVolume[]>) =>
  (await all(pages)).map((v) => v.id)
const queryOf = (url: string | undefined) => Object.fromEntries(new URL(url ?? 'x:').searchParams)

describe('a volume', () => {
  it('is tested where local time is not UTC', () => {
    expect(new Date(0).getTimezoneOffset()).not.toBe(0)
  })

  it('has its times in UTC, its flags as booleans and its attachments', async () => {
    const shown = row('v1', {
      status: 'in-use',
      bootable: 'true',
      updated_at: '2026-03-02T00:30:00.123456',
      group_id: 'g1',
      attachments: [
        {
          server_id: 's1',
          device: '/dev/vdb',
          host_name: null,
          attached_at: '2026-03-01T23:59:00.000000',
        },
        { server_id: 's2', device: '/dev/vdc', host_name: null, attached_at: '' },
      ],
      metadata: { 'csi.storage.k8s.io/pv/name': 'pvc-1' },
    })
    const { service } = setUp({ 'GET /v3/{p}/volumes/v1': { json: { volume: shown } } })
    expect(await service.getVolume('v1')).toEqual({
      id: 'v1',
      status: 'in-use',
      sizeGiB: 4,
      typeName: 'hot',
      typeId: 'type-hot',
      availabilityZone: 'nova',
      createdAt: '2026-03-01T10:00:00.000Z',
      updatedAt: '2026-03-02T00:30:00.123Z',
      multiattach: false,
      encrypted: false,
      bootable: true,
      groupId: 'g1',
      attachments: [
        { serverId: 's1', device: '/dev/vdb', attachedAt: '2026-03-01T23:59:00.000Z' },
        { serverId: 's2', device: '/dev/vdc' },
      ],
      metadata: { 'csi.storage.k8s.io/pv/name': 'pvc-1' },
    })
  })

  it.each([
    ['2013-09-01T14:53:22.000000', '2013-09-01T14:53:22.000Z'],
    ['2013-09-01T14:53:22Z', '2013-09-01T14:53:22.000Z'],
    ['2013-09-01T14:53:22+02:00', '2013-09-01T12:53:22.000Z'],
  ])('created at %s was created at %s wherever we run', async (given, utc) => {
    const volume = row('v1', { created_at: given })
    const { service } = setUp({ 'GET /v3/{p}/volumes/v1': { json: { volume } } })
    expect((await service.getVolume('v1'))?.createdAt).toBe(utc)
  })

  it.each(['reverting', 'some-future-status'])(
    'in the unknown status %s is shown as it is',
    async (status) => {
      const { service } = setUp({ [LIST]: page([row('v1', { status })]) })
      expect((await all(service.listVolumes()))[0]?.status).toBe(status)
    },
  )

  it('that Cinder does not know is undefined, one that may not be read is an error', async () => {
    const gone = { itemNotFound: { code: 404, message: 'gone' } }
    const { service } = setUp({
      'GET /v3/{p}/volumes/v1': { status: 404, json: gone },
      'GET /v3/{p}/volumes/v2': { status: 403, json: { forbidden: { message: 'no' } } },
    })
    expect(await service.getVolume('v1')).toBeUndefined()
    await expect(service.getVolume('v2')).rejects.toMatchObject({
      code: 'Forbidden',
      fault: 'forbidden',
    })
  })

  it.each(['../types', 'a/b', '', 'a?b', 'x'.repeat(65)])(
    'is never asked for by the id "%s"',
    async (id) => {
      const { service, requests } = setUp()
      await expect(service.getVolume(id)).rejects.toMatchObject({ code: 'BadRequest' })
      expect(requests).toEqual([])
    },
  )

  it('that misses a field is one error naming the field', async () => {
    const headers = { 'x-openstack-request-id': 'req-7' }
    const volume = row('v1', { size: 'four' })
    const { service } = setUp({ 'GET /v3/{p}/volumes/v1': { headers, json: { volume } } })
    await expect(service.getVolume('v1')).rejects.toThrow(
      /^Cinder: volumes.get answered 200 with field size: .*expected number.*, request req-7$/,
    )
  })

  it('without a type has no type id', async () => {
    const volume = row('v1', { volume_type: null, volume_type_id: null })
    const { service } = setUp({ 'GET /v3/{p}/volumes/v1': { json: { volume } } })
    expect(await service.getVolume('v1')).toMatchObject({ typeName: '', typeId: '' })
  })
})

describe('the list of volumes', () => {
  it("follows the link's marker on our own endpoint, and bears an empty last page", async () => {
    const { service, of } = setUp({
      [LIST]: [
        page([row('v1'), row('v2')], 'http://internal:1/other/volumes/detail?limit=2&marker=v2'),
        page([row('v3')], 'http://internal:1/volumes/detail?limit=2'),
        page([]),
      ],
    })
    expect(await ids(service.listVolumes())).toEqual(['v1', 'v2', 'v3'])
    expect(of(LIST).map((r) => queryOf(r.url))).toEqual([
      { limit: '1000' },
      { limit: '1000', marker: 'v2' },
      { limit: '1000', marker: 'v3' },
    ])
    expect(of(LIST).every((r) => r.url.startsWith(`https://cinder.test/v3/${PROJECT}/`))).toBe(true)
  })

  it('follows its next link among odd ones', async () => {
    const { service, of } = setUp({
      [LIST]: ({ url }) =>
        queryOf(url)['marker'] === undefined
          ? {
              json: {
                volumes: [row('v1')],
                volumes_links: [
                  null,
                  { rel: 'next', href: null },
                  { rel: 'next', href: 'http://10.0.0.7:8776/v3/volumes/detail?marker=v1' },
                ],
              },
            }
          : page([row('v2')]),
    })
    expect(await ids(service.listVolumes())).toEqual(['v1', 'v2'])
    expect(of(LIST).map((r) => new URL(r.url).origin)).toEqual([
      'https://cinder.test',
      'https://cinder.test',
    ])
  })

  it('goes on after a full page without links', async () => {
    const full = Array.from({ length: 1000 }, (_, i) => row(`v${i}`))
    const { service, of } = setUp({ [LIST]: [page(full), page([row('last')])] })
    expect(await ids(service.listVolumes())).toHaveLength(1001)
    expect(queryOf(of(LIST)[1]?.url)).toMatchObject({ marker: 'v999' })
  })

  it('ends when an empty page still has a next link', async () => {
    const { service } = setUp({ [LIST]: page([], 'http://x/?marker=v1') })
    expect(await ids(service.listVolumes())).toEqual([])
  })

  it('goes on from the row before when the last one was deleted meanwhile', async () => {
    const list: Handler = ({ url }) => {
      const { marker } = queryOf(url)
      if (marker === undefined) return page([row('v1'), row('v2')], 'http://x/?marker=v2')
      return marker === 'v2' ? { status: 404 } : page([row('v3')])
    }
    const { service } = setUp({ [LIST]: list })
    expect(await ids(service.listVolumes())).toEqual(['v1', 'v2', 'v3'])
  })

  it('that leads round in circles is an error, not an endless loop', async () => {
    const { service } = setUp({ [LIST]: page([row('v1')], 'http://x/?marker=v1') })
    await expect(all(service.listVolumes())).rejects.toThrow(/same page again and again/)
  })

  it("leaves out Cinder's own copies", async () => {
    const { service } = setUp({
      [LIST]: page([
        row('v1'),
        row('t', { migration_status: 'target:v1' }),
        row('s', { status: 'deleting', description: 'migration src for v1' }),
        row('q', { consumes_quota: false }),
        row('m', { migration_status: 'success', consumes_quota: true, description: 'mine' }),
      ]),
    })
    expect(await ids(service.listVolumes())).toEqual(['v1', 'm'])
  })

  it('leaves out a row that makes no sense, with a warning, and keeps the rest', async () => {
    const { service, lines } = setUp({
      [LIST]: page([row('bad', { created_at: 'yesterday' }), row('good'), { nothing: 1 }]),
    })
    expect(await ids(service.listVolumes())).toEqual(['good'])
    const warnings = lines.filter((l) => l.includes('row left out'))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toContain('field created_at')
    expect(warnings[0]).toContain('"id":"bad"')
  })

  it('since a time asks only for what changed', async () => {
    const { service, of } = setUp({ [LIST]: page([row('v1')]) })
    await ids(service.listVolumes({ changedSince: '2026-03-01T00:00:00Z' }))
    expect(queryOf(of(LIST)[0]?.url)).toEqual({
      limit: '1000',
      updated_at: 'gte:2026-03-01T00:00:00Z',
    })
    expect(of(LIST)[0]?.headers).toMatchObject({ 'openstack-api-version': 'volume 3.65' })
  })

  it('since a time is the whole list where the server cannot compare times', async () => {
    const { service, of } = setUp({ [LIST]: page([row('v1')]) }, 59)
    await ids(service.listVolumes({ changedSince: '2026-03-01T00:00:00Z' }))
    expect(queryOf(of(LIST)[0]?.url)).toEqual({ limit: '1000' })
  })

  it.each([
    ['no body', { text: '' }],
    ['HTML', { text: '<html>' }],
    ['another document', { json: { version: 1 } }],
  ])('that is %s is one clear error', async (_, reply) => {
    const { service } = setUp({ [LIST]: reply })
    await expect(all(service.listVolumes())).rejects.toMatchObject({
      name: 'CinderError',
      code: 'ServerError',
    })
  })
})

describe('microversions', () => {
  it('below 3.63 the type id comes from the list of types', async () => {
    const { service, of } = setUp({ [LIST]: page([row('v1', { volume_type_id: undefined })]) }, 60)
    expect((await all(service.listVolumes()))[0]?.typeId).toBe('type-hot')
    expect(of(LIST)[0]?.headers).toMatchObject({ 'openstack-api-version': 'volume 3.60' })
  })

  it('one that the answering server refuses is done without', async () => {
    const list: Handler = ({ headers }) =>
      headers?.['openstack-api-version'] === undefined ? page([row('v1')]) : { status: 406 }
    const { service } = setUp({ [LIST]: list })
    expect(await ids(service.listVolumes())).toEqual(['v1'])
  })

  it('are read from GET / where GET /v3/ is not served', async () => {
    const { service } = setUp({
      'GET /v3/': { status: 404 },
      'GET /': { ...VERSIONS(71), status: 300 },
    })
    expect(await service.maxMicroversion()).toEqual([3, 71])
  })

  it('are asked for once, and again with each full list', async () => {
    const { service, of } = setUp({ [LIST]: page([]) })
    await service.maxMicroversion()
    await service.maxMicroversion()
    expect(of('GET /v3/')).toHaveLength(1)
    await ids(service.listVolumes())
    expect(of('GET /v3/')).toHaveLength(2)
  })

  it('of something that is not Cinder are an error', async () => {
    const { service } = setUp({
      'GET /v3/': { json: {} },
      'GET /': { json: { versions: [{ id: 'v2.1' }] } },
      [TYPES]: { status: 404 },
    })
    await expect(service.maxMicroversion()).rejects.toThrow(
      /nothing at https:\/\/cinder\.test\/v3\/\w+ answers as version 3 of Cinder \(…\/v3\/ gave no list of versions \(200\), …\/ gave the versions v2\.1, …\/types gave 404\): set openstack\.endpoint_override/,
    )
  })
})

describe('the rest of what is read', () => {
  it('snapshots of one volume, also where the filter is ignored', async () => {
    const snapshots = [
      { id: 's1', volume_id: 'v1', name: null, status: 'available' },
      { id: 's2', volume_id: 'v2', name: 'n', status: 'available' },
    ]
    const { service, of } = setUp({ 'GET /v3/{p}/snapshots/detail': { json: { snapshots } } })
    expect(await service.listSnapshots({ volumeId: 'v1' })).toEqual([
      { id: 's1', volumeId: 'v1', name: '', status: 'available' },
    ])
    expect(queryOf(of('GET /v3/{p}/snapshots/detail')[0]?.url)).toMatchObject({ volume_id: 'v1' })
    expect(await service.listSnapshots()).toHaveLength(2)
  })

  it('types over several pages, with the extra specs the credential may see', async () => {
    const next = [{ rel: 'next', href: 'http://x/?marker=a' }]
    const { service } = setUp({
      [TYPES]: [
        {
          json: {
            volume_types: [{ id: 'a', name: 'hot', is_public: false }],
            volume_type_links: next,
          },
        },
        {
          json: {
            volume_types: [{ id: 'b', name: 'cold', extra_specs: { multiattach: '<is> True' } }],
          },
        },
      ],
    })
    expect(await service.listVolumeTypes()).toEqual([
      { id: 'a', name: 'hot', isPublic: false, extraSpecs: undefined },
      { id: 'b', name: 'cold', isPublic: true, extraSpecs: { multiattach: '<is> True' } },
    ])
  })

  it('quota lines by name; nothing where they may not be read', async () => {
    const quota_set = {
      id: PROJECT,
      gigabytes_hot: { limit: -1, in_use: 3, reserved: 1, allocated: 0 },
    }
    const path = `GET /v3/{p}/os-quota-sets/${PROJECT}`
    const { service, of } = setUp({ [path]: [{ json: { quota_set } }, { status: 403 }] })
    expect([...(await service.getQuota())!]).toEqual([
      ['gigabytes_hot', { limit: -1, inUse: 3, reserved: 1 }],
    ])
    expect(of(path)[0]?.url).toMatch(/\?usage=True$/)
    expect(await service.getQuota()).toBeUndefined()
  })

  it('pools with their free space, as far as it is known; nothing where they may not be read', async () => {
    const pool = (name: string, capabilities: object) => ({ name, capabilities })
    const pools = [
      pool('a', { volume_backend_name: 'cold', free_capacity_gb: 12.5 }),
      pool('b', { volume_backend_name: 'cold', free_capacity_gb: 'infinite' }),
      pool('c', { free_capacity_gb: 'unknown' }),
      { name: 'd' },
    ]
    const path = 'GET /v3/{p}/scheduler-stats/get_pools'
    const { service, of } = setUp({ [path]: [{ json: { pools } }, { status: 403 }] })
    expect(await service.listPools()).toEqual([
      { name: 'a', backendName: 'cold', freeGiB: 12.5 },
      { name: 'b', backendName: 'cold', freeGiB: Infinity },
      { name: 'c', backendName: undefined, freeGiB: undefined },
      { name: 'd', backendName: undefined, freeGiB: undefined },
    ])
    expect(of(path)[0]?.url).toMatch(/\?detail=True$/)
    expect(await service.listPools()).toBeUndefined()
  })

  it('the zones that are available', async () => {
    const zone = (zoneName: string, available: boolean) => ({ zoneName, zoneState: { available } })
    const json = { availabilityZoneInfo: [zone('a', true), zone('b', false)] }
    const { service } = setUp({ 'GET /v3/{p}/os-availability-zone': { json } })
    expect(await service.listAvailabilityZones()).toEqual(['a'])
  })
})
