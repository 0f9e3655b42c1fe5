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

it('a person may change his mind again and again, within minutes', async () => {
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
