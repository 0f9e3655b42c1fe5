import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import type { HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import type { Gate } from '../life.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'
import type { Start } from './stage.ts'

const CRD_GROUP = '/apis/couchestor.io/v1alpha1'

const UNAVAILABLE = (): Promise<HttpResponse> =>
  Promise.resolve({
    status: 503,
    headers: { 'content-type': 'application/json' },
    text: () => Promise.resolve('{}'),
    chunks: () => Readable.from(['{}']),
  })

/** A volume in a tenant's namespace ends on a type that nobody asked for, which halts the moves of all policies. */
async function halted(start: Start = {}) {
  const stage = new Stage()
  stage.policy()
  const strange = stage.claim({ name: 'strange', namespace: 'tenant', sizeGiB: 10 })
  const first = stage.start(start)
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  stage.cloud.killCopies()
  const row = stage.cloud.volume(strange.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(strange.id, 'available')
  await stage.until(() => stage.ends('strange')[0] === 'Failed/Unexplained')
  const move = stage.moves('strange')[0]!
  return { stage, first, uid: move.metadata.uid!, move }
}

const deleteMove = (stage: Stage, name: string) =>
  stage.remove(`${CRD_GROUP}/namespaces/tenant/volumemigrations/${name}`)

const isHalted = (stage: Stage) => stage.condition('Ready')?.reason === 'Halted'

function annotatePolicy(stage: Stage, annotations: Record<string, string>): void {
  const policy = stage.object(`${CRD_GROUP}/storagepolicies`, 'tiered')!
  stage.world.api.seed({ ...policy, metadata: { ...policy.metadata, annotations } })
}

it('deleting the namespace of a move that nothing explains does not lift the halt, nor does a restart', async () => {
  const { stage, first, uid } = await halted()
  await stage.remove('/api/v1/namespaces/tenant')
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.moves('strange')).toEqual([])
  expect(stage.retypes(other)).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Halted' })
  await first.stop()

  stage.start({ identity: 'second' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Halted' })
  expect(stage.condition('Ready')?.message).toContain(`couchestor.io/explained=${uid}`)

  annotatePolicy(stage, { 'couchestor.io/explained': uid })
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  expect(isHalted(stage)).toBe(false)
})

it('a namespace that is made again under its old name does not lift the halt', async () => {
  const { stage, first } = await halted()
  await first.stop()
  await stage.remove('/api/v1/namespaces/tenant')
  stage.claim({ name: 'new', namespace: 'tenant' })
  const other = stage.claim({ name: 'other' })
  stage.start({ identity: 'second' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
  expect(isHalted(stage)).toBe(true)
})

it('an annotation that explains another move does not lift the halt', async () => {
  const { stage } = await halted()
  await stage.remove('/api/v1/namespaces/tenant')
  annotatePolicy(stage, { 'couchestor.io/explained': 'another' })
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
})

it('deleting the VolumeMigration in a living namespace lifts the halt, also while no controller runs', async () => {
  const { stage, first, move } = await halted()
  await first.stop()
  await deleteMove(stage, move.metadata.name)
  const other = stage.claim({ name: 'other' })
  stage.start({ identity: 'second' })
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  expect(isHalted(stage)).toBe(false)
})

it('a namespace that cannot be read lifts no halt until it can', async () => {
  let refused = false
  const gate: Gate = (request, send) =>
    refused && request.url.endsWith('/api/v1/namespaces/tenant') ? UNAVAILABLE() : send()
  const { stage, move } = await halted({ gate })
  refused = true
  await deleteMove(stage, move.metadata.name)
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(HOUR)
  expect(stage.retypes(other)).toBe(0)
  refused = false
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
})

it('a halt that cannot be recorded at once is recorded when it can', async () => {
  let refused = false
  const gate: Gate = (request, send) =>
    refused && request.url.includes('tieringcheckpoints') && request.method !== 'GET'
      ? UNAVAILABLE()
      : send()
  const stage = new Stage()
  stage.policy()
  const strange = stage.claim({ name: 'strange', namespace: 'tenant', sizeGiB: 10 })
  stage.start({ gate })
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  refused = true
  stage.cloud.killCopies()
  const row = stage.cloud.volume(strange.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(strange.id, 'available')
  expect(await stage.until(() => stage.ends('strange')[0] === 'Failed/Unexplained')).toBe(true)
  refused = false
  await stage.clock.advance(30 * MINUTE)
  await stage.remove('/api/v1/namespaces/tenant')
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
})

/** A move under way whose object is deleted before Cinder has ended it. */
async function deleted(how: 'namespace' | 'move') {
  const stage = new Stage()
  stage.policy()
  const strange = stage.claim({ name: 'strange', namespace: 'tenant', sizeGiB: 10 })
  const first = stage.start()
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  const move = stage.moves('strange')[0]!
  if (how === 'namespace') await stage.remove('/api/v1/namespaces/tenant')
  else await deleteMove(stage, move.metadata.name)
  const end = (type: string, status = 'available') => {
    stage.cloud.killCopies()
    const row = stage.cloud.volume(strange.id)
    if (row) row.typeId = stage.cloud.volumeType(type).id
    stage.cloud.setStatus(strange.id, status)
  }
  return { stage, first, end, uid: move.metadata.uid! }
}

it.each(['namespace', 'move'] as const)(
  'a volume that ends on a type nobody asked for halts all moves also when its %s was deleted before',
  async (how) => {
    const { stage, first, end, uid } = await deleted(how)
    end('couchestor-warm')
    expect(await stage.until(() => isHalted(stage), 10 * MINUTE)).toBe(true)
    const other = stage.claim({ name: 'other' })
    await stage.clock.advance(HOUR)
    await first.stop()
    stage.start({ identity: 'second' })
    await stage.clock.advance(HOUR)
    expect(stage.retypes(other)).toBe(0)
    expect(stage.ledger()).toEqual([])
    expect(stage.condition('Ready')?.message).toContain(`couchestor.io/explained=${uid}`)

    annotatePolicy(stage, { 'couchestor.io/explained': uid })
    expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  },
)

it.each(['couchestor-hot', 'couchestor-cold'])(
  'a volume that ends on %s, from which or to which it went, halts nobody',
  async (type) => {
    const { stage, end } = await deleted('namespace')
    end(type)
    const other = stage.claim({ name: 'other' })
    expect(await stage.until(() => stage.tier(other) === 'cold', HOUR)).toBe(true)
  },
)

it('a new leader does not say that nothing halts before it has read the record of that', async () => {
  const { stage, first } = await halted()
  await stage.remove('/api/v1/namespaces/tenant')
  await first.stop()
  let refused = true
  const gate: Gate = (request, send) =>
    refused && request.url.endsWith('/tieringcheckpoints/moves-in-flight') ? UNAVAILABLE() : send()
  const registry = createRegistry()
  stage.start({ identity: 'second', gate, registry })
  const shown = async () => /^couchestor_halted .*$/m.exec(await registry.metrics())?.[0]
  for (let i = 0; i < 20; i++) {
    await stage.clock.advance(15_000)
    expect(await shown()).toBeUndefined()
  }
  refused = false
  await stage.clock.advance(5 * MINUTE)
  expect(await shown()).toBe('couchestor_halted 1')
})
