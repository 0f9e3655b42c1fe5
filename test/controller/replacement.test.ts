import { describe, expect, it } from 'vitest'
import { answer } from './answer.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { StoragePolicySpec } from '../../src/api/storage-policy.ts'
import type { ApiRequest } from '../../src/sim/apiserver/faults.ts'

const BY_COPY = { migration: { strategy: 'snapshot-restore' } } satisfies Partial<StoragePolicySpec>

/** An idle volume on the fastest tier, with a snapshot of its owner's, which blocks a retype for good. */
function pinned({ snapshot = true } = {}) {
  const stage = new Stage({ csi: true })
  stage.policy(BY_COPY)
  const volume = stage.claim({ name: 'data' })
  stage.cloud.write(volume.id, 'orders')
  const kept = snapshot ? stage.cloud.addSnapshot(volume.id) : undefined
  const handle = () => {
    const pv = stage.object('/api/v1/persistentvolumes', volume.pv)
    const { csi } = (pv?.['spec'] ?? {}) as { csi?: { volumeHandle?: string } }
    return csi?.volumeHandle ?? ''
  }
  const step = () => stage.moves('data')[0]?.status?.step
  return { stage, volume, kept, handle, step }
}

describe('a claim whose volume is pinned by a snapshot', () => {
  it('gets a copy on the tier that it belongs to, with its data and the same uid', async () => {
    const { stage, volume, handle, step } = pinned()
    const { uid } = stage.pvc('data').metadata
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    expect(handle()).not.toBe(volume.id)
    const copy = { ...volume, id: handle() }
    expect(stage.tier(copy)).toBe('cold')
    expect(stage.cloud.data(copy.id)).toBe('orders')
    expect(stage.pvc('data').metadata.uid).toBe(uid)
    expect((stage.pvc('data')['status'] as { phase: string }).phase).toBe('Bound')
    expect(stage.moves('data')[0]?.status?.replacement).toMatchObject({
      formerVolumeId: volume.id,
      copyVolumeId: copy.id,
    })
  })

  it('keeps the owners of its PersistentVolume through both gaps', async () => {
    const { stage, volume, step } = pinned()
    const pv = () => stage.object('/api/v1/persistentvolumes', volume.pv)!
    const owners = [{ apiVersion: 'v1', kind: 'Namespace', name: 'default', uid: 'n' }]
    stage.world.api.seed({ ...pv(), metadata: { ...pv().metadata, ownerReferences: owners } })
    stage.start()
    expect(await stage.until(() => step() === 'Copying', HOUR, 100)).toBe(true)
    expect(pv().metadata['ownerReferences']).toEqual(owners)
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    expect(pv().metadata['ownerReferences']).toEqual(owners)
  })

  it('keeps its copy when it was grown since, and the move says why', async () => {
    const { stage, volume, handle, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const claim = stage.pvc('data')
    const status = { ...(claim['status'] as object), capacity: { storage: '2Gi' } }
    stage.world.api.seed({ ...claim, status })
    const move = stage.moves('data')[0]!
    stage.world.api.seed({ ...move, spec: { ...move.spec, rollback: true } })
    await stage.clock.advance(HOUR)
    expect(step()).toBe('Soaking')
    expect(handle()).not.toBe(volume.id)
    expect(stage.moves('data')[0]?.status?.message).toBe(
      `the claim cannot be rolled back: it was grown to 2 GiB, and its former volume ${volume.id} has 1 GiB; nothing was touched, and both volumes are kept as long as a soak may take: copy what you need from the former one in Cinder`,
    )
  })

  it('has each gap announced before Kubernetes reports it as Lost', async () => {
    const { stage, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const move = stage.moves('data')[0]!
    stage.world.api.seed({ ...move, spec: { ...move.spec, rollback: true } })
    expect(await stage.until(() => step() === 'Failed', HOUR)).toBe(true)
    const events = stage.world.api
      .objects('/api/v1/events')
      .map((e) => e as unknown as { reason: string; message: string })
    const announced = events.filter((e) => e.message.includes('may report ClaimLost'))
    expect(announced.map((e) => e.reason)).toEqual([
      'MigrationStarted',
      'VolumeSwitching',
      'VolumeGivenBack',
    ])
    const first = (of: string) => events.findIndex((e) => e.reason === of)
    expect(first('MigrationStarted')).toBeLessThan(first('ClaimLost'))
  })

  it('keeps its former volume as long as it has the snapshot, and no longer', async () => {
    const { stage, volume, kept, step } = pinned()
    stage.start({ configYaml: 'migration: {soak_max_age: 1h}' })
    expect(await stage.until(() => step() === 'CleaningUp', 3 * HOUR, MINUTE)).toBe(true)
    await stage.clock.advance(20 * MINUTE)
    expect(step()).toBe('CleaningUp')
    expect(stage.moves('data')[0]?.status?.message).toContain('snapshots')
    expect(stage.cloud.volume(volume.id)).toBeDefined()
    stage.cloud.removeSnapshot(kept!.id)
    expect(await stage.until(() => step() === 'Succeeded', HOUR)).toBe(true)
    expect(stage.cloud.volume(volume.id)).toBeUndefined()
    expect(stage.cloud.volumeCount()).toBe(1)
  })

  it('is not asked about more often than every few seconds while a copy takes hours', async () => {
    const { stage, step } = pinned()
    let reads = 0
    const isList = (url: string) => url.includes('/snapshots/detail')
    stage.start({
      gate: (request, send) => {
        if (isList(request.url)) reads++
        return send()
      },
    })
    const copy = () => stage.cloud.volumes().find((v) => 'couchestor.io/move' in v.metadata)
    expect(await stage.until(() => copy() !== undefined, HOUR, 100)).toBe(true)
    stage.cloud.planRetype(copy()!.id, 'stuck')
    await stage.clock.advance(5 * MINUTE)
    expect(step()).toBe('Copying')
    reads = 0
    await stage.clock.advance(10 * MINUTE)
    expect(step()).toBe('Copying')
    // three lists at a time
    expect(reads).toBeLessThan(3 * 80)
    expect(reads).toBeGreaterThan(3 * 40)
  })
})

describe('a policy with strategy Auto', () => {
  it('copies what snapshots pin, and retypes the rest in its place', async () => {
    const stage = new Stage({ csi: true })
    stage.policy({ migration: { strategy: 'Auto', maxConcurrent: 2 } })
    const pinned = stage.claim({ name: 'pinned' })
    const free = stage.claim({ name: 'free' })
    stage.cloud.addSnapshot(pinned.id)
    stage.start()
    expect(await stage.until(() => stage.ends('free')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    const isSoaking = () => stage.moves('pinned')[0]?.status?.step === 'Soaking'
    expect(await stage.until(isSoaking, HOUR)).toBe(true)
    expect(stage.retypes(free)).toBe(1)
    expect(stage.retypes(pinned)).toBe(0)
    expect(stage.moves('pinned')[0]?.spec.strategy).toBe('snapshot-restore')
    expect(stage.moves('free')[0]?.spec.strategy).toBe('cinder-retype')
  })
})

describe('a policy with via: backup', () => {
  const BY_BACKUP = { migration: { strategy: 'snapshot-restore', via: 'backup' } } as const

  it('plans moves by backup, and they give the claim a copy without a retype', async () => {
    const stage = new Stage({ csi: true })
    stage.policy(BY_BACKUP)
    const volume = stage.claim({ name: 'data' })
    stage.cloud.write(volume.id, 'orders')
    stage.cloud.addBackup(volume.id, 'nightly')
    stage.start({ configYaml: 'migration: {soak_max_age: 1h}' })
    const step = () => stage.moves('data')[0]?.status?.step
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const [move] = stage.moves('data')
    expect(move?.spec).toMatchObject({ strategy: 'snapshot-restore', via: 'backup' })
    const id = move?.status?.replacement?.copyVolumeId ?? ''
    expect(stage.cloud.volume(id)?.metadata).toHaveProperty('src_backup_id')
    expect(stage.cloud.data(id)).toBe('orders')
    expect(stage.tier({ ...volume, id })).toBe('cold')
    expect(await stage.until(() => step() === 'Succeeded', 3 * HOUR, MINUTE)).toBe(true)
    expect(stage.cloud.volumes().map((v) => v.id)).toEqual([id])
    expect(stage.cloud.backups().map((b) => b.name)).toEqual(['nightly'])
  })

  it('touches nothing where it is not known that there is a cinder-backup, and says what to do', async () => {
    const stage = new Stage({ csi: true })
    stage.policy(BY_BACKUP)
    const volume = stage.claim({ name: 'data' })
    stage.start()
    const isRefused = () => stage.moves('data')[0]?.status?.reason === 'BackupUnavailable'
    expect(await stage.until(isRefused, HOUR)).toBe(true)
    expect(stage.moves('data')[0]?.status?.message).toContain('openstack volume backup create')
    expect(stage.cloud.volumes().map((v) => v.id)).toEqual([volume.id])
    stage.cloud.addBackup(volume.id, 'by-hand')
    const isSoaking = () => stage.moves('data')[0]?.status?.step === 'Soaking'
    expect(await stage.until(isSoaking, HOUR)).toBe(true)
  })

  it('names no way in moves by retype, which Auto chooses where nothing blocks one', async () => {
    const stage = new Stage({ csi: true })
    stage.policy({ migration: { strategy: 'Auto', via: 'backup' } })
    const free = stage.claim({ name: 'free' })
    stage.start()
    expect(await stage.until(() => stage.ends('free')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(stage.retypes(free)).toBe(1)
    expect(stage.moves('free')[0]?.spec).not.toHaveProperty('via')
  })
})

/** A Pod that uses the claim, and does not end by itself. */
function pod(stage: Stage, claimName: string): void {
  stage.world.api.seed({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${claimName}-0`, namespace: 'default' },
    spec: {
      containers: [{ name: 'main', image: 'none' }],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    },
    status: { phase: 'Running' },
  })
}

describe('others meanwhile', () => {
  it('do not wait for a rollback that waits for the Pods of its claim', async () => {
    const { stage, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    pod(stage, 'data')
    const m = stage.moves('data')[0]!
    stage.world.api.seed({ ...m, spec: { ...m.spec, rollback: true } })
    stage.claim({ name: 'other' })
    const hasBegun = () => !['Waiting', undefined].includes(stage.moves('other')[0]?.status?.step)
    expect(await stage.until(hasBegun, 30 * MINUTE)).toBe(true)
    expect(step()).toBe('GivingBack')
  })

  it('wait as long as Cinder copies for a move that was given up', async () => {
    const { stage, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Copying', HOUR)).toBe(true)
    expect(await stage.until(() => stage.cloud.volumeCount() === 2, HOUR, 200)).toBe(true)
    pod(stage, 'data')
    expect(await stage.until(() => step() !== 'Copying', MINUTE, 200)).toBe(true)
    await stage.clock.advance(2_000)
    expect(stage.ledger()).toHaveLength(1)
    expect(await stage.until(() => stage.cloud.volumeCount() === 1, HOUR)).toBe(true)
    expect(await stage.until(() => stage.ledger().length === 0, HOUR)).toBe(true)
  })

  it('move under the name of a former claim whose volume is kept by a snapshot', async () => {
    const { stage, step } = pinned()
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    await stage.remove('/api/v1/namespaces/default/persistentvolumeclaims/data')
    expect(await stage.until(() => step() === 'Abandoning', 30 * MINUTE)).toBe(true)
    stage.claim({ name: 'data', pv: 'pvc-again' })
    const hasBegun = () => stage.moves('data').some((m) => m.status?.step === 'Copying')
    expect(await stage.until(hasBegun, 30 * MINUTE)).toBe(true)
    expect(step()).toBe('Abandoning')
  })

  it('do not end a soak that nobody watched: no controller ran', async () => {
    const { stage, volume, step } = pinned({ snapshot: false })
    const first = stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const attachment = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'csi-1' },
      spec: {
        attacher: 'cinder.csi.openstack.org',
        nodeName: 'node-1',
        source: { persistentVolumeName: volume.pv },
      },
      status: { attached: true },
    }
    stage.world.api.seed(attachment)
    await stage.clock.advance(10 * MINUTE)
    await first.stop()
    // the Pod ends soon after the controller
    await stage.remove('/apis/storage.k8s.io/v1/volumeattachments/csi-1')
    await stage.clock.advance(25 * HOUR)
    stage.start({ identity: 'second' })
    await stage.clock.advance(10 * MINUTE)
    expect(step()).toBe('Soaking')
    expect(stage.cloud.volume(volume.id)).toBeDefined()
  })
})

it('the volumes of a claim that is deleted in the soak go at once, not minutes later', async () => {
  const { stage, step } = pinned({ snapshot: false })
  stage.start()
  expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
  await stage.clock.advance(11 * MINUTE)
  await stage.remove('/api/v1/namespaces/default/persistentvolumeclaims/data')
  expect(await stage.until(() => step() === 'Abandoning', MINUTE)).toBe(true)
})

it('a move made by hand without the rights for its strategy leaves its policy ready', async () => {
  const allow = ({ verb, resource }: { verb: string; resource: string }) =>
    !(verb === 'create' && resource === 'persistentvolumes')
  const stage = new Stage({ csi: true, apiServer: { allow } })
  stage.policy({ mode: 'Approve' })
  stage.claim({ name: 'data' })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold', strategy: 'snapshot-restore' })
  stage.start()
  const waits = () => stage.ends('data')[0] === 'Waiting/MissingPermission'
  expect(await stage.until(waits, HOUR)).toBe(true)
  expect(stage.moves('data')[0]?.status?.message).toContain('deploy/snapshot-restore.yaml')
  await stage.clock.advance(10 * MINUTE)
  expect(stage.condition('Ready')).toMatchObject({ status: 'True' })
})

describe('a person who rolls a claim back', () => {
  it('has its former volume for days, and not until the next attempt', async () => {
    const { stage, volume, handle, step } = pinned({ snapshot: false })
    stage.start()
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    const m = stage.moves('data')[0]!
    stage.world.api.seed({ ...m, spec: { ...m.spec, rollback: true } })
    expect(await stage.until(() => step() === 'Failed', HOUR)).toBe(true)
    const hasBegun = () => stage.moves('data').some((o) => o.status?.step === 'Copying')
    expect(await stage.until(hasBegun, 3 * HOUR)).toBe(false)
    expect(handle()).toBe(volume.id)
  })
})

describe('a claim on its copy', () => {
  const CHECKPOINTS = '/apis/couchestor.io/v1alpha1/tieringcheckpoints'
  const VMIGS = '/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations'

  async function soaking() {
    const found = pinned({ snapshot: false })
    const { stage, step, handle } = found
    const run = stage.start({ configYaml: 'migration: {soak_max_age: 3h}' })
    expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
    stage.cloud.write(handle(), 'newest')
    const rollBack = () => {
      const m = stage.moves('data')[0]!
      stage.world.api.seed({ ...m, spec: { ...m.spec, rollback: true } })
    }
    return { ...found, run, rollBack }
  }

  it('keeps it when its former volume was deleted in Cinder, also if a rollback is asked for', async () => {
    const { stage, volume, handle, step, rollBack } = await soaking()
    const copy = handle()
    for (const { id } of stage.cloud.snapshots()) stage.cloud.removeSnapshot(id)
    expect(stage.cloud.deleteVolume(volume.id)).toBe(true)
    rollBack()
    expect(await stage.until(() => step() !== 'Soaking', 30 * MINUTE)).toBe(false)
    expect(handle()).toBe(copy)
    expect(stage.moves('data')[0]?.status?.message).toContain('cannot be rolled back')
    expect(await stage.until(() => step() === 'Succeeded', 3 * HOUR, MINUTE)).toBe(true)
    expect(stage.cloud.data(handle())).toBe('newest')
  })

  it('is given its former volume back as soon as that can be used', async () => {
    const { stage, volume, handle, step, rollBack } = await soaking()
    stage.cloud.setStatus(volume.id, 'error')
    rollBack()
    expect(await stage.until(() => step() !== 'Soaking', 30 * MINUTE)).toBe(false)
    expect(stage.moves('data')[0]?.status?.message).toContain('is "error" in Cinder')
    stage.cloud.setStatus(volume.id, 'available')
    expect(await stage.until(() => step() === 'Failed', HOUR)).toBe(true)
    expect(handle()).toBe(volume.id)
  })

  it('keeps its former volume after a rollback when an old record comes back from a backup', async () => {
    const { stage, volume, handle, step, rollBack, run } = await soaking()
    const records = () =>
      stage.world.api.objects(CHECKPOINTS).filter((c) => c.metadata.name.startsWith('replacement-'))
    const [old] = records()
    rollBack()
    expect(await stage.until(() => step() === 'Failed' && records().length === 0, HOUR)).toBe(true)
    await run.stop()
    await stage.remove(`${VMIGS}/${stage.moves('data')[0]?.metadata.name}`)
    stage.world.api.seed({ ...old!, metadata: { name: old!.metadata.name } })
    stage.start({ identity: 'second' })
    await stage.until(() => false, 2 * HOUR, MINUTE)
    expect(handle()).toBe(volume.id)
    expect(stage.cloud.data(volume.id)).toBe('orders')
  })
})

describe('a move that has to wait', () => {
  it.each([
    ['for a Pod that wants its claim', 'PodPending', 0],
    ['until its volume is detached', 'Attached', 40],
  ])('%s does not ask for its rights each time it is checked', async (_, reason, most) => {
    const { stage, volume } = pinned()
    if (reason === 'Attached') stage.cloud.attach(volume.id, 'server', '/dev/vdb')
    const { namespace = '' } = stage.pvc('data').metadata
    stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'web' },
      spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] },
      status: { phase: reason === 'Attached' ? 'Running' : 'Pending' },
    })
    let reviews = 0
    stage.start({
      gate: (request, send) => {
        if (request.url.includes('selfsubjectaccessreviews')) reviews++
        return send()
      },
    })
    await stage.clock.advance(MINUTE)
    const spec = { claim: { name: 'data' }, to: 'cold', strategy: 'snapshot-restore' }
    stage.move('by-hand', spec)
    const waits = () => stage.ends('data').includes(`Waiting/${reason}`)
    expect(await stage.until(waits, HOUR)).toBe(true)
    const before = reviews
    await stage.clock.advance(20 * MINUTE)
    expect(stage.ends('data')).toContain(`Waiting/${reason}`)
    expect(reviews - before).toBeLessThanOrEqual(most)
  })
})

it('a record that cannot be saved is tried with pauses, and the move goes on once it can', async () => {
  const { stage, step } = pinned()
  stage.start()
  // read twice before it is saved: a read that succeeds is no reason to begin with short pauses again
  const isMoving = () => stage.cloud.retyping().length > 0
  expect(await stage.until(() => step() === 'Copying' && isMoving(), HOUR, 100)).toBe(true)
  await stage.until(() => !isMoving(), HOUR, 100)
  const isRecord = ({ verb, name }: ApiRequest) =>
    verb === 'patch' && (name ?? '').startsWith('replacement-')
  const fault = { kind: 'status', code: 403, message: 'webhook denied' } as const
  const undo = stage.world.api.fail({ match: isRecord, fault, times: Infinity })
  const before = stage.world.api.requests.filter(isRecord).length
  await stage.clock.advance(10 * MINUTE)
  expect(stage.world.api.requests.filter(isRecord).length - before).toBeLessThan(60)
  undo()
  expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
})

it('a leader that may not read kube-system any more leaves a held claim to its move', async () => {
  const { stage, step } = pinned()
  const first = stage.start()
  expect(await stage.until(() => step() === 'Copying', HOUR)).toBe(true)
  first.life.kill()
  let isRefused = true
  stage.start({
    identity: 'second',
    gate: (request, send) =>
      isRefused && request.url.endsWith('/namespaces/kube-system')
        ? Promise.resolve(answer(403, 'the role was changed'))
        : send(),
  })
  await stage.clock.advance(10 * MINUTE)
  expect(step()).toBe('Copying')
  isRefused = false
  expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
})
