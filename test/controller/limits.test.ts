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

it('a claim whose move ends while a look at it still runs is not planned a second time', async () => {
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
  // a pod comes: Kubernetes tells of it, and Cinder is asked about the claim's volume
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

it('a move that two looks come to at the same time is made once, and told once', async () => {
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
  const told = stage.world.api
    .objects('/api/v1/events')
    .filter((e) => e['reason'] === 'MigrationPlanned')
  expect(told.map((e) => e['count'])).toEqual([1])
})
