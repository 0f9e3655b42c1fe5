import { expect, it } from 'vitest'
import { CINDER_DRIVER } from '../../src/api/names.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** Largest number of moves seen at once, in order of change, while all idle volumes go down. */
async function waves(stage: Stage, until: () => boolean): Promise<number[]> {
  const seen: number[] = []
  for (let i = 0; i < 3600 && !until(); i++) {
    await stage.clock.advance(1_000)
    const running = stage.cloud.retyping().length
    if (running > 0 && running !== seen.at(-1)) seen.push(running)
  }
  return seen
}

it('a new installation moves one volume, then two, then four at once', async () => {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 10 } })
  const volumes = Array.from({ length: 9 }, (_, i) =>
    stage.claim({ name: `idle-${i}`, sizeGiB: 20 }),
  )
  stage.start({ configYaml: 'migration:\n  concurrent_migrations: 10\n' })
  let most = 0
  let ended = 0
  await stage.until(() => {
    const running = stage.cloud.retyping().length
    const done = stage.moves().filter((m) => m.status?.step === 'Succeeded').length
    expect(running).toBeLessThanOrEqual(2 ** done)
    most = Math.max(most, running)
    ended = done
    return done === volumes.length
  }, HOUR)
  expect(ended).toBe(9)
  expect(most).toBeGreaterThanOrEqual(4)
})

it('config.yaml limits the moves of all policies together', async () => {
  const stage = new Stage()
  for (const owner of ['a', 'b', 'c']) {
    stage.policy({ selector: { matchLabels: { owner } } }, `policy-${owner}`)
    for (const i of [1, 2])
      stage.claim({
        name: `${owner}-${i}`,
        sizeGiB: 20,
        labels: { owner },
        annotations: { 'couchestor.io/force-tier': 'cold' },
      })
  }
  stage.start({ configYaml: 'migration:\n  concurrent_migrations: 2\n' })
  const all = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length === 6
  const seen = await waves(stage, all)
  expect(all()).toBe(true)
  expect(Math.max(...seen)).toBe(2)
})

it.each<[string, object]>([
  ['the policy', { migration: { maxConcurrent: 1 } }],
  ['a namespace', { limits: { perNamespace: [{ namespace: 'default', maxConcurrent: 1 }] } }],
  ['a pool', { limits: { perPool: [{ pool: 'cold', maxConcurrent: 1 }] } }],
])('the limit of %s holds for forced moves too', async (_, spec) => {
  const stage = new Stage()
  stage.policy(spec)
  const annotations = { 'couchestor.io/force-tier': 'cold' }
  for (const i of [1, 2, 3]) stage.claim({ name: `forced-${i}`, sizeGiB: 20, annotations })
  stage.start()
  const all = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length === 3
  const seen = await waves(stage, all)
  expect(all()).toBe(true)
  expect(seen).toEqual([1])
})

it('a restart counts what runs from the objects, so that no limit is passed', async () => {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 1 } })
  const annotations = { 'couchestor.io/force-tier': 'cold' }
  for (const i of [1, 2]) stage.claim({ name: `forced-${i}`, sizeGiB: 100, annotations })
  const first = stage.start()
  await stage.until(() => stage.cloud.retyping().length === 1)
  first.life.kill()
  stage.start({ identity: 'second' })
  const all = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length === 2
  expect(await waves(stage, all)).toEqual([1])
  expect(all()).toBe(true)
})

it('a full tier takes no more, and the claims that wait say why', async () => {
  const stage = new Stage()
  const [hot, warm, cold] = TIERS
  stage.policy({ tiers: [hot, warm, { ...cold, capacity: { maxGiB: 15, headroomPercent: 0 } }] })
  for (const i of [1, 2]) stage.claim({ name: `idle-${i}`, sizeGiB: 10 })
  stage.start()
  await stage.clock.advance(90 * MINUTE)
  const onCold = stage.cloud.journal().filter((e) => e.path.endsWith('/action'))
  expect(onCold).toHaveLength(1)
  expect(stage.policyStatus().tiers?.find((t) => t.name === 'cold')?.gib).toBe(10)
})

const TIERS = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0 },
] as const

it('a claim whose move ends while a read of it still runs is not planned a second time', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  const slow = Promise.withResolvers<void>()
  let holds = 0
  stage.start({
    gate: async (request, send) => {
      const isLook = request.method === 'GET' && request.url.endsWith(`/volumes/${volume.id}`)
      if (isLook && holds-- === 1) await slow.promise
      return send()
    },
  })
  await stage.until(() => stage.ends('idle')[0] === 'Verifying/Verifying')
  // a pod comes: Kubernetes reports it, and Cinder is asked about the claim's volume
  holds = 1
  const { volumeName: persistentVolumeName } = stage.pvc('idle')['spec'] as { volumeName: string }
  stage.world.api.seed({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'csi-1' },
    spec: { attacher: CINDER_DRIVER, nodeName: 'node-1', source: { persistentVolumeName } },
  })
  await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified')
  expect(holds).toBeLessThan(1)
  slow.resolve()
  await stage.clock.advance(HOUR)
  expect(stage.ends('idle')).toEqual(['Succeeded/Verified'])
  expect(stage.events('idle').filter((e) => e === 'MigrationPlanned')).toHaveLength(1)
})

it('a move that two evaluations reach at the same time is made once, and reported once', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle' })
  const slow = Promise.withResolvers<void>()
  let asked = 0
  stage.start({
    gate: async (request, send) => {
      const isPlan = request.method === 'POST' && request.url.includes('/volumemigrations')
      if (isPlan && asked++ === 0) await slow.promise
      return send()
    },
  })
  await stage.until(() => asked === 1)
  const claim = stage.pvc('idle')
  const labels = { ...claim.metadata.labels, another: 'look' }
  stage.world.api.seed({ ...claim, metadata: { ...claim.metadata, labels } })
  await stage.clock.advance(5_000)
  slow.resolve()
  await stage.clock.advance(MINUTE)
  expect(asked).toBe(1)
  expect(stage.ends('idle')).toHaveLength(1)
  const reported = stage.world.api
    .objects('/api/v1/events')
    .filter((e) => e['reason'] === 'MigrationPlanned')
  expect(reported.map((e) => e['count'])).toEqual([1])
})

const PRICED = [
  { ...TIERS[0], costPerGiBMonth: 0.125 },
  { ...TIERS[1], costPerGiBMonth: 0.08 },
  { ...TIERS[2], costPerGiBMonth: 0.045 },
]

it('a move made by hand counts for the pool that its volume leaves, said or not', async () => {
  const stage = new Stage()
  stage.policy({ limits: { perPool: [{ pool: 'hot', maxConcurrent: 1 }] } })
  for (const i of [1, 2]) stage.claim({ name: `busy-${i}`, sizeGiB: 100, iops: 3000 })
  stage.start()
  await stage.clock.advance(MINUTE)
  stage.move('by-hand-1', { claim: { name: 'busy-1' }, to: 'cold' })
  stage.move('by-hand-2', { claim: { name: 'busy-2' }, to: 'warm' })
  const all = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length === 2
  expect(await waves(stage, all)).toEqual([1])
  expect(all()).toBe(true)
})

it('a pool that two policies share under different names is one pool', async () => {
  const stage = new Stage()
  stage.policy({ limits: { perPool: [{ pool: 'cold', maxConcurrent: 1 }] } })
  const renamed = TIERS.map((t) => ({ ...t, name: `our-${t.name}` }))
  const selector = { matchLabels: { owner: 'other' } }
  const limits = { perPool: [{ pool: 'our-cold', maxConcurrent: 1 }] }
  stage.policy({ tiers: renamed, selector, limits }, 'other')
  stage.claim({ name: 'idle', sizeGiB: 100 })
  stage.claim({ name: 'idle-too', sizeGiB: 100, labels: { owner: 'other' } })
  stage.start()
  const all = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length === 2
  expect(await waves(stage, all)).toEqual([1])
  expect(all()).toBe(true)
})

it('a move made by hand spends of the budget what its new tier costs more than the present one', async () => {
  const stage = new Stage()
  stage.policy({ tiers: PRICED, budget: { maxMonthlyCost: 13 } })
  // 8.00 a month now, and 4.50 more on the hot tier
  const volume = stage.claim({ name: 'data', sizeGiB: 100, tier: 'warm', iops: 500 })
  stage.start()
  await stage.clock.advance(MINUTE)
  stage.move('by-hand', { claim: { name: 'data' }, to: 'hot' })
  expect(await stage.until(() => stage.tier(volume) === 'hot')).toBe(true)
})

it.each<[string, object]>([
  ['of no policy', { labels: { app: 'other' } }],
  ['that has opted out', { annotations: { 'couchestor.io/policy': 'none' } }],
])('a claim %s takes room on its tier as any other', async (_, claim) => {
  const stage = new Stage()
  const [hot, warm, cold] = TIERS
  stage.policy({ tiers: [hot, warm, { ...cold, capacity: { maxGiB: 20, headroomPercent: 0 } }] })
  stage.claim({ name: 'outside', sizeGiB: 15, tier: 'cold', ...claim })
  const tooLarge = stage.claim({ name: 'too-large', sizeGiB: 10 })
  const fits = stage.claim({ name: 'fits', sizeGiB: 5 })
  stage.start()
  expect(await stage.until(() => stage.tier(fits) === 'cold', 2 * HOUR)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.tier(tooLarge)).not.toBe('cold')
})

it('without a schedule limits.maxGiBPerSlot holds for any 24 hours', async () => {
  const stage = new Stage()
  stage.policy({ limits: { maxGiBPerSlot: 12 } })
  const volume = stage.claim({ name: 'idle', sizeGiB: 10 })
  const ago = (hours: number) => new Date(stage.clock.now() - hours * HOUR).toISOString()
  for (const hours of [23, 72])
    stage.move(
      `earlier-${hours}`,
      { claim: { name: 'another' }, from: 'hot', to: 'cold', reason: 'Policy' },
      {
        step: 'Succeeded',
        reason: 'Verified',
        sizeGiB: 10,
        startedAt: ago(hours),
        completedAt: ago(hours),
      },
    )
  stage.start()
  await stage.clock.advance(50 * MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  expect(await stage.until(() => stage.tier(volume) === 'cold', 45 * MINUTE)).toBe(true)
})

it('config.yaml limits the moves that begin in one window, also over a change of leaders, and all have their turn', async () => {
  const stage = new Stage()
  for (const owner of ['a', 'b']) {
    stage.policy(
      {
        selector: { matchLabels: { owner } },
        migration: { maxConcurrent: 10 },
        metrics: { window: '10m', minHistory: '1h' },
      },
      `policy-${owner}`,
    )
    for (let i = 0; i < 4; i++)
      stage.claim({ name: `${owner}-${i}`, labels: { owner }, sizeGiB: 1 })
  }
  const configYaml = 'migration: {concurrent_migrations: 10, batch_size: 2}'
  const first = stage.start({ configYaml })
  const waiting = () =>
    stage.moves().find((m) => m.status?.reason === 'BatchLimit')?.status?.message
  expect(await stage.until(() => waiting() !== undefined)).toBe(true)
  expect(waiting()).toMatch(
    /^2 moves have begun since \S+Z; migration\.batch_size in config\.yaml allows 2 per window, and the next one begins at \S+Z$/,
  )
  await first.stop()
  stage.start({ configYaml, identity: 'second' })
  const done = () => stage.moves().filter((m) => m.status?.step === 'Succeeded').length
  expect(await stage.until(() => done() === 8, 2 * HOUR)).toBe(true)
  const windows = Map.groupBy(stage.moves(), (m) =>
    Math.floor(Date.parse(m.status?.startedAt ?? '') / (10 * MINUTE)),
  )
  for (const begun of windows.values()) expect(begun.length).toBeLessThanOrEqual(2)
})
