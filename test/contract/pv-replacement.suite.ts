import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RawPersistentVolume } from '../../src/kube/persistent-volumes.ts'
import { REPLACEMENT_RIGHTS } from '../../src/kube/persistent-volumes.ts'
import {
  copyOf,
  heldOf,
  OWN_FINALIZER,
  PARKED_DRIVER,
  PROTECTION_FINALIZER,
  savedManifest,
} from '../../src/migration/snapshot-restore/manifest.ts'
import type { PersistentVolumeManifest } from '../../src/migration/snapshot-restore/manifest.ts'
import { eventually } from './pv-target.ts'
import type { ReplacementTarget } from './pv-target.ts'

const PROVISIONER = 'external-provisioner.volume.kubernetes.io/finalizer'
const ATTACHER = 'external-attacher/cinder-csi-openstack-org'
const DRIVER = 'cinder.csi.openstack.org'
const fence = () => {}
const ACCEPTED = { kind: 'Accepted' }

/** What a move relies on when it replaces the PersistentVolume of a claim: the same on real parts and stand-ins. */
export function replacementContract(
  name: string,
  open: () => Promise<ReplacementTarget>,
  block: typeof describe.skip = describe,
): void {
  block(`replacing a PersistentVolume on ${name}`, () => {
    let opened: ReplacementTarget | undefined
    const use = () => opened!

    beforeAll(async () => {
      opened = await open()
    })
    afterAll(async () => {
      await opened?.close()
    })

    /** A claim with its PersistentVolume as it was, and the name of both. */
    async function bound(claim: string) {
      const { uid, persistentVolume } = await use().claim(claim)
      const pv = await read(persistentVolume)
      const manifest = savedManifest(pv)
      return { claim, uid, name: persistentVolume, pv, manifest }
    }
    type Bound = Awaited<ReturnType<typeof bound>>

    async function read(pv: string): Promise<RawPersistentVolume> {
      const found = await use().volumes.get(pv)
      if (found === undefined) throw new Error(`no PersistentVolume ${pv}`)
      return found
    }
    const ofVolume = (pv: RawPersistentVolume) => ({
      name: pv.metadata.name,
      uid: pv.metadata.uid ?? '',
      fence,
    })
    const phase = async ({ claim }: Bound) =>
      (await use().volumes.getClaim(use().namespace, claim))?.status?.phase

    async function retained(pv: RawPersistentVolume): Promise<RawPersistentVolume> {
      await use().volumes.setReclaimPolicy({ ...ofVolume(pv), policy: 'Retain' })
      return eventually(use(), 'the provisioner to take its finalizer off', async () => {
        const now = await read(pv.metadata.name)
        return (now.metadata.finalizers ?? []).includes(PROVISIONER) ? undefined : now
      })
    }

    async function release(pv: RawPersistentVolume) {
      const now = await read(pv.metadata.name)
      const { resourceVersion = '', finalizers = [] } = now.metadata
      return use().volumes.setFinalizers({ ...ofVolume(pv), resourceVersion, finalizers, keep: [] })
    }

    async function removed(of: Bound): Promise<void> {
      const pv = await retained(of.pv)
      expect(await use().volumes.delete(ofVolume(pv))).toEqual(ACCEPTED)
      expect(await release(pv)).toEqual(ACCEPTED)
      expect(await use().volumes.get(of.name)).toBeUndefined()
    }

    const create = (manifest: PersistentVolumeManifest) => use().volumes.create(manifest, fence)

    async function nudge({ claim, uid }: Bound) {
      const annotations = { 'couchestor.io/contract': claim }
      return use().volumes.annotateClaim({
        namespace: use().namespace,
        name: claim,
        uid,
        annotations,
        fence,
      })
    }

    it('sets Retain, by which the provisioner takes its finalizer off, and Delete, by which it puts it back', async () => {
      const of = await bound('policy')
      expect(of.pv.metadata.finalizers).toEqual(
        expect.arrayContaining([PROTECTION_FINALIZER, PROVISIONER]),
      )

      const pv = await retained(of.pv)
      expect(pv.metadata.finalizers).toEqual([PROTECTION_FINALIZER])
      expect(await use().volumes.setReclaimPolicy({ ...ofVolume(pv), policy: 'Delete' })).toEqual(
        ACCEPTED,
      )
      await eventually(use(), 'the finalizer', async () =>
        (await read(of.name)).metadata.finalizers?.includes(PROVISIONER),
      )
    })

    it('refuses every write that names another uid or an older version', async () => {
      const { pv } = await bound('uid')
      const other = { ...ofVolume(pv), uid: '00000000-0000-4000-8000-000000000000' }
      const { resourceVersion = '', finalizers = [] } = pv.metadata
      const { volumes } = use()

      expect(await volumes.delete(other)).toMatchObject({ kind: 'Rejected', httpStatus: 409 })
      expect(await volumes.setReclaimPolicy({ ...other, policy: 'Retain' })).toMatchObject({
        kind: 'Rejected',
        httpStatus: 422,
      })
      for (const change of [
        { ...other, resourceVersion, finalizers },
        { ...ofVolume(pv), resourceVersion: '1', finalizers },
        { ...ofVolume(pv), resourceVersion, finalizers: [PROTECTION_FINALIZER, 'other.io/x'] },
      ])
        expect(await volumes.setFinalizers({ ...change, keep: [] })).toMatchObject({
          kind: 'Rejected',
          httpStatus: 422,
        })
      expect((await read(pv.metadata.name)).metadata).toMatchObject({ uid: pv.metadata.uid })
      expect((await read(pv.metadata.name)).metadata.deletionTimestamp).toBeUndefined()
    })

    it('keeps a deleted one Bound until its finalizers go, then the claim is Lost and nothing else has changed', async () => {
      const of = await bound('lost')
      const before = await use().volumes.getClaim(use().namespace, of.claim)
      const pv = await retained(of.pv)
      await use().volumes.delete(ofVolume(pv))
      const terminating = await read(of.name)
      expect(terminating.metadata.deletionTimestamp).toEqual(expect.any(String))
      expect([terminating.status?.phase, await phase(of)]).toEqual(['Bound', 'Bound'])

      await release(pv)
      await eventually(use(), 'the claim to be Lost', async () => (await phase(of)) === 'Lost')
      const after = await use().volumes.getClaim(use().namespace, of.claim)
      expect(after?.metadata.uid).toBe(before?.metadata.uid)
      expect(after?.metadata.annotations).toEqual(before?.metadata.annotations)
      expect(after?.spec).toEqual(before?.spec)
      const events = `/api/v1/namespaces/${use().namespace}/events?fieldSelector=reason%3DClaimLost`
      const event = await eventually(use(), 'the event', async () =>
        (await use().api.get(events)).body.items.find(
          (e: { involvedObject: { uid: string } }) => e.involvedObject.uid === of.uid,
        ),
      )
      expect(event.message).toBe(
        'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
      )
    })

    it('binds the claim to one of the same name with another volume, as soon as the claim is annotated', async () => {
      const of = await bound('copy')
      const old = String((of.pv.spec['csi'] as { volumeHandle: string }).volumeHandle)
      const copy = await use().volume()
      await removed(of)
      const manifest = copyOf(of.manifest, { volumeId: copy, availabilityZone: 'nova' })

      expect(await create(manifest)).toEqual(ACCEPTED)
      expect(await create(manifest)).toMatchObject({ kind: 'Rejected', httpStatus: 409 })
      expect(await nudge(of)).toEqual(ACCEPTED)
      await eventually(use(), 'the claim to be Bound', async () => (await phase(of)) === 'Bound')
      const pv = await read(of.name)
      expect(pv.metadata.finalizers).toEqual([PROTECTION_FINALIZER, OWN_FINALIZER])
      expect(pv.metadata.uid).not.toBe(of.pv.metadata.uid)
      expect(pv.spec['csi']).toMatchObject({ driver: DRIVER, volumeHandle: copy })
      expect((await use().volumes.getClaim(use().namespace, of.claim))?.metadata.uid).toBe(of.uid)

      // the way that a claim ends after a move: its new volume goes, the former one is nobody's
      await use().volumes.setReclaimPolicy({ ...ofVolume(pv), policy: 'Delete' })
      // the provisioner puts its own finalizer there meanwhile, and a write of an older version is refused
      await eventually(use(), 'our finalizer to go', async () => {
        const now = await read(of.name)
        const { resourceVersion = '', finalizers = [] } = now.metadata
        const keep = finalizers.filter((f) => f !== OWN_FINALIZER)
        const written = { ...ofVolume(now), resourceVersion, finalizers, keep }
        return (await use().volumes.setFinalizers(written)).kind === ACCEPTED.kind
      })
      await use().api.delete(
        `/api/v1/namespaces/${use().namespace}/persistentvolumeclaims/${of.claim}`,
      )
      await eventually(
        use(),
        'the PersistentVolume to go',
        async () => (await use().volumes.get(of.name)) === undefined,
      )
      // Cinder goes on deleting for a moment
      await eventually(use(), 'the volume to go', async () => !(await use().hasVolume(copy)))
      expect(await use().hasVolume(old)).toBe(true)
    })

    it('binds the claim by itself at the next resync', async () => {
      const of = await bound('resync')
      await removed(of)
      await create(
        copyOf(of.manifest, { volumeId: await use().volume(), availabilityZone: 'nova' }),
      )

      await eventually(use(), 'the claim to be Bound', async () => (await phase(of)) === 'Bound')
      expect((await use().volumes.getClaim(use().namespace, of.claim))?.metadata.uid).toBe(of.uid)
    })

    it('holds a claim with a PersistentVolume that nobody serves, and attaches nothing through it', async () => {
      const of = await bound('held')
      await removed(of)
      expect(await create(heldOf(of.manifest, 'x', { volumeId: 'x' }))).toEqual(ACCEPTED)
      await nudge(of)
      await eventually(use(), 'the claim to be Bound', async () => (await phase(of)) === 'Bound')
      await attachment('parked', of.name, PARKED_DRIVER)
      await use().pass(2000)

      const [found] = await use().volumes.attachmentsOf(of.name)
      expect(found?.status?.attached ?? false).toBe(false)
      expect((await read(of.name)).metadata.finalizers).toEqual([
        PROTECTION_FINALIZER,
        OWN_FINALIZER,
      ])
      const { uid = '', name: attached } = found!.metadata
      expect(
        await use().volumes.deleteAttachment({ name: attached, uid: 'other', fence }),
      ).toMatchObject({
        kind: 'Rejected',
        httpStatus: 409,
      })
      expect(await use().volumes.deleteAttachment({ name: attached, uid, fence })).toEqual(ACCEPTED)
      expect(await use().volumes.attachmentsOf(of.name)).toEqual([])
    })

    it('keeps a volume whose claim is deleted in the gap, since it comes back with Retain', async () => {
      const of = await bound('gone')
      const copy = await use().volume()
      await removed(of)
      await use().api.delete(
        `/api/v1/namespaces/${use().namespace}/persistentvolumeclaims/${of.claim}`,
      )
      await eventually(use(), 'the claim to go', async () => (await phase(of)) === undefined)
      await create(copyOf(of.manifest, { volumeId: copy, availabilityZone: 'nova' }))

      await eventually(
        use(),
        'it to be Released',
        async () => (await read(of.name)).status?.phase === 'Released',
      )
      await use().pass(2000)
      expect(await use().hasVolume(copy)).toBe(true)
      await use().volumes.delete(ofVolume(await read(of.name)))
      await release(await read(of.name))
      expect(await use().hasVolume(copy)).toBe(true)
    })

    it('attaches nothing through one that is being deleted', async () => {
      const of = await bound('refused')
      const pv = await retained(of.pv)
      await use().volumes.delete(ofVolume(pv))
      await attachment('refused', of.name, DRIVER)

      const refused = await eventually(use(), 'the refusal', async () => {
        const [found] = await use().volumes.attachmentsOf(of.name)
        return (found?.status as { attachError?: { message: string } } | undefined)?.attachError
      })
      expect(refused.message).toContain('is marked for deletion')
      expect((await read(of.name)).metadata.finalizers).not.toContain(ATTACHER)
      const [found] = await use().volumes.attachmentsOf(of.name)
      const { uid = '', name: attached } = found!.metadata
      await use().volumes.deleteAttachment({ name: attached, uid, fence })
      await release(pv)
    })

    it('checks a PersistentVolume without storing it, and reports the rights that are missing', async () => {
      const of = await bound('dry')
      const manifest = copyOf(of.manifest, { volumeId: 'x', availabilityZone: 'nova' })
      const { capacity: _capacity, ...spec } = manifest.spec

      expect(await use().volumes.tryCreate(manifest)).toBeUndefined()
      expect(await use().volumes.tryCreate({ ...manifest, spec })).toContain('spec.capacity')
      const free = { ...manifest, metadata: { ...manifest.metadata, name: `${of.name}-dry` } }
      expect(await use().volumes.tryCreate(free)).toBeUndefined()
      expect(await use().volumes.get(`${of.name}-dry`)).toBeUndefined()
      expect(await use().volumes.missing(REPLACEMENT_RIGHTS)).toEqual([])
    })

    it('counts Pods that have not ended as users of the claim', async () => {
      const of = await bound('pods')
      const pods = `/api/v1/namespaces/${use().namespace}/pods`
      const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: of.claim } }]
      const containers = [{ name: 'main', image: 'none' }]
      const schedulerName = 'nobody'
      const body = (pod: string) => ({
        metadata: { name: pod },
        spec: { containers, volumes, schedulerName },
      })
      await use().api.post(pods, body('waits'))
      await use().api.post(pods, body('ended'))
      await use().api.patch(`${pods}/ended/status`, { status: { phase: 'Succeeded' } })

      const users = await use().volumes.podsOf(use().namespace, of.claim)
      expect(users.map((p) => p.metadata.name)).toEqual(['waits'])
      expect((await use().volumes.list()).map((pv) => pv.metadata.name)).toContain(of.name)
    })

    async function attachment(id: string, persistentVolumeName: string, attacher: string) {
      const { status } = await use().api.post('/apis/storage.k8s.io/v1/volumeattachments', {
        metadata: { name: `${use().namespace}-${id}` },
        spec: { attacher, nodeName: use().node, source: { persistentVolumeName } },
      })
      expect(status).toBe(201)
    }
  })
}
