import { expect, it } from 'vitest'
import type { VolumeMigration } from '../../src/api/volume-migration.ts'
import { createRegistry } from '../../src/metrics.ts'
import { HOUR, MINUTE, POLICY, Stage } from './stage.ts'

const spec = { claim: { name: 'other' }, to: 'cold', policy: 'tiered' }

/** What only a CustomResourceDefinition without our schema lets through. */
it.each([
  ['no spec', {}, 'spec is missing'],
  ['no claim', { spec: { ...spec, claim: undefined } }, 'spec.claim is missing'],
  ['a claim that is a text', { spec: { ...spec, claim: 'data' } }, 'spec.claim is "data"'],
  ['a status that is a text', { spec, status: 'x' }, 'status is "x"'],
  ['an empty intent', { spec, status: { step: 'Requested', intent: {} } }, 'status.intent.attempt'],
  ['a step that nobody knows', { spec, status: { step: 'Dancing' } }, 'status.step is "Dancing"'],
])(
  'a VolumeMigration with %s is reported on itself, and holds up nobody',
  async (_, broken, problem) => {
    const stage = new Stage()
    stage.policy()
    const idle = stage.claim({ name: 'data', sizeGiB: 10 })
    const other = stage.claim({ name: 'other', iops: 3000 })
    stage.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'VolumeMigration',
      metadata: { name: 'broken', namespace: 'default' },
      ...broken,
    })
    stage.start()
    const isDone = () =>
      stage.retypes(idle) === 1 && stage.cloud.volume(idle.id)?.status === 'available'
    expect(await stage.until(isDone, HOUR)).toBe(true)
    await stage.clock.advance(15 * MINUTE)
    type Event = { reason: string; message: string; involvedObject: { kind: string } }
    const all = stage.world.api.objects('/api/v1/events') as unknown as Event[]
    const reported = all.filter((e) => e.reason === 'Unreadable')
    expect(reported.map((e) => e.involvedObject.kind)).toEqual(['VolumeMigration'])
    expect(reported[0]?.message).toContain(problem)
    expect(stage.retypes(other)).toBe(0)
  },
)

const MOVES = '/apis/couchestor.io/v1alpha1/volumemigrations'

/** A leader has sent a retype and died, and its VolumeMigration cannot be read any more. */
async function brokenInFlight(breakIt: (move: object) => object) {
  const stage = new Stage()
  stage.policy()
  const moving = stage.claim({ name: 'moving', sizeGiB: 10 })
  const first = stage.start({ identity: 'first' })
  await stage.until(() => stage.cloud.retyping().includes(moving.id), HOUR)
  first.life.kill()
  const whole = stage.moves('moving')[0]!
  stage.world.api.seed({ ...whole, ...breakIt(whole) })
  return { stage, moving, whole }
}

it.each([
  ['its spec is gone', () => ({ spec: undefined })],
  ['its intent is empty', (m: VolumeMigration) => ({ status: { ...m.status, intent: {} } })],
  ['its step is unknown', (m: VolumeMigration) => ({ status: { ...m.status, step: 'Dancing' } })],
  [
    'its deadline is no time',
    (m: VolumeMigration) => ({
      status: { ...m.status, intent: { ...m.status?.intent, deadline: 'soon' } },
    }),
  ],
  ['its status is a text', () => ({ status: 'x' })],
] as const)(
  'a volume whose move is under way stays until a person has checked when %s',
  async (_, breakIt) => {
    const { stage, moving, whole } = await brokenInFlight((m) => breakIt(m as VolumeMigration))
    const registry = createRegistry()
    stage.start({ identity: 'second', registry })
    // it is back where the policy does not want it, as if nothing had been sent
    stage.cloud.killCopies()
    stage.cloud.setStatus(moving.id, 'available')
    await stage.clock.advance(3 * HOUR)
    expect(stage.retypes(moving)).toBe(1)
    expect(await registry.metrics()).toContain('couchestor_migrations_unreadable 1')
    expect(await registry.metrics()).toMatch(/couchestor_migrations_in_flight\{.*step="Stuck"\} 1/)
    expect(stage.moves().filter((m) => m.metadata.uid !== whole.metadata.uid)).toEqual([])

    stage.world.api.seed(whole)
    expect(
      await stage.until(() => stage.ends('moving')[0]?.startsWith('Failed') === true, HOUR),
    ).toBe(true)
    expect(await registry.metrics()).toContain('couchestor_migrations_unreadable 0')
  },
)

it('a volume moves again once a move that cannot be read is deleted and Cinder shows it at rest', async () => {
  const { stage, moving, whole } = await brokenInFlight(() => ({ spec: undefined }))
  stage.start({ identity: 'second' })
  stage.cloud.killCopies()
  stage.cloud.setStatus(moving.id, 'available')
  const row = stage.cloud.volume(moving.id)
  if (row) row.migrationStatus = null
  await stage.clock.advance(HOUR)
  await stage.remove(
    `${MOVES.replace('/volume', '/namespaces/default/volume')}/${whole.metadata.name}`,
  )
  expect(await stage.until(() => stage.tier(moving) === 'cold', 6 * HOUR)).toBe(true)
  expect(stage.retypes(moving)).toBe(2)
})

it('a waiting move that somebody breaks counts for nothing, and the policy moves its volume', async () => {
  const stage = new Stage()
  stage.policy()
  const idle = stage.claim({ name: 'idle', sizeGiB: 10 })
  stage.move('broken', { claim: { name: 'idle' }, to: '' }, { step: 'Waiting', volumeId: idle.id })
  stage.start()
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR)).toBe(true)
})

it.each([
  ['nothing says which volume it is about', { status: 'x' }],
  ['Cinder has no such volume', { status: { step: 'Dancing', volumeId: 'gone' } }],
])('no tier is closed by a move that cannot be read when %s', async (_, status) => {
  const stage = new Stage()
  const roomy = POLICY.tiers.map((t) => ({ ...t, capacity: { maxGiB: 1000 } }))
  stage.policy({ tiers: roomy })
  const idle = stage.claim({ name: 'idle', sizeGiB: 10 })
  stage.claim({ name: 'other', iops: 3000 })
  stage.world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'broken', namespace: 'default' },
    spec,
    ...status,
  })
  stage.start()
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR)).toBe(true)
})

it('one under the name that a planned move would have takes nobody else’s place', async () => {
  const stage = new Stage()
  stage.policy({ migration: { maxConcurrent: 1 } })
  const first = stage.claim({ name: 'first', sizeGiB: 100 })
  const second = stage.claim({ name: 'second', sizeGiB: 10 })
  stage.start({
    gate: (request, send) => {
      const isPlanned = request.method === 'POST' && request.url.includes('/volumemigrations')
      const body = isPlanned ? (JSON.parse(String(request.body)) as VolumeMigration) : undefined
      if (body?.spec.claim.name === 'first') stage.world.api.seed({ ...body, spec: {} })
      return send()
    },
  })
  expect(await stage.until(() => stage.retypes(second) === 1, 2 * HOUR)).toBe(true)
  expect(stage.retypes(first)).toBe(0)
})

it('a halt is not lifted while its VolumeMigration cannot be read', async () => {
  const stage = new Stage()
  stage.policy()
  const strange = stage.claim({ name: 'strange', sizeGiB: 10 })
  const first = stage.start({ identity: 'first' })
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  stage.cloud.killCopies()
  const row = stage.cloud.volume(strange.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(strange.id, 'available')
  await stage.until(() => stage.ends('strange')[0] === 'Failed/Unexplained')
  await first.stop()
  stage.world.api.seed({ ...stage.moves('strange')[0]!, spec: {} })
  stage.start({ identity: 'second' })
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(3 * HOUR)
  expect(stage.retypes(other)).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Halted' })
})
