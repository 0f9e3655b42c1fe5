import { expect, it } from 'vitest'
import type { Pause } from '../life.ts'
import { keepPromises } from '../controller/promises.ts'
import { Stage } from '../controller/stage.ts'

keepPromises()

const FORCED = { 'couchestor.io/force-tier': 'cold' }

/** A leader that stands still at a chosen moment, a second one that takes over, and the first waking late. */
function suspendedWhen(
  at: (method: string, url: string, body: string) => boolean,
  moment: 'before it is sent' | 'after its effect',
  how: Pause,
) {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', iops: 3000, annotations: FORCED })
  const data = stage.cloud.data(volume.id)
  const awake = Promise.withResolvers<void>()
  let held = false
  const first = stage.start({
    identity: 'first',
    gate: async (request, send) => {
      if (held || !at(request.method, request.url, request.body ?? '')) return send()
      held = true
      if (moment === 'after its effect') {
        const answer = await send()
        first.life.pause(how)
        return answer
      }
      first.life.pause(how)
      await awake.promise
      return send()
    },
  })
  const wake = async () => {
    // what was about to be sent goes out before any timer fires
    awake.resolve()
    await stage.clock.settle()
    first.life.resume()
  }
  return { stage, volume, data, wake, held: () => held }
}

const savesIntent = (method: string, url: string, body: string) =>
  method === 'PATCH' && url.includes('volumemigrations') && body.includes('"Requested"')

it.each<Pause>(['stopped', 'asleep'])(
  'a leader %s right after its intent was saved never sends once another has taken over',
  async (how) => {
    const { stage, volume, data, wake, held } = suspendedWhen(savesIntent, 'after its effect', how)
    await stage.until(held)
    const second = stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)
    await wake()
    await stage.clock.advance(120_000)

    const asked = stage.cloud.retypesOf(volume.id)
    expect(asked.map((a) => a.globalRequestId)).toEqual([expect.stringMatching(/^req-second/)])
    expect(stage.ends('data')).toEqual(['Succeeded/Verified'])
    expect(stage.cloud.data(volume.id)).toBe(data)
    second.life.kill()
  },
)

it.each<Pause>(['stopped', 'asleep'])(
  'a leader %s right after its intent was saved, waking while the next one still waits, sends nothing and spoils nothing',
  async (how) => {
    const { stage, volume, wake, held } = suspendedWhen(savesIntent, 'after its effect', how)
    await stage.until(held)
    stage.start({ identity: 'second' })
    const intent = () => stage.moves('data')[0]?.status?.intent
    expect(await stage.until(() => (intent()?.epoch ?? 0) > 1)).toBe(true)
    await wake()
    await stage.clock.advance(2_000)

    expect(stage.retypes(volume)).toBe(0)
    expect(intent()?.epoch).toBeGreaterThan(1)
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
  },
)

it.each<Pause>(['stopped', 'asleep'])(
  'a leader %s between its last check and the call is the one gap, and Cinder itself refuses the second call',
  async (how) => {
    const { stage, volume, data, wake, held } = suspendedWhen(
      (_, url) => url.endsWith('/action'),
      'before it is sent',
      how,
    )
    await stage.until(held, 60_000)
    stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.cloud.retyping().length > 0)).toBe(true)
    await wake()
    await stage.clock.advance(120_000)

    const statuses = stage.cloud.retypesOf(volume.id).map((a) => a.status)
    expect(statuses).toEqual([202, 400])
    expect(stage.tier(volume)).toBe('cold')
    expect(stage.ends('data')).toEqual(['Succeeded/Verified'])
    expect(stage.cloud.data(volume.id)).toBe(data)
    expect(stage.ledger()).toEqual([])
  },
)

it('a leader that was suspended ends itself, so that its pod starts again', async () => {
  const stage = new Stage()
  stage.policy()
  const first = stage.start({ identity: 'first' })
  await stage.until(() => first.controller.ready().why === 'leading')
  await stage.clock.advance(5_000)
  first.life.pause('stopped')
  stage.start({ identity: 'second' })
  await stage.clock.advance(60_000)
  first.life.resume()
  expect(await first.stop()).toBe('lost')
})

it.each<Pause>(['stopped', 'asleep'])(
  'a leader %s while its successor moves a volume writes nothing more when it wakes',
  async (how) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    let written = 0
    const first = stage.start({
      identity: 'first',
      gate: (request, send) => {
        if (request.method === 'PATCH') written++
        return send()
      },
    })
    await stage.until(() => stage.annotation('data', 'tier') === 'hot')
    first.life.pause(how)
    stage.start({ identity: 'second' })
    stage.annotate('data', FORCED)
    expect(await stage.until(() => stage.annotation('data', 'tier') === 'cold')).toBe(true)
    expect(stage.tier(volume)).toBe('cold')
    written = 0
    first.life.resume()
    await stage.clock.advance(60_000)
    expect(first.end()).toBe('lost')
    expect(written).toBe(0)
  },
)
