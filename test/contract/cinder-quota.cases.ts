import { describe, expect, it } from 'vitest'
import type { CinderFixture } from './cinder-fixture.ts'
import type { Answer } from './raw-http.ts'

/** Limits: what they report, and what happens at them. */
export function quotaCases(get: () => CinderFixture): void {
  const set = (limits: Readonly<Record<string, number>>) =>
    get().admin.cinder('PUT', `/os-quota-sets/${get().member.projectId}`, {
      body: { quota_set: limits },
    })
  const usage = async () => {
    const { member } = get()
    const { body } = await member.cinder('GET', `/os-quota-sets/${member.projectId}?usage=True`)
    return body.quota_set
  }
  const expectOverLimit = (answer: Answer, message: RegExp) => {
    expect(answer.status).toBe(413)
    expect(answer.headers['retry-after']).toBe('0')
    expect(answer.body.overLimit).toMatchObject({ code: 413, retryAfter: '0' })
    expect(answer.body.overLimit.message).toMatch(message)
  }

  describe('quota', () => {
    it('reports limit, use and reservation per type and in total', async () => {
      const quota = await usage()
      for (const name of ['volumes', 'gigabytes', 'snapshots', 'per_volume_gigabytes'])
        expect(quota[name]).toEqual({
          limit: expect.any(Number),
          in_use: expect.any(Number),
          reserved: expect.any(Number),
        })
      for (const tier of ['hot', 'warm', 'cold'])
        expect(quota[`gigabytes_couchestor-${tier}`].limit).toBe(-1)
      expect(quota.id).toBe(get().member.projectId)
    })

    it('moves from the old type to the new one with a retype, the total stays', async () => {
      const { volume, retype, settle, until, typeId } = get()
      const id = await volume('warm')
      const before = await usage()
      await retype(id, typeId.cold, 'on-demand')
      await settle(id)
      // the volume rests a moment before its new type is paid for
      let after = before
      const cold = 'gigabytes_couchestor-cold'
      await until('the quota', async () => {
        after = await usage()
        const isPaid = after[cold].in_use > before[cold].in_use
        // what a retype cut short has reserved stays so for a day
        return isPaid && after[cold].reserved <= before[cold].reserved
      })
      const change = (name: string) => after[name].in_use - before[name].in_use
      expect(change(cold)).toBe(1)
      expect(change('gigabytes_couchestor-warm')).toBe(-1)
      expect(change('volumes_couchestor-cold')).toBe(1)
      expect(change('gigabytes')).toBe(0)
    })

    it.each([
      [
        'gigabytes_couchestor-cold',
        /^VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes_couchestor-cold quota\. Requested 1G, quota is \d+G and \d+G has been consumed\.$/,
      ],
      [
        'volumes_couchestor-cold',
        /^VolumeLimitExceeded: Maximum number of volumes allowed \(\d+\) exceeded for quota 'volumes_couchestor-cold'\.$/,
      ],
    ])('%s at its limit is 413 with Retry-After: 0, at once', async (name, message) => {
      const { volume, retype, member, show, typeId } = get()
      const id = await volume('hot')
      try {
        const { in_use, reserved } = (await usage())[name]
        // a limit below what is used is refused
        expect((await set({ [name]: in_use + reserved })).status).toBe(200)
        expectOverLimit(await retype(id, typeId.cold, 'on-demand'), message)
        const body = { volume: { size: 1, volume_type: typeId.cold } }
        expectOverLimit(await member.cinder('POST', '/volumes', { body }), message)
      } finally {
        await set({ [name]: -1 })
      }
      expect(await show(id)).toMatchObject({ status: 'available', volume_type: 'couchestor-hot' })
    })

    it('asks for the quota of the volume alone: the largest size of a volume is no matter of a retype', async () => {
      const { volume, retype, settle, typeId } = get()
      const id = await volume('warm')
      try {
        expect((await set({ per_volume_gigabytes: 0 })).status).toBe(200)
        expect((await retype(id, typeId.cold, 'on-demand')).status).toBe(202)
        expect((await settle(id)).volume_type).toBe('couchestor-cold')
      } finally {
        await set({ per_volume_gigabytes: -1 })
      }
    })

    it('lets one of two retypes through where it has room for one', async () => {
      const { volume, retype, settle, typeId } = get()
      const name = 'volumes_couchestor-cold'
      const ids = [await volume('warm'), await volume('hot')]
      try {
        const { in_use, reserved } = (await usage())[name]
        expect((await set({ [name]: in_use + reserved + 1 })).status).toBe(200)
        const answers = await Promise.all(ids.map((id) => retype(id, typeId.cold, 'on-demand')))
        expect(answers.map((a) => a.status).toSorted((a, b) => a - b)).toEqual([202, 413])
        for (const id of ids) await settle(id)
      } finally {
        await set({ [name]: -1 })
      }
    })

    it('refuses a limit below what is used, once the project has a limit of its own', async () => {
      const name = 'gigabytes_couchestor-hot'
      await get().volume('hot')
      await set({ [name]: -1 })
      const answer = await set({ [name]: 0 })
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toMatch(
        /^Quota gigabytes_couchestor-hot limit must be equal or greater than existing resources\. Current usage is \d+ and the requested limit is 0\.$/,
      )
    })

    it('refuses a limit of something that is not there', async () => {
      const answer = await set({ zzz: 1 })
      expect(answer.status).toBe(400)
      expect(answer.body.badRequest.message).toBe(
        'Invalid input received: Bad key(s) in quota set: zzz',
      )
    })

    it('has totals only in the limits', async () => {
      const { absolute } = (await get().member.cinder('GET', '/limits')).body.limits
      expect(absolute).toMatchObject({
        maxTotalVolumes: expect.any(Number),
        maxTotalVolumeGigabytes: expect.any(Number),
        totalVolumesUsed: expect.any(Number),
        totalGigabytesUsed: expect.any(Number),
      })
      expect(Object.keys(absolute).filter((k) => k.includes('couchestor'))).toEqual([])
    })
  })

  it('reports the availability zones', async () => {
    const { body } = await get().member.cinder('GET', '/os-availability-zone')
    expect(body.availabilityZoneInfo).toContainEqual({
      zoneName: 'nova',
      zoneState: { available: true },
    })
  })
}
