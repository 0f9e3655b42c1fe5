import { afterAll, beforeAll, expect, it } from 'vitest'
import { ANNOTATION } from '../../src/api/names.ts'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { apply, kubectl } from './kubectl.ts'
import { sha256OfStart, writeRandom } from './rbd.ts'
import { createReplacements } from './replacements.ts'
import type { Replacements } from './replacements.ts'
import { createWorkloads } from './workloads.ts'
import type { Availability, Workloads } from './workloads.ts'

const POLICY = 'e2e-stopped'
const NAMESPACE = POLICY
const RIGHTS = ['deploy/snapshot-restore.yaml', 'deploy/workload-restart.yaml']
const NAMES = ['data-db-0', 'data-db-1', 'data-early-0', 'data-late-0', 'shared'] as const
type Name = (typeof NAMES)[number]

const CONFIG = { migration: { concurrent_migrations: 4 } }
/** Of the part that is ever written. */
const WRITTEN_MIB = 40

type Whole = FleetClaim & { readonly digest: string }

let fleet: Fleet
let replacements: Replacements
let workloads: Workloads
let controller: ControllerProcess
let claims: Record<Name, Whole>
let db: Availability
let deniedBefore: number

const step = (m: VolumeMigration) => m.status?.step
const mark = { metadata: { annotations: { [ANNOTATION.stoppedFor]: expect.anything() } } }

const digestOf = async (id: string) => sha256OfStart(await fleet.image(id), WRITTEN_MIB)

/** Random data all over the first 32 MiB. */
async function filled(name: Name): Promise<Whole> {
  const claim = await (name === 'shared' ? fleet.claim(name, POLICY) : fleet.bound(name))
  await writeRandom(await fleet.image(claim.volumeId), 32)
  return { ...claim, digest: await digestOf(claim.volumeId) }
}

/** As a person orders it, by the strategy of the policy or another. */
function move(name: Name, strategy?: string): Promise<string> {
  return apply({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name, namespace: NAMESPACE },
    spec: {
      claim: { name },
      to: 'cold',
      policy: POLICY,
      ...(strategy === undefined ? {} : { strategy }),
    },
  })
}

/** The same claim reads the same data from a copy on the cold tier; the former volume is kept. */
async function hasCopy(name: Name): Promise<void> {
  const { uid, pv, volumeId, digest } = claims[name]
  await fleet.migrationWhen(name, 'soaks', (m) => step(m) === 'Soaking')
  const copy = await replacements.volumeOf(pv)
  expect(copy).not.toBe(volumeId)
  expect(await replacements.claim(name)).toMatchObject({
    metadata: { uid },
    status: { phase: 'Bound' },
  })
  await fleet.cinder.volumeWhen(copy, 'is in use', (v) => v.status === 'in-use')
  expect((await fleet.image(copy)).pool).toBe('cold-pool')
  expect(await digestOf(copy)).toBe(digest)
  expect(await digestOf(volumeId)).toBe(digest)
}

/** The claim is bound to its original volume, in use on its tier, and Cinder has nothing else. */
async function isAsBefore(name: Name): Promise<void> {
  const { uid, pv, volumeId, digest } = claims[name]
  expect(await replacements.claim(name)).toMatchObject({
    metadata: { uid },
    status: { phase: 'Bound' },
  })
  expect(await replacements.volumeOf(pv)).toBe(volumeId)
  expect(await fleet.volumeOn(volumeId, 'couchestor-hot')).toMatchObject({ status: 'in-use' })
  expect(await digestOf(volumeId)).toBe(digest)
  const [m] = await fleet.migrations(name)
  expect(await replacements.made(m?.metadata.uid)).toEqual([])
}

const reasons = async (kind: 'Deployment' | 'StatefulSet', name: string) =>
  (await workloads.events(kind, name)).map((e) => e.reason)

describeLab('the controller, where a workload is stopped for its moves', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    for (const file of RIGHTS) await kubectl(['apply', '-f', file])
    fleet = await createFleet(NAMESPACE)
    replacements = await createReplacements(NAMESPACE)
    await fleet.up()
    workloads = await createWorkloads(NAMESPACE)
    await fleet.policy(POLICY, {
      migration: { strategy: 'snapshot-restore', workloads: 'Restart' },
    })
    db = await workloads.availability('db', 2)
    await workloads.budget('db')
    await workloads.statefulSet('db', POLICY, 2)
    for (const name of ['early', 'late']) await workloads.statefulSet(name, POLICY, 1)
    const made = await Promise.all(NAMES.map(async (name) => [name, await filled(name)] as const))
    claims = Object.fromEntries(made) as typeof claims
    await workloads.deployment('web', 'shared')
    await workloads.readyWhen('db', ['db-0', 'db-1'])
    for (const name of ['early', 'late']) await workloads.readyWhen(name, [`${name}-0`])
    deniedBefore = await replacements.denials()
    controller = await startController({ config: CONFIG })
  })
  afterAll(async () => {
    await stopControllers()
    await workloads.down()
    await replacements.release()
    await fleet.down()
    await replacements.down()
    for (const file of RIGHTS) await kubectl(['delete', '--ignore-not-found', '-f', file])
  })

  it('leaves one whose replicas something sets back at once alone, and its move waits', async () => {
    // beside it, for the tests that come next
    for (const name of ['data-db-0', 'data-db-1', 'data-late-0'] as const) await move(name)
    const fights = await workloads.setsBack('early', 1)
    await move('data-early-0')
    const { status } = await fleet.migrationWhen(
      'data-early-0',
      'waits',
      (m) => m.status?.reason === 'WorkloadFoughtBack',
    )
    expect(status).toMatchObject({ step: 'Waiting' })
    expect(status?.message).toContain('leave spec.replicas out of Git')
    expect(fights()).toBe(1)
  })

  it('gives a copy up when something sets the replicas back meanwhile, and nothing is lost', async () => {
    await fleet.migrationWhen('data-late-0', 'is copied', (m) => step(m) === 'Copying')
    const fights = await workloads.setsBack('late', 1)
    await workloads.readyWhen('late', ['late-0'])
    const { status } = await fleet.migrationWhen(
      'data-late-0',
      'is given up',
      (m) => step(m) === 'Failed',
    )
    expect(status).toMatchObject({ reason: 'WorkloadFoughtBack' })
    expect(fights()).toBe(1)
    for (const name of ['early', 'late']) {
      await workloads.readyWhen(name, [`${name}-0`])
      await isAsBefore(`data-${name as 'early' | 'late'}-0`)
      expect(await workloads.workload('StatefulSet', name)).not.toMatchObject(mark)
    }
    expect(await reasons('StatefulSet', 'early')).toEqual([
      'WorkloadStopping',
      'WorkloadFoughtBack',
    ])
    expect(await reasons('StatefulSet', 'late')).toEqual([
      'WorkloadStopping',
      'WorkloadStopped',
      'WorkloadFoughtBack',
    ])
  })

  it('moves both volumes of a StatefulSet of two, one replica at a time, within its budget', async () => {
    await hasCopy('data-db-0')
    await hasCopy('data-db-1')
    await workloads.readyWhen('db', ['db-0', 'db-1'])
    expect(db.fewest).toBe(1)
    expect(db.lost.toSorted()).toEqual(['db-0', 'db-1'])
    const { metadata, spec } = await workloads.workload('StatefulSet', 'db')
    expect({ metadata }).not.toMatchObject(mark)
    expect(spec.replicas).toBe(2)
    expect(spec.ordinals).toBeUndefined()
    const events = () => workloads.events('StatefulSet', 'db')
    const back = await eventually('the last event', async () =>
      (await events()).find((e) => e.reason === 'WorkloadRestored' && e.count === 2),
    )
    expect(back.message).toBe(`StatefulSet ${NAMESPACE}/db is back to 2 replicas`)
    expect((await events()).map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'WorkloadStopping 1',
      'WorkloadStopped 1',
      // the same words again
      'WorkloadRestoring 2',
      'WorkloadRestored 2',
      'WorkloadStopping 1',
      'WorkloadStopped 1',
    ])
  })

  it('brings it back with the next controller when one is killed while it is down', async () => {
    const down = Promise.withResolvers<void>()
    await workloads.watch('Deployment', 'web', ({ spec }) => {
      if (spec.replicas === 0) down.resolve(controller.kill())
    })
    await move('shared', 'cinder-retype')
    await down.promise
    await eventually('its Pods are gone', async () => (await workloads.ready('web')).length === 0)
    expect(await workloads.workload('Deployment', 'web')).toMatchObject({
      ...mark,
      spec: { replicas: 0 },
    })

    controller = await startController({ config: CONFIG })
    await fleet.migrationWhen('shared', 'succeeds', (m) => step(m) === 'Succeeded')
    const { uid, pv, volumeId, digest } = claims.shared
    const back = await eventually('it is restored', async () => {
      const web = await workloads.workload('Deployment', 'web')
      return web.spec.replicas === 1 && web
    })
    expect(back).not.toMatchObject(mark)
    await fleet.cinder.volumeWhen(volumeId, 'is in use', (v) => v.status === 'in-use')
    expect(await replacements.claim('shared')).toMatchObject({ metadata: { uid } })
    expect(await replacements.volumeOf(pv)).toBe(volumeId)
    expect((await fleet.image(volumeId)).pool).toBe('cold-pool')
    expect(await digestOf(volumeId)).toBe(digest)
    await eventually('the last event', async () => {
      return (await reasons('Deployment', 'web')).includes('WorkloadRestored')
    })
    // only that which keeps the fought one from being stopped again is left
    await eventually('one record is left', async () => (await workloads.stops()).length === 1)
    expect(await replacements.denials()).toBe(deniedBefore)
  })
})
