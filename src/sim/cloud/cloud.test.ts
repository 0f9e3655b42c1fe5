import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { ConnectionError } from '../../http.ts'
import { createCloud } from './cloud.ts'
import type { FaultAction } from './faults.ts'
import { createClient } from './test-client.ts'

function setUp() {
  const clock = createVirtualClock()
  const cloud = createCloud({ clock })
  const { seams } = cloud
  const { id } = seams.addVolume({ sizeGiB: 1 })
  const member = createClient(cloud, seams.couchestor)
  const retype = (headers = {}) => {
    const body = { 'os-retype': { new_type: 'couchestor-cold', migration_policy: 'on-demand' } }
    return member('POST', `/volumes/${id}/action`, body, headers)
  }
  return { clock, cloud, seams, id, member, retype }
}

const failure = (e: unknown) => (e instanceof ConnectionError ? [e.failure, e.sent] : e)

describe('faults', () => {
  it('drops a request before it has an effect', async () => {
    const { clock, seams, id, retype } = setUp()
    seams.addFault({ method: 'POST', path: /action/, action: { kind: 'dropBefore' } })
    expect(await retype().catch(failure)).toEqual(['reset', true])
    await clock.advance(60_000)
    expect(seams.volume(id)?.status).toBe('available')
    expect(seams.retypesOf(id)).toEqual([])
    expect(seams.journal().at(-1)).toMatchObject({ dropped: 'before', status: undefined })
  })

  it('loses a reply after the effect, and the journal knows the retype', async () => {
    const { clock, seams, id, retype } = setUp()
    seams.addFault({ method: 'POST', path: /action/, action: { kind: 'dropAfter' } })
    const sent = { 'x-openstack-request-id': 'req-mine' }
    expect(await retype(sent).catch(failure)).toEqual(['reset', true])
    await clock.advance(60_000)
    expect(seams.volume(id)?.typeId).toBe(seams.volumeType('couchestor-cold').id)
    expect(seams.retypesOf(id)).toEqual([
      expect.objectContaining({ dropped: 'after', status: 202, globalRequestId: 'req-mine' }),
    ])
  })

  it.each([401, 500, 503] as const)(
    'answers %i as often as configured, then works',
    async (status) => {
      const { seams, member } = setUp()
      const action: FaultAction = { kind: 'status', status }
      await member('GET', '/types')
      seams.addFault({ service: 'cinder', path: /types/, action, times: 2 })
      const answers = []
      for (let i = 0; i < 3; i++) answers.push((await member('GET', '/types')).status)
      expect(answers).toEqual([status, status, 200])
    },
  )

  it('delays by the clock', async () => {
    const { clock, seams, member } = setUp()
    await member('GET', '/types')
    seams.addFault({ path: /types/, action: { kind: 'delay', ms: 5000 } })
    let done = false
    const answer = member('GET', '/types').then(() => (done = true))
    await clock.advance(4999)
    expect(done).toBe(false)
    await clock.advance(1)
    await answer
  })

  it('meets only the requests it is meant for, and can be taken away', async () => {
    const { seams, member, retype } = setUp()
    const status: FaultAction = { kind: 'status', status: 500 }
    const remove = seams.addFault({ body: /os-extend/, action: status })
    expect((await retype()).status).toBe(202)
    remove()
    expect((await member('GET', '/types')).status).toBe(200)
  })

  it('lets known tokens work while Keystone is down, and refuses new ones', async () => {
    const { cloud, seams, member } = setUp()
    await member('GET', '/types')
    seams.setDown('keystone', true)
    expect((await member('GET', '/types')).status).toBe(200)
    const late = createClient(cloud, seams.couchestor)
    expect(await late('GET', '/types').catch(failure)).toEqual(['refused', false])
    seams.setDown('keystone', false)
    expect((await late('GET', '/types')).status).toBe(200)
  })

  it('refuses every token after expireTokens', async () => {
    const { seams, member } = setUp()
    await member('GET', '/types')
    seams.expireTokens()
    expect((await member('GET', '/types')).status).toBe(401)
  })

  it('keeps secrets out of the journal', async () => {
    const { seams, member } = setUp()
    await member('GET', '/types')
    expect(seams.journal().some((e) => e.service === 'keystone')).toBe(true)
    expect(JSON.stringify(seams.journal())).not.toContain(seams.couchestor.user.password)
  })
})

describe('a large project', () => {
  it('is paged by marker, every volume once, whatever changes in between', async () => {
    const { seams, member } = setUp()
    for (let i = 0; i < 3500; i++)
      seams.addVolume({ sizeGiB: 1, createdAt: Date.UTC(2025, 0, 1) + i * 300 })
    const seen: string[] = []
    let marker = ''
    for (;;) {
      const { body } = await member('GET', `/volumes/detail?limit=1000${marker}`)
      seen.push(...body.volumes.map((v: { id: string }) => v.id))
      if (!body.volumes_links) break
      marker = `&marker=${seen.at(-1)}`
      seams.addVolume({ sizeGiB: 1 })
    }
    expect(seen.length).toBe(3501)
    expect(new Set(seen).size).toBe(3501)
  })
})

describe('the catalog', () => {
  it('names every region, and only the first has this volume service', async () => {
    const clock = createVirtualClock()
    const cloud = createCloud({ clock, regions: ['here', 'there'] })
    const { seams } = cloud
    seams.setOrigin({ identity: 'http://id.test', volume: 'http://vol.test' })
    const identity = {
      methods: ['application_credential'],
      application_credential: { id: seams.operator.id, secret: seams.operator.secret },
    }
    const res = await cloud.keystone({
      method: 'POST',
      url: '/v3/auth/tokens',
      headers: {},
      body: JSON.stringify({ auth: { identity } }),
      signal: new AbortController().signal,
    })
    const { token } = JSON.parse(res.body as string) as {
      token: { catalog: { type: string; endpoints: { region: string; url: string }[] }[] }
    }
    const { endpoints } = token.catalog.find((e) => e.type === 'volumev3')!
    const regions = endpoints.map((e) => e.region)
    expect(regions).toEqual(['here', 'here', 'here', 'there', 'there', 'there'])
    const mine = endpoints.filter((e) => e.url.startsWith('http://vol.test/v3/'))
    expect(mine.length).toBe(3)
  })
})
