import { describe, expect, it } from 'vitest'
import { createHttpClient } from '../../src/http.ts'
import type { CopyService } from '../../src/openstack/cinder-copies.ts'
import type { CinderFixture } from './cinder-fixture.ts'
import { copyServiceOn } from './copy-service.ts'

const METADATA = { 'couchestor.io/cluster': 'here', 'couchestor.io/move': 'u' }
const NONE = '00000000-0000-0000-0000-000000000000'

/** What a move by copy relies on, asked with its own client. */
export function copyCases(get: () => CinderFixture): void {
  describe('copies', () => {
    async function withCopies<T>(work: (copies: CopyService) => Promise<T>): Promise<T> {
      const { cloud } = get()
      const http = createHttpClient()
      try {
        return await work(copyServiceOn(cloud, http))
      } finally {
        await http.close()
      }
    }
    const sent = { requestId: `req-${NONE}` }

    it('are made of a snapshot, found by their names and known by their metadata; the source stays as it was', async () => {
      const { volume, show, until, settle, typeId, retype, cloud } = get()
      const source = await volume('hot')
      const before = await show(source)
      const name = `${cloud.prefix}-copies`
      await withCopies(async (copies) => {
        const snapshot = await copies.createSnapshot({
          ...sent,
          volumeId: source,
          name,
          metadata: METADATA,
        })
        const snapshotId = snapshot.id ?? ''
        expect(snapshot).toMatchObject({ kind: 'Accepted', id: expect.any(String) })
        await until(
          'the snapshot',
          async () => (await copies.getSnapshot(snapshotId))?.status === 'available',
        )
        const copy = await copies.createFromSnapshot({
          ...sent,
          snapshotId,
          name,
          metadata: METADATA,
        })
        const id = copy.id ?? ''
        expect(copy).toMatchObject({ kind: 'Accepted', id: expect.any(String) })
        await settle(id)

        expect(await copies.snapshotsNamed(name)).toEqual([
          { id: snapshotId, name, volumeId: source, status: 'available', metadata: METADATA },
        ])
        expect(await copies.snapshotsOf(source)).toHaveLength(1)
        expect(await copies.volumesNamed(name)).toMatchObject([
          {
            id,
            name,
            snapshotId,
            typeId: typeId.hot,
            sizeGiB: 1,
            metadata: METADATA,
            status: 'available',
          },
        ])
        expect(await copies.volumesNamed(`${name}-other`)).toEqual([])
        expect((await show(source)).updated_at).toBe(before.updated_at)

        expect(await copies.deleteVolume({ ...sent, id: source })).toMatchObject({
          kind: 'Rejected',
          httpStatus: 400,
        })
        await retype(id, typeId.cold, 'on-demand')
        expect((await settle(id)).volume_type).toBe('couchestor-cold')
        expect(await copies.volumesNamed(name)).toMatchObject([
          { id, metadata: METADATA, snapshotId },
        ])
        expect(await copies.deleteSnapshot({ ...sent, id: snapshotId })).toMatchObject({
          kind: 'Accepted',
        })
        await until(
          'the snapshot to go',
          async () => (await copies.getSnapshot(snapshotId)) === undefined,
        )
        expect(await copies.deleteVolume({ ...sent, id: source })).toMatchObject({
          kind: 'Accepted',
        })
        await until('the source to go', async () => (await copies.getVolume(source)) === undefined)
        expect(await copies.getVolume(id)).toMatchObject({ status: 'available' })
        expect(await copies.deleteVolume({ ...sent, id })).toMatchObject({ kind: 'Accepted' })
      })
    })

    it('of what is not there are refused, and metadata can be added later', async () => {
      const { volume, cloud } = get()
      const name = `${cloud.prefix}-none`
      await withCopies(async (copies) => {
        const marked = { ...sent, name, metadata: METADATA }
        expect(await copies.createSnapshot({ ...marked, volumeId: NONE })).toMatchObject({
          httpStatus: 404,
        })
        expect(await copies.createFromSnapshot({ ...marked, snapshotId: NONE })).toMatchObject({
          httpStatus: 404,
        })
        expect(await copies.deleteSnapshot({ ...sent, id: NONE })).toMatchObject({
          httpStatus: 404,
        })
        expect(await copies.deleteVolume({ ...sent, id: NONE })).toMatchObject({ httpStatus: 404 })
        expect(await copies.getVolume(NONE)).toBeUndefined()
        expect(await copies.getSnapshot(NONE)).toBeUndefined()
        const id = await volume('hot')
        const before = await copies.getVolume(id)
        expect(await copies.setMetadata({ ...sent, id, metadata: METADATA })).toMatchObject({
          kind: 'Accepted',
        })
        const more = { 'couchestor.io/taken-over': 'u' }
        expect(await copies.setMetadata({ ...sent, id, metadata: more })).toMatchObject({
          kind: 'Accepted',
        })
        const after = await copies.getVolume(id)
        expect(after?.metadata).toMatchObject({ ...METADATA, ...more })
        // a copy that is marked is still known by it
        expect(after?.updatedAt).toBe(before?.updatedAt)
        expect(await copies.setMetadata({ ...sent, id: NONE, metadata: more })).toMatchObject({
          kind: 'Rejected',
          httpStatus: 404,
        })
      })
    })
  })
}
