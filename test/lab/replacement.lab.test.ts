import { afterAll, beforeAll, expect, it } from 'vitest'
import { ANNOTATION } from '../../src/api/names.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { OWN_FINALIZER } from '../../src/migration/snapshot-restore/manifest.ts'
import { actionsOn } from './cinder-log.ts'
import { watchClaim } from './claim-watch.ts'
import type { ClaimWatch } from './claim-watch.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { apply, kubectl } from './kubectl.ts'
import { createReplacements } from './replacements.ts'
import type { Made, Replacements, Waited } from './replacements.ts'
import { sha256OfStart, writeRandom } from './rbd.ts'

const POLICY = 'e2e-replacement'
const NAMESPACE = POLICY
const SNAPSHOT = ['-n', NAMESPACE, 'volumesnapshot/nightly']
const NAMES = ['pinned', 'undone', 'needed', 'raw', 'killed'] as const
type Name = (typeof NAMES)[number]

/** The former volume and its data stay until a test ends the soak. */
const CONFIG = { migration: { concurrent_migrations: 4 } }

type Whole = FleetClaim & { readonly digest: string }

let fleet: Fleet
let replacements: Replacements
let controller: ControllerProcess
let claims: Record<Name, Whole>
let deniedBefore: number
let raw: ClaimWatch
const rawPod = Promise.withResolvers<Waited>()

const step = (m: VolumeMigration) => m.status?.step

/** Of the part that is ever written. */
const WRITTEN_MIB = 80

const digestOf = async (id: string) => sha256OfStart(await fleet.image(id), WRITTEN_MIB)

/** Random data all over the first 32 MiB. */
async function filled(name: Name): Promise<Whole> {
  const mode = name === 'raw' ? 'Block' : 'Filesystem'
  const claim = await fleet.claim(name, POLICY, 'couchestor-hot', mode)
  await writeRandom(await fleet.image(claim.volumeId), 32)
  return { ...claim, digest: await digestOf(claim.volumeId) }
}

/** As a person orders it: to the cold tier, by a copy. */
function move(name: Name): Promise<string> {
  return apply({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name, namespace: NAMESPACE },
    spec: { claim: { name }, to: 'cold', policy: POLICY, strategy: 'snapshot-restore' },
  })
}

/** The claim is the same, is Bound, and reads the same data from another volume on the tier; resolves to its id. */
async function hasCopy(name: Name): Promise<string> {
  const { uid, pv, volumeId, digest } = claims[name]
  const m = await fleet.migrationWhen(name, 'soaks', (o) => step(o) === 'Soaking')
  const copy = await replacements.volumeOf(pv)
  expect(copy).not.toBe(volumeId)
  expect(m.status?.replacement).toMatchObject({ formerVolumeId: volumeId, copyVolumeId: copy })
  fleet.adopt(copy)
  const claim = await replacements.claim(name)
  expect(claim).toMatchObject({ metadata: { uid }, spec: { volumeName: pv } })
  expect(claim.status.phase).toBe('Bound')
  await fleet.volumeOn(copy, 'couchestor-cold')
  expect((await fleet.image(copy)).pool).toBe('cold-pool')
  expect(await digestOf(copy)).toBe(digest)
  return copy
}

/** A former volume that the move keeps. */
async function isKept(name: Name): Promise<void> {
  const { volumeId, digest } = claims[name]
  expect(await fleet.cinder.volume(volumeId)).toMatchObject({
    status: 'available',
    volume_type: 'couchestor-hot',
  })
  expect(await digestOf(volumeId)).toBe(digest)
}

async function madeFor(name: Name): Promise<readonly Made[]> {
  const [m] = await fleet.migrations(name)
  return replacements.made(m?.metadata.uid)
}

/** The claim has its former volume, and nothing shows that there was a move. */
async function isAsBefore(name: Name): Promise<void> {
  const { uid, pv, volumeId, digest } = claims[name]
  expect(await replacements.claim(name)).toMatchObject({
    metadata: { uid },
    status: { phase: 'Bound' },
  })
  const { metadata, spec } = await replacements.persistentVolume(pv)
  expect(spec.csi.volumeHandle).toBe(volumeId)
  expect(spec.persistentVolumeReclaimPolicy).toBe('Delete')
  expect(metadata.finalizers).not.toContain(OWN_FINALIZER)
  expect((await fleet.image(volumeId)).pool).toBe('hot-pool')
  expect(await digestOf(volumeId)).toBe(digest)
  expect(await madeFor(name)).toEqual([])
}

function reports(what: string, figures: object): void {
  process.stdout.write(`${what}: ${JSON.stringify(figures)} ms\n`)
}

describeLab('the controller, where a claim gets another volume', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    await kubectl(['delete', '--ignore-not-found', '-f', 'deploy/snapshot-restore.yaml'])
    fleet = await createFleet(NAMESPACE)
    replacements = await createReplacements(NAMESPACE)
    await fleet.up()
    await fleet.policy(POLICY, { migration: { strategy: 'snapshot-restore' } })
    const made = await Promise.all(NAMES.map(async (name) => [name, await filled(name)] as const))
    claims = Object.fromEntries(made) as typeof claims
    await apply({
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'nightly', namespace: NAMESPACE },
      spec: {
        volumeSnapshotClassName: 'couchestor',
        source: { persistentVolumeClaimName: 'pinned' },
      },
    })
    const ready = '--for=jsonpath={.status.readyToUse}=true'
    await kubectl(['wait', ready, '--timeout=110s', ...SNAPSHOT])
    deniedBefore = await replacements.denials()
    controller = await startController({ config: CONFIG })
  })
  afterAll(async () => {
    await stopControllers()
    await replacements.release()
    await fleet.down()
    await replacements.down()
    await kubectl(['delete', '--ignore-not-found', '-f', 'deploy/snapshot-restore.yaml'])
  })

  it('touches nothing without the rights, and reports which are missing', async () => {
    const { pv, volumeId } = claims.pinned
    const before = await kubectl(['get', 'pv', pv, '-o', 'json'])
    await fleet.annotate('pinned', { [ANNOTATION.forceTier]: 'cold' })
    const { status } = await fleet.migrationWhen(
      'pinned',
      'waits for the rights',
      (m) => step(m) === 'Waiting' && m.status?.reason === 'MissingPermission',
    )
    for (const right of ['create persistentvolumes', 'delete volumeattachments'])
      expect(status?.message).toContain(right)
    expect((await fleet.eventWhen('pinned', 'MigrationBlocked')).message).toContain(
      'create persistentvolumes',
    )
    expect(await kubectl(['get', 'pv', pv, '-o', 'json'])).toBe(before)
    expect(actionsOn(volumeId)).toEqual([])
    expect(await replacements.made()).toEqual([])
  })

  it('gives a claim with a snapshot a copy on its tier, once the rights are there', async () => {
    const { pv } = claims.pinned
    const watch = await watchClaim(NAMESPACE, claims.pinned)
    await kubectl(['apply', '-f', 'deploy/snapshot-restore.yaml'])
    // beside it, for the tests that come next
    await move('undone')
    raw = await watchClaim(NAMESPACE, claims.raw)
    raw.atGap(2, () => rawPod.resolve(replacements.pod('raw-reader', 'raw', { block: true })))
    await move('raw')
    const copy = await hasCopy('pinned')
    await isKept('pinned')
    expect(await kubectl(['get', ...SNAPSHOT, '-o', 'jsonpath={.status.readyToUse}'])).toBe('true')

    // a Pod reads it again
    const waited = await replacements.pod('reader', 'pinned')
    expect(await fleet.cinder.volume(copy)).toMatchObject({ status: 'in-use' })
    expect(await digestOf(copy)).toBe(claims.pinned.digest)

    await watch.close()
    const gaps = watch.gaps()
    expect(gaps).toHaveLength(2)
    for (const { lost } of gaps) expect(lost).toBeLessThan(15_000)
    reports('replaced', { gaps, ...waited })
    // what Kubernetes says of the gap is announced
    for (const reason of ['MigrationStarted', 'VolumeSwitching'])
      expect((await fleet.eventWhen('pinned', reason)).message).toContain('may report ClaimLost')
    await fleet.eventWhen('pinned', 'VolumeReplaced')
    // as it was: what is deleted with the claim is the owner's to say, also in the soak
    expect(await replacements.persistentVolume(pv)).toMatchObject({
      spec: { persistentVolumeReclaimPolicy: 'Delete' },
    })
  })

  it('gives the former data back within the soak, and what was written since is gone', async () => {
    const { digest } = claims.undone
    const copy = await hasCopy('undone')
    await writeRandom(await fleet.image(copy), 8, 64)
    expect(await digestOf(copy)).not.toBe(digest)

    const rollback = JSON.stringify({ spec: { rollback: true } })
    await kubectl(['-n', NAMESPACE, 'patch', 'vmig', 'undone', '--type=merge', '-p', rollback])
    await fleet.migrationWhen(
      'undone',
      'is rolled back',
      (m) => step(m) === 'Failed' && m.status?.reason === 'RolledBack',
    )
    expect(await fleet.cinder.volume(copy)).toBeUndefined()
    await isAsBefore('undone')
  })

  it('does the same with a raw block volume, and a Pod of the gap gets the copy', async () => {
    const copy = await hasCopy('raw')
    const waited = await rawPod.promise
    expect(await fleet.cinder.volume(copy)).toMatchObject({ status: 'in-use' })
    const { spec } = await replacements.persistentVolume(claims.raw.pv)
    expect(spec).toMatchObject({ volumeMode: 'Block' })
    await raw.close()
    reports('a Pod of the gap', { gaps: raw.gaps(), ...waited })
  })

  it('gives a Pod that needs the claim meanwhile its volume, and discards the copy', async () => {
    const { volumeId } = claims.needed
    await move('needed')
    await fleet.migrationWhen('needed', 'is copied', (m) => step(m) === 'Copying')
    await eventually('the clone is there', async () =>
      (await madeFor('needed')).some(({ kind }) => kind === 'volumes'),
    )
    const waited = await replacements.pod('needs-it', 'needed')
    reports('a Pod during the copy', waited)
    expect(await fleet.cinder.volume(volumeId)).toMatchObject({ status: 'in-use' })
    const { status } = await fleet.migrationWhen(
      'needed',
      'is given up',
      (m) => step(m) === 'Failed' && m.status?.reason === 'ClaimNeeded',
    )
    expect(status?.message).toContain('pod')
    await isAsBefore('needed')
  })

  it('goes on where the controller was killed in the gap', async () => {
    const { pv } = claims.killed
    const watch = await watchClaim(NAMESPACE, claims.killed)
    const killed = Promise.withResolvers<void>()
    watch.atGap(2, () => killed.resolve(controller.kill()))
    await move('killed')
    await killed.promise
    await eventually('the claim is Lost', async () => {
      const { status } = await replacements.claim('killed')
      return status.phase === 'Lost'
    })
    expect(await replacements.findPersistentVolume(pv)).toBeUndefined()
    const pod = replacements.pod('late', 'killed')

    controller = await startController({ config: CONFIG })
    const copy = await hasCopy('killed')
    const waited = await pod
    expect(await fleet.cinder.volume(copy)).toMatchObject({ status: 'in-use' })
    await watch.close()
    reports('killed in the gap', { gaps: watch.gaps(), ...waited })
  })

  it('deletes the former volumes when the soak ends, and one with a snapshot when that is gone', async () => {
    await controller.stop()
    const migration = { ...CONFIG.migration, soak_mounted: '3s' }
    controller = await startController({ config: { migration } })
    const kept = await fleet.migrationWhen(
      'pinned',
      'waits for the snapshot',
      (m) => step(m) === 'CleaningUp' && (m.status?.message ?? '').includes('snapshots'),
    )
    expect(kept.status?.message).toContain(claims.pinned.volumeId)
    const isGone = async (name: 'pinned' | 'raw' | 'killed') => {
      await fleet.migrationWhen(name, 'succeeds', (m) => step(m) === 'Succeeded')
      expect(await fleet.cinder.volume(claims[name].volumeId)).toBeUndefined()
    }
    await isGone('raw')
    expect(await fleet.cinder.volume(claims.pinned.volumeId)).toMatchObject({ status: 'available' })

    await kubectl(['delete', '--timeout=110s', ...SNAPSHOT])
    await isGone('pinned')
    // after a call without an answer each deletion waits until no call can be on its way
    await isGone('killed')
    for (const name of ['pinned', 'raw', 'killed'] as const) {
      const { metadata, spec } = await replacements.persistentVolume(claims[name].pv)
      expect(spec.persistentVolumeReclaimPolicy).toBe('Delete')
      expect(metadata.finalizers).not.toContain(OWN_FINALIZER)
    }
    // the copies stay, and nothing else
    expect((await replacements.made()).map(({ kind }) => kind)).toEqual([
      'volumes',
      'volumes',
      'volumes',
    ])
    await eventually('no record is left', async () => (await replacements.records()).length === 0)
    // the admission policies have refused none of all this
    expect(await replacements.denials()).toBe(deniedBefore)
  })

  it('leaves claims whose volumes go with them as ever', async () => {
    const copy = await replacements.volumeOf(claims.pinned.pv)
    expect(await digestOf(copy)).toBe(claims.pinned.digest)
    await fleet.removePod('reader')
    await kubectl(['-n', NAMESPACE, 'delete', 'pvc', 'pinned', '--timeout=110s'])
    await eventually('the copy is gone with its claim', async () => {
      return (await fleet.cinder.volume(copy)) === undefined
    })
  })
})
