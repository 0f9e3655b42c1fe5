import { describe, expect, it } from 'vitest'
import { CINDER_DRIVER } from '../../src/api/names.ts'
import type { VolumeTypeOptions } from '../../src/sim/cloud/options.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const SAME_SPECS: readonly VolumeTypeOptions[] = ['hot', 'warm', 'cold'].map((tier) => ({
  name: `couchestor-${tier}`,
  backend: tier,
  extraSpecs: { replication_enabled: '<is> False' },
}))

/** A second PersistentVolume of the same volume, bound to a claim of its own unless that is gone. */
function twin(
  stage: Stage,
  id: string,
  options: { name: string; annotations?: object; source?: object; claimIsGone?: boolean },
): void {
  const { name, annotations = {}, claimIsGone = false } = options
  const { source = { csi: { driver: CINDER_DRIVER, volumeHandle: id } } } = options
  const namespace = 'other'
  stage.world.api.seed(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace, uid: 'of-the-twin', labels: { app: 'stage' }, annotations },
      spec: { volumeName: `pv-${name}`, resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Bound', capacity: { storage: '1Gi' } },
    },
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pv-${name}` },
      spec: {
        capacity: { storage: '1Gi' },
        claimRef: { namespace, name, uid: claimIsGone ? 'of-a-claim-before' : 'of-the-twin' },
        ...source,
      },
    },
  )
}

function attach(stage: Stage, pv: string): void {
  stage.world.api.seed({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: `csi-${pv}` },
    spec: { attacher: CINDER_DRIVER, nodeName: 'node-9', source: { persistentVolumeName: pv } },
    status: { attached: false },
  })
}

describe('a volume that two PersistentVolumes name', () => {
  it.each<[string, (id: string) => object]>([
    ['by the driver', (id) => ({ csi: { driver: CINDER_DRIVER, volumeHandle: id } })],
    ['in-tree', (id) => ({ cinder: { volumeID: `cinder://${id}` } })],
  ])('is not moved back and forth by two owners who force two tiers, %s', async (_, source) => {
    const stage = new Stage()
    stage.policy()
    const annotations = (tier: string) => ({ 'couchestor.io/force-tier': tier })
    const volume = stage.claim({ name: 'data', iops: 3000, annotations: annotations('hot') })
    twin(stage, volume.id, {
      name: 'copy',
      annotations: annotations('cold'),
      source: source(volume.id),
    })
    stage.start()
    await stage.clock.advance(HOUR)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.ends('copy')).toEqual(['Waiting/SharedVolume'])
    expect(stage.moves('copy')[0]?.status?.message).toContain('default/data')
    expect(stage.staying()).toMatchObject({ SharedVolume: 2 })
  })

  it('is not moved by the claim that nobody has paused', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    twin(stage, volume.id, { name: 'copy', annotations: { 'couchestor.io/paused': 'true' } })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    stage.start()
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/SharedVolume'])
    await stage.remove('/api/v1/namespaces/other/persistentvolumeclaims/copy')
    expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
  })

  it('is attached when Kubernetes attaches either of them, also one whose claim is gone', async () => {
    const stage = new Stage({
      cloud: { migration: { attached: 'unsafe' }, volumeTypes: SAME_SPECS },
    })
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    twin(stage, volume.id, { name: 'copy', claimIsGone: true })
    attach(stage, 'pv-copy')
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    stage.start()
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/Attached'])
    await stage.remove('/apis/storage.k8s.io/v1/volumeattachments/csi-pv-copy')
    expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
  })

  it('is moved as ever when the other PersistentVolume is of another driver', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data' })
    twin(stage, volume.id, {
      name: 'copy',
      source: { csi: { driver: 'disks.example.org', volumeHandle: volume.id } },
    })
    stage.start()
    expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  })
})
