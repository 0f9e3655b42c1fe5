import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../http.ts'
import { silentLog } from '../log.ts'
import { createCopyService } from './cinder-copies.ts'
import { failureOf, setUp, VERSIONS } from './testing.ts'
import type { Reply } from './testing.ts'

const LIST = 'GET /v3/{p}/volumes/detail'
const SNAPSHOTS = 'GET /v3/{p}/snapshots/detail'
const MADE: Reply = { status: 202, json: { volume: { id: 'new' }, snapshot: { id: 'new' } } }
const sent = { requestId: 'req-1' }
const marked = { ...sent, name: 'n', metadata: { a: 'b' } }

function copies(routes: Parameters<typeof setUp>[0]) {
  const set = setUp({ 'GET /v3/': VERSIONS(66), ...routes })
  return { ...set, copies: createCopyService({ session: set.session, log: silentLog }) }
}

const row = (over: object) => ({
  id: 'v1',
  name: 'n',
  status: 'available',
  size: 1,
  created_at: '2026-01-01T00:00:00',
  multiattach: false,
  encrypted: false,
  attachments: [],
  metadata: { a: 'b' },
  snapshot_id: 's1',
  ...over,
})

describe('what a move by copy asks of Cinder', () => {
  it('is one call with name and metadata, without a type or a size, and our request id', async () => {
    const { copies: service, of } = copies({
      'POST /v3/{p}/snapshots': MADE,
      'POST /v3/{p}/volumes': MADE,
    })

    expect(await service.createSnapshot({ ...marked, volumeId: 'v1' })).toMatchObject({
      kind: 'Accepted',
      id: 'new',
    })
    expect(await service.createFromSnapshot({ ...marked, snapshotId: 's1' })).toMatchObject({
      kind: 'Accepted',
      id: 'new',
    })
    const [snapshot] = of('POST /v3/{p}/snapshots')
    const [volume] = of('POST /v3/{p}/volumes')
    expect(JSON.parse(snapshot?.body ?? '')).toEqual({
      snapshot: { volume_id: 'v1', name: 'n', metadata: { a: 'b' } },
    })
    expect(JSON.parse(volume?.body ?? '')).toEqual({
      volume: { snapshot_id: 's1', name: 'n', metadata: { a: 'b' } },
    })
    expect(volume?.headers).toMatchObject({ 'x-openstack-request-id': 'req-1' })
  })

  it('is not known to have made anything when the answer is lost, and is not sent again', async () => {
    const { copies: service, of } = copies({
      'POST /v3/{p}/volumes': () => {
        throw new ConnectionError('reset', 'reset')
      },
    })

    expect(await service.createFromSnapshot({ ...marked, snapshotId: 's1' })).toMatchObject({
      kind: 'Unknown',
    })
    expect(of('POST /v3/{p}/volumes')).toHaveLength(1)
  })

  it('is accepted without an id where the answer does not name one', async () => {
    const { copies: service } = copies({ 'POST /v3/{p}/snapshots': { status: 202, json: {} } })

    const answer = await service.createSnapshot({ ...marked, volumeId: 'v1' })
    expect(answer.kind).toBe('Accepted')
    expect(answer).not.toHaveProperty('id')
  })

  it('does not leave when the fence forbids it', async () => {
    const { copies: service, of } = copies({ 'DELETE /v3/{p}/volumes/v1': { status: 202 } })
    const fence = () => {
      throw new Error('no leader any more')
    }

    expect(await service.deleteVolume({ ...sent, id: 'v1', fence })).toMatchObject({
      kind: 'NotSent',
    })
    expect(of('DELETE /v3/{p}/volumes/v1')).toHaveLength(0)
  })

  it('deletes one volume, never with what hangs on it', async () => {
    const { copies: service, of } = copies({ 'DELETE /v3/{p}/volumes/v1': { status: 202 } })

    expect(await service.deleteVolume({ ...sent, id: 'v1' })).toMatchObject({ kind: 'Accepted' })
    expect(new URL(of('DELETE /v3/{p}/volumes/v1')[0]?.url ?? '').search).toBe('')
  })

  it.each(['../snapshots', 'v1?cascade=true', ''])('is nothing for the id "%s"', async (id) => {
    const { copies: service, requests } = copies({})

    expect(await service.deleteVolume({ ...sent, id })).toMatchObject({ kind: 'Rejected' })
    expect(await service.deleteSnapshot({ ...sent, id })).toMatchObject({ kind: 'Rejected' })
    expect(await failureOf(service.getVolume(id))).toMatchObject({ code: 'BadRequest' })
    expect(requests).toHaveLength(0)
  })
})

describe('what a move by copy reads', () => {
  it('leaves out the second volume that Cinder makes while it moves one', async () => {
    const scratch = row({ id: 'v2', migration_status: 'target:v1' })
    const { copies: service } = copies({ [LIST]: { json: { volumes: [row({}), scratch] } } })

    expect(await service.volumesNamed('n')).toMatchObject([{ id: 'v1', snapshotId: 's1' }])
  })

  it('is an error, and not an empty list, when a row cannot be read', async () => {
    const { copies: service } = copies({
      [LIST]: { json: { volumes: [row({}), { id: 'v2' }] } },
      [SNAPSHOTS]: { json: { snapshots: [{ id: 's1' }] } },
    })

    expect(await failureOf(service.volumesNamed('n'))).toMatchObject({ code: 'ServerError' })
    expect(await failureOf(service.snapshotsNamed('n'))).toMatchObject({ code: 'ServerError' })
  })

  it('is an error when there may be more than one page', async () => {
    const snapshots = Array.from({ length: 1000 }, (_, i) => ({
      id: `s${i}`,
      volume_id: 'v1',
      status: 'available',
    }))
    const { copies: service } = copies({ [SNAPSHOTS]: { json: { snapshots } } })

    expect(await failureOf(service.snapshotsOf('v1'))).toMatchObject({ code: 'ServerError' })
  })

  it('takes no page of a proxy for the word of Cinder that it does not know it', async () => {
    const { copies: service } = copies({
      'GET /v3/{p}/snapshots/s1': { status: 404, text: '<html>404</html>' },
      'GET /v3/{p}/snapshots/s2': {
        status: 404,
        json: { itemNotFound: { code: 404, message: 'no' } },
      },
    })

    expect(await failureOf(service.getSnapshot('s1'))).toBeInstanceOf(Error)
    expect(await service.getSnapshot('s2')).toBeUndefined()
  })
})
