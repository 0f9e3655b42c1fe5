import { expect, it } from 'vitest'
import { HOUR, MINUTE, POLICY, Stage } from './stage.ts'

/** A busy volume on its best tier, which only a person would move. */
function busy(spec: object = {}) {
  const stage = new Stage()
  stage.policy(spec)
  const volume = stage.claim({ name: 'data', iops: 3000 })
  stage.start()
  return { stage, volume }
}

it('a move made by hand runs outside the schedule and inside the cooldown', async () => {
  const { stage, volume } = busy({
    migration: { schedule: '0 3 * * *', slotDuration: '1h', cooldownPeriod: '168h' },
  })
  await stage.clock.advance(MINUTE)
  for (const to of ['warm', 'cold']) {
    stage.move(`by-hand-${to}`, { claim: { name: 'data' }, to })
    await stage.until(() => stage.tier(volume) === to, 2 * MINUTE)
    expect(stage.tier(volume)).toBe(to)
    await stage.clock.advance(30_000)
  }
  expect(stage.ends('data')).toEqual(['Succeeded/Verified', 'Succeeded/Verified'])
  expect(await stage.until(() => stage.annotation('data', 'tier') === 'cold')).toBe(true)
})

it('a move made by hand never skips what protects the volume', async () => {
  const { stage, volume } = busy()
  stage.cloud.addSnapshot(volume.id)
  await stage.clock.advance(MINUTE)
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
  await stage.clock.advance(HOUR)
  expect(stage.ends('data')).toEqual(['Waiting/Snapshots'])
  expect(stage.retypes(volume)).toBe(0)
})

it.each<[string, (stage: Stage) => object, string]>([
  [
    'another claim uid',
    () => ({ claim: { name: 'data', uid: 'other' }, to: 'cold' }),
    'ClaimMismatch',
  ],
  ['no such claim', () => ({ claim: { name: 'nothing' }, to: 'cold' }), 'ClaimMismatch'],
  [
    'another volume',
    (s) => ({ claim: { name: 'data' }, to: 'cold', volume: { id: foreign(s) } }),
    'ClaimMismatch',
  ],
  [
    'another PersistentVolume',
    () => ({ claim: { name: 'data' }, to: 'cold', volume: { pv: 'other' } }),
    'ClaimMismatch',
  ],
  ['no tier of the policy', () => ({ claim: { name: 'data' }, to: 'frozen' }), 'UnknownTier'],
  [
    'another tier to come from',
    () => ({ claim: { name: 'data' }, from: 'warm', to: 'cold' }),
    'MovedElsewhere',
  ],
])('a move that names %s is refused, and no volume is touched', async (_, spec, reason) => {
  const { stage } = busy()
  await stage.clock.advance(MINUTE)
  stage.move('by-hand', spec(stage))
  expect(await stage.until(() => stage.moves()[0]?.status?.step === 'Failed')).toBe(true)
  expect(stage.moves()[0]?.status?.reason).toBe(reason)
  expect(stage.moves()[0]?.status?.conditions).toContainEqual(
    expect.objectContaining({ type: 'Succeeded', status: 'False', reason }),
  )
  expect(stage.cloud.journal().filter((e) => e.path.endsWith('/action'))).toEqual([])
})

/** A volume of the same project that another namespace owns. */
function foreign(stage: Stage): string {
  return stage.claim({ name: 'theirs', namespace: 'others', iops: 3000 }).id
}

it('a move is cancelled before its call, and not after', async () => {
  const { stage, volume } = busy()
  const snapshot = stage.cloud.addSnapshot(volume.id)
  await stage.clock.advance(MINUTE)
  stage.move('early', { claim: { name: 'data' }, to: 'cold' })
  await stage.until(() => stage.ends('data')[0] === 'Waiting/Snapshots')
  cancel(stage)
  expect(await stage.until(() => stage.ends('data')[0] === 'Failed/Cancelled', MINUTE)).toBe(true)
  expect(stage.retypes(volume)).toBe(0)

  stage.cloud.removeSnapshot(snapshot.id)
  stage.move('late', { claim: { name: 'data' }, to: 'cold' })
  await stage.until(() => stage.cloud.retyping().length > 0)
  cancel(stage)
  expect(await stage.until(() => stage.ends('data')[1] === 'Succeeded/Verified')).toBe(true)
})

function cancel(stage: Stage): void {
  const latest = stage.moves('data').at(-1)
  stage.world.api.seed({ ...latest, spec: { ...latest?.spec, cancel: true } })
}

it('of two moves of one volume the older goes first, and the second finds its place', async () => {
  const { stage, volume } = busy()
  await stage.clock.advance(MINUTE)
  stage.move('one', { claim: { name: 'data' }, to: 'cold' })
  stage.move('two', { claim: { name: 'data' }, to: 'warm' })
  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
  await stage.clock.advance(MINUTE)
  expect(stage.ends('data')).toEqual(['Succeeded/Verified', 'Succeeded/Verified'])
  expect(stage.cloud.retypesOf(volume.id).map((r) => r.status)).toEqual([202, 202])
})

/** An administrator moves the volume to cold, past CoucheStor. */
function retypeByHand(stage: Stage, volumeId: string): void {
  const row = stage.cloud.volume(volumeId)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-cold').id
  stage.cloud.setStatus(volumeId, 'available')
}

it('a tier that an administrator chose is shown, also where nothing else is wanted', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  const volume = stage.claim({ name: 'data' })
  stage.start()
  await stage.until(() => stage.annotation('data', 'tier') === 'hot')
  await stage.clock.advance(HOUR)
  retypeByHand(stage, volume.id)
  expect(await stage.until(() => stage.annotation('data', 'tier') === 'cold', 20 * MINUTE)).toBe(
    true,
  )
})

it('a tier that was renamed is shown by its new name', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  stage.claim({ name: 'data', iops: 3000 })
  stage.start()
  await stage.until(() => stage.annotation('data', 'tier') === 'hot')
  const [hot, ...others] = POLICY.tiers
  stage.policy({ mode: 'Observe', tiers: [{ ...hot, name: 'fast' }, ...others] })
  expect(await stage.until(() => stage.annotation('data', 'tier') === 'fast', 20 * MINUTE)).toBe(
    true,
  )
})

it('a claim shows nothing of a policy that is gone', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  stage.claim({ name: 'data', iops: 3000 })
  stage.start()
  await stage.until(() => stage.annotation('data', 'tier') === 'hot')
  await stage.remove('/apis/couchestor.io/v1alpha1/storagepolicies/tiered')
  expect(await stage.until(() => stage.annotation('data', 'tier') === undefined, 20 * MINUTE)).toBe(
    true,
  )
})

it('a retype made in Cinder by hand is seen, reported, and counts for the cooldown', async () => {
  const stage = new Stage()
  stage.policy({ migration: { cooldownPeriod: '24h' } })
  const volume = stage.claim({ name: 'data', iops: 3000 })
  stage.start()
  await stage.until(() => stage.annotation('data', 'tier') === 'hot')
  await stage.clock.advance(MINUTE)
  retypeByHand(stage, volume.id)
  expect(await stage.until(() => stage.events('data').includes('TierChangedOutside'))).toBe(true)
  expect(await stage.until(() => stage.annotation('data', 'tier') === 'cold')).toBe(true)
  await stage.clock.advance(20 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(await stage.until(() => stage.tier(volume) === 'hot', 12 * HOUR, MINUTE)).toBe(true)
})

it('a move made by hand takes the place of the one that the policy has waiting', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data' })
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: stage.pvc('data').metadata.namespace, name: 'web' },
    spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
  }
  stage.world.api.seed({ ...pod, status: { phase: 'Pending' } })
  stage.start()
  const waits = () => stage.ends('data').includes('Waiting/PodPending')
  expect(await stage.until(waits, HOUR)).toBe(true)
  stage.move('by-hand', { claim: { name: 'data' }, to: 'warm' })
  await stage.clock.advance(5 * MINUTE)
  expect(stage.ends('data')).toEqual(['Failed/Superseded', 'Waiting/PodPending'])
  stage.world.api.seed({ ...pod, status: { phase: 'Succeeded' } })
  expect(await stage.until(() => stage.tier(volume) === 'warm')).toBe(true)
})
