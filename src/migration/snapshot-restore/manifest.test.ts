import { describe, expect, it } from 'vitest'
import { copyOf, heldOf, originalOf, savedManifest } from './manifest.ts'
import { isOurs, metadataOf, nameOf } from './names.ts'
import { FULL } from './world.fixture.ts'

const RAW = {
  metadata: {
    name: 'pvc-1',
    uid: 'u',
    resourceVersion: '7',
    creationTimestamp: '2026-01-01T00:00:00Z',
    deletionTimestamp: '2026-01-02T00:00:00Z',
    labels: { app: 'shop' },
    annotations: { 'volume.kubernetes.io/provisioner-deletion-secret-name': 'cloud' },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'shop', uid: 'n' }],
    finalizers: ['kubernetes.io/pv-protection'],
  },
  spec: {
    capacity: { storage: '1Gi' },
    accessModes: ['ReadWriteOnce'],
    volumeMode: 'Block',
    mountOptions: ['discard'],
    storageClassName: 'hot',
    volumeAttributesClassName: 'gold',
    persistentVolumeReclaimPolicy: 'Delete',
    claimRef: { namespace: 'shop', name: 'data', uid: 'claim', resourceVersion: '3' },
    csi: {
      driver: 'cinder.csi.openstack.org',
      volumeHandle: 'source',
      fsType: 'xfs',
      volumeAttributes: { a: 'b' },
      nodePublishSecretRef: { name: 's', namespace: 'n' },
    },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'topology.cinder.csi.openstack.org/zone', operator: 'In', values: ['a'] },
              { key: 'pool', operator: 'In', values: ['a'] },
            ],
          },
        ],
      },
    },
  },
  status: { phase: 'Bound' },
}
const SAVED = savedManifest(RAW)

describe('the manifest of a PersistentVolume that is replaced', () => {
  it('keeps what belongs to the data, and nothing that the server wrote', () => {
    expect(SAVED).toEqual({
      metadata: {
        name: 'pvc-1',
        labels: RAW.metadata.labels,
        annotations: RAW.metadata.annotations,
        ownerReferences: RAW.metadata.ownerReferences,
        finalizers: RAW.metadata.finalizers,
      },
      spec: RAW.spec,
    })
  })

  it.each([
    ['original', originalOf(SAVED)],
    ['copy', copyOf(SAVED, { volumeId: 'copy', availabilityZone: 'b' })],
    ['held one', heldOf(SAVED, 'source', {})],
  ])(
    'of the %s is for the same claim and owners, with Retain and our finalizer, and without a version',
    (_, made) => {
      expect(made.metadata.name).toBe('pvc-1')
      expect(made.metadata.ownerReferences).toEqual(RAW.metadata.ownerReferences)
      expect(made.metadata.finalizers).toEqual([
        'kubernetes.io/pv-protection',
        'couchestor.io/replacing',
      ])
      expect(made.spec.persistentVolumeReclaimPolicy).toBe('Retain')
      expect(made.spec.claimRef).toEqual({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: 'shop',
        name: 'data',
        uid: 'claim',
      })
      expect(made.spec).toMatchObject({
        capacity: RAW.spec.capacity,
        volumeMode: 'Block',
        mountOptions: ['discard'],
        storageClassName: 'hot',
        volumeAttributesClassName: 'gold',
      })
    },
  )

  it('of the copy has everything else of the volume, in the zone of the copy', () => {
    const { spec } = copyOf(SAVED, { volumeId: 'copy', availabilityZone: 'b' })

    expect(spec.csi).toEqual({ ...RAW.spec.csi, volumeHandle: 'copy' })
    expect(spec.nodeAffinity).toEqual({
      required: {
        nodeSelectorTerms: [
          {
            matchExpressions: [
              { key: 'topology.cinder.csi.openstack.org/zone', operator: 'In', values: ['b'] },
              { key: 'pool', operator: 'In', values: ['a'] },
            ],
          },
        ],
      },
    })
  })

  it('of the copy has no node affinity where the original has none', () => {
    const { nodeAffinity: _none, ...spec } = RAW.spec

    expect(
      copyOf({ ...SAVED, spec }, { volumeId: 'copy', availabilityZone: 'b' }).spec.nodeAffinity,
    ).toBeUndefined()
  })

  it('of the held one is served by nobody, fits on no node and says what it stands for', () => {
    const { metadata, spec } = heldOf(SAVED, 'source', { volumeId: 'source' })

    expect(spec.csi).toEqual({ driver: 'parked.couchestor.io', volumeHandle: 'parked-source' })
    expect(JSON.stringify(spec.nodeAffinity)).toContain('"DoesNotExist"')
    expect(JSON.parse(metadata.annotations?.['couchestor.io/parked'] ?? '')).toEqual({
      volumeId: 'source',
    })
    expect(metadata.annotations).toMatchObject(RAW.metadata.annotations)
  })
})

describe('what a move makes in Cinder', () => {
  it('has a name that no PersistentVolume has, of the move and of what it is', () => {
    const names = [nameOf(FULL, 'createSnapshot'), nameOf(FULL, 'cloneVolume')]

    expect(names).toEqual(['couchestor-snapshot-here-u', 'couchestor-copy-here-u'])
  })

  it('is ours by all of its metadata only', () => {
    const metadata = metadataOf(FULL, 'cloneVolume')
    const other = metadataOf({ ...FULL, moveUid: 'v' }, 'cloneVolume')

    expect(isOurs(FULL, 'cloneVolume', { metadata: { ...metadata, more: '1' } })).toBe(true)
    expect(isOurs(FULL, 'createSnapshot', { metadata })).toBe(false)
    expect(isOurs(FULL, 'cloneVolume', { metadata: other })).toBe(false)
    expect(isOurs(FULL, 'cloneVolume', { metadata: {} })).toBe(false)
  })
})
