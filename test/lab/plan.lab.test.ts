import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import type { Explanation } from '../../src/insight/explain/explanation.ts'
import type { Plan } from '../../src/insight/plan/plan.ts'
import { ageVolumes } from './cinder-database.ts'
import { command } from './command.ts'
import { buildController, startController, stopControllers } from './controller-process.ts'
import { describeLab } from './describe-lab.ts'
import { theLab } from './env.ts'
import { createFleet } from './fleet.ts'
import type { Fleet, FleetClaim } from './fleet.ts'
import { install } from './install.ts'
import { kubectlJson } from './kubectl.ts'
import { backfill } from './prometheus.ts'
import { loadHistory, serveLoads } from './volume-counters.ts'

const NAME = 'e2e-plan'
const DAY = 86_400
const HISTORY_DAYS = 4
const STEP = 120
/** History is sparser than what Prometheus scrapes live: coverage is measured against the history's pace. */
const PROMETHEUS = { scrape_interval: `${STEP}s` }
const TIERS = [
  { name: 'hot', cinderVolumeType: 'couchestor-hot', iopsThreshold: 100, costPerGiBMonth: 0.125 },
  { name: 'warm', cinderVolumeType: 'couchestor-warm', iopsThreshold: 10, costPerGiBMonth: 0.08 },
  { name: 'cold', cinderVolumeType: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]

let configFile: string
let fleet: Fleet
let idle: FleetClaim
let stopLoads: (() => Promise<void>) | undefined

/** The shipped bundle as a person runs it: their kubeconfig, their cloud's variables. */
function couchestor(...args: string[]): Promise<string> {
  const node = 'node_modules/.bin/node'
  return command(node, ['dist/couchestor.js', ...args], { env: theLab().env })
}

function reading(...args: string[]): Promise<string> {
  return couchestor(...args, '--config', configFile)
}

async function writes(): Promise<string> {
  const kinds = 'storagepolicies,volumemigrations,tieringcheckpoints,persistentvolumeclaims'
  const { items } = await kubectlJson<{
    items: { metadata: { name: string; namespace?: string; resourceVersion: string } }[]
  }>(['get', kinds, '-A'])
  const own = items.filter(({ metadata: m }) => m.name.startsWith(NAME) || m.namespace === NAME)
  return own.map(({ metadata: m }) => `${m.name} ${m.resourceVersion}`).join('\n')
}

describeLab('plan, explain and approve', () => {
  beforeAll(async () => {
    await buildController()
    await install()
    fleet = await createFleet(NAME)
    await fleet.up()
    await fleet.policy(NAME, { mode: 'Approve', tiers: TIERS })
    idle = await fleet.claim('idle', NAME)
    await ageVolumes([idle.volumeId], HISTORY_DAYS)
    const now = Math.floor(Date.now() / 1000)
    const from = now - HISTORY_DAYS * DAY
    const loads = [{ volumeId: idle.volumeId, iops: 0.1 }]
    stopLoads = await serveLoads(NAME, loads, from)
    await backfill(loadHistory(loads, from, now, STEP))
    const folder = await mkdtemp(join(tmpdir(), 'couchestor-plan-'))
    configFile = join(folder, 'config.yaml')
    const prometheus = { ...PROMETHEUS, endpoint: theLab().prometheusUrl }
    await writeFile(configFile, JSON.stringify({ prometheus }))
  })
  afterAll(async () => {
    await stopControllers()
    await stopLoads?.()
    await fleet.down()
    await rm(dirname(configFile), { recursive: true })
  })

  it('plans from history alone, before a controller has run, and writes nothing', async () => {
    const before = await writes()
    const plan = JSON.parse(await reading('plan', '--policy', NAME, '-o', 'json')) as Plan
    expect(plan.rows.map((r) => [r.claim, r.action, r.from, r.to, r.reason])).toEqual([
      ['idle', 'wait', 'hot', 'cold', 'AwaitingApproval'],
    ])
    expect(plan.rows[0]?.monthlySaving).toBeCloseTo(0.08, 9)
    expect(await reading('plan', '-n', NAME)).toContain('idle')
    expect(await writes()).toBe(before)
  })

  it('explains it with the days the volume really had', async () => {
    const text = await reading('explain', 'pvc/idle', '-n', NAME, '-o', 'json')
    const e = JSON.parse(text) as Explanation
    expect(e.sentence).toMatch(/^idle \(1 GiB\) moves from hot to cold: .* saves 0.08 a month/)
    expect(e.guards.every((g) => g.answer === 'pass')).toBe(true)
    expect(e.history.filter((p) => p.iops !== undefined).length).toBeGreaterThan(40)
  })

  it('moves what is approved as a kubectl plugin, and keeps who said so', async () => {
    await startController({ config: { prometheus: PROMETHEUS } })
    const asked = await fleet.migrationWhen(
      'idle',
      'waits for approval',
      (m) => m.status?.reason === 'AwaitingApproval' || m.status === undefined,
      300,
    )
    const bin = await mkdtemp(join(tmpdir(), 'couchestor-plugin-'))
    try {
      await symlink(join(process.cwd(), 'dist/couchestor.js'), join(bin, 'kubectl-couchestor'))
      const { env } = theLab()
      const node = dirname(process.execPath)
      const path = { ...env, PATH: `${bin}:${node}:${env['PATH'] ?? process.env['PATH']}` }
      const args = ['couchestor', 'approve', asked.metadata.name, '-n', NAME, '--reason', 'lab']
      const said = await command('kubectl', args, { env: path })
      expect(said).toContain('is approved')
    } finally {
      await rm(bin, { recursive: true })
    }
    await fleet.volumeOn(idle.volumeId, 'couchestor-cold')
    const [done] = await fleet.migrations('idle')
    expect(done?.metadata.annotations).toMatchObject({
      'couchestor.io/approved-by': expect.stringMatching(/admin/) as string,
      'couchestor.io/approved-reason': 'lab',
    })
    await fleet.eventWhen('idle', 'MigrationApproved')
    const after = JSON.parse(
      await reading('explain', 'idle', '-n', NAME, '-o', 'json'),
    ) as Explanation
    expect(after.tier).toBe('cold')
  })

  it('says what is missing without a credential for the cloud', async () => {
    const none = { OS_AUTH_URL: '', OS_APPLICATION_CREDENTIAL_ID: '', OS_CLOUD: '' }
    const env = { ...theLab().env, ...none, HOME: '/nonexistent' }
    const args = ['dist/couchestor.js', 'plan', '--prometheus', theLab().prometheusUrl]
    await expect(command('node_modules/.bin/node', args, { env })).rejects.toThrow(
      /exit 2: .*Cinder cannot be asked from here/s,
    )
  })
})
