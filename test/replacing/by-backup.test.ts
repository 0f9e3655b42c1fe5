import { describe, expect, it } from 'vitest'
import { replacePreflight } from '../../src/migration/snapshot-restore/preflight.ts'
import type { Saved } from '../../src/migration/snapshot-restore/saved.ts'
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
  'createBackup',
  'restoreBackup',
  'markVolume',
  'markTakenOver',
  'deletePersistentVolume',
  'releasePersistentVolume',
  'create copy',
]
const CSI = { 'cinder.csi.openstack.org/cluster': 'k8s' }

const isAsked = (act: string) => (s: Saved) =>
  s.journal.some((e) => e.act === act && e.state === 'Done')

async function begun(metadata: Readonly<Record<string, string>> = CSI): Promise<Stand> {
  const stand = await Stand.open({ via: 'backup', metadata })
  await stand.begin()
  return stand
}

function leftIn({ stage: { cloud } }: Stand) {
  const isOurs = (name: string | null) => name?.startsWith('couchestor-') === true
  return {
    volumes: cloud.volumes().map((v) => v.id),
    snapshots: cloud.snapshots().length,
    backups: cloud.backups().filter((b) => isOurs(b.name)).length,
  }
}

describe('a move by backup', () => {
  it('gives the claim a volume of the other type with its data, without a retype, and leaves nothing else', async () => {
    const stand = await begun({ ...CSI, src_backup_id: 'of-an-earlier-move' })
    const source = stand.handle
    await stand.follow()

    expect(stand.saved).toMatchObject({ phase: 'Succeeded', reason: 'Verified' })
    expect(stand.acts).toEqual([
      ...TO_COPY,
      'Delete',
      'deleteBackup',
      'deleteVolume',
      'deleteSnapshot',
      'deleteVolume',
      'releasePersistentVolume',
    ])
    const { cloud } = stand.stage
    expect(stand.data).toBe('written before')
    expect(leftIn(stand)).toEqual({ volumes: [stand.handle], snapshots: 0, backups: 0 })
    expect(stand.handle).not.toBe(source)
    expect(cloud.retypesOf(stand.handle)).toEqual([])
    const backup = stand.saved.journal.find((e) => e.act === 'createBackup')
    expect(cloud.volume(stand.handle)).toMatchObject({
      typeId: cloud.volumeType('couchestor-cold').id,
      // not those of the clone, which came with the backup
      metadata: { ...CSI, 'couchestor.io/role': 'restored', src_backup_id: backup?.id },
    })
    expect(stand.claim).toMatchObject({ status: { phase: 'Bound' } })
  })

  it('is one full backup of the clone, in the container that the cloud uses', async () => {
    const stand = await begun()
    await stand.follow(isAsked('restoreBackup'))

    const id = (act: string) => stand.saved.journal.find((e) => e.act === act)?.id
    const [made] = stand.stage.cloud.journal().filter((e) => e.path.endsWith('/backups'))
    expect(made?.body).toEqual({
      backup: {
        volume_id: id('cloneVolume'),
        name: expect.stringMatching(/^couchestor-backup-here-/),
        metadata: expect.objectContaining({ 'couchestor.io/role': 'backup' }),
        incremental: false,
      },
    })
  })

  it('each act has its two lines, under the id that it has in Cinder', async () => {
    const stand = await begun()
    await stand.follow()

    const calls = stand.lines.calls()
    const ofBackup = calls.filter((c) => /backup|metadata/.test(c.action))
    expect(ofBackup.map((c) => `${c.action} ${c.target.typeURI}`)).toEqual([
      'create/backup storage/backup',
      'update/metadata storage/volume',
      'update/metadata storage/volume',
      'delete/backup storage/backup',
    ])
    expect(calls.filter((c) => c.action === 'create/volume')).toHaveLength(2)
    for (const { act, requestId } of stand.saved.journal)
      expect([act, calls.some((c) => c.id === requestId)]).toEqual([act, true])
    expect(calls.every((c) => c.outcome === 'success')).toBe(true)
  })

  it('whose every answer is lost once ends the same', async () => {
    const stand = await begun()
    loseEachAnswerOnce(stand)
    await stand.follow()

    expect(stand.saved).toMatchObject({ phase: 'Succeeded' })
    expect(stand.data).toBe('written before')
    expect(leftIn(stand)).toEqual({ volumes: [stand.handle], snapshots: 0, backups: 0 })
  })

  it('is undone by a person who wants the former volume back, with all that it was made of', async () => {
    const stand = await begun()
    const source = stand.handle
    await stand.follow((s) => s.phase === 'Soaking')
    expect(stand.acts).toEqual(TO_COPY)
    stand.stage.cloud.write(stand.handle, 'written after')
    stand.wish = 'rollback'
    await stand.follow()

    expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'RolledBack' })
    expect(stand.data).toBe('written before')
    expect(leftIn(stand)).toEqual({ volumes: [source], snapshots: 0, backups: 0 })
  })

  it.each(['createBackup', 'restoreBackup'])(
    'gives a Pod its volume back within seconds while %s runs, and deletes what was made once Cinder lets it',
    async (act) => {
      const stand = await begun()
      const source = stand.handle
      await stand.follow(isAsked(act))
      needClaim(stand)
      const since = stand.stage.clock.now()
      await stand.follow((s) => s.phase === 'CleaningUp')
      expect(stand.stage.clock.now() - since).toBeLessThan(20_000)
      expect(stand.handle).toBe(source)

      await stand.follow()
      expect(stand.saved).toMatchObject({ phase: 'Failed', reason: 'ClaimNeeded' })
      expect(leftIn(stand)).toEqual({ volumes: [source], snapshots: 0, backups: 0 })
      // what is busy is not asked for in vain
      const refused = stand.stage.cloud.journal().filter((e) => (e.status ?? 0) >= 400)
      expect(refused).toEqual([])
    },
  )

  it.each([
    ['the backup fails', { fails: true }, 'VolumeError', 'Object PUT failed'],
    ['the restore fails', { restores: 'error' }, 'VolumeError', 'error_restoring'],
    ['the new volume is not of the backup', { restores: 'empty' }, 'Unverified', 'backup (none)'],
  ] as const)('gives the volume back when %s', async (_, trouble, reason, why) => {
    const stand = await begun()
    const source = stand.handle
    stand.stage.cloud.setBackupService(trouble)
    await stand.follow()

    expect(stand.saved).toMatchObject({ phase: 'Failed', reason })
    expect(stand.saved.message).toContain(why)
    expect(stand.data).toBe('written before')
    expect(leftIn(stand)).toEqual({ volumes: [source], snapshots: 0, backups: 0 })
  })

  it('that never ends gives the volume back at its deadline, and says what is left until an administrator acts', async () => {
    const stand = await begun()
    const source = stand.handle
    const { cloud, clock } = stand.stage
    await stand.follow(isAsked('cloneVolume'))
    cloud.setBackupService({ service: 'dead' })
    await stand.follow(isAsked('createBackup'))
    await clock.advance(5 * HOUR)
    await stand.follow(() => clock.now() > stand.saved.deadline - HOUR / 2)
    expect(stand.saved.phase).toBe('Copying')
    await clock.advance(HOUR / 2)
    await stand.follow((s) => s.phase === 'CleaningUp')
    expect(stand.saved).toMatchObject({ reason: 'DeadlinePassed' })
    expect(stand.handle).toBe(source)
    expect(stand.claim).toMatchObject({ status: { phase: 'Bound' } })

    clock.setTimer(HOUR / 10, () => cloud.restartBackups())
    await stand.follow()
    expect(stand.waited).toContain('is "creating" in Cinder; waiting until it can be deleted')
    expect(leftIn(stand)).toEqual({ volumes: [source], snapshots: 0, backups: 0 })
  })

  it('gives the volume back where cinder-backup is gone, and says why its failed backup stays', async () => {
    const stand = await begun()
    const source = stand.handle
    const { cloud, clock } = stand.stage
    cloud.setBackupService({ service: 'absent' })
    await stand.follow((s) => s.phase === 'CleaningUp')
    expect(stand.saved.message).toContain('Service not found for creating backup')
    expect(stand.handle).toBe(source)

    clock.setTimer(HOUR / 10, () => cloud.setBackupService({ service: 'up' }))
    await stand.follow()
    expect(stand.waited).toContain(
      'Cinder refused to delete it (404): Service cinder-backup could not be found.',
    )
    expect(leftIn(stand)).toEqual({ volumes: [source], snapshots: 0, backups: 0 })
  })

  it('says what it waits for, and since when', async () => {
    const stand = await begun()
    await stand.follow((s) => s.phase === 'Switching')

    const asked = (act: string) => stand.saved.journal.find((e) => e.act === act)?.at
    expect(stand.waited).toContain(`backing up the copy: since ${asked('createBackup')}, `)
    expect(stand.waited).toContain(
      `restoring the backup to its new volume type: since ${asked('restoreBackup')}, `,
    )
  })
})

describe('before its first act a move by backup', () => {
  const blocks = async (stand: Stand) => {
    const facts = await stand.during(stand.adapter.facts(stand.target, stand.volume))
    return replacePreflight({ ...facts, missingRights: [] })
  }
  const limit = ({ stage: { cloud } }: Stand, limits: Readonly<Record<string, number>>) =>
    cloud.setQuota(cloud.couchestor.project.id, limits)

  it('has nothing against it where there is a cinder-backup, and room', async () => {
    expect(await blocks(await Stand.open({ via: 'backup' }))).toEqual([])
  })

  it.each([
    ['backups', 1],
    ['backup_gigabytes', 1],
    ['volumes', 2],
    ['gigabytes', 3],
  ])('is refused where the quota %s has no room for the peak', async (key, most) => {
    const stand = await Stand.open({ via: 'backup' })
    const { cloud } = stand.stage
    const { inUse } = cloud.quota(cloud.couchestor.project.id, key)
    const need = key.startsWith('backup') ? 1 : most
    limit(stand, { [key]: inUse + need })
    expect(await blocks(stand)).toEqual([])
    limit(stand, { [key]: inUse + need - 1 })

    expect((await blocks(stand)).map((b) => b.message)).toEqual([
      expect.stringContaining(`quota ${key} has `),
    ])
  })

  it('is refused where nothing shows that there is a cinder-backup', async () => {
    const stand = await Stand.open({ via: 'backup' })
    const { cloud } = stand.stage
    for (const backup of cloud.backups()) backup.status = 'error'
    expect(await blocks(stand)).toMatchObject([
      { reason: 'BackupUnavailable', message: expect.stringContaining('is not known') as unknown },
    ])
  })

  it('is not asked about backups where it makes none', async () => {
    const stand = await Stand.open()
    let asked = 0
    stand.gate = (request, send) => {
      if (/backup|os-services/.test(request.url)) asked++
      return send()
    }
    await blocks(stand)
    await stand.begin()
    await stand.follow()
    expect(asked).toBe(0)
  })
})
