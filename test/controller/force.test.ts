import { expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

const force = (tier: string) => ({ 'couchestor.io/force-tier': tier })

/** A busy volume on its best tier, and a controller that has settled. */
async function settled(spec: object = {}) {
  const stage = new Stage()
  stage.policy(spec)
  const volume = stage.claim({ name: 'data', iops: 3000 })
  stage.start()
  await stage.until(() => stage.staying()['OnBestTier'] === 1)
  return { stage, volume }
}

it('a forced tier is asked of Cinder at once', async () => {
  const { stage, volume } = await settled()
  stage.annotate('data', force('cold'))
  await stage.clock.advance(250)
  expect(stage.retypes(volume)).toBe(1)
  expect(await stage.until(() => stage.annotation('data', 'tier') === 'cold')).toBe(true)
  expect(stage.events('data')).toEqual(
    expect.arrayContaining(['MigrationPlanned', 'MigrationStarted', 'MigrationSucceeded']),
  )
})

it('people may change their mind again and again, within minutes', async () => {
  const { stage, volume } = await settled()
  for (const tier of ['cold', 'hot', 'cold', 'warm']) {
    stage.annotate('data', force(tier))
    await stage.until(() => stage.tier(volume) === tier, 2 * MINUTE)
    expect(stage.tier(volume)).toBe(tier)
    await stage.until(() => stage.moves('data').every((m) => m.status?.completedAt))
  }
  expect(stage.retypes(volume)).toBe(4)
})

it.each<[string, object, string, string]>([
  ['names no tier of the policy', {}, 'frozen', 'ForceTierUnknown'],
  ['is denied by the policy', { overrides: { forceTier: 'Deny' } }, 'cold', 'ForceTierDenied'],
  ['meets a policy that only observes', { mode: 'Observe' }, 'cold', 'ForceTierObserved'],
  ['meets a policy that is paused', { paused: true }, 'cold', 'MigrationBlocked'],
])(
  'a forced tier that %s moves nothing, and the owner hears of it',
  async (_, spec, tier, event) => {
    const { stage, volume } = await settled(spec)
    stage.annotate('data', force(tier))
    await stage.clock.advance(30 * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.events('data')).toContain(event)
  },
)

it('a forced tier without any policy moves nothing, and the owner hears what is missing', async () => {
  const stage = new Stage()
  const volume = stage.claim({ name: 'data', annotations: force('cold') })
  stage.start()
  await stage.clock.advance(30 * MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.events('data')).toEqual(['ForceTierNoPolicy'])
})

it('a forced claim that waits for its detach asks a namespace that takes no moves with growing pauses', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', node: 'node-1', iops: 5000 })
  let asked = 0
  const accept = stage.world.api.fail({
    match: ({ verb, resource }) => {
      const isMove = verb === 'create' && resource === 'volumemigrations'
      // without pauses they never end, and neither would the test
      return isMove && ++asked < 100
    },
    fault: { kind: 'status', code: 403, message: 'exceeded quota: count/volumemigrations' },
    times: Infinity,
  })
  stage.start()
  stage.annotate('data', { 'couchestor.io/force-tier': 'cold' })
  await stage.clock.advance(2 * HOUR)
  expect(asked).toBeGreaterThan(2)
  expect(asked).toBeLessThan(40)
  expect(stage.events('data')).toContain('WriteRefused')

  accept()
  volume.detach()
  expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR)).toBe(true)
})

it('in mode Approve a forced tier waits for a yes', async () => {
  const { stage, volume } = await settled({ mode: 'Approve' })
  stage.annotate('data', force('cold'))
  expect(await stage.until(() => stage.ends('data')[0] === 'Waiting/AwaitingApproval')).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)

  const [move] = stage.moves('data')
  stage.world.api.seed({ ...move, spec: { ...move?.spec, approved: true } })
  expect(await stage.until(() => stage.tier(volume) === 'cold', MINUTE)).toBe(true)
})

it('when the force has ended the policy decides again, after the cooldown', async () => {
  const { stage, volume } = await settled({ migration: { cooldownPeriod: '2h' } })
  const until = new Date(stage.clock.now() + HOUR).toISOString()
  stage.annotate('data', { ...force('cold'), 'couchestor.io/force-until': until })
  expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)

  await stage.clock.advance(HOUR - 10 * MINUTE)
  expect(stage.tier(volume)).toBe('cold')
  expect(await stage.until(() => stage.tier(volume) === 'hot', 6 * HOUR, MINUTE)).toBe(true)
  const ended = Date.parse(stage.moves('data')[0]?.status?.completedAt ?? '')
  const back = Date.parse(stage.moves('data')[1]?.status?.startedAt ?? '')
  expect(back - ended).toBeGreaterThanOrEqual(2 * HOUR)
})

it('an end of the force that cannot be read moves nothing', async () => {
  const { stage, volume } = await settled()
  stage.annotate('data', { ...force('cold'), 'couchestor.io/force-until': 'tomorrow' })
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
})

const ended = (stage: Stage, tier: string) => ({
  ...force(tier),
  'couchestor.io/force-until': new Date(stage.clock.now() - 48 * HOUR).toISOString(),
})

/** A volume ends on a type that nobody asked for, which halts the moves of all policies. */
async function halted(stage: Stage) {
  const strange = stage.claim({ name: 'strange', sizeGiB: 10 })
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  stage.cloud.killCopies()
  const row = stage.cloud.volume(strange.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(strange.id, 'available')
  await stage.until(() => stage.ends('strange')[0] === 'Failed/Unexplained')
  return strange
}

it('a force that has ended is no way around a halt', async () => {
  const stage = new Stage()
  stage.policy()
  stage.start()
  await halted(stage)
  const volumes = ['cold', 'hot'].map((tier) =>
    stage.claim({ name: `ended-${tier}`, annotations: ended(stage, tier) }),
  )
  const snapshots = volumes.map((v) => stage.cloud.addSnapshot(v.id))
  await stage.clock.advance(2 * HOUR)
  for (const s of snapshots) stage.cloud.removeSnapshot(s.id)
  await stage.clock.advance(HOUR)
  expect(volumes.map((v) => stage.retypes(v))).toEqual([0, 0])
  expect(stage.moves().filter((m) => m.spec.reason === 'Forced')).toEqual([])
})

it('a force that ends while its move waits takes the move back, also where the policy wants the same', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Approve' })
  const until = new Date(stage.clock.now() + 2 * HOUR).toISOString()
  stage.claim({
    name: 'idle',
    annotations: { ...force('cold'), 'couchestor.io/force-until': until },
  })
  stage.start()
  await stage.until(() => stage.ends('idle')[0] === 'Waiting/AwaitingApproval', HOUR)
  expect(stage.moves('idle')[0]?.spec.reason).toBe('Forced')
  await stage.clock.advance(3 * HOUR)
  expect(stage.ends('idle')[0]).toBe('Failed/NoLongerWanted')
  expect(
    stage
      .moves('idle')
      .slice(1)
      .map((m) => m.spec.reason),
  ).not.toContain('Forced')
})

it.each<[string, object, (stage: Stage) => Record<string, string>]>([
  ['has ended', {}, (stage) => ended(stage, 'hot')],
  ['the policy denies', { overrides: { forceTier: 'Deny' } }, () => force('hot')],
  ['the policy denies and does not know', { overrides: { forceTier: 'Deny' } }, () => force('x')],
])(
  'a force that %s leaves the plan of the policy alone, window after window',
  async (_, spec, annotations) => {
    const stage = new Stage()
    stage.policy({ mode: 'Approve', ...spec })
    stage.claim({ name: 'idle', annotations: annotations(stage) })
    stage.start()
    await stage.until(() => stage.ends('idle')[0] === 'Waiting/AwaitingApproval', HOUR)
    await stage.clock.advance(4 * HOUR)
    expect(stage.ends('idle')).toEqual(['Waiting/AwaitingApproval'])
    expect(stage.moves('idle')[0]?.spec).toMatchObject({ to: 'cold', reason: 'Policy' })
  },
)

it('a force that the policy denies neither holds the volume nor starts a cooldown', async () => {
  const stage = new Stage()
  stage.policy({ overrides: { forceTier: 'Deny' }, migration: { cooldownPeriod: '168h' } })
  const held = stage.claim({ name: 'held', annotations: force('hot') })
  const over = stage.claim({ name: 'over', annotations: ended(stage, 'hot') })
  stage.start()
  const both = () => [held, over].every((v) => stage.tier(v) === 'cold')
  expect(await stage.until(both, 2 * HOUR)).toBe(true)
  expect(stage.events('held')).toContain('ForceTierDenied')
})

it('the owner hears what blocks the policy, although a force that has ended is still written there', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle', annotations: ended(stage, 'hot') })
  stage.cloud.addSnapshot(volume.id)
  stage.start()
  await stage.until(() => stage.events('idle').includes('MigrationBlocked'), 2 * HOUR)
  expect(stage.events('idle')).toContain('MigrationBlocked')
  expect(stage.moves('idle')).toEqual([])
})

it('an outcome that nothing explains halts until a person deletes it, however long that takes', async () => {
  const stage = new Stage()
  stage.policy()
  const first = stage.start({ timing: { keepMs: HOUR } })
  await halted(stage)
  await stage.clock.advance(2 * HOUR)
  expect(stage.ends('strange')).toEqual(['Failed/Unexplained'])
  await first.stop()

  stage.start({ identity: 'second' })
  const other = stage.claim({ name: 'other' })
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(other)).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Halted' })
})

it('an object that claims to be forced is not, where no annotation asks for it', async () => {
  const stage = new Stage()
  stage.policy({ migration: { schedule: '0 3 * * *', slotDuration: '1h' } })
  const volume = stage.claim({ name: 'idle' })
  stage.start()
  await stage.until(() => stage.staying()['OutsideSchedule'] === 1, HOUR)
  stage.move('forged', { claim: { name: 'idle' }, to: 'cold', reason: 'Forced' })
  await stage.clock.advance(10 * MINUTE)
  expect(stage.ends('idle')).toEqual(['Failed/NoLongerWanted'])
  expect(stage.retypes(volume)).toBe(0)
})
