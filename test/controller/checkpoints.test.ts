import { expect, it } from 'vitest'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { HttpResponse } from '../../src/http.ts'
import { createRegistry } from '../../src/metrics.ts'
import { answer } from './answer.ts'
import { network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const GROUP = '/apis/couchestor.io/v1alpha1'
const TIERS = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]
/** Throttling is worth so much that an hour of it is reason enough to go up again, against the brake. */
const SPEC = { tiers: TIERS, migration: { cooldownPeriod: '24h' }, decision: { rho: 100 } }

function checkpoints(stage: Stage): TieringCheckpoint[] {
  return stage.world.api.objects(`${GROUP}/tieringcheckpoints`) as unknown as TieringCheckpoint[]
}

function queries(stage: Stage): number {
  return stage.world.prometheus.seams.queries.length
}

/** A volume that was moved down, is busy since, and only cools down: nothing but the engine's memory knows of the move. */
async function coolingDown(name = 'tiered') {
  const stage = new Stage()
  stage.policy(SPEC, name)
  let busyFrom = Infinity
  const volume = stage.claim({ name: 'data', iops: (t) => (t < busyFrom ? 1 : 5000) })
  const running = stage.start()
  await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)
  const before = checkpoints(stage).map((c) => structuredClone(c))
  busyFrom = stage.clock.now() / 1000
  const cools = () => stage.staying(name)['CoolingDown'] === 1
  expect(await stage.until(cools, 4 * HOUR, 5 * MINUTE)).toBe(true)
  for (const m of stage.moves())
    await stage.remove(`${GROUP}/namespaces/default/volumemigrations/${m.metadata.name}`)
  await stage.clock.advance(MINUTE)
  return { stage, volume, running, before }
}

const CHANGES: [string, object][] = [
  ['its prices', { tiers: TIERS.map((t) => ({ ...t, costPerGiBMonth: 2 * t.costPerGiBMonth })) }],
  ['a threshold', { tiers: TIERS.map((t, i) => (i === 1 ? { ...t, iopsThreshold: 150 } : t)) }],
  ['the names of its tiers', { tiers: TIERS.map((t) => ({ ...t, name: `our-${t.name}` })) }],
  [
    'names that tiers exchange',
    { tiers: TIERS.map((t, i) => ({ ...t, name: ['warm', 'cold', 'hot'][i] })) },
  ],
  ['what throttling is worth', { decision: { rho: 120 } }],
]

it.each(CHANGES)('a policy that changes %s forgets no move and no cooldown', async (_, change) => {
  const { stage, volume } = await coolingDown()
  stage.policy({ ...SPEC, ...change })
  await stage.clock.advance(HOUR)
  expect(stage.staying()).toEqual({ CoolingDown: 1 })
  expect(stage.retypes(volume)).toBe(1)
  expect(stage.events('data')).not.toContain('TierChangedOutside')
})

it.each([CHANGES[0]!, CHANGES[3]!])(
  'nor does one that changes %s while no controller runs',
  async (_, change) => {
    const { stage, volume, running } = await coolingDown()
    await running.stop()
    stage.policy({ ...SPEC, ...change })
    stage.start({ identity: 'second' })
    await stage.clock.advance(HOUR)
    expect(stage.staying()).toEqual({ CoolingDown: 1 })
    expect(stage.retypes(volume)).toBe(1)
    expect(stage.events('data')).not.toContain('TierChangedOutside')
  },
)

it.each(['tiered-1', 'tiered-00'])(
  'an old shard beside the newer one takes nothing back, whatever it is called (%s)',
  async (name) => {
    const { stage, volume, running, before } = await coolingDown()
    await running.stop()
    const old = before.find((c) => c.metadata.name === 'tiered-0')!
    const weekOld = new Date(stage.clock.now() - 7 * 24 * HOUR).toISOString()
    stage.world.api.seed({
      ...old,
      metadata: { name },
      spec: { ...old.spec, shard: 1, windowEnd: weekOld },
    })
    const asked = queries(stage)
    stage.start({ identity: 'second' })
    await stage.clock.advance(HOUR)
    expect(stage.staying()).toEqual({ CoolingDown: 1 })
    expect(stage.retypes(volume)).toBe(1)
    expect(queries(stage) - asked).toBeLessThan(30)
    expect(checkpoints(stage).map((c) => c.metadata.name)).not.toContain(name)
  },
)

it('a shard that is damaged costs the others nothing', async () => {
  const { stage, volume, running } = await coolingDown()
  await running.stop()
  const [sound] = checkpoints(stage).filter((c) => c.metadata.name === 'tiered-0')
  stage.world.api.seed({
    ...sound,
    metadata: { name: 'tiered-1' },
    spec: { ...sound?.spec, shard: 1, data: 'AAAA' },
  })
  stage.start({ identity: 'second' })
  await stage.clock.advance(HOUR)
  expect(stage.staying()).toEqual({ CoolingDown: 1 })
  expect(stage.retypes(volume)).toBe(1)
})

it.each(['moves-in-flight', 'scheduled-tasks', `long-${'x'.repeat(240)}`])(
  'a policy may be called %s and remembers as any other',
  async (name) => {
    const { stage, volume, running } = await coolingDown(name)
    await running.stop()
    const asked = queries(stage)
    stage.start({ identity: 'second' })
    await stage.clock.advance(HOUR)
    expect(stage.staying(name)).toEqual({ CoolingDown: 1 })
    expect(stage.retypes(volume)).toBe(1)
    expect(queries(stage) - asked).toBeLessThan(30)
  },
)

it('a longer window makes no history of a day out of one of six hours', async () => {
  const stage = new Stage()
  stage.policy({ metrics: { window: '5m', minHistory: '24h' } })
  const volume = stage.claim({ name: 'young', ageHours: 6 })
  stage.start()
  expect(await stage.until(() => stage.staying()['Young'] === 1)).toBe(true)
  stage.policy({ metrics: { window: '30m', minHistory: '24h' } })
  await stage.clock.advance(2 * HOUR)
  expect(stage.staying()).toEqual({ Young: 1 })
  expect(stage.retypes(volume)).toBe(0)
})

it('time without numbers is no quiet time for retentionDays', async () => {
  const stage = new Stage()
  const [hot, warm, cold] = TIERS
  const kept = { tiers: [{ ...hot, retentionDays: 3 }, warm, cold] }
  stage.policy(kept)
  const volume = stage.claim({ name: 'idle', ageHours: 96 })
  const [from, to] = [stage.clock.now() - 72 * HOUR, stage.clock.now() - 24 * HOUR]
  stage.start({
    gate: (request, send) => {
      const at = Number(new URLSearchParams(request.body).get('time')) * 1000
      const isGap = request.url.startsWith('http://prometheus.sim') && at > from && at <= to
      return isGap ? Promise.resolve(NOTHING) : send()
    },
  })
  expect(await stage.until(() => stage.staying()['Retention'] === 1)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
})

const EMPTY = JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } })
const NOTHING: HttpResponse = {
  status: 200,
  headers: { 'content-type': 'application/json' },
  text: () => Promise.resolve(EMPTY),
  chunks: () => ReadableStream.from([EMPTY]),
}

it.each<[string, string, RegExp, string[]]>([
  ['a checkpoint', '/tiered-0', /restart would read history again.*webhook denied/, ['idle']],
  ['the ledger of moves', '/moves-in-flight', /no move starts.*webhook denied/, []],
])('%s that the API server refuses is shown and counted until it is written', async (...row) => {
  const [, path, why, moved] = row
  const stage = new Stage()
  stage.policy({ ...SPEC, metrics: { window: '30m' } })
  stage.claim({ name: 'idle' })
  const registry = createRegistry()
  const net = network()
  const refuse = () => answer(403, 'admission webhook denied the request')
  net.on(`PATCH /tieringcheckpoints${path}`, refuse)
  if (path === '/moves-in-flight')
    net.on('POST /tieringcheckpoints', (request) =>
      request.body?.includes('moves-in-flight') === true ? refuse() : undefined,
    )
  stage.start({ registry, gate: net.gate })
  const shown = async () =>
    /^couchestor_writes_refused.resource="tieringcheckpoints". (.*)$/m.exec(
      await registry.metrics(),
    )?.[1]
  await stage.clock.advance(2 * HOUR)
  expect(await shown()).toBe('1')
  expect(stage.condition('Ready')?.message).toMatch(why)
  expect(
    stage.moves().flatMap((m) => (m.status?.step === 'Succeeded' ? m.spec.claim.name : [])),
  ).toEqual(moved)
  net.clear()
  await stage.clock.advance(HOUR)
  expect(await shown()).toBe('0')
  expect(stage.condition('Ready')?.message).not.toMatch(why)
})

it('a policy whose checkpoint is refused again and again has an event, and none is counted once it is deleted', async () => {
  const stage = new Stage()
  stage.policy({ ...SPEC, metrics: { window: '30m' } })
  stage.claim({ name: 'idle', iops: 3000 })
  const registry = createRegistry()
  const net = network()
  net.on('PATCH /tieringcheckpoints/tiered', () => answer(403, 'webhook denied'))
  stage.start({ registry, gate: net.gate })
  await stage.clock.advance(3 * HOUR)
  expect(stage.events('tiered')).toContain('WriteRefused')
  await stage.remove(`${GROUP}/storagepolicies/tiered`)
  await stage.clock.advance(HOUR)
  expect(await registry.metrics()).toContain(
    'couchestor_writes_refused{resource="tieringcheckpoints"} 0',
  )
})

it.each(['tiered-0', 'tiered.shadow'])(
  '%s is tried again less and less often while it cannot be written',
  async (name) => {
    const stage = new Stage()
    stage.policy()
    for (let i = 0; i < 3; i++) stage.claim({ name: `data-${i}`, iops: 3000 })
    const net = network()
    const path = `PATCH /tieringcheckpoints/${name}`
    net.on(path, () => answer(500, 'etcdserver: request timed out'))
    stage.start({ gate: net.gate })
    await stage.clock.advance(10 * MINUTE)
    const before = net.count(path)
    for (let i = 0; i < 60; i++) {
      // a newcomer makes a pass over all claims
      stage.claim({ name: `new-${i}`, iops: 3000 })
      await stage.clock.advance(MINUTE)
    }
    // a dozen tries of several requests; every pass used to try
    expect(net.count(path) - before).toBeLessThan(120)
  },
)
