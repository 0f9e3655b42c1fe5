import { describe, expect, it } from 'vitest'
import { ConnectionError } from '../../src/http.ts'
import { heldOf } from '../../src/migration/snapshot-restore/manifest.ts'
import { replacePreflight } from '../../src/migration/snapshot-restore/preflight.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { Stand, writesOf } from './stand.ts'

const { kube: KUBE, volume: CINDER } = WORLD_ORIGINS
const OTHER_UID = '00000000-0000-4000-8000-000000000000'

/** The service of that origin cannot be reached, and the other can. */
function without(stand: Stand, origin: string): void {
  stand.gate = (request, send) =>
    request.url.startsWith(origin)
      ? Promise.reject(new ConnectionError('refused', `${origin}: refused`))
      : send()
}

describe('what preflight is given', () => {
  const facts = (stand: Stand) =>
    stand.during(
      (async () => ({
        ...(await stand.adapter.facts(stand.target, stand.volume)),
        ...(await stand.adapter.costlyFacts(stand.target, stand.volume)),
      }))(),
    )
  const blocks = async (stand: Stand) => replacePreflight(await facts(stand))

  it('lets a detached volume move, and nothing is created or written to the audit for it', async () => {
    const stand = await Stand.open()
    const sent = writesOf(stand)
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
    expect(await facts(stand)).toMatchObject({ sharedWith: 'by-hand' })
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
    await expect(facts(stand)).rejects.toThrow('refused')
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

describe('a read', () => {
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

  it('does not count the Pods of another claim of the same name', async () => {
    const stand = await begun()
    stand.stage.world.api.seed({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'data-0', namespace: 'default' },
      spec: {
        containers: [{ name: 'main', image: 'none' }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
      status: { phase: 'Running' },
    })
    expect((await stand.look()).kube).toMatchObject({ pods: 1 })
    const { origin } = stand.saved
    stand.saved = { ...stand.saved, origin: { ...origin, claim: { ...origin.claim, uid: 'x' } } }
    // they would keep what is left of the former claim for as long as they run
    expect((await stand.look()).kube).toMatchObject({ claim: undefined, pods: 0 })
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
