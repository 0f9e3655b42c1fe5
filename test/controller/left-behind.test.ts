import { expect, it } from 'vitest'
import { createRegistry } from '../../src/metrics.ts'
import type { Gate } from '../life.ts'
import { answer, fault, network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const MIGRATIONS = '/apis/couchestor.io/v1alpha1/namespaces'

async function removeMoves(stage: Stage, claim: string): Promise<void> {
  for (const { metadata } of stage.moves(claim))
    await stage.remove(`${MIGRATIONS}/${metadata.namespace}/volumemigrations/${metadata.name}`)
}

it('a move that is deleted while its call is on its way sends no second call', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data' })
  let held = 0
  const slow: Gate = async (request, send) => {
    if (!request.url.endsWith('/action')) return send()
    held += 1
    await new Promise<void>((resolve) => stage.clock.setTimer(15_000, resolve))
    return send()
  }
  stage.start({ gate: slow })
  expect(await stage.until(() => held === 1)).toBe(true)
  await removeMoves(stage, 'data')
  stage.move('by-hand', { claim: { name: 'data' }, to: 'warm' })
  await stage.clock.advance(14_000)
  expect(held).toBe(1)
  expect(await stage.until(() => stage.ends('data').includes('Succeeded/Verified'))).toBe(true)
  expect(stage.cloud.retypesOf(volume.id).every((a) => a.status === 202)).toBe(true)
})

it.each(['stuck', 'error'] as const)(
  'a volume that is left %s, whose move was deleted, keeps no other volume from moving',
  async (how) => {
    const stage = new Stage()
    stage.policy({ migration: { maxConcurrent: 1, cinderOptions: { retypeTimeout: 600 } } })
    const broken = stage.claim({ name: 'broken', namespace: 'team-a', sizeGiB: 20 })
    const last = stage.claim({ name: 'last' })
    stage.cloud.planRetype(broken.id, 'stuck')
    stage.start({ configYaml: 'migration:\n  concurrent_migrations: 1\n' })
    const begun = () => stage.cloud.volume(broken.id)?.status === 'retyping'
    expect(await stage.until(begun)).toBe(true)
    if (how === 'error') stage.cloud.setStatus(broken.id, 'error')
    await removeMoves(stage, 'broken')
    await stage.remove('/api/v1/namespaces/team-a/persistentvolumeclaims/broken')
    expect(await stage.until(() => stage.tier(last) === 'cold', 3 * HOUR, 5_000)).toBe(true)
    expect(stage.ledger().map((e) => e.volumeId)).toContain(broken.id)
  },
)

it('three moves that are Stuck hold back their two tiers for six hours, not for good', async () => {
  const stage = new Stage()
  stage.policy({ migration: { cinderOptions: { retypeTimeout: 600 } } })
  for (const name of ['a', 'b', 'c']) {
    const volume = stage.claim({ name, sizeGiB: 2 })
    stage.cloud.planRetype(volume.id, 'stuck')
  }
  stage.start()
  const stuck = () => ['a', 'b', 'c'].every((n) => stage.ends(n)[0] === 'Stuck/DeadlinePassed')
  expect(await stage.until(stuck, 6 * HOUR, 10_000)).toBe(true)
  const last = stage.claim({ name: 'last' })
  expect(await stage.until(() => stage.tier(last) === 'cold', 12 * HOUR, 30_000)).toBe(true)
})

it('a move whose end cannot be saved is not taken for a strange one after the volume moved on', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data' })
  stage.move('one', { claim: { name: 'data' }, to: 'cold' })
  const net = network()
  const first = stage.start({ gate: net.gate })
  expect(await stage.until(() => stage.cloud.retyping().length > 0)).toBe(true)
  net.on('PATCH /volumemigrations/one/status', () => answer(500, fault(500, 'x', 'webhook')))
  expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)
  await stage.clock.advance(MINUTE)
  stage.move('two', { claim: { name: 'data' }, to: 'warm' })
  await stage.clock.advance(10 * MINUTE)
  first.life.kill()
  stage.start({ identity: 'second' })
  expect(
    await stage.until(() => stage.ends('data').every((e) => e === 'Succeeded/Verified'), HOUR),
  ).toBe(true)
})

it("somebody else's retype that comes before our call is not taken for ours", async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data' })
  const net = network()
  net.on('PATCH /status', (request) => {
    if (String(request.body).includes('IntentSaved')) stage.cloud.setStatus(volume.id, 'retyping')
    return undefined
  })
  stage.start({ gate: net.gate })
  expect(await stage.until(() => stage.cloud.volume(volume.id)?.status === 'retyping')).toBe(true)
  net.clear()
  await stage.clock.advance(MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  stage.cloud.volume(volume.id)!.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(volume.id, 'available')
  await stage.clock.advance(5 * MINUTE)
  expect(stage.ends('data')).not.toContain('Failed/Unexplained')
  expect(stage.condition('Ready')?.reason).not.toBe('Halted')
})

it("a claim that its owner made again while its move was refused is the owner's doing", async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'data' })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'warm' })
  const net = network()
  net.on('POST /action', () => {
    const claim = stage.pvc('data')
    stage.world.api.seed({ ...claim, metadata: { ...claim.metadata, uid: 'another' } })
    return answer(400, fault(400, 'badRequest', 'the volume is being deleted'))
  })
  stage.start({ gate: net.gate })
  expect(await stage.until(() => stage.ends('data')[0]?.startsWith('Failed/') === true)).toBe(true)
  expect(stage.ends('data')[0]).toBe('Failed/Terminating')
})

it('a move that is deleted while its status cannot be written is counted no more', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'data', sizeGiB: 100 })
  const registry = createRegistry()
  const net = network()
  stage.start({ gate: net.gate, registry })
  expect(await stage.until(() => stage.cloud.retyping().length > 0)).toBe(true)
  net.on('PATCH /status', (request) =>
    request.url.includes('/volumemigrations/') ? answer(500, 'webhook') : undefined,
  )
  const metric = 'couchestor_writes_refused{resource="volumemigrations/status"}'
  await stage.clock.advance(5 * MINUTE)
  expect(await registry.metrics()).toContain(`${metric} 1`)
  await removeMoves(stage, 'data')
  await stage.clock.advance(MINUTE)
  expect(await registry.metrics()).toContain(`${metric} 0`)
})
