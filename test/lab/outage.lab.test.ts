import { afterAll, beforeAll, expect, it } from 'vitest'
import { retypesOf } from './cinder-log.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { kubectlJson } from './kubectl.ts'
import { restart, signal } from './processes.ts'

const POLICY = 'e2e-outage'
const FORCE = 'couchestor.io/force-tier'
const MINUTE_MS = 60_000

let fleet: Fleet
let controller: ControllerProcess

type Moving = FleetClaim & { readonly digest: string; readonly epoch: number }

/** A claim whose move is under way in Cinder and does not go on before `resume`. */
async function inMidMove(name: string): Promise<Moving> {
  const claim = await fleet.claim(name, POLICY)
  const digest = await fleet.digest(claim.volumeId)
  signal('cinder-volume', 'SIGSTOP')
  await fleet.annotate(name, { [FORCE]: 'warm' })
  const { status } = await fleet.migrationWhen(
    name,
    'is under way',
    (m) => m.status?.step === 'Retyping',
  )
  expect((await fleet.cinder.volume(claim.volumeId))?.status).toBe('retyping')
  return { ...claim, digest, epoch: status?.intent?.epoch ?? NaN }
}

const resume = () => signal('cinder-volume', 'SIGCONT')

/** There, whole, and asked for once. */
async function arrivedOnce({ name, volumeId, digest }: Moving): Promise<void> {
  await fleet.volumeOn(volumeId, 'couchestor-warm', 240)
  await fleet.migrationWhen(name, 'succeeds', (m) => m.status?.step === 'Succeeded', 240)
  expect(retypesOf(volumeId)).toHaveLength(1)
  expect(await fleet.digest(volumeId)).toBe(digest)
}

async function isAlive(): Promise<boolean> {
  expect(controller.end()).toBeUndefined()
  return (await fetch(`${controller.healthUrl}/healthz`)).status === 200
}

type Lease = { spec: { leaseTransitions: number; renewTime?: string } }

function lease(): Promise<Lease> {
  return kubectlJson(['-n', 'couchestor-system', 'get', 'lease', 'couchestor-controller'])
}

/** It goes on, or rather ends than leads without knowing; then a new one goes on. */
async function aliveAgain(): Promise<void> {
  const from = Date.now()
  // that it answers says nothing yet: it may be about to find its lease too old
  await eventually('the controller has renewed its lease, or has ended', async () => {
    return controller.end() !== undefined || renewedAt(await lease()) > from
  })
  const end = controller.end()
  if (end?.code === 0) throw new Error('the controller ended as if it had been asked to')
  if (end !== undefined) controller = await startController()
}

function renewedAt({ spec }: Lease): number {
  return Date.parse(spec.renewTime ?? '')
}

describeLab('the controller, when what it needs goes away in mid-move', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet('e2e-outage')
    await fleet.up()
    await fleet.policy(POLICY, {})
    controller = await startController()
  })
  afterAll(async () => {
    await stopControllers()
    for (const name of ['keystone', 'cinder-volume'] as const) await restart(name)
    await fleet.down()
  })

  it('lives through a minute without Keystone and finishes the move', async () => {
    const move = await inMidMove('no-keystone')
    signal('keystone', 'SIGKILL')
    resume()
    const from = performance.now()
    await eventually(
      'Keystone has been down for a minute',
      async () => (await isAlive()) && performance.now() - from > MINUTE_MS,
      240,
      1000,
    )
    await restart('keystone')
    await arrivedOnce(move)
    expect(await isAlive()).toBe(true)
  })

  it('goes on after the API server was restarted', async () => {
    const move = await inMidMove('no-apiserver')
    await restart('kube-apiserver')
    resume()
    await aliveAgain()
    await arrivedOnce(move)
    expect(await isAlive()).toBe(true)
  })

  it('hands a move over to the standby when the leader is killed, and Cinder is asked once', async () => {
    const standby = await startController()
    const move = await inMidMove('killed-leader')
    expect(await (await fetch(`${standby.healthUrl}/readyz`)).text()).toBe('standby\n')
    await controller.kill()
    const { moves } = await standby.logged('took over the moves in flight')
    expect(moves).toBe(1)
    resume()
    await arrivedOnce(move)
    const [m] = await fleet.migrations('killed-leader')
    expect(m?.status?.intent?.epoch).toBeGreaterThan(move.epoch)
    expect(m?.status?.intent?.attempt).toBe(1)
    expect((await lease()).spec.leaseTransitions).toBe(m?.status?.intent?.epoch)
    controller = standby
  })
})
