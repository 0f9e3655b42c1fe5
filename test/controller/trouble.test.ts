import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import type { HttpResponse } from '../../src/http.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { Start } from './stage.ts'

/** One idle volume that the policy wants on the cold tier. */
function idle(options: { spec?: object; sizeGiB?: number; start?: Start } = {}) {
  const stage = new Stage()
  stage.policy(options.spec)
  const volume = stage.claim({ name: 'idle', sizeGiB: options.sizeGiB ?? 1 })
  const data = stage.cloud.data(volume.id)
  return { stage, volume, data, running: stage.start(options.start) }
}

it('Keystone and Cinder away for a minute in mid-move: the move is followed to its end, asked for once', async () => {
  const { stage, volume, data } = idle({ sizeGiB: 10 })
  await stage.until(() => stage.cloud.retyping().length > 0)
  stage.cloud.expireTokens()
  stage.cloud.setDown('keystone', true)
  stage.cloud.setDown('cinder', true)
  await stage.clock.advance(MINUTE)
  expect(stage.ends('idle')[0]).toMatch(/^Retyping/)
  stage.cloud.setDown('keystone', false)
  stage.cloud.setDown('cinder', false)
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified')).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
  expect(stage.cloud.data(volume.id)).toBe(data)
})

it('while Keystone is away nothing new starts, and the policy says so', async () => {
  const { stage, volume } = idle()
  stage.cloud.setDown('keystone', true)
  await stage.clock.advance(10 * MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  stage.cloud.setDown('keystone', false)
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
})

it('a quota that Cinder refuses by is asked again every ten minutes, not more often', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  const project = stage.cloud.couchestor.project.id
  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 0 })
  // a credential that may not read quotas learns of them by the refusal
  stage.start({
    gate: (request, send) =>
      request.url.includes('os-quota-sets') ? Promise.resolve(FORBIDDEN) : send(),
  })
  expect(await stage.until(() => stage.ends('idle')[0] === 'Waiting/QuotaExceeded')).toBe(true)
  expect(stage.events('idle')).toContain('MigrationBlocked')
  await stage.clock.advance(HOUR)
  const asked = stage.cloud.retypesOf(volume.id)
  expect(asked.map((a) => a.status)).toEqual(asked.map(() => 413))
  expect(asked.length).toBeGreaterThan(3)
  expect(asked.length).toBeLessThanOrEqual(7)

  stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 100 })
  expect(await stage.until(() => stage.tier(volume) === 'cold', 30 * MINUTE)).toBe(true)
})

it.each([
  ['smaller than the volume', 'QuotaTooSmall', 5, 0, 'is 5, and the move needs 10'],
  ['used up', 'QuotaExhausted', 25, 20, 'has 5 of 25 left (20 in use, 0 reserved)'],
])(
  'a quota that can be read and is %s is not run into',
  async (_, reason, limit, used, message) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'idle', sizeGiB: 10 })
    if (used > 0) stage.claim({ name: 'there', tier: 'cold', sizeGiB: used })
    const project = stage.cloud.couchestor.project.id
    stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': limit })
    stage.start()
    expect(await stage.until(() => stage.ends('idle')[0] === `Waiting/${reason}`)).toBe(true)
    expect(stage.moves('idle')[0]?.status?.message).toContain(
      `quota gigabytes_couchestor-cold ${message}`,
    )
    expect(stage.events('idle')).toContain('MigrationBlocked')
    await stage.clock.advance(HOUR)
    expect(stage.retypes(volume)).toBe(0)
    stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 100 })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR)).toBe(true)
  },
)

it('a silent revert is reported, and the next attempt waits for hours', async () => {
  const { stage, volume, data } = idle()
  stage.cloud.planRetype(volume.id, 'revertAfterCopy')
  expect(await stage.until(() => stage.ends('idle')[0] === 'Failed/Reverted')).toBe(true)
  const ended = stage.clock.now()
  expect(stage.events('idle')).toContain('MigrationReverted')
  await stage.until(() => stage.staying()['BackingOff'] === 1)
  expect(await stage.until(() => stage.retypes(volume) === 2, 6 * HOUR, MINUTE)).toBe(true)
  expect(stage.clock.now() - ended).toBeGreaterThan(2 * HOUR - MINUTE)
  expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)
  expect(stage.cloud.data(volume.id)).toBe(data)
})

it('a move that outlives its deadline is Stuck: reported, hands off, and picked up when Cinder ends it after all', async () => {
  const { stage, volume } = idle({
    spec: { migration: { cinderOptions: { retypeTimeout: 600 } } },
    sizeGiB: 10,
  })
  stage.cloud.planRetype(volume.id, 'stuck')
  expect(await stage.until(() => stage.ends('idle')[0] === 'Stuck/DeadlinePassed', 2 * HOUR)).toBe(
    true,
  )
  expect(stage.events('idle')).toContain('MigrationStuck')
  await stage.clock.advance(3 * HOUR)
  expect(stage.ends('idle')).toEqual(['Stuck/DeadlinePassed'])
  expect(stage.retypes(volume)).toBe(1)
  expect(stage.ledger()).toHaveLength(1)

  // an administrator repairs it
  const row = stage.cloud.volume(volume.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-cold').id
  stage.cloud.setStatus(volume.id, 'available')
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified')).toBe(true)
  expect(await stage.until(() => stage.ledger().length === 0)).toBe(true)
})

it('a volume that ends on a third type halts all moves of policies until a person has checked', async () => {
  const { stage, volume } = idle({ sizeGiB: 10 })
  await stage.until(() => stage.cloud.retyping().length > 0)
  stage.cloud.killCopies()
  const row = stage.cloud.volume(volume.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(volume.id, 'available')
  expect(await stage.until(() => stage.ends('idle')[0] === 'Failed/Unexplained')).toBe(true)

  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Halted' })

  const name = stage.moves('idle')[0]?.metadata.name
  await remove(stage, `/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations/${name}`)
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
})

it('three failures in a row between two tiers hold back the rest, with the reason on the policy', async () => {
  const stage = new Stage()
  stage.policy()
  const volumes = [1, 2, 3, 4, 5, 6].map((i) => stage.claim({ name: `idle-${i}` }))
  for (const v of volumes) stage.cloud.planRetype(v.id, 'revert')
  stage.start()
  await stage.clock.advance(90 * MINUTE)
  const asked = volumes.reduce((sum, v) => sum + stage.retypes(v), 0)
  expect(asked).toBe(3)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'BreakerOpen' })
  expect(stage.condition('Ready')?.message).toContain('hot to cold')
})

it.each([
  ['and the others follow when it has succeeded', undefined, 4],
  ['and the others wait again when it has failed', 'revert', 0],
] as const)('after the pause of the breaker one move goes first, %s', async (_, cloud, moved) => {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 10 }, metrics: { window: '6h' } })
  const volumes = [1, 2, 3, 4, 5, 6, 7].map((i) => stage.claim({ name: `idle-${i}`, sizeGiB: 20 }))
  for (const v of volumes) stage.cloud.planRetype(v.id, 'revert')
  stage.start({ configYaml: 'migration:\n  concurrent_migrations: 10\n' })
  const calls = () => volumes.reduce((sum, v) => sum + stage.retypes(v), 0)
  const isOpen = () => stage.condition('Ready')?.reason === 'BreakerOpen'
  await stage.until(isOpen, 2 * HOUR)
  expect(calls()).toBe(3)
  for (const v of volumes) stage.cloud.planRetype(v.id, cloud)
  const running: number[] = []
  const cold = () => volumes.filter((v) => stage.tier(v) === 'cold').length
  const done = () => {
    const now = stage.cloud.retyping().length
    if (now !== (running.at(-1) ?? 0)) running.push(now)
    return cold() >= 4
  }
  await stage.until(done, 10 * HOUR, 500)
  expect(running.slice(0, 2)).toEqual([1, 0])
  expect(cold()).toBeGreaterThanOrEqual(moved)
  expect(Math.min(calls() - 3, 4)).toBe(moved === 0 ? 1 : 4)
})

it('a volume that is stuck for a person to repair is not the one move that the breaker waits for', async () => {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 10 }, metrics: { window: '6h' } })
  const volumes = [1, 2, 3, 4].map((i) => stage.claim({ name: `idle-${i}`, sizeGiB: 20 }))
  for (const v of volumes) stage.cloud.planRetype(v.id, 'stuck')
  stage.start()
  const isOpen = () => stage.condition('Ready')?.reason === 'BreakerOpen'
  expect(await stage.until(isOpen, 48 * HOUR, MINUTE)).toBe(true)
  for (const v of volumes) stage.cloud.planRetype(v.id, undefined)
  const stuck = () => stage.moves().filter((m) => m.status?.step === 'Stuck').length
  expect(stuck()).toBe(3)
  const cold = () => volumes.filter((v) => stage.tier(v) === 'cold').length
  expect(await stage.until(() => cold() === 1, 10 * HOUR, MINUTE)).toBe(true)
})

it('a namespace that is deleted in mid-move leaves its move in the ledger until the volume rests', async () => {
  const { stage, volume } = idle({
    sizeGiB: 100,
    start: { configYaml: 'tasks: {resources: {every: 1m}}' },
  })
  await stage.until(() => stage.cloud.retyping().length > 0)
  for (const m of stage.moves())
    await remove(
      stage,
      `/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations/${m.metadata.name}`,
    )
  await remove(stage, '/api/v1/namespaces/default/persistentvolumeclaims/idle')
  await stage.clock.advance(3 * MINUTE)
  expect(stage.moves()).toEqual([])
  expect(stage.ledger().map((e) => e.volumeId)).toEqual([volume.id])
  expect(await stage.until(() => stage.ledger().length === 0, 20 * MINUTE)).toBe(true)
  expect(stage.cloud.volume(volume.id)?.status).toBe('available')
  expect(stage.retypes(volume)).toBe(1)
})

const REFUSAL = '{"forbidden": {"code": 403, "message": "Policy does not allow this."}}'
const FORBIDDEN: HttpResponse = {
  status: 403,
  headers: { 'content-type': 'application/json' },
  text: () => Promise.resolve(REFUSAL),
  chunks: () => Readable.from([REFUSAL]),
}

async function remove(stage: Stage, url: string): Promise<void> {
  const signal = new AbortController().signal
  await stage.world.api.handle({ method: 'DELETE', url, headers: {}, body: '', signal })
}
