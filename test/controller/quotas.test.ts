import { expect, it } from 'vitest'
import type { Gate } from '../life.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const FORCED = { 'couchestor.io/force-tier': 'cold' }
const COLD = 'gigabytes_couchestor-cold'

function setUp(spec: object = {}) {
  const stage = new Stage()
  stage.policy(spec)
  const project = stage.cloud.couchestor.project.id
  const refused = () =>
    stage.cloud
      .journal()
      .filter((e) => e.path.endsWith('/action') && (e.status ?? 0) >= 400)
      .map((e) => e.status)
  return { stage, project, refused }
}

it('two moves with room for one never both start: the second waits and says by how much', async () => {
  const { stage, project, refused } = setUp({ migration: { maxConcurrent: 10 } })
  stage.cloud.setQuota(project, { [COLD]: 150 })
  for (const name of ['a', 'b', 'c']) stage.claim({ name, sizeGiB: 100, annotations: FORCED })
  stage.start({ configYaml: 'migration:\n  concurrent_migrations: 10\n' })
  await stage.until(() => stage.cloud.retyping().length > 0)
  await stage.clock.advance(MINUTE)
  expect(stage.cloud.retyping()).toHaveLength(1)
  const waiting = stage.moves().filter((m) => m.status?.reason === 'QuotaExhausted')
  expect(waiting).toHaveLength(2)
  expect(waiting[0]?.status?.message).toContain(`quota ${COLD} has 50 of 150 left`)
  expect(refused()).toEqual([])
  stage.cloud.setQuota(project, { [COLD]: -1 })
  const done = () => stage.moves().every((m) => m.status?.step === 'Succeeded')
  expect(await stage.until(done, HOUR)).toBe(true)
})

it('many moves share one read of the quota set', async () => {
  const { stage } = setUp()
  let reads = 0
  const counting: Gate = (request, send) => {
    if (request.url.includes('/os-quota-sets/')) reads++
    return send()
  }
  for (let i = 0; i < 20; i++) stage.claim({ name: `c-${i}`, sizeGiB: 1, annotations: FORCED })
  stage.cloud.setQuota(stage.cloud.couchestor.project.id, { [COLD]: 0 })
  stage.start({ gate: counting })
  await stage.clock.advance(10 * MINUTE)
  expect(new Set(stage.moves().map((m) => m.status?.reason))).toEqual(new Set(['QuotaTooSmall']))
  reads = 0
  await stage.clock.advance(10 * MINUTE)
  expect(reads).toBeGreaterThan(5)
  expect(reads).toBeLessThan(60)
})

it('a move into a full type starts soon after another has left it', async () => {
  const { stage, project } = setUp({ migration: { cooldown: { promote: '0s', demote: '0s' } } })
  const leaving = stage.claim({
    name: 'leaving',
    tier: 'cold',
    sizeGiB: 10,
    annotations: FORCED,
  })
  const coming = stage.claim({ name: 'coming', sizeGiB: 10, annotations: FORCED })
  stage.cloud.setQuota(project, { [COLD]: 15 })
  stage.start()
  const blocked = () => stage.ends('coming')[0] === 'Waiting/QuotaExhausted'
  expect(await stage.until(blocked)).toBe(true)
  // so long that it is asked about at the longest pause
  await stage.clock.advance(2 * HOUR)
  stage.annotate('leaving', { 'couchestor.io/force-tier': 'hot' })
  expect(await stage.until(() => stage.tier(leaving) === 'hot')).toBe(true)
  expect(await stage.until(() => stage.retypes(coming) === 1, MINUTE)).toBe(true)
})

it('without access to the type that it has now a volume is not touched', async () => {
  const { stage, project } = setUp()
  const volume = stage.claim({ name: 'data', iops: 3000 })
  const hot = stage.cloud.volume(volume.id)?.typeId ?? ''
  stage.start()
  await stage.until(() => stage.condition('Ready')?.reason === 'Ready')
  stage.cloud.setTypeAccess(hot, project, false)
  stage.annotate('data', FORCED)
  // between two sweeps: only the read right before the move shows it
  await stage.clock.advance(MINUTE)
  expect(stage.ends('data')).toEqual(['Waiting/TypeNotAccessible'])
  expect(stage.moves('data')[0]?.status?.message).toContain('couchestor-hot')
  expect(stage.retypes(volume)).toBe(0)
  stage.cloud.setTypeAccess(hot, project, true)
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
})

it("an administrator's credential moves no volume of another project, and reserves nothing", async () => {
  const { stage, project } = setUp()
  const volume = stage.claim({ name: 'data', annotations: FORCED })
  const admin = stage.cloud.addAppCredential(stage.cloud.admin, 'admin')
  stage.start({ credential: () => admin })
  expect(await stage.until(() => stage.ends('data')[0] === 'Waiting/OtherProject', HOUR)).toBe(true)
  const { message } = stage.moves('data')[0]?.status ?? {}
  expect(message).toContain(`a credential of project ${project}`)
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
})

it('a move that frees a full type goes before those that fill it, though they are worth more', async () => {
  const { stage, project } = setUp({
    migration: { maxConcurrent: 1, cooldown: { promote: '0s', demote: '0s' } },
  })
  // promotions are worth more than anything
  const rising = stage.claim({ name: 'rising', tier: 'cold', sizeGiB: 20, iops: 5000 })
  const falling = stage.claim({ name: 'falling', tier: 'hot', sizeGiB: 20, iops: 1 })
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-hot': 25 })
  stage.start()
  expect(await stage.until(() => stage.tier(rising) === 'hot', 2 * HOUR)).toBe(true)
  expect(stage.tier(falling)).toBe('cold')
  const started = stage
    .moves()
    .toSorted((a, b) => (a.status?.startedAt ?? '').localeCompare(b.status?.startedAt ?? ''))
  expect(started.map((m) => m.spec.claim.name)).toEqual(['falling', 'rising'])
  // it did not have to be refused first
  expect(stage.events('rising')).not.toContain('MigrationBlocked')
})

it('in mode Approve the move that is worth most is asked for, though its type is full', async () => {
  const { stage, project } = setUp({ mode: 'Approve', metrics: { window: '1h' } })
  for (let i = 0; i < 55; i++) stage.claim({ name: `falling-${i}`, tier: 'hot', sizeGiB: 20 })
  stage.start()
  const open = () => stage.moves().map((m) => m.metadata.uid)
  expect(await stage.until(() => open().length === 50, 2 * HOUR)).toBe(true)
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-hot': 1100 })
  stage.claim({ name: 'rising', tier: 'cold', sizeGiB: 20, iops: 5000 })
  expect(await stage.until(() => stage.moves('rising').length > 0, 4 * HOUR)).toBe(true)
  await stage.clock.advance(10 * MINUTE)
  // and none takes turns with the others
  const before = open()
  await stage.clock.advance(4 * HOUR)
  expect(open()).toEqual(before)
})
