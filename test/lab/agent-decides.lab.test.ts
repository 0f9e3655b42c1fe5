import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { buildAgent, startAgent, stopAgents } from './agent-process.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { eventually } from './eventually.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { createLoopNode } from './loop-node.ts'
import type { LoopDisk, LoopNode } from './loop-node.ts'
import { query, scrapeTarget } from './prometheus.ts'

const NAME = 'e2e-agent'
const TIERS = [
  { name: 'hot', cinderVolumeType: 'couchestor-hot', iopsThreshold: 100 },
  { name: 'warm', cinderVolumeType: 'couchestor-warm', iopsThreshold: 10 },
  { name: 'cold', cinderVolumeType: 'couchestor-cold', iopsThreshold: 0 },
]

let fleet: Fleet
let node: LoopNode
let load: ChildProcess
let removeTarget: () => void
let busy: FleetClaim
let calm: FleetClaim

/** Some 600 writes per second, for as long as it lives. */
function writeSteadily({ device }: LoopDisk): ChildProcess {
  const script = `while :; do dd if=/dev/zero of=${device} bs=4096 count=60 oflag=direct 2>/dev/null; sleep 0.08; done`
  return spawn('sh', ['-c', script], { stdio: 'ignore', detached: true })
}

// the volumes are in no pod: all that is known of their use is what the agent counts on two devices of the kernel
describeLab('the controller, with no other usage than what an agent counts', () => {
  beforeAll(async () => {
    await buildController()
    const folder = await buildAgent()
    await install()
    fleet = await createFleet(NAME)
    await fleet.up()
    await fleet.policy(NAME, {
      tiers: TIERS,
      metrics: { window: '1m' },
      decision: { algorithm: 'Threshold' },
    })
    busy = await fleet.claim('busy', NAME, 'couchestor-cold')
    calm = await fleet.claim('calm', NAME, 'couchestor-cold')
    node = createLoopNode()
    const device = await node.attach(191, busy.volumeId)
    // as a virtio disk reports it
    await node.attach(192, calm.volumeId.slice(0, 20))
    const agent = await startAgent(folder, [
      '--node-name=lab-node',
      `--sys=${node.sys}`,
      '--ignored-disks=^dm-',
    ])
    removeTarget = scrapeTarget(NAME, agent.address)
    load = writeSteadily(device)
    await startController()
  })
  afterAll(async () => {
    if (load?.pid !== undefined) process.kill(-load.pid, 'SIGKILL')
    await stopControllers()
    removeTarget?.()
    await stopAgents()
    await node?.down()
    await fleet.down()
  })

  it('moves the volume that the node writes to up to hot', async () => {
    const m = await fleet.migrationWhen(
      'busy',
      'succeeds',
      ({ status }) => status?.step === 'Succeeded',
      600,
    )
    expect(m.spec).toMatchObject({ reason: 'Policy', from: 'cold', to: 'hot', policy: NAME })
    await fleet.volumeOn(busy.volumeId, 'couchestor-hot')
  }, 720_000)

  it('leaves the volume on cold that the node does not touch, whose id it knows by 20 characters', async () => {
    const id = calm.volumeId.slice(0, 20)
    const series = `couchestor_volume_writes_completed_total{volume_id="${id}"}`
    await eventually('Prometheus has it by these', async () => (await query(series)).length === 1)
    await fleet.policyWhen(
      NAME,
      'has usage numbers of both',
      ({ status }) =>
        status?.conditions?.find((c) => c.type === 'MetricsHealthy')?.status === 'True' &&
        (status.staying ?? []).every((s) => s.reason !== 'NoData'),
      240,
    )
    expect(await fleet.migrations('calm')).toEqual([])
    expect((await fleet.cinder.volume(calm.volumeId))?.volume_type).toBe('couchestor-cold')
  })
})
