import { expect, it } from 'vitest'
import { REPLACED_AT } from '../../src/api/names.ts'
import { HOUR } from '../controller/stage.ts'
import { Stand } from './stand.ts'
import { loseEachAnswerOnce, needClaim } from './troubles.ts'

const TO_COPY = [
  'Retain',
  'deletePersistentVolume',
  'releasePersistentVolume',
  'create held',
  'createSnapshot',
  'cloneVolume',
  'retype',
  'markTakenOver',
  'deletePersistentVolume',
  'releasePersistentVolume',
  'create copy',
]

it('a claim gets a copy of its volume on the other tier, with its data, and what was is gone', async () => {
  const stand = await Stand.open({ metadata: { 'cinder.csi.openstack.org/cluster': 'k8s' } })
  const { uid } = stand.claim.metadata
  const source = stand.handle
  await stand.begin()
  await stand.follow()

  expect(stand.saved).toMatchObject({ phase: 'Succeeded', reason: 'Verified' })
  expect(stand.acts).toEqual([
    ...TO_COPY,
    'Delete',
    'deleteSnapshot',
    'deleteVolume',
    'releasePersistentVolume',
  ])
  expect(stand.handle).not.toBe(source)
  expect(stand.data).toBe('written before')
  const { cloud } = stand.stage
  expect(cloud.volume(source)).toBeUndefined()
  expect(cloud.volume(stand.handle)).toMatchObject({
    typeId: cloud.volumeType('couchestor-cold').id,
    status: 'available',
    metadata: {
      'cinder.csi.openstack.org/cluster': 'k8s',
      'couchestor.io/cluster': 'here',
      'couchestor.io/taken-over': stand.saved.origin.moveUid,
    },
  })
  expect(stand.pv).toMatchObject({
    spec: { persistentVolumeReclaimPolicy: 'Delete', claimRef: { uid } },
    status: { phase: 'Bound' },
  })
  expect(stand.pv?.metadata.finalizers).not.toContain('couchestor.io/replacing')
  expect(stand.claim).toMatchObject({ metadata: { uid }, status: { phase: 'Bound' } })
  expect(stand.driven).toEqual([])
})

it('the claim is annotated after each creation, so that it is Bound at once', async () => {
  const stand = await Stand.open()
  await stand.begin()
  const phases: unknown[] = []
  stand.gate = async (request, send) => {
    const answer = await send()
    if (request.method === 'PATCH' && request.url.includes('/persistentvolumeclaims/'))
      phases.push((stand.claim['status'] as { phase: string }).phase)
    return answer
  }
  await stand.follow((s) => s.phase === 'Soaking')

  expect(phases).toEqual(['Bound', 'Bound'])
  expect(stand.claim.metadata.annotations?.[REPLACED_AT]).toMatch(/^2026-01-20T/)
})

it('a person who wants it back gets the former volume, and the copy is gone', async () => {
  const stand = await Stand.open()
  const source = stand.handle
  await stand.begin()
  await stand.follow((s) => s.phase === 'Soaking')
  expect(stand.acts).toEqual(TO_COPY)
  const copy = stand.handle
  stand.stage.cloud.write(copy, 'written after')

  stand.wish = 'rollback'
  await stand.follow()

  expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'RolledBack' })
  expect(stand.handle).toBe(source)
  expect(stand.data).toBe('written before')
  expect(stand.stage.cloud.volume(copy)).toBeUndefined()
  expect((await stand.look()).cinder).toMatchObject({ copies: [], snapshots: [] })
  expect(stand.pv).toMatchObject({ spec: { persistentVolumeReclaimPolicy: 'Delete' } })
  expect(stand.claim).toMatchObject({ status: { phase: 'Bound' } })
})

it('a move whose every answer is lost once ends the same', async () => {
  const stand = await Stand.open()
  const source = stand.handle
  await stand.begin()
  loseEachAnswerOnce(stand)
  await stand.follow()

  expect(stand.saved).toMatchObject({ phase: 'Succeeded' })
  expect(stand.data).toBe('written before')
  expect(stand.stage.cloud.volume(source)).toBeUndefined()
  expect((await stand.look()).cinder).toMatchObject({ copies: [{}], snapshots: [] })
})

it('a Pod that needs the held claim gets the original back within seconds', async () => {
  const stand = await Stand.open()
  const source = stand.handle
  await stand.begin()
  await stand.follow((s) => s.journal.some((e) => e.act === 'cloneVolume'))
  needClaim(stand)
  const since = stand.stage.clock.now()
  await stand.follow((s) => s.phase === 'CleaningUp')
  expect(stand.stage.clock.now() - since).toBeLessThan(20_000)
  expect(stand.handle).toBe(source)
  expect(stand.claim).toMatchObject({ status: { phase: 'Bound' } })

  await stand.follow()
  expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'ClaimNeeded' })
  expect((await stand.look()).cinder).toMatchObject({ copies: [], snapshots: [] })
})

it('each act has its two lines, with the claim and the move', async () => {
  const stand = await Stand.open()
  await stand.begin()
  await stand.follow()

  const calls = stand.lines.calls()
  expect(calls.map((c) => `${c.action} ${c.target.typeURI}`)).toEqual([
    'update/reclaim-policy data/persistentvolumes',
    'delete data/persistentvolumes',
    'update/finalizers data/persistentvolumes',
    'create data/persistentvolumes',
    'update/annotate data/persistentvolumeclaims',
    'create/snapshot storage/snapshot',
    'create/volume storage/volume',
    'update/retype storage/volume',
    'update/metadata storage/volume',
    'delete data/persistentvolumes',
    'update/finalizers data/persistentvolumes',
    'create data/persistentvolumes',
    'update/annotate data/persistentvolumeclaims',
    'update/reclaim-policy data/persistentvolumes',
    'delete/snapshot storage/snapshot',
    'delete/volume storage/volume',
    'update/finalizers data/persistentvolumes',
  ])
  const claim = { namespace: 'default', name: 'data', uid: stand.claim.metadata.uid }
  const migration = { namespace: 'default', name: 'data-1', uid: stand.move.metadata.uid }
  for (const call of calls) {
    expect(call).toMatchObject({
      target: { claim, migration },
      outcome: 'success',
      initiator: { name: 'unknown', policy: { name: 'tiered' } },
    })
  }
  expect(new Set(calls.map((c) => c.id)).size).toBe(calls.length)
  // in Cinder's own logs they are found by the same ids
  const { journal } = stand.saved
  expect(calls.find((c) => c.action === 'create/snapshot')?.id).toBe(
    journal.find((e) => e.act === 'createSnapshot')?.requestId,
  )
})

it('the soak does not ask for all PersistentVolumes, however long it takes', async () => {
  const stand = await Stand.open()
  await stand.begin()
  await stand.follow((s) => s.phase === 'Soaking')
  let lists = 0
  stand.gate = (request, send) => {
    if (request.method === 'GET' && /\/persistentvolumes\?/.test(request.url)) lists++
    return send()
  }
  const since = stand.stage.clock.now()
  await stand.follow((s) => s.phase === 'CleaningUp')
  expect(stand.stage.clock.now() - since).toBeGreaterThan(HOUR)
  expect(lists).toBe(0)
  await stand.follow()
  expect(lists).toBeGreaterThan(0)
})

it('what an administrator makes of the reclaim policy holds for every copy, at each time', async () => {
  const stand = await Stand.open()
  const source = stand.handle
  await stand.begin()
  await stand.follow((s) => s.restored !== undefined)
  // what people see is what happens
  expect(stand.pv).toMatchObject({ spec: { persistentVolumeReclaimPolicy: 'Delete' } })
  const copy = stand.handle
  stand.changePv({ spec: { persistentVolumeReclaimPolicy: 'Retain' } })
  await stand.stage.remove('/api/v1/namespaces/default/persistentvolumeclaims/data')
  await stand.follow()

  expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'ClaimDeleted', policy: 'Retain' })
  const { cloud } = stand.stage
  expect([cloud.volume(source)?.status, cloud.volume(copy)?.status]).toEqual([
    'available',
    'available',
  ])
  expect(stand.driven).toEqual([])
  expect(stand.handle).toBe(copy)
})

it('a reclaim policy that is changed while the former volume is kept is left as it is', async () => {
  const stand = await Stand.open()
  const { cloud } = stand.stage
  const kept = cloud.addSnapshot(stand.handle)
  await stand.begin()
  await stand.follow((s) => s.phase === 'CleaningUp' && s.restored !== undefined)
  stand.changePv({ spec: { persistentVolumeReclaimPolicy: 'Retain' } })
  await stand.follow((s) => s.policy !== undefined)
  cloud.removeSnapshot(kept.id)
  await stand.follow()

  expect(stand.saved).toMatchObject({ phase: 'Succeeded' })
  expect(stand.pv).toMatchObject({ spec: { persistentVolumeReclaimPolicy: 'Retain' } })
})

it.each([
  ['its reclaim policy', { spec: { persistentVolumeReclaimPolicy: 'Retain' } }],
  ['its size', { spec: { capacity: { storage: '2Gi' } } }],
  ['a label', { metadata: { labels: { team: 'storage' } } }],
])(
  'a PersistentVolume of which %s was changed after it was saved is not replaced',
  async (_, change) => {
    const stand = await Stand.open()
    await stand.begin()
    stand.changePv(change)
    const before = stand.pv
    await stand.follow()

    expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'CopyVoid' })
    expect(stand.saved.message).toContain('was changed')
    expect(stand.acts).toEqual([])
    expect(stand.pv).toEqual(before)
  },
)
