import { describe, expect, it } from 'vitest'
import type { VolumeTypeOptions } from '../../src/sim/cloud/options.ts'
import { answer, network } from './answers.ts'
import { MINUTE, POLICY, Stage } from './stage.ts'
import type { Start } from './stage.ts'

/** A spec that every project may see; the same on all tiers, so that only the backends differ. */
const SHOWN = { replication_enabled: '<is> False' }
const TYPES: readonly VolumeTypeOptions[] = ['hot', 'warm', 'cold'].map((tier) => ({
  name: `couchestor-${tier}`,
  backend: tier,
  extraSpecs: SHOWN,
}))

/** A Cinder that loses what is written after a retype of an attached volume, and one busy volume on it. */
function lossy(options: { spec?: object; node?: string; sizeGiB?: number; start?: Start } = {}) {
  const stage = new Stage({ cloud: { migration: { attached: 'unsafe' }, volumeTypes: TYPES } })
  stage.policy(options.spec)
  const volume = stage.claim({
    name: 'data',
    iops: 3000,
    sizeGiB: options.sizeGiB ?? 1,
    ...(options.node === undefined ? {} : { node: options.node }),
  })
  stage.start(options.start)
  return { stage, volume }
}

/** Puts the volume on a type with the same extra specs as the tiers. */
function onOwnType(stage: Stage, id: string, isPublic: boolean): void {
  const type = stage.cloud.addVolumeType({
    name: 'customer',
    backend: 'hot',
    isPublic,
    extraSpecs: SHOWN,
  })
  const row = stage.cloud.volume(id)
  if (row) row.typeId = type.id
}

const byHand = (stage: Stage, to = 'cold') => stage.move('by-hand', { claim: { name: 'data' }, to })

const message = (stage: Stage) => stage.moves('data').at(-1)?.status?.message ?? ''

describe('an attached volume on a Cinder that may lose its data', () => {
  it.each([
    ['is private', false, 'Waiting/TypeNotAccessible', 'may not use customer'],
    ['was made a moment ago', true, 'Waiting/Attached', 'the extra specs seen prove nothing'],
  ])(
    'is not moved from a type that %s: its extra specs are no proof',
    async (_, shown, end, why) => {
      const { stage, volume } = lossy({ node: 'node-1' })
      await stage.clock.advance(MINUTE)
      onOwnType(stage, volume.id, shown)
      byHand(stage)
      await stage.clock.advance(10 * MINUTE)
      expect(stage.ends('data')).toEqual([end])
      expect(stage.retypes(volume)).toBe(0)
      expect(message(stage)).toContain(why)
      stage.cloud.write(volume.id, 'still written')
      expect(stage.cloud.data(volume.id)).toBe('still written')
    },
  )

  it('is moved once the types can be seen and differ in more than their backend', async () => {
    const stage = new Stage({ cloud: { volumeTypes: TYPES } })
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000, node: 'node-1' })
    stage.start()
    await stage.clock.advance(MINUTE)
    const type = stage.cloud.addVolumeType({ name: 'customer', backend: 'hot', isPublic: false })
    const row = stage.cloud.volume(volume.id)
    if (row) row.typeId = type.id
    byHand(stage)
    await stage.until(() => stage.ends('data')[0] === 'Waiting/TypeNotAccessible')
    Object.assign(type, { isPublic: true, extraSpecs: { replication_enabled: '<is> True' } })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
    stage.cloud.write(volume.id, 'still written')
    expect(stage.cloud.data(volume.id)).toBe('still written')
  })

  it.each(['in-use', 'reserved', 'attaching', 'detaching'])(
    'is not taken for a detached one when Cinder says "%s" and lists no attachment',
    async (status) => {
      const { stage, volume } = lossy()
      await stage.clock.advance(MINUTE)
      stage.cloud.setStatus(volume.id, status)
      byHand(stage)
      await stage.clock.advance(10 * MINUTE)
      expect(stage.ends('data')[0]).toMatch(/^Waiting\/(Attached|Busy)$/)
      expect(stage.retypes(volume)).toBe(0)
    },
  )

  it.each([
    ['breaks', () => Promise.reject(new Error('connection reset'))],
    ['is answered with 503', () => Promise.resolve(answer(503, 'unavailable'))],
    ['is answered with 404', () => Promise.resolve(answer(404, 'no such page'))],
  ])('is not moved while the watch of VolumeAttachments %s', async (_, fail) => {
    let broken = false
    const { stage, volume } = lossy({
      start: {
        gate: (request, send) =>
          broken && request.url.includes('/volumeattachments') ? fail() : send(),
      },
    })
    await stage.clock.advance(MINUTE)
    broken = true
    await stage.clock.advance(30 * MINUTE)
    byHand(stage)
    await stage.clock.advance(5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/Attached'])
    expect(message(stage)).toContain('VolumeAttachments')
    broken = false
    expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
  })
})

describe('an owner and an administrator who stop a move', () => {
  const LATER = { migration: { schedule: '40 10 * * *' } }
  const stops: readonly [string, string, (stage: Stage) => void][] = [
    ['the claim', 'claims', (stage) => stage.annotate('data', { 'couchestor.io/paused': 'true' })],
    ['the policy', 'policies', (stage) => stage.policy({ ...LATER, paused: true })],
  ]
  const paths = { claims: '/persistentvolumeclaims', policies: '/storagepolicies' }
  const failures = [
    ['breaks', () => Promise.reject(new Error('connection reset'))],
    ['is answered with 503', () => Promise.resolve(answer(503, 'unavailable'))],
    ['is answered with 403', () => Promise.resolve(answer(403, 'forbidden'))],
  ] as const

  it.each(
    stops.flatMap((stop) =>
      failures.map(([how, fail]) => [stop[0], how, stop[1], stop[2], fail] as const),
    ),
  )('of %s are heard although its watch %s', async (_, _how, kind, pause, fail) => {
    const stage = new Stage()
    stage.policy(LATER)
    const volume = stage.claim({ name: 'data' })
    let broken = false
    const meets = (url: string) => new URL(url).pathname.endsWith(paths[kind as 'claims'])
    stage.start({
      gate: (request, send) =>
        broken && request.method === 'GET' && meets(request.url) ? fail() : send(),
    })
    await stage.clock.advance(2 * MINUTE)
    broken = true
    await stage.clock.advance(10 * MINUTE)
    pause(stage)
    await stage.clock.advance(40 * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.moves('data').map((m) => m.status?.reason)).toEqual(['WatchStale'])
    broken = false
    await stage.clock.advance(10 * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.moves('data').map((m) => m.status?.reason)).not.toContain('WatchStale')
  })
})

function pod(
  stage: Stage,
  spec: object,
  options: { namespace?: string; phase?: string } = {},
): void {
  const { namespace = 'default', phase } = options
  stage.world.api.seed({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'worker', namespace },
    spec: { containers: [{ name: 'main', image: 'main' }], ...spec },
    status: phase === undefined ? {} : { phase },
  })
}

const byClaim = (claimName: string) => ({
  volumes: [{ name: 'scratch', persistentVolumeClaim: { claimName } }],
})
const EPHEMERAL = { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: {} } }] }

describe('a pod that waits for the claim', () => {
  it('may be there while pods cannot be read, so nothing starts', async () => {
    let broken = false
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    stage.start({
      gate: (request, send) =>
        broken && request.url.includes('/api/v1/pods')
          ? Promise.reject(new Error('connection reset'))
          : send(),
    })
    await stage.clock.advance(MINUTE)
    broken = true
    await stage.clock.advance(30 * MINUTE)
    byHand(stage)
    await stage.clock.advance(5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/PodPending'])
    expect(message(stage)).toContain('no news of pods')
    broken = false
    expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
  })

  it.each<[string, object, string | undefined]>([
    ['by name', byClaim('worker-scratch'), 'Pending'],
    ['as a generic ephemeral volume', EPHEMERAL, 'Pending'],
    ['and was made a moment ago', EPHEMERAL, undefined],
  ])('%s holds the move back', async (_, spec, phase) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'worker-scratch', iops: 3000 })
    pod(stage, spec, phase === undefined ? {} : { phase })
    stage.start()
    await stage.clock.advance(MINUTE)
    stage.move('by-hand', { claim: { name: 'worker-scratch' }, to: 'cold' })
    await stage.clock.advance(5 * MINUTE)
    expect(stage.ends('worker-scratch')).toEqual(['Waiting/PodPending'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it.each<[string, object, { namespace?: string; phase?: string }]>([
    ['in another namespace', EPHEMERAL, { namespace: 'other', phase: 'Pending' }],
    ['for another claim', byClaim('scratch'), { phase: 'Pending' }],
    ['no more, because it has run', EPHEMERAL, { phase: 'Succeeded' }],
  ])('%s holds nothing back', async (_, spec, options) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'worker-scratch', iops: 3000 })
    stage.world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } })
    pod(stage, spec, options)
    stage.start()
    await stage.clock.advance(MINUTE)
    stage.move('by-hand', { claim: { name: 'worker-scratch' }, to: 'cold' })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 5 * MINUTE)).toBe(true)
  })
})

const [HOT, WARM, COLD] = POLICY.tiers
const room = (maxGiB: number) => ({
  tiers: [HOT, WARM, { ...COLD, capacity: { maxGiB, headroomPercent: 0 } }],
})

describe('the room on a tier', () => {
  it('is compared with the size that Cinder shows right before the call', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    stage.start()
    await stage.clock.advance(MINUTE)
    const row = stage.cloud.volume(volume.id)
    if (row) row.sizeGiB = 500
    byHand(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it.each<[string, (stage: Stage, pv: string) => void]>([
    [
      'its PersistentVolume',
      (stage, pv) => {
        const object = stage.object('/api/v1/persistentvolumes', pv)!
        const spec = object['spec'] as object
        stage.world.api.seed({ ...object, spec: { ...spec, capacity: { storage: '500Gi' } } })
      },
    ],
    [
      'the claim',
      (stage) => {
        const status = { phase: 'Bound', capacity: { storage: '500Gi' } }
        stage.world.api.seed({ ...stage.pvc('data'), status })
      },
    ],
  ])('is compared with the size that %s shows, where that is larger', async (_, grow) => {
    const stage = new Stage()
    stage.policy(room(100))
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    grow(stage, volume.pv)
    stage.start()
    await stage.clock.advance(MINUTE)
    byHand(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('is enough for a volume that was not there at the last sweep, once Cinder has shown its size', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    stage.start()
    await stage.clock.advance(MINUTE)
    const small = stage.claim({ name: 'small', iops: 3000, sizeGiB: 10, labels: {} })
    const large = stage.claim({ name: 'large', iops: 3000, sizeGiB: 500, labels: {} })
    for (const name of ['small', 'large']) {
      stage.annotate(name, { 'couchestor.io/policy': 'tiered' })
      await stage.clock.advance(1_000)
      stage.move(name, { claim: { name }, to: 'cold' })
    }
    expect(await stage.until(() => stage.tier(small) === 'cold', 5 * MINUTE)).toBe(true)
    expect(stage.retypes(large)).toBe(0)
    expect(stage.ends('large')).toEqual(['Waiting/CapacityLimit'])
  })

  it('is not given away by a leader that has not counted yet', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    stage.claim({ name: 'there', tier: 'cold', iops: 1, sizeGiB: 95 })
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    byHand(stage)
    stage.start()
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('is not taken from a list of volumes that is long out of date', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    const net = network()
    stage.start({ gate: net.gate })
    await stage.clock.advance(MINUTE)
    net.on('GET /volumes/detail', () => answer(503))
    await stage.clock.advance(20 * MINUTE)
    byHand(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.moves('data')[0]?.status?.message).toMatch(/could not be listed for \d+ min/)
    net.clear()
    expect(await stage.until(() => stage.tier(volume) === 'cold', 15 * MINUTE)).toBe(true)
  })

  it('is taken up by a volume that has grown since Cinder was last listed', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    const there = stage.claim({ name: 'there', tier: 'cold', iops: 1, sizeGiB: 10 })
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    stage.start()
    await stage.clock.advance(MINUTE)
    const object = stage.object('/api/v1/persistentvolumes', there.pv)!
    const spec = object['spec'] as object
    stage.world.api.seed({ ...object, spec: { ...spec, capacity: { storage: '95Gi' } } })
    await stage.clock.advance(10 * MINUTE)
    byHand(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('is taken up by the largest of the PersistentVolumes that name a volume', async () => {
    const stage = new Stage()
    stage.policy(room(100))
    const there = stage.claim({ name: 'there', tier: 'cold', iops: 1, sizeGiB: 10 })
    const volume = stage.claim({ name: 'data', iops: 3000, sizeGiB: 10 })
    const object = stage.object('/api/v1/persistentvolumes', there.pv)!
    const { claimRef: _, ...spec } = object['spec'] as { claimRef: unknown }
    const second = { ...object.metadata, name: 'zz-second', uid: 'zz-second' }
    const capacity = { storage: '95Gi' }
    stage.world.api.seed({ ...object, metadata: second, spec: { ...spec, capacity } })
    stage.start()
    await stage.clock.advance(10 * MINUTE)
    byHand(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/CapacityLimit'])
    expect(stage.retypes(volume)).toBe(0)
  })
})

describe('the size of a claim', () => {
  it.each([
    ['shows none', { phase: 'Bound' }],
    ['shows one that cannot be read', { phase: 'Bound', capacity: { storage: 'much' } }],
  ])('that %s may be changing, so nothing moves', async (_, status) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    stage.world.api.seed({ ...stage.pvc('data'), status })
    stage.start()
    await stage.clock.advance(MINUTE)
    byHand(stage)
    await stage.clock.advance(5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/Resizing'])
    expect(message(stage)).toContain('status.capacity.storage')
    expect(stage.retypes(volume)).toBe(0)
  })
})
