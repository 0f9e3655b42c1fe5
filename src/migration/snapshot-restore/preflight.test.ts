import { describe, expect, it } from 'vitest'
import { quota as quotaOfTarget } from '../../blockers/quota.ts'
import { attached, snapshots } from '../../blockers/volume.ts'
import { BLOCKERS } from '../retype/preflight.ts'
import { OF_RETYPE, replacePreflight } from './preflight.ts'
import type { ReplaceFacts } from './preflight.ts'

const FREE: ReplaceFacts = {
  terminating: false,
  resizing: 'no',
  podPending: false,
  nodeDraining: false,
  status: 'available',
  sizeGiB: 10,
  typeId: 'id-hot',
  typeName: 'hot',
  availabilityZone: 'nova',
  multiattach: false,
  encrypted: false,
  attached: false,
  credentialProject: 'p1',
  current: { id: 'id-hot', name: 'hot', extraSpecs: {} },
  target: { id: 'id-cold', name: 'cold', extraSpecs: {} },
  zonesAvailable: ['nova'],
  persistentVolume: {
    driver: 'cinder.csi.openstack.org',
    finalizers: [
      'kubernetes.io/pv-protection',
      'external-provisioner.volume.kubernetes.io/finalizer',
    ],
  },
  missingRights: [],
  quotas: new Map([['gigabytes', { limit: -1, inUse: 10, reserved: 0 }]]),
}

const pv = (change: Partial<ReplaceFacts['persistentVolume']>) => ({
  persistentVolume: { ...FREE.persistentVolume, ...change },
})
const quota = (key: string, limit: number, inUse: number, reserved = 0) => ({
  quotas: new Map([[key, { limit, inUse, reserved }]]),
})

describe('what keeps a volume from being replaced', () => {
  it('is nothing when it rests, detached, with room for snapshot and copy', () => {
    expect(replacePreflight(FREE)).toEqual([])
  })

  it('is not a quota that may not be read, since Cinder itself refuses', () => {
    expect(replacePreflight({ ...FREE, quotas: undefined })).toEqual([])
  })

  it.each<[string, string, Partial<ReplaceFacts>]>([
    ['another driver', 'NotCinder', pv({ driver: 'rbd.csi.ceph.com' })],
    ['a second PersistentVolume of the volume', 'SharedVolume', { sharedWith: 'static' }],
    ['a finalizer of another controller', 'ForeignFinalizer', pv({ finalizers: ['velero.io/x'] })],
    ['an attachment', 'Attached', { attached: true }],
    ['an unknown attachment', 'Attached', { attached: { unknown: 'no watch' } }],
    ['encryption', 'Encrypted', { encrypted: true }],
    ['multiattach', 'Multiattach', { multiattach: true }],
    ['a group', 'Group', { groupId: 'g' }],
    ['a Pod that waits', 'PodPending', { podPending: true }],
    ['a missing right', 'MissingPermission', { missingRights: ['create persistentvolumes'] }],
    ['a quota below what is needed', 'QuotaTooSmall', quota('gigabytes_hot', 19, 0)],
    ['a quota of snapshots that is used up', 'QuotaExhausted', quota('snapshots_hot', 3, 3)],
    ['a quota with too little left', 'QuotaExhausted', quota('gigabytes', 49, 20, 10)],
    ['a full target type', 'QuotaExhausted', quota('gigabytes_cold', 100, 91)],
  ])('is %s', (_, reason, change) => {
    expect(replacePreflight({ ...FREE, ...change }).map((b) => b.reason)).toEqual([reason])
  })

  it.each([
    ['gigabytes', 20],
    ['gigabytes_hot', 20],
    ['gigabytes_cold', 10],
    ['volumes', 1],
    ['snapshots', 1],
    ['volumes_cold', 1],
  ])('names the quota %s with what it has to be raised to', (key, need) => {
    const [block] = replacePreflight({ ...FREE, ...quota(key, 100, 100) })

    expect(block?.message).toContain(`quota ${key} has 0 of 100 left`)
    expect(block?.message).toContain(`to at least ${100 + need}`)
    expect(replacePreflight({ ...FREE, ...quota(key, 100 + need, 100) })).toEqual([])
  })

  it.each([
    ['volumes', 2],
    ['gigabytes', 30],
    ['gigabytes_hot', 20],
    ['gigabytes_cold', 10],
    ['backups', 1],
    ['backup_gigabytes', 10],
  ])('by backup is the quota %s, with room for all at once', (key, need) => {
    const byBackup = { ...FREE, backup: { unavailable: undefined } }
    const [block] = replacePreflight({ ...byBackup, ...quota(key, 100, 100) })

    expect(block?.message).toContain(`to at least ${100 + need}`)
    expect(replacePreflight({ ...byBackup, ...quota(key, 100 + need, 100) })).toEqual([])
  })

  it('by backup is a volume above 2,275 GiB, an encrypted one, and no cinder-backup', () => {
    const reasons = (change: Partial<ReplaceFacts>) =>
      replacePreflight({ ...FREE, backup: { unavailable: undefined }, ...change }).map(
        (b) => b.reason,
      )

    expect(reasons({ sizeGiB: 2275 })).toEqual([])
    expect(reasons({ sizeGiB: 2276 })).toEqual(['SizeLimit'])
    expect(replacePreflight({ ...FREE, sizeGiB: 2276 })).toEqual([])
    expect(reasons({ encrypted: true })).toEqual(['Encrypted'])
    expect(reasons({ backup: { unavailable: 'none is up' } })).toEqual(['BackupUnavailable'])
  })

  it('counts the quota of one type once when source and target have the same', () => {
    const same = { ...FREE, target: { ...FREE.target!, name: 'hot' } }

    expect(replacePreflight({ ...same, ...quota('volumes_hot', 11, 10) })).toEqual([])
  })
})

it('asks of the clone all that a retype asks, but for what the copy itself answers', () => {
  const ofItself: readonly unknown[] = [snapshots, attached, quotaOfTarget]
  expect(OF_RETYPE).toEqual(BLOCKERS.filter((blocker) => !ofItself.includes(blocker)))
})
