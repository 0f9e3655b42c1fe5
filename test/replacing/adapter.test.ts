import { describe, expect, it } from 'vitest'
import { REPLACED_AT } from '../../src/api/names.ts'
import { ConnectionError } from '../../src/http.ts'
import type { HttpRequest } from '../../src/http.ts'
import { heldOf } from '../../src/migration/snapshot-restore/manifest.ts'
import { replacePreflight } from '../../src/migration/snapshot-restore/preflight.ts'
import type { ReplaceAct } from '../../src/migration/snapshot-restore/saved.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { full } from '../audit-lines.ts'
import { isWrite, Stand } from './stand.ts'

const { kube: KUBE, volume: CINDER } = WORLD_ORIGINS
const OTHER_UID = '00000000-0000-4000-8000-000000000000'

/** The service of that origin cannot be reached, and the other can. */
function without(stand: Stand, origin: string): void {
  stand.gate = (request, send) =>
    request.url.startsWith(origin)
      ? Promise.reject(new ConnectionError('refused', `${origin}: refused`))
      : send()
}

/** The requests that change something from now on. */
function writes(stand: Stand): HttpRequest[] {
  const seen: HttpRequest[] = []
  const { gate } = stand
  stand.gate = (request, send) => {
    if (isWrite(request, KUBE) || isWrite(request, CINDER)) seen.push(request)
    return gate(request, send)
  }
  return seen
}

describe('what preflight is given', () => {
  const facts = (stand: Stand) => stand.during(stand.adapter.facts(stand.target, stand.volume))
  const blocks = async (stand: Stand) => replacePreflight(await facts(stand))

  it('lets a detached volume move, and nothing is created or written to the audit for it', async () => {
    const stand = await Stand.open()
    const sent = writes(stand)
    expect(await blocks(stand)).toEqual([])
    // both that the move will create, checked by the server only
    expect(sent.map((r) => `${r.method} ${new URL(r.url).searchParams.get('dryRun')}`)).toEqual([
      'POST All',
      'POST All',
    ])
    expect(stand.lines.text).toBe('')
  })

  it('is what the API server has now: finalizer and driver', async () => {
    const stand = await Stand.open()
    stand.changePv({ metadata: { finalizers: ['kubernetes.io/pv-protection', 'velero.io/x'] } })
    expect(await blocks(stand)).toMatchObject([{ reason: 'ForeignFinalizer' }])
  })

  it('names another PersistentVolume of the same volume', async () => {
    const stand = await Stand.open()
    const pv = stand.pv!
    const { claimRef: _claim, ...spec } = pv['spec'] as Record<string, unknown>
    stand.stage.world.api.seed({ ...pv, metadata: { name: 'by-hand' }, spec })
    expect(await facts(stand)).toMatchObject({ persistentVolume: { sharedWith: 'by-hand' } })
  })

  it('names each right that the role lacks', async () => {
    const stand = await Stand.open({
      apiServer: {
        allow: ({ verb, resource }) => !(verb === 'create' && resource === 'persistentvolumes'),
      },
    })
    expect((await facts(stand)).missingRights).toEqual(['create persistentvolumes'])
    expect(await blocks(stand)).toMatchObject([{ reason: 'MissingPermission' }])
  })

  it('has the refusal of an admission policy in its words', async () => {
    const stand = await Stand.open()
    const said = 'ValidatingAdmissionPolicy "no-parked" denied the request'
    stand.gate = async (request, send) =>
      request.url.includes('dryRun=All') && request.body?.includes('parked.couchestor.io')
        ? { ...(await send()), status: 422, text: () => Promise.resolve(statusOf(422, said)) }
        : send()
    expect((await facts(stand)).missingRights).toEqual([expect.stringContaining(said)])
  })

  it('has the quotas of snapshot and copy', async () => {
    const stand = await Stand.open()
    const { cloud } = stand.stage
    cloud.setQuota(cloud.couchestor.project.id, { snapshots: 0 })
    expect(await blocks(stand)).toMatchObject([{ reason: 'QuotaTooSmall' }])
  })

  it.each([KUBE, CINDER])('is not given at all without %s', async (origin) => {
    const stand = await Stand.open()
    without(stand, origin)
    await expect(facts(stand)).rejects.toThrow()
  })

  it('is not given when the dry run has no answer of the API server', async () => {
    const stand = await Stand.open()
    stand.gate = (request, send) =>
      request.url.includes('dryRun=All')
        ? Promise.reject(new ConnectionError('reset', 'reset'))
        : send()
    await expect(facts(stand)).rejects.toThrow('reset')
  })
})

function statusOf(code: number, message: string): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', code, reason: 'Invalid', message })
}

describe('what is saved at the start', () => {
  it('names all that the move will need, also without its object', async () => {
    const metadata = { a: 'b', readonly: 'False' }
    const stand = await Stand.open({ metadata })
    await stand.begin()
    const { origin } = stand.saved
    expect(stand.saved).toMatchObject({ phase: 'Holding', journal: [] })
    expect(origin).toMatchObject({
      strategy: 'snapshot-restore',
      clusterId: 'here',
      projectId: stand.stage.cloud.couchestor.project.id,
      moveUid: stand.move.metadata.uid,
      claim: { namespace: 'default', name: 'data', uid: stand.claim.metadata.uid },
      toTypeId: stand.stage.cloud.volumeType('couchestor-cold').id,
      migrationPolicy: 'on-demand',
      manifest: {
        metadata: { name: 'pvc-default-data' },
        spec: { persistentVolumeReclaimPolicy: 'Delete', csi: { volumeHandle: stand.handle } },
      },
    })
    expect(origin.volume).toMatchObject({ id: stand.handle, sizeGiB: 1, metadata: { a: 'b' } })
    expect(origin.volume.metadata).not.toHaveProperty('readonly')
  })

  it.each<[string, (stand: Stand) => Parameters<Stand['changePv']>[0], string]>([
    [
      'is of another claim',
      () => ({ spec: { claimRef: { namespace: 'default', name: 'data', uid: OTHER_UID } } }),
      `spec.claimRef.uid is ${OTHER_UID}`,
    ],
    [
      'stands for another volume',
      () => ({ spec: { csi: { driver: 'cinder.csi.openstack.org', volumeHandle: 'other' } } }),
      'spec.csi.volumeHandle is other',
    ],
    [
      'is held already',
      (stand) => ({ spec: heldOf(stand.pv as never, stand.handle, {}).spec }),
      'spec.csi.driver is parked.couchestor.io',
    ],
    [
      'is being replaced by another move',
      () => ({ metadata: { finalizers: ['couchestor.io/replacing'] } }),
      'an earlier replacement is not complete',
    ],
  ])('is not made of a PersistentVolume that %s', async (_, change, why) => {
    const stand = await Stand.open()
    stand.changePv(change(stand))
    await expect(stand.begin()).rejects.toThrow(why)
  })
})

describe('a look', () => {
  const begun = async () => {
    const stand = await Stand.open()
    await stand.begin()
    return stand
  }

  it('shows claim, PersistentVolume and volume', async () => {
    const stand = await begun()
    expect(await stand.look()).toMatchObject({
      kube: {
        kind: 'Seen',
        claim: { phase: 'Bound' },
        pv: { driver: 'cinder.csi.openstack.org', handle: stand.handle, policy: 'Delete' },
        pods: 0,
        attachments: [],
      },
      cinder: {
        kind: 'Seen',
        source: { status: 'available', attached: false },
        copies: [],
        snapshots: [],
      },
    })
  })

  it('of Kubernetes says nothing about Cinder, and the other way round', async () => {
    const stand = await begun()
    without(stand, KUBE)
    const refused = { kind: 'Unreadable', why: expect.stringContaining('refused') }
    expect(await stand.look()).toMatchObject({ kube: refused, cinder: { kind: 'Seen' } })
    without(stand, CINDER)
    expect(await stand.look()).toMatchObject({ kube: { kind: 'Seen' }, cinder: refused })
  })

  it('with the credential of another project does not take the volume for gone', async () => {
    const stand = await begun()
    const { cloud } = stand.stage
    const theirs = cloud.addAppCredential(cloud.other, 'theirs')
    stand.credential = () => theirs
    cloud.expireTokens()
    expect((await stand.look()).cinder).toEqual({
      kind: 'Unreadable',
      why: expect.stringContaining(`a credential of project ${cloud.couchestor.project.id}`),
    })
  })

  it('during which the credential is switched shows nothing', async () => {
    const stand = await begun()
    const { cloud } = stand.stage
    await stand.look()
    const theirs = cloud.addAppCredential(cloud.other, 'theirs')
    stand.gate = async (request, send) => {
      if (request.url.startsWith(CINDER) && stand.credential() !== theirs) {
        stand.credential = () => theirs
        cloud.expireTokens()
      }
      return send()
    }
    expect((await stand.look()).cinder).toMatchObject({ kind: 'Unreadable' })
  })

  it('of a list that breaks off shows nothing', async () => {
    const stand = await begun()
    stand.gate = (request, send) =>
      request.url.includes('/pods') ? Promise.reject(new ConnectionError('reset', 'torn')) : send()
    expect((await stand.look()).kube).toMatchObject({ kind: 'Unreadable' })
  })

  it('of another claim of the same name is that there is none', async () => {
    const stand = await begun()
    const { origin } = stand.saved
    stand.saved = { ...stand.saved, origin: { ...origin, claim: { ...origin.claim, uid: 'x' } } }
    expect((await stand.look()).kube).toMatchObject({ kind: 'Seen', claim: undefined })
  })

  it('shows what others have made of the volume: snapshots, and a PersistentVolume', async () => {
    const stand = await begun()
    stand.stage.cloud.addSnapshot(stand.handle, 'theirs')
    const pv = stand.pv!
    const { claimRef: _claim, ...spec } = pv['spec'] as Record<string, unknown>
    stand.stage.world.api.seed({ ...pv, metadata: { name: 'by-hand' }, spec })
    expect((await stand.look()).kube).toMatchObject({ otherHandles: undefined })
    stand.saved = { ...stand.saved, phase: 'CleaningUp' }
    expect(await stand.look()).toMatchObject({
      kube: { otherHandles: [stand.handle] },
      cinder: { snapshots: [{ name: 'theirs', volumeId: stand.handle }] },
    })
  })
})

describe('a call', () => {
  /** Every act, at a point of the move at which it may come. */
  async function ready(act: ReplaceAct['act']): Promise<[Stand, ReplaceAct]> {
    const stand = await Stand.open()
    await stand.begin()
    await stand.follow((s) =>
      act === 'retype'
        ? s.journal.some((e) => e.act === 'cloneVolume' && e.state === 'Done')
        : s.phase === (LATE.has(act) ? 'Soaking' : 'Holding'),
    )
    if (act === 'retype') await stand.stage.clock.advance(10_000)
    const id = (maker: string) => stand.saved.journal.find((e) => e.act === maker)?.id ?? ''
    const { uid = '', resourceVersion = '', finalizers = [] } = stand.pv!.metadata
    const { copies } = stand.deps
    switch (act) {
      case 'createSnapshot':
        return [stand, { act }]
      case 'cloneVolume':
        await stand.perform({ act: 'createSnapshot' })
        await stand.stage.clock.advance(10_000)
        return [stand, { act }]
      case 'retype': {
        const copy = await stand.during(copies.getVolume(id('cloneVolume')))
        return [stand, { act, id: copy?.id ?? '', updatedAt: copy?.updatedAt ?? '' }]
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
  const LATE: ReadonlySet<string> = new Set(['deleteSnapshot', 'deleteVolume'])
  const attachments = (stand: Stand) =>
    Promise.resolve(stand.stage.world.api.objects('/apis/storage.k8s.io/v1/volumeattachments'))

  const ACTS = [
    'createSnapshot',
    'cloneVolume',
    'retype',
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

  it.each(ACTS)('of %s is made once, with the request id of its intent', async (act) => {
    const [stand, asked] = await ready(act)
    const sent = writes(stand)
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Accepted' })
    expect(own(sent)).toHaveLength(1)
    const entry = stand.saved.journal.at(-1)
    if (own(sent)[0]?.url.startsWith(CINDER))
      expect(own(sent)[0]?.headers).toMatchObject({
        'x-openstack-request-id': entry?.requestId,
      })
    expect(stand.lines.calls().map((c) => c.id)).toContain(entry?.requestId)
  })

  it.each(ACTS)('of %s whose answer is lost is Unknown', async (act) => {
    const [stand, asked] = await ready(act)
    stand.gate = async (request, send) => {
      const answer = await send()
      if (isWrite(request, KUBE) || isWrite(request, CINDER))
        throw new ConnectionError('reset', 'lost')
      return answer
    }
    expect(await stand.perform(asked)).toMatchObject({ kind: 'Unknown' })
    expect(stand.lines.calls().at(-1)).toMatchObject({ outcome: 'unknown' })
  })

  it.each(ACTS)(
    'of %s is not made by who has lost the lease while its line was written',
    async (act) => {
      const [stand, asked] = await ready(act)
      const sent = writes(stand)
      stand.lines.before = () => void (stand.leads = false)
      expect(await stand.perform(asked)).toMatchObject({ kind: 'NotSent' })
      expect(sent).toEqual([])
      expect(stand.lines.calls().at(-1)).toMatchObject({ outcome: 'failure' })
    },
  )

  it.each(ACTS)('of %s is not made when its line cannot be written, and says so', async (act) => {
    const [stand, asked] = await ready(act)
    const sent = writes(stand)
    stand.lines.before = full
    expect(await stand.perform(asked)).toMatchObject({ kind: 'NotSent', unaudited: true })
    expect(sent).toEqual([])
  })

  it.each(ACTS)('of %s is made once only for one intent', async (act) => {
    const [stand, asked] = await ready(act)
    await stand.perform(asked)
    const sent = writes(stand)
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

  it.each(['retype', 'deleteSnapshot', 'deleteVolume'] as const)(
    'of %s about what this move did not make is not made',
    async (act) => {
      const [stand, asked] = await ready(act)
      const { id } = stand.stage.cloud.addVolume({ sizeGiB: 1, type: 'couchestor-hot' })
      const sent = writes(stand)
      expect(await stand.perform({ ...asked, id } as ReplaceAct)).toMatchObject({ kind: 'NotSent' })
      expect(sent).toEqual([])
    },
  )

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
      const sent = writes(stand)
      expect(await stand.perform(asked)).toMatchObject(said)
      expect(sent).toEqual([])
    },
  )

  it('of a retype is not made when the copy has changed since it was seen', async () => {
    const [stand, asked] = await ready('retype')
    const sent = writes(stand)
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
    const sent = writes(stand)
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
