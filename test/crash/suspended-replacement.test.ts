import { expect, it } from 'vitest'
import { HOUR, Stage } from '../controller/stage.ts'
import type { Pause } from '../life.ts'

const BY_COPY = { migration: { strategy: 'snapshot-restore' } }

/** A leader that stands still right before or after that request, a second one that takes over, and the first waking late. */
function suspendedAt(
  at: (method: string, url: string, body: string) => boolean,
  moment: 'before it is sent' | 'after its effect',
  how: Pause,
) {
  const stage = new Stage({ csi: true })
  stage.policy(BY_COPY)
  const volume = stage.claim({ name: 'data', iops: 3000 })
  stage.cloud.write(volume.id, 'orders')
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold', strategy: 'snapshot-restore' })
  const awake = Promise.withResolvers<void>()
  let held = false
  const first = stage.start({
    identity: 'first',
    gate: async (request, send) => {
      if (held || !at(request.method, request.url, request.body ?? '')) return send()
      held = true
      const answer = moment === 'after its effect' ? await send() : undefined
      first.life.pause(how)
      if (answer !== undefined) return answer
      await awake.promise
      return send()
    },
  })
  const wake = async () => {
    awake.resolve()
    await stage.clock.settle()
    first.life.resume()
  }
  const handle = () => {
    const pv = stage.object('/api/v1/persistentvolumes', volume.pv)
    return (pv?.['spec'] as { csi?: { volumeHandle?: string } } | undefined)?.csi?.volumeHandle
  }
  return { stage, volume, wake, held: () => held, handle }
}

const savesClone = (method: string, url: string, body: string) =>
  method === 'PATCH' && url.includes('/replacement-') && body.includes('"act":"cloneVolume"')

it.each<Pause>(['stopped', 'asleep'])(
  'a leader %s right after it has saved that it makes the copy makes none once another has taken over',
  async (how) => {
    const { stage, wake, held, handle } = suspendedAt(savesClone, 'after its effect', how)
    expect(await stage.until(held, HOUR)).toBe(true)
    const second = stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking', HOUR)).toBe(true)
    await wake()
    await stage.clock.advance(120_000)
    expect(stage.cloud.volumeCount()).toBe(2)
    expect(stage.cloud.data(handle()!)).toBe('orders')
    second.life.kill()
  },
)

it.each<[string, (method: string, url: string) => boolean]>([
  [
    'deletes the PersistentVolume',
    (m, url) => m === 'DELETE' && url.includes('persistentvolumes/'),
  ],
  ['creates the held one', (m, url) => m === 'POST' && /persistentvolumes\?(?!.*dryRun)/.test(url)],
])(
  'a leader that stands still between its last check and the call that %s spoils nothing when it wakes',
  async (_, at) => {
    const { stage, volume, wake, held, handle } = suspendedAt(at, 'before it is sent', 'stopped')
    expect(await stage.until(held, HOUR)).toBe(true)
    stage.start({ identity: 'second' })
    expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking', HOUR)).toBe(true)
    await wake()
    await stage.clock.advance(120_000)
    expect(stage.ends('data')).toEqual(['Soaking/Soaking'])
    expect(handle()).not.toBe(volume.id)
    expect(stage.cloud.data(handle()!)).toBe('orders')
    expect(stage.cloud.volumeCount()).toBe(2)
  },
)

it.each([
  ['copy', '/volumes', 'cloneVolume'],
  ['snapshot', '/snapshots', 'createSnapshot'],
])(
  'a second %s that a suspended leader makes after another one has made it goes with all that is not needed',
  async (_, path) => {
    const isMade = (m: string, url: string) => m === 'POST' && url.endsWith(path)
    const { stage, wake, held, handle } = suspendedAt(isMade, 'before it is sent', 'stopped')
    expect(await stage.until(held, HOUR)).toBe(true)
    stage.start({ identity: 'second', configYaml: 'migration: {soak_max_age: 10m}' })
    expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking', HOUR)).toBe(true)
    const before = made(stage)
    await wake()
    expect(made(stage)).toBe(before + 1)
    await stage.clock.advance(HOUR)
    expect(stage.ends('data')).toEqual(['Succeeded/Verified'])
    expect(stage.cloud.data(handle()!)).toBe('orders')
    expect(made(stage)).toBe(1)
  },
)

it('a second copy that somebody has attached is left alone, and the move says what to do', async () => {
  const isClone = (m: string, url: string) => m === 'POST' && url.endsWith('/volumes')
  const { stage, volume, wake, held, handle } = suspendedAt(isClone, 'before it is sent', 'stopped')
  expect(await stage.until(held, HOUR)).toBe(true)
  stage.start({ identity: 'second', configYaml: 'migration: {soak_max_age: 10m}' })
  expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking', HOUR)).toBe(true)
  await wake()
  const { cloud: seams } = stage
  const known = new Set([volume.id, handle()])
  const second = seams.volumes().find((v) => !known.has(v.id))!.id
  await stage.clock.advance(60_000)
  seams.attach(second, 'server-1')
  await stage.clock.advance(HOUR)
  expect(stage.ends('data')).toEqual(['CleaningUp/CleaningUp'])
  expect(String(stage.moves()[0]?.status?.message)).toContain(
    `${second} was made twice for this move, and the second one is not needed: volume ${second} is attached`,
  )
  seams.detach(second)
  await stage.clock.advance(HOUR)
  expect(stage.ends('data')).toEqual(['Succeeded/Verified'])
  expect(seams.volume(second)).toBeUndefined()
})

/** Volumes and snapshots in Cinder. */
function made({ cloud }: Stage): number {
  return cloud.volumeCount() + cloud.snapshots().length
}
