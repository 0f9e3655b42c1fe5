import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { createCloud } from './cloud.ts'
import type { CloudOptions } from './options.ts'
import { createClient } from './test-client.ts'

const GIB_MS = (1024 / 200) * 1000

/** A cloud with one attached or detached 1 GiB volume on hot, and its owner's and the administrator's requests. */
function setUp(options: Partial<CloudOptions> = {}) {
  const clock = createVirtualClock()
  const cloud = createCloud({ clock, tokenLifeSeconds: 1e9, ...options })
  const { seams } = cloud
  const { id } = seams.addVolume({ sizeGiB: 1, name: 'db', data: 'precious' })
  const member = createClient(cloud, seams.couchestor)
  const admin = createClient(cloud, seams.admin)
  const retype = (policy = 'on-demand') =>
    member('POST', `/volumes/${id}/action`, {
      'os-retype': { new_type: 'couchestor-cold', migration_policy: policy },
    })
  const show = async () => (await member('GET', `/volumes/${id}`)).body.volume
  const whole = async () => (await admin('GET', `/volumes/${id}`)).body.volume
  const seen = async () => {
    const { status, volume_type, attachments } = await show()
    return [status, volume_type, attachments.length]
  }
  return { clock, seams, id, member, admin, retype, show, whole, seen }
}

describe('a retype of a detached volume', () => {
  it('takes as long as its size at the rate of the target backend', async () => {
    const { clock, retype, seen, seams, id } = setUp()
    seams.backend('cold').copyMiBps = 100
    await retype()
    await clock.advance(2 * GIB_MS)
    expect(await seen()).toEqual(['retyping', 'couchestor-hot', 0])
    await clock.advance(100)
    expect(await seen()).toEqual(['available', 'couchestor-cold', 0])
    expect(seams.data(id)).toBe('precious')
  })

  it('on the generic path has a twin of the same name: hidden first, then visible as deleting, then gone', async () => {
    const { clock, retype, member, admin, seams, id } = setUp({
      migration: { detached: 'generic' },
    })
    const names = async (client: typeof member, query = '') =>
      (await client('GET', `/volumes/detail?name=db${query}`)).body.volumes.map(
        (v: { status: string }) => v.status,
      )
    await retype()
    await clock.advance(1000)
    expect(await names(member)).toEqual(['retyping'])
    expect((await names(admin, '&all_tenants=1')).toSorted()).toEqual(['available', 'retyping'])
    await clock.advance(GIB_MS - 900)
    expect((await names(member)).toSorted()).toEqual(['available', 'deleting'])
    const { body } = await member('GET', '/volumes/detail?status=deleting')
    expect(body.volumes[0]).toMatchObject({
      description: `migration src for ${id}`,
      volume_type: 'couchestor-hot',
      consumes_quota: false,
    })
    await clock.advance(2000)
    expect(await names(member)).toEqual(['available'])
    expect(seams.data(id)).toBe('precious')
    expect(clock.pending).toBe(0)
  })

  it('does not count the twin in the quota', async () => {
    const { clock, retype, member, seams } = setUp({ migration: { detached: 'generic' } })
    await retype()
    await clock.advance(60_000)
    const project = seams.couchestor.project.id
    const { quota_set } = (await member('GET', `/os-quota-sets/${project}?usage=true`)).body
    expect(quota_set.gigabytes).toMatchObject({ in_use: 1, reserved: 0 })
    expect(quota_set['gigabytes_couchestor-hot'].in_use).toBe(0)
    expect(quota_set['gigabytes_couchestor-cold'].in_use).toBe(1)
  })

  it.each([
    ['revert', null],
    ['revertAfterCopy', 'error'],
  ] as const)('planned to %s ends on the old type without a word', async (outcome, migstat) => {
    const { clock, retype, seen, whole, seams, id, member } = setUp()
    seams.planRetype(id, outcome)
    expect((await retype()).status).toBe(202)
    await clock.advance(60_000)
    expect(await seen()).toEqual(['available', 'couchestor-hot', 0])
    expect((await whole()).migration_status).toBe(migstat)
    expect((await member('GET', '/messages')).body.messages).toEqual([])
    expect((await retype()).status).toBe(202)
    await clock.advance(60_000)
    expect(await seen()).toEqual(['available', 'couchestor-cold', 0])
  })

  it('planned to be stuck stays retyping for ever, and an administrator repairs it', async () => {
    const { clock, retype, seen, admin, seams, id } = setUp()
    seams.planRetype(id, 'stuck')
    await retype()
    await clock.advance(30 * 24 * 3_600_000)
    expect(await seen()).toEqual(['retyping', 'couchestor-hot', 0])
    const repair = { 'os-reset_status': { status: 'available', migration_status: 'none' } }
    expect((await admin('POST', `/volumes/${id}/action`, repair)).status).toBe(202)
    await retype()
    await clock.advance(60_000)
    expect(await seen()).toEqual(['available', 'couchestor-cold', 0])
  })

  it('whose volume service dies in mid-copy stays retyping for ever', async () => {
    const { clock, retype, seen, whole, seams, id } = setUp()
    await retype()
    await clock.advance(1000)
    expect(seams.killCopies()).toEqual([id])
    await clock.advance(30 * 24 * 3_600_000)
    expect(await seen()).toEqual(['retyping', 'couchestor-hot', 0])
    expect((await whole()).migration_status).toBe('migrating')
    expect(seams.data(id)).toBe('precious')
  })

  it('that is stuck holds the quota of the new type for a day', async () => {
    const { clock, retype, member, seams, id } = setUp()
    const reserved = async () => {
      const path = `/os-quota-sets/${seams.couchestor.project.id}?usage=True`
      return (await member('GET', path)).body.quota_set['gigabytes_couchestor-cold'].reserved
    }
    seams.planRetype(id, 'stuck')
    await retype()
    await clock.advance(23 * 3_600_000)
    expect(await reserved()).toBe(1)
    await clock.advance(2 * 3_600_000)
    expect(await reserved()).toBe(0)
  })

  it('goes back when the target has no room', async () => {
    const { clock, retype, seen } = setUp({
      backends: [{ name: 'hot' }, { name: 'warm' }, { name: 'cold', totalGiB: 0 }],
    })
    expect((await retype()).status).toBe(202)
    await clock.advance(60_000)
    expect(await seen()).toEqual(['available', 'couchestor-hot', 0])
  })

  it('of a member of a group is 400', async () => {
    const { member, seams } = setUp()
    const { id } = seams.addVolume({ sizeGiB: 1, groupId: 'g' })
    const body = { 'os-retype': { new_type: 'couchestor-cold', migration_policy: 'on-demand' } }
    expect((await member('POST', `/volumes/${id}/action`, body)).status).toBe(400)
  })

  it.each([
    ['too small', { 'provisioning:min_vol_size': '5' }],
    ['too big', { 'provisioning:max_vol_size': '0' }],
  ])('to a type the volume is %s for is 400', async (_, extraSpecs) => {
    const { member, id, seams } = setUp()
    const { id: new_type } = seams.addVolumeType({ name: 'sized', backend: 'cold', extraSpecs })
    const answer = await member('POST', `/volumes/${id}/action`, { 'os-retype': { new_type } })
    expect(answer.status).toBe(400)
    expect(answer.body.badRequest.message).toContain('Specified volume size')
  })

  it('may change the availability zone when the type says so', async () => {
    const { clock, member, id, seams, show } = setUp()
    seams.addBackend({ name: 'far', availabilityZone: 'zone-2' })
    const { id: new_type } = seams.addVolumeType({
      name: 'far',
      extraSpecs: { 'RESKEY:availability_zones': 'zone-2' },
    })
    const body = { 'os-retype': { new_type, migration_policy: 'on-demand' } }
    await member('POST', `/volumes/${id}/action`, body)
    await clock.advance(60_000)
    expect(await show()).toMatchObject({ volume_type: 'far', availability_zone: 'zone-2' })
  })
})

describe('a retype of an attached volume', () => {
  const attached = (options: Partial<CloudOptions>) => {
    const all = setUp(options)
    all.seams.attach(all.id, 'server-1')
    return all
  }

  it('through Nova shows available, the new type and no attachment for a moment, then in-use', async () => {
    const { clock, retype, seen, whole, seams, id } = attached({ migration: { attached: 'nova' } })
    await retype()
    await clock.advance(GIB_MS + 100)
    expect(await seen()).toEqual(['available', 'couchestor-cold', 0])
    await clock.advance(200)
    expect(await seen()).toEqual(['in-use', 'couchestor-cold', 1])
    expect(seams.data(id)).toBe('precious')
    seams.write(id, 'newer')
    expect(seams.data(id)).toBe('newer')
    expect((await whole())['os-vol-mig-status-attr:name_id']).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('in an affected release succeeds and has lost the data, later writes included', async () => {
    const { clock, retype, seen, seams, id } = attached({ migration: { attached: 'unsafe' } })
    await retype()
    await clock.advance(60_000)
    expect(await seen()).toEqual(['in-use', 'couchestor-cold', 1])
    expect(seams.data(id)).not.toBe('precious')
    seams.write(id, 'newer')
    expect(seams.data(id)).not.toBe('newer')
  })

  it('in an affected release is safe when another extra spec differs', async () => {
    const { clock, member, seams, id, show } = attached({ migration: { attached: 'unsafe' } })
    const { id: new_type } = seams.addVolumeType({
      name: 'distinct',
      backend: 'cold',
      extraSpecs: { 'couchestor:tier': 'cold' },
    })
    const body = { 'os-retype': { new_type, migration_policy: 'on-demand' } }
    await member('POST', `/volumes/${id}/action`, body)
    await clock.advance(60_000)
    expect(await show()).toMatchObject({ status: 'in-use', volume_type: 'distinct' })
    expect(seams.data(id)).toBe('precious')
  })

  it('without Nova goes back to in-use on the old type, with an error only administrators see', async () => {
    const { clock, retype, seen, whole, seams, id } = attached({
      migration: { attached: 'refused' },
    })
    await retype()
    await clock.advance(60_000)
    expect(await seen()).toEqual(['in-use', 'couchestor-hot', 1])
    expect((await whole()).migration_status).toBe('error')
    expect(seams.data(id)).toBe('precious')
  })

  it('cannot be detached while it runs', async () => {
    const { retype, seams, id } = attached({ migration: { attached: 'nova' } })
    await retype()
    expect(() => seams.detach(id)).toThrow('retyping')
  })

  it('is 400 when the hypervisor would have to change its limits', async () => {
    const { member, seams, id } = attached({})
    seams.addVolumeType({ name: 'limited', backend: 'hot', frontEndQos: 'iops=100' })
    const answer = await member('POST', `/volumes/${id}/action`, {
      'os-retype': { new_type: 'limited' },
    })
    expect(answer.status).toBe(400)
  })
})
