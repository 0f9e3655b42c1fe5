import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Condition } from '../../src/api/object.ts'
import type { StoragePolicySpec } from '../../src/api/storage-policy.ts'
import type { Explanation } from '../../src/insight/explain/explanation.ts'
import { ageAttachments, ageVolumes } from './cinder-database.ts'
import { retypesOf } from './cinder-log.ts'
import { command } from './command.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import type { ControllerProcess } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { eventually } from './eventually.ts'
import { createFleet, LIVE_TIERS } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { Ceilometer } from './gnocchi.ts'
import type { DiskLoad } from './gnocchi.ts'
import { install } from './install.ts'
import { restart, signal } from './processes.ts'

const NAME = 'e2e-gnocchi'
/** Of the volume that moves: it is attached again by that, and until a window has passed it has no usage numbers. */
const IDLE_POLICY = `${NAME}-idle`
const HOUR = 3600
/** What the lab's archive policy keeps of this granularity. */
const HISTORY_HOURS = 20
const POLL = 60
const NAMES = ['idle', 'busy', 'unseen'] as const
type Name = (typeof NAMES)[number]
const IOPS = { idle: 0.2, busy: 400 } as const
/** Nothing listens there: what is decided is decided by Gnocchi's numbers alone. */
const NOWHERE = 'http://127.0.0.1:9'
const CONFIG = {
  prometheus: { endpoint: NOWHERE, ceilometer_endpoint: 'http://127.0.0.1:8777' },
  gnocchi: { granularity: `${POLL}s`, lag: '70s' },
}

const SPEC: Partial<StoragePolicySpec> = {
  tiers: LIVE_TIERS,
  metrics: { source: 'Gnocchi', window: '5m', minHistory: '6h' },
  migration: { attached: 'Allow' },
}
const POLICY_OBJECT = {
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'StoragePolicy',
  metadata: { name: NAME },
}

let fleet: Fleet
let ceilometer: Ceilometer
let controller: ControllerProcess
let claims: Record<Name, FleetClaim>
let disks: Record<'idle' | 'busy', DiskLoad>
let configFile: string

async function diskOf(claim: FleetClaim, iops: number): Promise<DiskLoad> {
  const [at] = (await fleet.cinder.volume(claim.volumeId))?.attachments ?? []
  const { server_id: serverId, device } = at as { server_id: string; device: string }
  return { serverId, device: device.replace(/^.*\//, ''), iops }
}

async function condition(type: string, what: string, fits: (c: Condition) => boolean) {
  const policy = await fleet.policyWhen(
    NAME,
    `has ${type} ${what}`,
    ({ status }) => status?.conditions?.some((c) => c.type === type && fits(c)) === true,
    180,
  )
  return policy.status?.conditions?.find((c) => c.type === type)
}

function couchestor(...args: string[]): Promise<string> {
  const node = 'node_modules/.bin/node'
  const all = ['dist/couchestor.js', ...args, '--config', configFile]
  return command(node, all, { env: theLab().env })
}

function explained(name: Name, ...flags: string[]): Promise<string> {
  return couchestor('explain', `pvc/${name}`, '-n', NAME, ...flags)
}

describeLab('the controller, deciding from Gnocchi alone', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    ceilometer = await Ceilometer.start()
    fleet = await createFleet(NAME)
    await fleet.up()
    for (const name of [NAME, IDLE_POLICY]) await fleet.policy(name, SPEC)
    const made = NAMES.map(async (name) => {
      const policy = name === 'idle' ? IDLE_POLICY : NAME
      const claim = await fleet.claim(name, policy, 'couchestor-live-hot')
      return [name, claim] as const
    })
    claims = Object.fromEntries(await Promise.all(made)) as Record<Name, FleetClaim>
    for (const name of NAMES) await fleet.pod(name, name, claims[name].volumeId)
    const ids = NAMES.map((name) => claims[name].volumeId)
    await ageVolumes(ids, 1)
    await ageAttachments(ids, 1)
    disks = {
      idle: await diskOf(claims.idle, IOPS.idle),
      busy: await diskOf(claims.busy, IOPS.busy),
    }
    const now = Math.floor(Date.now() / 1000)
    for (const disk of Object.values(disks)) {
      await ceilometer.disk(disk)
      // up to now, and on for as long as the test may take: the lab has no Ceilometer to go on
      await ceilometer.poll(disk, now - HISTORY_HOURS * HOUR, now + HOUR, POLL)
    }
    for (const disk of Object.values(disks))
      await eventually('metricd has worked through the history', async () => {
        const newest = await ceilometer.newest(disk, POLL)
        return Date.parse(newest ?? '') / 1000 >= now
      })
    const folder = await mkdtemp(join(tmpdir(), 'couchestor-gnocchi-'))
    configFile = join(folder, 'config.yaml')
    await writeFile(configFile, JSON.stringify(CONFIG))
  }, 900_000)
  afterAll(async () => {
    await stopControllers()
    await restart('gnocchi-api')
    await ceilometer?.removeAll()
    for (const name of NAMES) await fleet.removePod(name).catch(() => {})
    await fleet.down()
    await rm(dirname(configFile), { recursive: true })
  })

  it('moves nothing while Gnocchi is down, and the policy says so', async () => {
    signal('gnocchi-api', 'SIGKILL')
    controller = await startController({ config: CONFIG })
    const down = await condition('MetricsHealthy', 'False', (c) => c.status === 'False')
    expect(down).toMatchObject({ reason: 'SourceDown' })
    expect(down?.message).toContain('Gnocchi: aggregates got no answer')
    for (const name of NAMES) {
      expect(await fleet.migrations(name)).toEqual([])
      expect(retypesOf(claims[name].volumeId)).toEqual([])
    }
  })

  it('answers the ceilometer_endpoint of the guide with what to set instead', () => {
    expect(controller.text()).toMatch(
      /ceilometer_endpoint.*removed from OpenStack in 2017.*set metrics.source to Gnocchi/,
    )
  })

  it('moves the idle volume once Gnocchi is back, live, and leaves the busy one', async () => {
    await restart('gnocchi-api')
    await fleet.volumeOn(claims.idle.volumeId, 'couchestor-live-cold', 300)
    const m = await fleet.migrationWhen(
      'idle',
      'succeeds',
      (o) => o.status?.step === 'Succeeded',
      180,
    )
    expect(m.spec).toMatchObject({ reason: 'Policy', policy: IDLE_POLICY, from: 'hot', to: 'cold' })
    // the same disk of the same server, so Gnocchi goes on reporting it
    expect(await diskOf(claims.idle, IOPS.idle)).toEqual(disks.idle)
    expect(await fleet.migrations('busy')).toEqual([])
    expect((await fleet.cinder.volume(claims.busy.volumeId))?.volume_type).toBe(
      'couchestor-live-hot',
    )
  }, 700_000)

  it('holds the volume that Gnocchi has no disk of, and names the disk', async () => {
    expect(await fleet.migrations('unseen')).toEqual([])
    expect(retypesOf(claims.unseen.volumeId)).toEqual([])
    const unseen = await diskOf(claims.unseen, 0)
    const text = await explained('unseen')
    const why = `Gnocchi, disk ${unseen.serverId}-${unseen.device}: it has none of that name`
    expect(text).toContain(why)
    const healthy = await condition(
      'MetricsHealthy',
      'True, and names the disk',
      (c) => c.status === 'True' && c.message.includes(why),
    )
    expect(healthy?.message).toContain('1 of 2 attached volumes have usage numbers from Gnocchi')
  })

  it('explains the busy volume by the source and its numbers', async () => {
    const e = JSON.parse(await explained('busy', '-o', 'json')) as Explanation
    expect(e).toMatchObject({ tier: 'hot', wants: '', usage: { source: 'gnocchi' } })
    expect(e.usage?.operationsPerSecond).toBeCloseTo(IOPS.busy, 0)
    expect(e.usage?.bytesPerSecond).toBeCloseTo(IOPS.busy * 4096, -2)
    expect(e.usage?.coveragePercent).toBe(100)
    expect(e.history.filter((p) => p.iops !== undefined).length).toBeGreaterThan(5)
    const text = await explained('busy')
    process.stdout.write(text)
    expect(text).toMatch(/Usage by gnocchi in the 5 min up to .*: 400 operations and 1600 KiB per/)
  })

  it('replays what Gnocchi remembers', async () => {
    const file = join(dirname(configFile), 'policy.yaml')
    await writeFile(file, JSON.stringify({ ...POLICY_OBJECT, spec: SPEC }))
    const json = join(dirname(configFile), 'report.json')
    await couchestor('backtest', '--policy', file, '--days', '1', '--json', json)
    const report = await readFile(json, 'utf8')
    expect(report).toContain(`${NAME}/busy`)
    expect(report).not.toContain(`${NAME}/unseen`)
  })
})
