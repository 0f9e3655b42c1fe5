import { describe, expect, it } from 'vitest'
import { CINDER_DRIVER } from '../../api/names.ts'
import { PARKED_DRIVER } from './manifest.ts'
import { nextReplaceStep } from './machine.ts'
import { metadataOf, nameOf } from './names.ts'
import type { ReplaceInput } from './outcome.ts'
import type { JournalEntry, Maker, Saved } from './saved.ts'
import type { BackupSeen, CinderSeen, SnapshotSeen, VolumeSeen } from './sight.ts'
import { FULL } from './world.fixture.ts'

const HOUR = 3_600_000
const AT = '2026-01-20T10:07:00.000Z'
const ORIGIN = { ...FULL, via: 'backup' } as const

const SOURCE: VolumeSeen = {
  id: 'source',
  name: 'pvc-1',
  status: 'available',
  typeId: 'from',
  sizeGiB: 1,
  availabilityZone: 'nova',
  bootable: false,
  encrypted: false,
  attached: false,
  updatedAt: '0',
  metadata: {},
}
const marked = (act: Maker) => ({ name: nameOf(FULL, act), metadata: metadataOf(FULL, act) })
const CLONE: VolumeSeen = {
  ...SOURCE,
  ...marked('cloneVolume'),
  id: 'clone',
  snapshotId: 'snapshot',
}
const SNAPSHOT: SnapshotSeen = {
  ...marked('createSnapshot'),
  id: 'snapshot',
  volumeId: 'source',
  status: 'available',
}
const BACKUP: BackupSeen = {
  ...marked('createBackup'),
  id: 'backup',
  volumeId: 'clone',
  status: 'available',
  sizeGiB: 1,
  incremental: false,
}
const RESTORED: VolumeSeen = {
  ...SOURCE,
  ...marked('restoreBackup'),
  id: 'restored',
  typeId: 'to',
}
const OF_BACKUP = { ...RESTORED.metadata, src_backup_id: 'backup' }
const WHOLE = { ...RESTORED, metadata: OF_BACKUP }

function done(act: Maker, id: string): JournalEntry {
  return { act, state: 'Done', attempts: 1, requestId: 'r', at: AT, name: nameOf(FULL, act), id }
}
const CLONED = [done('createSnapshot', 'snapshot'), done('cloneVolume', 'clone')]
const BACKED_UP = [...CLONED, done('createBackup', 'backup')]
const ALL = [...BACKED_UP, done('restoreBackup', 'restored')]

/** `isHeld`: else the claim has its original again. */
function input(saved: Partial<Saved>, cinder: Partial<CinderSeen>, isHeld: boolean): ReplaceInput {
  const way = { phase: 'Copying', origin: ORIGIN, deadline: HOUR, sourceUpdatedAt: '0' } as const
  const pv = {
    uid: 'p',
    resourceVersion: '1',
    driver: isHeld ? PARKED_DRIVER : CINDER_DRIVER,
    handle: isHeld ? 'parked-source' : 'source',
    policy: isHeld ? 'Retain' : 'Delete',
    finalizers: ['couchestor.io/replacing'],
    terminating: false,
    claimUid: 'claim',
  }
  const rows = { copies: [CLONE, WHOLE], snapshots: [SNAPSHOT], backups: [BACKUP] }
  return {
    saved: { ...way, journal: ALL, ...saved },
    sight: {
      kube: {
        kind: 'Seen',
        claim: { phase: 'Bound' },
        pv,
        pods: 0,
        attachments: [],
        otherHandles: [],
      },
      cinder: { kind: 'Seen', source: SOURCE, ...rows, ...cinder },
    },
    now: 0,
    clusterId: 'here',
    objectUid: 'u',
    quietUntil: 0,
    timing: {
      pollMs: 2000,
      longestPollMs: 60_000,
      soakPollMs: 60_000,
      verifyMs: 3000,
      mostAttempts: 3,
      mountedMs: 24 * HOUR,
      maxSoakMs: 336 * HOUR,
    },
  }
}

/** What comes next where all reads agree. */
function next(saved: Partial<Saved>, cinder: Partial<CinderSeen>, isHeld = true) {
  const given = input(saved, cinder, isHeld)
  const first = nextReplaceStep(given)
  return first.kind === 'wait' && first.confirm !== undefined
    ? nextReplaceStep({ ...given, confirming: { what: first.confirm, ms: Infinity } })
    : first
}

const acting = (act: object) => ({ kind: 'act', act })
const waiting = (why: string) =>
  expect.objectContaining({ kind: 'wait', why: expect.stringContaining(why) as unknown }) as unknown
const givenBack = (reason: string, message: string) => ({
  kind: 'save',
  saved: expect.objectContaining({
    phase: 'GivingBack',
    keeps: 'original',
    reason,
    message: expect.stringContaining(message) as unknown,
  }) as unknown,
})

describe('a copy by backup', () => {
  it('is switched to when it is like the volume, on the target type, and of the backup', () => {
    expect(next({}, {})).toEqual(acting({ act: 'markTakenOver', id: 'restored', updatedAt: '0' }))
  })

  it('comes by the clone, its backup, and a volume of that', () => {
    expect(next({ journal: CLONED }, { copies: [CLONE], backups: [] })).toEqual(
      acting({ act: 'createBackup' }),
    )
    expect(next({ journal: BACKED_UP }, { copies: [CLONE] })).toEqual(
      acting({ act: 'restoreBackup' }),
    )
  })

  it('is marked as ours when Cinder has given it the metadata of the clone', () => {
    const metadata = { ...CLONE.metadata, src_backup_id: 'backup' }

    expect(next({}, { copies: [CLONE, { ...RESTORED, metadata }] })).toEqual(
      acting({ act: 'markVolume', id: 'restored' }),
    )
  })

  it.each<[string, Partial<VolumeSeen>, string]>([
    ['has another size', { sizeGiB: 2 }, '2 GiB instead of 1'],
    ['is in another zone', { availabilityZone: 'other' }, 'zone other'],
    ['is bootable', { bootable: true }, 'bootable'],
    ['is encrypted', { encrypted: true }, 'encrypted'],
    ['is attached', { attached: true }, 'attached'],
    ['is on the type of the volume', { typeId: 'from' }, 'type from instead of to'],
    ['is of no backup', { metadata: RESTORED.metadata }, 'backup (none) instead of backup'],
    [
      'is of another backup',
      { metadata: { ...RESTORED.metadata, src_backup_id: 'other' } },
      'backup other instead of backup',
    ],
  ])('that %s is discarded, and the claim gets its volume back', (_, change, why) => {
    expect(next({}, { copies: [CLONE, { ...WHOLE, ...change }] })).toEqual(
      givenBack('Unverified', why),
    )
  })

  it.each<[string, Partial<BackupSeen>, string]>([
    ['is of another volume', { volumeId: 'source' }, 'of volume source instead of clone'],
    ['has another size', { sizeGiB: 2 }, '2 GiB instead of 1'],
    ['is incremental', { incremental: true }, 'incremental'],
  ])('is not made of a backup that %s', (_, change, why) => {
    const backups = [{ ...BACKUP, ...change }]

    expect(next({ journal: BACKED_UP }, { copies: [CLONE], backups })).toEqual(
      givenBack('Unverified', why),
    )
  })

  it.each<[string, Partial<VolumeSeen>]>([
    ['was retyped', { typeId: 'to' }],
    ['is of another snapshot', { snapshotId: 'other' }],
    ['is attached', { attached: true }],
  ])('is not made of a clone that %s', (_, change) => {
    expect(next({ journal: CLONED }, { copies: [{ ...CLONE, ...change }], backups: [] })).toEqual(
      givenBack('Unverified', 'the clone'),
    )
  })

  it('says why there is none, in the words of cinder-backup', () => {
    const backups = [{ ...BACKUP, status: 'error', failReason: 'Object PUT failed: 413' }]

    expect(next({ journal: BACKED_UP }, { copies: [CLONE], backups })).toEqual(
      givenBack('VolumeError', 'ended with status "error": Object PUT failed: 413'),
    )
  })

  it('is not begun while somebody else works on the clone', () => {
    const copies = [{ ...CLONE, status: 'backing-up' }]

    expect(next({ journal: CLONED }, { copies, backups: [] })).toEqual(waiting('"backing-up"'))
  })

  it('waits until the clone is free again, which Cinder says of the backup first', () => {
    const copies = [{ ...CLONE, status: 'backing-up' }]

    expect(next({ journal: BACKED_UP }, { copies })).toEqual(
      waiting(`backing up the copy: since ${AT}`),
    )
  })

  it.each([
    ['creating', [], 'backing up the copy: since'],
    ['restoring', [{ ...RESTORED, status: 'creating' }], 'restoring the backup to its new volume'],
  ])('is waited for while its backup is %s, and says since when', (status, copies, why) => {
    const backups = [{ ...BACKUP, status }]

    expect(next({}, { copies: [CLONE, ...copies], backups })).toEqual(waiting(`${why}`))
  })
})

describe('what a move by backup has made', () => {
  const cleaning = (journal: readonly JournalEntry[]) =>
    ({
      phase: 'CleaningUp',
      keeps: 'original',
      reason: 'Cancelled',
      restored: 'p',
      journal,
    }) as const

  it.each(['creating', 'restoring', 'deleting', 'error_deleting'])(
    'stays while the backup is %s, of which Cinder refuses to delete it',
    (status) => {
      const cinder = { copies: [CLONE], backups: [{ ...BACKUP, status }] }

      expect(next(cleaning(BACKED_UP), cinder, false)).toEqual(waiting(`"${status}" in Cinder`))
    },
  )

  it('is no sign that the move is stalled while cinder-backup may still be at it', () => {
    const cinder = { copies: [CLONE], backups: [{ ...BACKUP, status: 'creating' }] }
    const of = (deadline: number) => next({ ...cleaning(BACKED_UP), deadline }, cinder, false)

    expect(of(1)).toHaveProperty('isCopied', true)
    expect(of(0)).not.toHaveProperty('isCopied')
  })

  it.each(['available', 'error_restoring'])(
    'goes when the restore has ended with %s, the new volume first',
    (status) => {
      const cinder = { copies: [CLONE, { ...RESTORED, status }] }

      expect(next(cleaning(ALL), cinder, false)).toEqual(
        acting({ act: 'deleteVolume', id: 'restored' }),
      )
    },
  )
})
