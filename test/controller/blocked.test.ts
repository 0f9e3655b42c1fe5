import { expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

it('a snapshot blocks the move, the owner hears how to solve it, and the move runs in the gap', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  const snapshot = stage.cloud.addSnapshot(volume.id, 'nightly')
  stage.start()
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ Snapshots: 1 })
  expect(stage.policyStatus().blockedPercent).toBe(100)
  expect(stage.events('idle')).toContain('MigrationBlocked')

  stage.cloud.removeSnapshot(snapshot.id)
  expect(await stage.until(() => stage.tier(volume) === 'cold', 10 * MINUTE)).toBe(true)
})

it('an attached volume waits where that is not proven safe, and moves at its next detach', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle', node: 'node-1' })
  stage.cloud.write(volume.id, 'precious')
  stage.start()
  await stage.clock.advance(3 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ Attached: 1 })

  volume.detach()
  expect(await stage.until(() => stage.tier(volume) === 'cold', 5 * MINUTE)).toBe(true)
  expect(stage.cloud.data(volume.id)).toBe('precious')
})

it('attached: Allow moves an attached volume', async () => {
  const stage = new Stage({ cloud: { migration: { attached: 'nova' } } })
  stage.policy({ migration: { attached: 'Allow' } })
  const volume = stage.claim({ name: 'idle', node: 'node-1' })
  stage.cloud.write(volume.id, 'precious')
  stage.start()
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified')).toBe(true)
  expect(stage.tier(volume)).toBe('cold')
  stage.cloud.write(volume.id, 'written after the move')
  expect(stage.cloud.data(volume.id)).toBe('written after the move')
})

it('attached: Never keeps even what would be safe', async () => {
  const stage = new Stage({ cloud: { migration: { attached: 'nova' }, maxMinor: 71 } })
  stage.policy({ migration: { attached: 'Never' } })
  const volume = stage.claim({ name: 'idle', node: 'node-1' })
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
})

it.each<[string, object, Record<string, string>, string]>([
  ['the policy is paused', { paused: true }, {}, 'PolicyPaused'],
  ['the claim is paused', {}, { 'couchestor.io/paused': 'true' }, 'Paused'],
  ['the claim is paused for demotion', {}, { 'couchestor.io/paused': 'demotion' }, 'Paused'],
  ['the pause cannot be read', {}, { 'couchestor.io/paused': 'yes please' }, 'Paused'],
  ['the policy only observes', { mode: 'Observe' }, {}, 'Observe'],
])('nothing moves while %s', async (_, spec, annotations, reason) => {
  const stage = new Stage()
  stage.policy(spec)
  const volume = stage.claim({ name: 'idle', annotations })
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ [reason]: 1 })
})

it('a claim that is paused for promotion still goes down', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle', annotations: { 'couchestor.io/paused': 'promotion' } })
  stage.start()
  expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)
})

it('migration.paused in config.yaml stops every move, forced ones too', async () => {
  const stage = new Stage()
  stage.policy()
  const volumes = [
    stage.claim({ name: 'idle' }),
    stage.claim({ name: 'forced', annotations: { 'couchestor.io/force-tier': 'cold' } }),
  ]
  stage.start({ configYaml: 'migration:\n  paused: true\n' })
  await stage.clock.advance(2 * HOUR)
  expect(volumes.map((v) => stage.retypes(v))).toEqual([0, 0])
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Stopped' })
})

it('moves start only while the schedule is open', async () => {
  // Tuesday 10:07; the slot opens at 22:00 for two hours
  const stage = new Stage()
  stage.policy({ migration: { schedule: '0 22 * * *', slotDuration: '2h' } })
  const volume = stage.claim({ name: 'idle' })
  stage.start()
  await stage.clock.advance(11 * HOUR + 50 * MINUTE)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ OutsideSchedule: 1 })
  expect(await stage.until(() => stage.tier(volume) === 'cold', 30 * MINUTE)).toBe(true)
  expect(new Date(stage.clock.now()).getUTCHours()).toBe(22)
})
