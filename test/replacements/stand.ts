import { replacementRecord, REPLACEMENTS } from '../../src/api/tiering-checkpoint.ts'
import type { VolumeMigrationStatus } from '../../src/api/volume-migration.ts'
import type { ReplacementRecord } from '../../src/controller/moving/recorded-strategy.ts'
import type { Saved } from '../../src/migration/snapshot-restore/saved.ts'

/** A claim in the middle of a replacement, as the API server has it. */
export const NAMESPACE = 'shop'
const CLAIM = 'data'
const CLAIM_UID = 'c1a1a1a1-0000-4000-8000-000000000001'
export const MOVE = 'a0a0a0a0-0000-4000-8000-000000000001'
export const FORMER = 'f0f0f0f0-0000-4000-8000-000000000001'
export const COPY = 'b0b0b0b0-0000-4000-8000-000000000001'
const SWITCHED = '2026-01-20T08:00:00.000Z'

const CREATED = '2026-01-20T07:00:00Z'

export function savedOf(clusterId: string, over: Partial<Saved> = {}): Saved {
  return {
    phase: 'Soaking',
    origin: {
      strategy: 'snapshot-restore',
      clusterId,
      projectId: 'p1',
      moveUid: MOVE,
      claim: { namespace: NAMESPACE, name: CLAIM, uid: CLAIM_UID },
      volume: {
        id: FORMER,
        typeId: 'id-hot',
        sizeGiB: 10,
        availabilityZone: 'nova',
        bootable: false,
        encrypted: false,
        metadata: {},
      },
      toTypeId: 'id-cold',
      migrationPolicy: 'never',
      manifest: {
        metadata: { name: 'pvc-1' },
        spec: {
          persistentVolumeReclaimPolicy: 'Delete',
          claimRef: { namespace: NAMESPACE, name: CLAIM, uid: CLAIM_UID },
          csi: { driver: 'cinder.csi.openstack.org', volumeHandle: FORMER },
        },
      },
    },
    journal: [
      entry('cloneVolume', { id: COPY, name: 'copy' }),
      entry('createPersistentVolume', { of: 'copy' }),
    ],
    deadline: Date.parse('2026-01-20T12:00:00Z'),
    keeps: 'copy',
    soak: { since: Date.parse(SWITCHED) + 5000, mountedMs: 0 },
    ...over,
  }
}

function entry(act: 'cloneVolume' | 'createPersistentVolume', more: object) {
  return { act, state: 'Done', attempts: 1, requestId: 'req-1', at: SWITCHED, ...more } as const
}

export function recordObject(saved: Saved, uid = MOVE) {
  const spec = { claim: { name: CLAIM, uid: CLAIM_UID }, to: 'cold', policy: 'tiered' }
  const replacement: ReplacementRecord = {
    move: {
      namespace: NAMESPACE,
      name: 'data-1',
      uid,
      spec,
      initiator: { kind: 'controller', policy: 'tiered' },
    },
    intent: intentOf(saved.origin.clusterId),
    epoch: 1,
    saved,
  }
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'TieringCheckpoint',
    metadata: { name: replacementRecord(uid) },
    spec: {
      policy: REPLACEMENTS,
      shard: 0,
      rule: 'none',
      windowEnd: '1970-01-01T00:00:00Z',
      volumes: 1,
      data: '',
      replacement,
    },
  }
}

function intentOf(clusterId: string) {
  return {
    act: 'replace',
    strategy: 'snapshot-restore',
    attempt: 1,
    requestId: 'req-0',
    clusterId,
    projectId: 'p1',
    objectUid: MOVE,
    epoch: 1,
    at: '2026-01-20T07:30:00.000Z',
    deadline: '2026-01-20T12:00:00.000Z',
    fromTypeId: 'id-hot',
    toTypeId: 'id-cold',
    volumeUpdatedAt: CREATED,
    availabilityZone: 'nova',
    attached: false,
  } as const
}

export function claimObject(uid = CLAIM_UID) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { namespace: NAMESPACE, name: CLAIM, uid },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
    status: { phase: 'Bound' },
  }
}

export function moveObject(status: VolumeMigrationStatus, over: object = {}, name = 'data-1') {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { namespace: NAMESPACE, name, uid: MOVE },
    spec: {
      claim: { name: CLAIM, uid: CLAIM_UID },
      from: 'hot',
      to: 'cold',
      policy: 'tiered',
      strategy: 'snapshot-restore',
      ...over,
    },
    status,
  }
}

export const SOAKING: VolumeMigrationStatus = {
  step: 'Soaking',
  reason: 'Soaking',
  message: 'the claim has the copy',
  replacement: {
    record: replacementRecord(MOVE),
    formerVolumeId: FORMER,
    copyVolumeId: COPY,
    rollbackUntil: '2026-02-03T08:00:05.000Z',
  },
}
