import { describe, expect, it } from 'vitest'
import { REPLACED_AT } from '../../src/api/names.ts'
import { ConnectionError } from '../../src/http.ts'
import type { HttpRequest } from '../../src/http.ts'
import type { ReplaceAct } from '../../src/migration/snapshot-restore/saved.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { full } from '../audit-lines.ts'
import { isWrite, Stand, writesOf } from './stand.ts'

const OTHER_UID = '00000000-0000-4000-8000-000000000000'

const LATE: ReadonlySet<string> = new Set(['deleteSnapshot', 'deleteBackup', 'deleteVolume'])
/** What has to be there before, of acts that come between. */
const AFTER: Readonly<Partial<Record<ReplaceAct['act'], string>>> = {
  retype: 'cloneVolume',
  createBackup: 'cloneVolume',
  restoreBackup: 'createBackup',
  markVolume: 'restoreBackup',
  markTakenOver: 'retype',
}
const BY_BACKUP: ReadonlySet<string> = new Set([
  'createBackup',
  'restoreBackup',
  'markVolume',
  'deleteBackup',
])

function idOf({ saved }: Stand, maker: string): string {
  return saved.journal.find((e) => e.act === maker)?.id ?? ''
}

/** Every act, at a point of the move at which it may come. */
async function ready(act: ReplaceAct['act']): Promise<[Stand, ReplaceAct]> {
  const stand = await Stand.open(BY_BACKUP.has(act) ? { via: 'backup' } : {})
  await stand.begin()
  const after = AFTER[act]
  await stand.follow((s) =>
    after === undefined
      ? s.phase === (LATE.has(act) ? 'Soaking' : 'Holding')
      : s.journal.some((e) => e.act === after && e.state === 'Done'),
  )
  if (after !== undefined) await stand.stage.clock.advance(30_000)
  const id = (maker: string) => idOf(stand, maker)
  const { uid, resourceVersion, finalizers } = stand.named()
  const { copies } = stand.deps
  switch (act) {
    case 'createSnapshot':
      return [stand, { act }]
    case 'createBackup':
    case 'restoreBackup':
      return [stand, { act }]
    case 'markVolume':
      return [stand, { act, id: id('restoreBackup') }]
    case 'markTakenOver': {
      const copy = await stand.during(copies.getVolume(id('cloneVolume')))
      return [stand, { act, id: copy!.id, updatedAt: copy!.updatedAt }]
    }
    case 'deleteBackup':
      return [stand, { act, id: id('createBackup') }]
    case 'cloneVolume':
      await stand.perform({ act: 'createSnapshot' })
      await stand.stage.clock.advance(10_000)
      return [stand, { act }]
    case 'retype': {
      const copy = await stand.during(copies.getVolume(id('cloneVolume')))
      return [stand, { act, id: copy!.id, updatedAt: copy!.updatedAt }]
    }
    case 'deleteSnapshot':
      return [stand, { act, id: id('createSnapshot') }]
    case 'deleteVolume':
      await stand.perform({ act: 'deleteSnapshot', id: id('createSnapshot') })
      await stand.stage.clock.advance(10_000)
      return [stand, { act, id: stand.saved.origin.volume.id }]
    case 'setReclaimPolicy':
      return [stand, { act, uid, policy: 'Retain' }]
    case 'deletePersistentVolume':
      return [stand, { act, uid }]
    case 'releasePersistentVolume':
      return [stand, { act, uid, resourceVersion, finalizers, keep: finalizers }]
    case 'createPersistentVolume':
      stand.changePv({ metadata: { finalizers: [] } })
      await stand.stage.remove('/api/v1/persistentvolumes/pvc-default-data')
      return [stand, { act, shape: 'original' }]
    case 'deleteVolumeAttachment':
      stand.stage.world.api.seed({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'VolumeAttachment',
        metadata: { name: 'parked' },
        spec: {
          attacher: 'parked.couchestor.io',
          nodeName: 'n',
          source: { persistentVolumeName: 'pvc-default-data' },
        },
      })
      return [
        stand,
        { act, name: 'parked', uid: (await attachments(stand))[0]?.metadata.uid ?? '' },
      ]
  }
}
const attachments = (stand: Stand) =>
  Promise.resolve(stand.stage.world.api.objects('/apis/storage.k8s.io/v1/volumeattachments'))

const ACTS = [
  'createSnapshot',
  'cloneVolume',
  'retype',
  'createBackup',
  'restoreBackup',
  'markVolume',
  'markTakenOver',
  'deleteBackup',
  'deleteSnapshot',
  'deleteVolume',
  'setReclaimPolicy',
  'deletePersistentVolume',
  'releasePersistentVolume',
  'createPersistentVolume',
  'deleteVolumeAttachment',
] as const satisfies readonly ReplaceAct['act'][]

const own = (requests: readonly HttpRequest[]) =>
  requests.filter((r) => !r.url.includes('/persistentvolumeclaims/'))

describe('a call', () => {
  it.each(ACTS)('of %s is made once, with the request id of its intent', async (act) => {
    const [stand, asked] = await ready(act)
    const sent = writesOf(stand)
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Accepted' })
    expect(own(sent)).toHaveLength(1)
    const entry = stand.saved.journal.at(-1)
    const [request] = own(sent)
    const isOfCinder = request?.url.startsWith(WORLD_ORIGINS.volume)
    expect(request?.headers?.['x-openstack-request-id']).toBe(
      isOfCinder ? entry?.requestId : undefined,
    )
    expect(stand.lines.calls().map((c) => c.id)).toContain(entry?.requestId)
  })

  it.each(ACTS)('of %s whose answer is lost is Unknown', async (act) => {
    const [stand, asked] = await ready(act)
    stand.gate = async (request, send) => {
      const answer = await send()
      if (isWrite(request)) throw new ConnectionError('reset', 'lost')
      return answer
    }
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Unknown' })
    expect(stand.lines.calls().at(-1)).toMatchObject({ outcome: 'unknown' })
  })

  it.each(ACTS)(
    'of %s is not made by who has lost the lease while its line was written',
    async (act) => {
      const [stand, asked] = await ready(act)
      const sent = writesOf(stand)
      stand.lines.before = () => void (stand.leads = false)
      expect(await stand.perform(asked)).toMatchObject({ kind: 'NotSent' })
      expect(sent).toEqual([])
      expect(stand.lines.calls().at(-1)).toMatchObject({ outcome: 'failure' })
    },
  )

  it('of createPersistentVolume is made although its line cannot be written: its claim is Lost', async () => {
    const [stand, asked] = await ready('createPersistentVolume')
    const sent = writesOf(stand)
    stand.lines.before = full
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Accepted' })
    expect(sent.length).toBeGreaterThan(0)
  })

  it.each(ACTS.filter((act) => act !== 'createPersistentVolume'))(
    'of %s is not made when its line cannot be written, and says so',
    async (act) => {
      const [stand, asked] = await ready(act)
      const sent = writesOf(stand)
      stand.lines.before = full
      expect(await stand.perform(asked)).toMatchObject({ kind: 'NotSent', unaudited: true })
      expect(sent).toEqual([])
    },
  )

  it.each(ACTS)('of %s is made once only for one intent', async (act) => {
    const [stand, asked] = await ready(act)
    await stand.perform(asked)
    const sent = writesOf(stand)
    const move = { name: 'data-1', initiator: { kind: 'controller' }, to: 'cold' } as const
    await expect(stand.adapter.perform(stand.saved, move, () => {})).rejects.toThrow('no intent')
    expect(sent).toEqual([])
  })

  it.each(['setReclaimPolicy', 'deletePersistentVolume', 'releasePersistentVolume'] as const)(
    'of %s with the uid of another object is refused',
    async (act) => {
      const [stand, asked] = await ready(act)
      const before = stand.pv
      expect(await stand.perform({ ...asked, uid: OTHER_UID } as ReplaceAct)).toMatchObject({
        kind: 'Rejected',
      })
      expect(stand.pv).toEqual(before)
    },
  )

  it.each([
    'retype',
    'markVolume',
    'markTakenOver',
    'deleteBackup',
    'deleteSnapshot',
    'deleteVolume',
  ] as const)('of %s about what this move did not make is not made', async (act) => {
    const [stand, asked] = await ready(act)
    const { id } = stand.stage.cloud.addVolume({ sizeGiB: 1, type: 'couchestor-hot' })
    const sent = writesOf(stand)
    expect(await stand.perform({ ...asked, id } as ReplaceAct)).toMatchObject({ kind: 'NotSent' })
    expect(sent).toEqual([])
  })

  it.each(['createSnapshot', 'cloneVolume', 'deleteVolume'] as const)(
    'of %s is not made with the credential of another project',
    async (act) => {
      const [stand, asked] = await ready(act)
      const { cloud } = stand.stage
      const theirs = cloud.addAppCredential(cloud.other, 'theirs')
      stand.credential = () => theirs
      cloud.expireTokens()
      // the first call finds its token refused, and logs in as the other
      const said = {
        kind: 'NotSent',
        message: expect.stringContaining('belongs to project'),
      }
      expect(await stand.perform(asked)).toMatchObject(said)
      const sent = writesOf(stand)
      expect(await stand.perform(asked)).toMatchObject(said)
      expect(sent).toEqual([])
    },
  )

  it('of a retype is not made when the copy has changed since it was seen', async () => {
    const [stand, asked] = await ready('retype')
    const sent = writesOf(stand)
    expect(await stand.perform({ ...asked, updatedAt: 'earlier' } as ReplaceAct)).toMatchObject({
      kind: 'NotSent',
      message: 'the copy changed between read and call',
    })
    expect(sent).toEqual([])
  })

  it('that Cinder refuses for its quota says so', async () => {
    const [stand, asked] = await ready('createSnapshot')
    const { cloud } = stand.stage
    cloud.setQuota(cloud.couchestor.project.id, { snapshots: 0 })
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Rejected', quota: true })
  })

  it('that creates is accepted although the claim cannot be annotated', async () => {
    const [stand, asked] = await ready('createPersistentVolume')
    stand.gate = (request, send) =>
      request.method === 'PATCH' ? Promise.reject(new ConnectionError('reset', 'reset')) : send()
    expect(await stand.perform(asked)).toEqual({ kind: 'Accepted' })
    expect(stand.claim.metadata.annotations).not.toHaveProperty(REPLACED_AT)
    await stand.stage.clock.advance(20_000)
    expect(stand.claim).toMatchObject({ status: { phase: 'Bound' } })
  })

  it('that is refused annotates no claim', async () => {
    const [stand, asked] = await ready('createPersistentVolume')
    await stand.perform(asked)
    const sent = writesOf(stand)
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Rejected', httpStatus: 409 })
    expect(sent).toHaveLength(1)
  })

  it('that holds leaves the record from which the original can be put back', async () => {
    const [stand] = await ready('createPersistentVolume')
    await stand.perform({ act: 'createPersistentVolume', shape: 'held' })
    const record = JSON.parse(stand.pv?.metadata.annotations?.['couchestor.io/parked'] ?? '')
    expect(record).toEqual({
      location: 'here',
      at: stand.saved.journal.at(-1)?.at,
      origin: JSON.parse(JSON.stringify(stand.saved.origin)),
    })
  })
})
