import { describe, expect, it } from 'vitest'
import { createHttpClient } from '../../src/http.ts'
import type { CopyService } from '../../src/openstack/cinder-copies.ts'
import type { CinderFixture } from './cinder-fixture.ts'
import { copyServiceOn } from './copy-service.ts'

const SOURCE = { 'couchestor.io/role': 'copy', kept: 'of the source' }
const ASKED = { 'couchestor.io/role': 'restored', asked: 'by the call' }
const NONE = '00000000-0000-0000-0000-000000000000'
/** A backup of an empty volume takes 20 s on a free machine, and minutes on a busy one. */
const LONG = { timeout: 900_000 }
const LONG_TRIES = 2400

/** What a move by backup relies on, asked with its own client. Where no cinder-backup runs they are skipped. */
export function backupCases(get: () => CinderFixture): void {
  describe('backups', () => {
    async function withBackups(
      skip: (why: string) => never,
      work: (copies: CopyService) => Promise<void>,
    ): Promise<void> {
      const { cloud, admin } = get()
      const services = await admin.cinder('GET', '/os-services?binary=cinder-backup')
      const isUp = services.body.services.some((s: { state: string }) => s.state === 'up')
      if (!isUp) skip('there is no cinder-backup')
      const http = createHttpClient()
      try {
        await work(copyServiceOn(cloud, http))
      } finally {
        await http.close()
      }
    }
    const sent = { requestId: `req-${NONE}` }
    const quotaOf = async (key: string): Promise<{ limit: number; in_use: number }> => {
      const { member } = get()
      const { body } = await member.cinder('GET', `/os-quota-sets/${member.projectId}?usage=True`)
      return body.quota_set[key]
    }
    const used = async (key: string) => (await quotaOf(key)).in_use

    it(
      'become volumes of another type, by whose metadata it shows what they are of, and which win over what was asked for',
      LONG,
      ({ skip }) =>
        withBackups(skip, async (copies) => {
          const { volume, until, show, retype, typeId, cloud } = get()
          const source = await volume('hot', { metadata: SOURCE })
          const name = `${cloud.prefix}-backup`
          const before = [await used('backups'), await used('backup_gigabytes')]
          const made = await copies.createBackup({
            ...sent,
            volumeId: source,
            name,
            metadata: { mine: 'backup' },
          })
          expect(made).toMatchObject({ kind: 'Accepted', id: expect.any(String) })
          const backupId = made.id ?? ''
          const status = async () => (await copies.getBackup(backupId))?.status
          const refused = { kind: 'Rejected', httpStatus: 400 }
          expect(await status()).toBe('creating')
          expect((await show(source)).status).toBe('backing-up')
          expect(await copies.deleteBackup({ ...sent, id: backupId })).toMatchObject(refused)
          expect(await copies.deleteVolume({ ...sent, id: source })).toMatchObject(refused)
          expect((await retype(source, typeId.cold, 'on-demand')).status).toBe(400)

          await until('the backup', async () => (await status()) === 'available', LONG_TRIES)
          // a moment later
          await until('its volume', async () => (await show(source)).status === 'available')
          expect(await copies.backupsNamed(name)).toEqual([
            {
              id: backupId,
              name,
              volumeId: source,
              status: 'available',
              sizeGiB: 1,
              incremental: false,
              metadata: { mine: 'backup' },
            },
          ])
          expect(await copies.backupsNamed(`${name}-other`)).toEqual([])
          expect(await copies.whyNoBackups()).toBeUndefined()
          expect([await used('backups'), await used('backup_gigabytes')]).toEqual(
            before.map((n) => n + 1),
          )

          const wanted = {
            ...sent,
            backupId,
            typeId: typeId.cold,
            sizeGiB: 1,
            availabilityZone: (await show(source)).availability_zone,
            name: `${name}-restored`,
            metadata: ASKED,
          }
          const restored = await copies.createFromBackup(wanted)
          expect(restored).toMatchObject({ kind: 'Accepted', id: expect.any(String) })
          const id = restored.id ?? ''
          await until('the restore', async () => (await status()) === 'restoring')
          expect(await copies.deleteBackup({ ...sent, id: backupId })).toMatchObject(refused)
          const statusOf = async () => (await copies.getVolume(id))?.status
          await until('the new volume', async () => (await statusOf()) !== 'creating', LONG_TRIES)
          const [row, ...others] = await copies.volumesNamed(`${name}-restored`)
          expect(others).toEqual([])
          expect(row).toMatchObject({ id, status: 'available', typeId: typeId.cold, sizeGiB: 1 })
          expect(row?.metadata).toMatchObject({ ...SOURCE, src_backup_id: backupId })
          await copies.setMetadata({ ...sent, id, metadata: ASKED })
          expect((await copies.getVolume(id))?.metadata).toMatchObject({
            ...ASKED,
            kept: 'of the source',
            src_backup_id: backupId,
          })

          // the volume that it is of may go first
          expect(await copies.deleteVolume({ ...sent, id: source })).toMatchObject({
            kind: 'Accepted',
          })
          await until('the restore to end', async () => (await status()) === 'available')
          expect(await copies.deleteBackup({ ...sent, id: backupId })).toMatchObject({
            kind: 'Accepted',
          })
          await until('the backup to go', async () => (await status()) === undefined)
          await until('its quota', async () => (await used('backups')) === before[0])
          expect(await copies.deleteVolume({ ...sent, id })).toMatchObject({ kind: 'Accepted' })
          await until('the new volume to go', async () => (await statusOf()) === undefined)
        }),
    )

    it('of what is not there are refused', ({ skip }) =>
      withBackups(skip, async (copies) => {
        const { typeId } = get()
        const marked = { ...sent, name: 'none', metadata: {} }
        const notFound = { kind: 'Rejected', httpStatus: 404 }
        expect(await copies.createBackup({ ...marked, volumeId: NONE })).toMatchObject(notFound)
        const volume = { typeId: typeId.cold, sizeGiB: 1, availabilityZone: 'nova' }
        expect(
          await copies.createFromBackup({ ...marked, ...volume, backupId: NONE }),
        ).toMatchObject(notFound)
        expect(await copies.deleteBackup({ ...sent, id: NONE })).toMatchObject(notFound)
        expect(await copies.getBackup(NONE)).toBeUndefined()
      }))

    it.for(['backups', 'backup_gigabytes'])('are refused at the limit of %s', (key, { skip }) =>
      withBackups(skip, async (copies) => {
        const { volume, show, admin, member } = get()
        const set = (limit: number) =>
          admin.cinder('PUT', `/os-quota-sets/${member.projectId}`, {
            body: { quota_set: { [key]: limit } },
          })
        const source = await volume('hot')
        const { limit, in_use } = await quotaOf(key)
        try {
          expect((await set(in_use)).status).toBe(200)
          const request = { ...sent, volumeId: source, name: 'none', metadata: {} }
          expect(await copies.createBackup(request)).toMatchObject({
            kind: 'Rejected',
            httpStatus: 413,
            quota: true,
          })
        } finally {
          await set(limit)
        }
        expect((await show(source)).status).toBe('available')
      }),
    )
  })
}
