import { afterAll, beforeAll, expect, it } from 'vitest'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { OWN_FINALIZER } from '../../src/migration/snapshot-restore/manifest.ts'
import { retypesOf } from './cinder-log.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { apply, kubectl } from './kubectl.ts'
import { sha256OfStart, writeRandom } from './rbd.ts'
import { createReplacements } from './replacements.ts'
import type { Replacements } from './replacements.ts'

const POLICY = 'e2e-by-backup'
const NAMESPACE = POLICY
const RIGHTS = 'deploy/snapshot-restore.yaml'
/** Of the part that is ever written. */
const WRITTEN_MIB = 40

let fleet: Fleet
let replacements: Replacements
let claim: FleetClaim
let digest: string
/** By which a member finds out that there is a cinder-backup. */
let witness: { readonly volume: string; readonly backup: string }

const step = (m: VolumeMigration) => m.status?.step
const digestOf = async (id: string) => sha256OfStart(await fleet.image(id), WRITTEN_MIB)

describeLab('the controller, where a copy goes by way of a backup', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    await kubectl(['apply', '-f', RIGHTS])
    fleet = await createFleet(NAMESPACE)
    replacements = await createReplacements(NAMESPACE)
    await fleet.up()
    await fleet.policy(POLICY, { migration: { strategy: 'snapshot-restore', via: 'backup' } })
    claim = await fleet.claim('data', POLICY)
    await writeRandom(await fleet.image(claim.volumeId), 32)
    digest = await digestOf(claim.volumeId)
    const { id: volume } = await fleet.cinder.createVolume('couchestor-warm')
    witness = { volume, backup: await fleet.cinder.createBackup(volume) }
    await startController({ config: { migration: { soak_mounted: '3s' } } })
  })
  afterAll(async () => {
    await stopControllers()
    await replacements.release()
    await fleet.down()
    await replacements.down()
    await fleet.cinder.deleteBackup(witness.backup)
    await fleet.cinder.deleteVolume(witness.volume)
    await kubectl(['delete', '--ignore-not-found', '-f', RIGHTS])
  })

  it('gives the claim the same data on its tier without a retype', async () => {
    const { uid, pv, volumeId } = claim
    await apply({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: 'data', namespace: NAMESPACE },
      spec: { claim: { name: 'data' }, to: 'cold', policy: POLICY },
    })
    await fleet.migrationWhen('data', 'soaks', (m) => step(m) === 'Soaking')
    const copy = await replacements.volumeOf(pv)
    expect(copy).not.toBe(volumeId)
    expect(await replacements.claim('data')).toMatchObject({
      metadata: { uid },
      spec: { volumeName: pv },
      status: { phase: 'Bound' },
    })
    await fleet.volumeOn(copy, 'couchestor-cold')
    expect((await fleet.image(copy)).pool).toBe('cold-pool')
    expect(await digestOf(copy)).toBe(digest)
    expect((await replacements.made()).flatMap(({ id }) => retypesOf(id))).toEqual([])
    // until the soak ends the former volume is there as it was
    expect(await fleet.volumeOn(volumeId, 'couchestor-hot')).toMatchObject({ status: 'available' })
    expect(await digestOf(volumeId)).toBe(digest)
  })

  it('leaves nothing but the copy once that has been mounted for long enough', async () => {
    const { pv, volumeId } = claim
    const copy = await replacements.volumeOf(pv)
    await replacements.pod('reader', 'data')
    expect(await fleet.cinder.volume(copy)).toMatchObject({ status: 'in-use' })
    await fleet.migrationWhen('data', 'succeeds', (m) => step(m) === 'Succeeded')
    expect(await digestOf(copy)).toBe(digest)
    expect(await fleet.cinder.volume(volumeId)).toBeUndefined()
    // of snapshots, clones and backups none
    expect(await replacements.made()).toEqual([{ kind: 'volumes', id: copy }])
    const { metadata, spec } = await replacements.persistentVolume(pv)
    expect(spec.persistentVolumeReclaimPolicy).toBe('Delete')
    expect(metadata.finalizers).not.toContain(OWN_FINALIZER)
    await eventually('no record is left', async () => (await replacements.records()).length === 0)
  })
})
