import { expect, it } from 'vitest'
import type { PrometheusFault } from '../../src/sim/prometheus/prometheus.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** Reads like a Prometheus whose every series is `value`. */
function answering(value: string): PrometheusFault {
  const sample = { metric: { volume_id: 'nobody' }, value: [1, value] }
  const body = JSON.stringify({
    status: 'success',
    data: { resultType: 'vector', result: [sample] },
  })
  return { kind: 'answer', status: 200, body, headers: { 'content-type': 'application/json' } }
}

it.each<[string, PrometheusFault]>([
  ['without any series', { kind: 'empty' }],
  ['with partial answers', { kind: 'partial' }],
  ['with partial answers reported the other way', { kind: 'is-partial' }],
  ['that answers NaN', answering('NaN')],
  ['that answers nonsense', { kind: 'answer', status: 200, body: '<html>' }],
  ['that is down', { kind: 'down', failure: 'refused' }],
  ['that is not ready', { kind: 'not-ready' }],
])('a source %s moves nothing', async (_, fault) => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  stage.world.prometheus.seams.setFault(fault)
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.moves()).toEqual([])
  expect(stage.retypes(volume)).toBe(0)
})

it('an attached volume without series stays and its owner hears why', async () => {
  const stage = new Stage()
  stage.policy({ migration: { attached: 'Allow' } })
  const volume = stage.claim({ name: 'unseen', iops: undefined, node: 'node-1' })
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ NoData: 1 })
  expect(stage.events('unseen')).toContain('NoData')
})

it('a volume whose usage is known is never reported as without data, not even right after a restart', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'busy', iops: 3000 })
  const first = stage.start()
  await stage.clock.advance(10 * MINUTE)
  await first.stop()
  // no new window ends before the next half hour
  stage.start({ identity: 'second' })
  await stage.clock.advance(2 * MINUTE)
  expect(stage.staying()).toEqual({ OnBestTier: 1 })
  expect(stage.condition('MetricsHealthy')).toMatchObject({ status: 'True', reason: 'Healthy' })
  expect(stage.events('busy')).toEqual([])
})

it('when Prometheus comes back, what it missed is read and the idle volume moves', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle' })
  stage.world.prometheus.seams.setFault({ kind: 'down' })
  stage.start()
  await stage.until(() => stage.condition('MetricsHealthy')?.reason === 'SourceDown', HOUR)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'MetricsDown' })
  expect(stage.tier(volume)).toBe('hot')

  stage.world.prometheus.seams.setFault(undefined)
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  expect(await stage.until(() => stage.condition('Ready')?.status === 'True')).toBe(true)
})

it('a restart goes on from the checkpoint and asks for what is missing, not for two weeks again', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'busy', iops: 3000 })
  const { queries } = stage.world.prometheus.seams
  const first = stage.start()
  await stage.clock.advance(40 * MINUTE)
  expect(queries.length).toBeGreaterThan(5 * 4)
  await first.stop()
  const before = queries.length

  await stage.clock.advance(2 * HOUR)
  const second = stage.start({ identity: 'second' })
  await stage.until(() => second.controller.ready().why === 'leading')
  await stage.clock.advance(MINUTE)
  // four windows were missed, and the newest one known is asked once more
  expect(queries.length - before).toBeLessThanOrEqual(5 * 4)
  expect(stage.staying()).toEqual({ OnBestTier: 1 })
})

it('ten policies ask no more than one', async () => {
  const queriesWith = async (policies: number) => {
    const stage = new Stage()
    for (let i = 0; i < policies; i++) {
      stage.policy({ selector: { matchLabels: { owner: `o${i}` } } }, `policy-${i}`)
      stage.claim({ name: `data-${i}`, iops: 3000, labels: { owner: `o${i}` }, ageHours: 12 })
    }
    stage.start()
    await stage.clock.advance(20 * MINUTE)
    const history = stage.world.prometheus.seams.queries.length
    await stage.clock.advance(3 * HOUR)
    return stage.world.prometheus.seams.queries.length - history
  }
  expect(await queriesWith(10)).toBe(await queriesWith(1))
})

it('a detached volume is known as one right after a restart', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  stage.claim({ name: 'resting', iops: undefined })
  const first = stage.start()
  expect(await stage.until(() => stage.staying()['OnBestTier'] === 1, 4 * HOUR, 5 * MINUTE)).toBe(
    true,
  )
  await first.stop()
  stage.start({ identity: 'second' })
  await stage.clock.advance(2 * MINUTE)
  expect(stage.staying()).toEqual({ OnBestTier: 1 })
})

it('a volume detached a moment before a restart is no detached one yet', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Observe' })
  const volume = stage.claim({ name: 'resting', iops: undefined, node: 'node-1' })
  const first = stage.start()
  await stage.clock.advance(HOUR)
  await first.stop()
  volume.detach()
  stage.start({ identity: 'second' })
  await stage.clock.advance(50 * MINUTE)
  expect(stage.staying()).toEqual({ NoData: 1 })
})

it('a policy without claims is Ready, and reads the history of the first one that comes', async () => {
  const stage = new Stage()
  stage.policy()
  stage.start()
  expect(await stage.until(() => stage.condition('Ready')?.status === 'True', 2 * MINUTE)).toBe(
    true,
  )
  const idle = stage.claim({ name: 'idle' })
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR)).toBe(true)
})
