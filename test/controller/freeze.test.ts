import { expect, it } from 'vitest'
import type { WorldVolume } from '../../src/sim/world.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const SPEC = { mode: 'Observe', migration: { attached: 'Allow' } }

/** Attached volumes, and one that the policy wants further down. */
function fleet(count: number) {
  const stage = new Stage()
  stage.policy(SPEC)
  const volumes = Array.from({ length: count }, (_, i) =>
    stage.claim({ name: `busy-${i}`, iops: 3000, node: `node-${i}` }),
  )
  stage.claim({ name: 'idle', node: 'node-idle' })
  return { stage, volumes }
}

const frozen = (stage: Stage) => stage.condition('MetricsHealthy')?.reason === 'CoverageDropped'

/** The half of them that the test does something to. */
function half(volumes: readonly WorldVolume[]): readonly WorldVolume[] {
  return volumes.slice(0, volumes.length / 2)
}

async function everFrozen(stage: Stage, ms: number): Promise<boolean> {
  return stage.until(() => frozen(stage), ms, 5 * MINUTE)
}

it('half of the attached volumes without numbers freeze demotion, and a restart forgets nothing', async () => {
  const { stage, volumes } = fleet(6)
  const first = stage.start()
  await stage.until(() => stage.staying()['Observe'] === 1)
  for (const v of half(volumes)) v.lose()
  expect(await stage.until(() => frozen(stage), 2 * HOUR, MINUTE)).toBe(true)
  expect(stage.staying()).toMatchObject({ DemotionFrozen: 1 })
  await first.stop()

  const second = stage.start({ identity: 'second' })
  await stage.clock.advance(2 * MINUTE)
  expect(frozen(stage)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.staying()).toMatchObject({ DemotionFrozen: 1 })
  await second.stop()

  for (const v of half(volumes)) v.lose(false)
  stage.start({ identity: 'third' })
  expect(await stage.until(() => !frozen(stage), 2 * HOUR, MINUTE)).toBe(true)
})

it('a fleet of which half is scaled down is not frozen', async () => {
  const { stage, volumes } = fleet(6)
  stage.start()
  await stage.until(() => stage.staying()['Observe'] === 1)
  for (const v of half(volumes)) {
    v.lose()
    v.detach()
  }
  expect(await everFrozen(stage, 3 * HOUR)).toBe(false)
  expect(stage.staying()).toMatchObject({ Observe: 1 })
})

it('a fleet of which half is deleted is not frozen', async () => {
  const { stage, volumes } = fleet(6)
  stage.start()
  await stage.until(() => stage.staying()['Observe'] === 1)
  for (const [i, v] of half(volumes).entries()) {
    v.lose()
    await stage.remove(`/api/v1/namespaces/default/persistentvolumeclaims/busy-${i}`)
  }
  expect(await everFrozen(stage, 2 * HOUR)).toBe(false)
})

it('a new claim among many detached volumes freezes nothing', async () => {
  const stage = new Stage()
  stage.policy(SPEC)
  for (let i = 0; i < 5; i++) stage.claim({ name: `resting-${i}`, iops: undefined })
  stage.claim({ name: 'idle', node: 'node-idle' })
  stage.start()
  await stage.clock.advance(3 * HOUR)
  stage.claim({ name: 'new', ageHours: 0, node: 'node-new' })
  expect(await everFrozen(stage, HOUR)).toBe(false)
})

it('new claims that nobody scrapes freeze nothing', async () => {
  const { stage } = fleet(2)
  stage.start()
  await stage.until(() => stage.staying()['Observe'] === 1)
  for (let i = 0; i < 6; i++)
    stage.claim({ name: `new-${i}`, ageHours: 0, iops: undefined, node: `new-${i}` })
  expect(await everFrozen(stage, 2 * HOUR)).toBe(false)
  expect(stage.staying()).toMatchObject({ Observe: 1, NoData: 6 })
})
