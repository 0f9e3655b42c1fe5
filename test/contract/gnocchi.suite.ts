import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AggregatesQuery } from '../../src/activity/gnocchi/client.ts'
import type { DiskId } from '../../src/activity/gnocchi/disk.ts'
import type { CloudTarget } from './cloud-target.ts'
import { AGGREGATES, diskBody, DISKS, hourBefore, NAMES, openGnocchi } from './gnocchi.fixtures.ts'
import type { GnocchiStage } from './gnocchi.fixtures.ts'
import { call } from './raw-http.ts'

const READS = 'disk.device.read.requests'
const WRITES = 'disk.device.write.requests'
const MEAN = ['metric', [READS, 'mean'], [WRITES, 'mean']]

const iso = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', '+00:00')

/** What CoucheStor relies on in Gnocchi, tried over HTTP and through our own client; the same for both. */
export function gnocchiContract(
  name: string,
  open: () => Promise<CloudTarget>,
  block: typeof describe.skip = describe,
): void {
  block(`Gnocchi of ${name}`, () => {
    let gnocchi: GnocchiStage
    let hour: number
    /** All four metrics; one without rates; one with writes only; one whose policy keeps 300 s only. */
    let full: DiskId
    let meanOnly: DiskId
    let writesOnly: DiskId

    const idOf = (d: DiskId) => `${d.serverId}-${d.device}`
    const search = (...disks: DiskId[]) => ({ in: { original_resource_id: disks.map(idOf) } })
    const aggregates = (query: string, searched: unknown, operations: unknown = MEAN) =>
      gnocchi.member('POST', `${AGGREGATES}?${query}`, {
        body: { resource_type: 'instance_disk', search: searched, operations },
      })
    const rows = (answer: { body: { measures: object } }, metric = READS) =>
      Object.values(answer.body.measures as Record<string, Record<string, unknown>>)[0]?.[metric]
    const window = (extra = '') => `granularity=300&start=${hour}&stop=${hour + 3600}${extra}`

    beforeAll(async () => {
      const target = await open()
      gnocchi = await openGnocchi(target)
      hour = hourBefore(target.now())
      full = await gnocchi.disk('vdb')
      meanOnly = await gnocchi.disk('vdc', { [READS]: 'low', [WRITES]: 'low' }, full.serverId)
      writesOnly = await gnocchi.disk('vdd', { [WRITES]: 'ceilometer-low-rate' }, full.serverId)
      // three polls in one period, one in the next, one after a gap, and a restart of the server
      const points = [
        [10, 100],
        [70, 160],
        [130, 250],
        [310, 400],
        [910, 1000],
        [1210, 50],
        [1270, 80],
      ].map(([at, value]) => [hour + at!, value!] as const)
      await gnocchi.post(full, Object.fromEntries(NAMES.map((metric) => [metric, points])))
      await gnocchi.post(meanOnly, { [READS]: points, [WRITES]: points })
      await gnocchi.post(writesOnly, { [WRITES]: points })
    })
    afterAll(() => gnocchi.close())

    it('refuses a request without a valid token', async () => {
      for (const token of [undefined, 'nope']) {
        const answer = await call('GET', `${gnocchi.url}${DISKS}`, { token })
        expect(answer.status).toBe(401)
        expect(answer.headers['www-authenticate']).toMatch(/^Keystone uri="/)
        expect(answer.body.error).toMatchObject({ code: 401, title: 'Unauthorized' })
      }
    })

    it('names a disk by a UUID of its own and keeps the id that it was given', async () => {
      const { body } = await gnocchi.member('GET', `${DISKS}/${idOf(full)}`)
      expect(body).toMatchObject({
        id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-5/) as string,
        original_resource_id: idOf(full),
        instance_id: full.serverId,
        name: 'vdb',
        type: 'instance_disk',
        ended_at: null,
      })
      expect(Object.keys(body.metrics).toSorted()).toEqual(NAMES.toSorted())
    })

    it.each([
      ['a disk a second time', () => diskBody(full), 409],
      ['a disk without a server', () => ({ id: 'x', name: 'x' }), 400],
      ['a server that is no UUID', () => diskBody({ serverId: 'nope', device: 'vdb' }), 400],
    ])('refuses to make %s', async (_, body, status) => {
      const answer = await gnocchi.member('POST', DISKS, { body: body() })
      expect(answer.status).toBe(status)
      expect(answer.body).toMatchObject({ code: status, title: expect.any(String) as string })
    })

    it('gives a list page by page, with the next one in a Link', async () => {
      const seen: string[] = []
      let path: string | undefined = `${DISKS}?limit=2&sort=id%3Aasc`
      while (path !== undefined) {
        const page = await gnocchi.member('GET', path)
        const ids = page.body.map((r: { id: string }) => r.id)
        expect(ids.length).toBeLessThanOrEqual(2)
        seen.push(...ids)
        const link = page.headers['link']
        expect(link === undefined).toBe(ids.length < 2)
        path = link && /^<http:\/\/[^/]+(\/.*)>; rel="next"$/.exec(link)?.[1]
      }
      expect(seen).toEqual(seen.toSorted())
      expect(new Set(seen).size).toBe(seen.length)
      expect(seen.length).toBeGreaterThanOrEqual(3)
    })

    it.each(['limit=0', `marker=${randomUUID()}`])('refuses a list with %s', async (query) => {
      expect((await gnocchi.member('GET', `${DISKS}?${query}`)).status).toBe(400)
    })

    it('shows disks to the project that made them and to the administrator, to nobody else', async () => {
      const ids = (answer: { body: { id: string }[] }) => answer.body.map((r) => r.id)
      const own = ids(await gnocchi.member('GET', DISKS))
      expect(ids(await gnocchi.admin('GET', DISKS))).toEqual(expect.arrayContaining(own))
      expect(ids(await gnocchi.stranger('GET', DISKS))).not.toEqual(expect.arrayContaining(own))
    })

    it('keeps its own state from members', async () => {
      expect((await gnocchi.member('GET', '/v1/status')).status).toBe(403)
      expect((await gnocchi.admin('GET', '/v1/status')).status).toBe(200)
    })

    it('says what went wrong as JSON only to who asks for JSON by name', async () => {
      const body = { resource_type: 'nope', search: search(full), operations: MEAN }
      const page = await gnocchi.member('POST', AGGREGATES, { body, headers: { accept: '*/*' } })
      expect(page.status).toBe(400)
      expect(page.headers['content-type']).toMatch(/^text\/html/)
      const { body: said } = await gnocchi.member('POST', AGGREGATES, { body })
      expect(said.description).toEqual({ cause: 'Resource type does not exist', detail: 'nope' })
    })

    it('gives the mean of each period by its start, leaving out periods without measures', async () => {
      const answer = await aggregates(window(), search(full))
      expect(rows(answer)).toEqual({
        mean: [
          [iso(hour), 300, 170],
          [iso(hour + 300), 300, 400],
          [iso(hour + 900), 300, 1000],
          [iso(hour + 1200), 300, 65],
        ],
      })
      expect(answer.body.references).toBeUndefined()
    })

    it('gives as rate the rise from one measure to the next, whatever lies between, resets included', async () => {
      const rate = ['metric', [READS, 'rate:mean']]
      const answer = await aggregates(window(), search(full), rate)
      expect(rows(answer)).toEqual({
        'rate:mean': [
          [iso(hour), 300, 75],
          [iso(hour + 300), 300, 150],
          [iso(hour + 900), 300, 600],
          [iso(hour + 1200), 300, -460],
        ],
      })
    })

    it.each([
      ['rounds the start down to a period', 100, 1200, [0, 300, 900]],
      ['leaves out the period that starts at the stop', 300, 900, [300]],
      ['takes in a period that starts before the stop', 300, 901, [300, 900]],
      ['gives nothing where nothing was measured', 1500, 3600, []],
    ])('%s', async (_, start, stop, starts) => {
      const query = `granularity=300&start=${hour + start}&stop=${hour + stop}`
      const answer = await aggregates(query, search(full))
      const found = (rows(answer) as { mean: [string][] }).mean.map(([at]) => at)
      expect(found).toEqual(starts.map((at) => iso(hour + at)))
    })

    it('reports in references which disk a measure belongs to, with details', async () => {
      const answer = await aggregates(window('&details=true'), search(full, writesOnly))
      const known = Object.fromEntries(
        answer.body.references.map((r: { id: string; original_resource_id: string }) => [
          r.id,
          r.original_resource_id,
        ]),
      )
      expect(new Set(Object.values(known))).toEqual(new Set([idOf(full), idOf(writesOnly)]))
      for (const [id, metrics] of Object.entries(answer.body.measures as object))
        expect(Object.keys(metrics as object).toSorted()).toEqual(
          known[id] === idOf(full) ? [READS, WRITES] : [WRITES],
        )
    })

    it.each([
      ['one lacks the aggregation', 404, [READS, 'rate:mean'], 300, 'unknown aggregation'],
      ['one lacks the granularity', 400, [READS, 'mean'], 60, "can't being aggregated"],
    ])('refuses the whole question when %s', async (_, status, pair, granularity, cause) => {
      const query = `granularity=${granularity}&start=${hour}&stop=${hour + 3600}`
      const both = search(full, meanOnly)
      const answer = await aggregates(query, both, ['metric', pair])
      expect(answer.status).toBe(status)
      expect(answer.body.description.cause).toContain(cause)
      expect((await aggregates(query, search(full), ['metric', pair])).status).toBe(200)
    })

    it('refuses a question about disks that it does not have', async () => {
      const answer = await aggregates(window(), search({ serverId: randomUUID(), device: 'vdb' }))
      expect(answer.status).toBe(400)
      expect(answer.body.description.cause).toBe('Metrics not found')
    })

    it.each([
      ['an empty list', { in: { original_resource_id: [] } }],
      ['a server id that is none', { in: { instance_id: ['nope'] } }],
    ])('breaks off the connection at %s', async (_, searched) => {
      await expect(aggregates(window(), searched)).rejects.toThrow('fetch failed')
    })

    it('is another disk when another user makes it, also under the same id', async () => {
      const body = diskBody(full)
      const made = await gnocchi.admin('POST', DISKS, { body })
      expect(made.status).toBe(201)
      const own = await gnocchi.member('GET', `${DISKS}/${idOf(full)}`)
      expect(made.body.id).not.toBe(own.body.id)
      const url = `${gnocchi.url}${DISKS}/${made.body.id}`
      const removed = await gnocchi.admin('DELETE', `${DISKS}/${made.body.id}`, {
        headers: { accept: '*/*' },
      })
      expect([url, removed.status]).toEqual([url, 204])
    })

    it('does not delete for who asks for JSON', async () => {
      expect((await gnocchi.member('DELETE', `${DISKS}/${idOf(full)}`)).status).toBe(406)
    })

    describe('through our client', () => {
      const asked = (disks: readonly DiskId[], more: Partial<AggregatesQuery> = {}) =>
        gnocchi.client.aggregates({
          disks,
          aggregation: 'mean',
          granularitySeconds: 300,
          startSeconds: hour,
          stopSeconds: hour + 3600,
          ...more,
        })

      it('lists the disks with their metrics', async () => {
        const answer = await gnocchi.client.disks()
        if (answer.kind === 'Failed') throw new Error(answer.why)
        const found = answer.disks.find((d) => d.device === 'vdb' && d.serverId === full.serverId)
        expect([...(found?.metrics.keys() ?? [])].toSorted()).toEqual(NAMES.toSorted())
      })

      it('measures by quantity', async () => {
        const answer = await asked([full])
        if (answer.kind !== 'Measures') throw new Error(answer.kind)
        expect(answer.disks).toHaveLength(1)
        expect(answer.disks[0]).toMatchObject(full)
        expect(answer.disks[0]?.measures.writeBytes?.map((m) => m.value)).toEqual([
          170, 400, 1000, 65,
        ])
      })

      it.each([
        ['NoneMatch', () => asked([{ serverId: randomUUID(), device: 'vdb' }])],
        ['NoneMatch', () => asked([])],
        ['UnknownAggregation', () => asked([full, meanOnly], { aggregation: 'rate:mean' })],
        ['GranularityMissing', () => asked([full, meanOnly], { granularitySeconds: 60 })],
      ])('answers %s', async (kind, ask) => {
        expect((await ask()).kind).toBe(kind)
      })

      it('names one of the metrics that lack the aggregation', async () => {
        const answer = await asked([full, meanOnly], { aggregation: 'rate:mean' })
        const { body } = await gnocchi.member('GET', `${DISKS}/${idOf(meanOnly)}`)
        if (answer.kind !== 'UnknownAggregation') throw new Error(answer.kind)
        expect(Object.values(body.metrics as object)).toContain(answer.metricId)
      })

      it('logs in again when its token was taken away', async () => {
        expect((await asked([full])).kind).toBe('Measures')
        await gnocchi.revoke()
        expect((await asked([full])).kind).toBe('Measures')
      })
    })
  })
}
