import { randomUUID } from 'node:crypto'
import { expect, it } from 'vitest'
import type { PolledDisk } from '../../src/sim/gnocchi/store.ts'
import type { WorldVolume } from '../../src/sim/world.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const DAY = 24 * HOUR
const SPEC = { metrics: { source: 'Gnocchi' }, migration: { attached: 'Allow' } }

/** A cloud that swaps attached volumes safely, and volumes attached for three days, polled by Ceilometer alone. */
class Polled extends Stage {
  constructor() {
    super({ cloud: { migration: { attached: 'nova' } } })
  }

  /** `disk` undefined = attached, but unknown to Gnocchi. */
  attached(name: string, disk: Pick<PolledDisk, 'iops'> & Partial<PolledDisk>): WorldVolume
  attached(name: string): WorldVolume
  attached(name: string, disk?: Pick<PolledDisk, 'iops'> & Partial<PolledDisk>): WorldVolume {
    const volume = this.claim({ name, iops: undefined })
    const serverId = randomUUID()
    this.cloud.attach(volume.id, serverId, '/dev/vdb')
    if (disk !== undefined) this.cloud.pollDisk({ serverId, device: 'vdb', ...disk })
    return volume
  }

  questions(): number {
    return this.cloud.journal().filter((e) => e.service === 'gnocchi').length
  }
}

function polled(spec: object = SPEC): Polled {
  const stage = new Polled()
  stage.policy(spec)
  return stage
}

it('moves an idle attached volume by the counters of Gnocchi alone, and leaves a busy one', async () => {
  const stage = polled()
  const idle = stage.attached('idle', { iops: 1 })
  const busy = stage.attached('busy', { iops: 3000 })
  await stage.clock.advance(3 * DAY)
  stage.world.prometheus.seams.setFault({ kind: 'down', failure: 'refused' })
  stage.start()
  expect(await stage.until(() => stage.tier(idle) === 'cold', 2 * HOUR)).toBe(true)
  expect(stage.tier(busy)).toBe('hot')
  expect(stage.retypes(busy)).toBe(0)
  expect(stage.condition('MetricsHealthy')).toMatchObject({ status: 'True', reason: 'Healthy' })
})

it.each<[string, Partial<PolledDisk> | undefined, RegExp, why?: RegExp]>([
  ['without a disk in Gnocchi', undefined, /disk .*-vdb: it has none of that name/],
  [
    'whose metrics keep other granularities',
    { archivePolicy: 'high' },
    /do not keep a granularity of 300 s; set gnocchi.granularity/,
  ],
  [
    'most of whose polls are lost',
    { lost: (at) => at % 1500 !== 0 },
    /1 of 2 attached/,
    /two successive/,
  ],
])('holds a volume %s, and says so', async (_, disk, message, why = message) => {
  const stage = polled()
  const volume =
    disk === undefined ? stage.attached('odd') : stage.attached('odd', { iops: 1, ...disk })
  // so that the fleet's polling interval is known
  stage.attached('busy', { iops: 3000 })
  await stage.clock.advance(3 * DAY)
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(volume)).toBe(0)
  expect(stage.staying()).toEqual({ NoData: 1, OnBestTier: 1 })
  expect(stage.condition('MetricsHealthy')?.message).toMatch(message)
  const event = stage.world.api
    .objects('/api/v1/events')
    .find((e) => (e as { involvedObject?: { name?: string } }).involvedObject?.name === 'odd')
  expect(event).toMatchObject({ reason: 'NoData', message: expect.stringMatching(why) as string })
})

it('holds all while Gnocchi is down, says so, and moves what it missed when it is back', async () => {
  const stage = polled()
  const idle = stage.attached('idle', { iops: 1 })
  await stage.clock.advance(3 * DAY)
  stage.cloud.setDown('gnocchi', true)
  stage.start()
  await stage.clock.advance(2 * HOUR)
  expect(stage.retypes(idle)).toBe(0)
  expect(stage.condition('MetricsHealthy')).toMatchObject({ status: 'False', reason: 'SourceDown' })
  expect(stage.condition('MetricsHealthy')?.message).toMatch(/^Gnocchi: aggregates got no answer/)
  stage.cloud.setDown('gnocchi', false)
  expect(await stage.until(() => stage.tier(idle) === 'cold', HOUR)).toBe(true)
  expect(stage.condition('MetricsHealthy')?.status).toBe('True')
})

it('says so when Gnocchi goes away later on, moves nothing, and recovers', async () => {
  const stage = polled()
  const volume = stage.attached('busy', { iops: 3000 })
  const healthy = () => stage.condition('MetricsHealthy')?.status
  await stage.clock.advance(DAY)
  stage.start()
  expect(await stage.until(() => healthy() === 'True', HOUR, MINUTE)).toBe(true)
  stage.cloud.setDown('gnocchi', true)
  expect(await stage.until(() => healthy() === 'False', HOUR, MINUTE)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
  stage.cloud.setDown('gnocchi', false)
  expect(await stage.until(() => healthy() === 'True', HOUR, MINUTE)).toBe(true)
})

it('goes on when its token has expired or Gnocchi is busy for a moment', async () => {
  const stage = polled()
  const idle = stage.attached('idle', { iops: 1 })
  await stage.clock.advance(3 * DAY)
  stage.start({ identity: 'first' })
  await stage.until(() => stage.questions() > 0)
  stage.cloud.expireTokens()
  stage.cloud.addFault({ service: 'gnocchi', action: { kind: 'status', status: 503 }, times: 2 })
  expect(await stage.until(() => stage.tier(idle) === 'cold', 2 * HOUR)).toBe(true)
})

it('measures each policy by the source that it names, and one that is down holds the other up in nothing', async () => {
  const stage = polled()
  stage.policy({ selector: { matchLabels: { by: 'prometheus' } } }, 'scraped')
  const byGnocchi = stage.attached('polled', { iops: 1 })
  const byPrometheus = stage.claim({ name: 'scraped', labels: { by: 'prometheus' }, iops: 1 })
  await stage.clock.advance(3 * DAY)
  stage.cloud.setDown('gnocchi', true)
  stage.start()
  expect(await stage.until(() => stage.tier(byPrometheus) === 'cold', 2 * HOUR)).toBe(true)
  expect(stage.condition('MetricsHealthy', 'scraped')?.status).toBe('True')
  expect(stage.condition('MetricsHealthy', 'scraped')?.message).toContain('from Prometheus')
  expect(stage.condition('MetricsHealthy')?.status).toBe('False')
  expect(stage.retypes(byGnocchi)).toBe(0)
})

it('never answers a policy by the numbers of the source of another', async () => {
  const stage = polled()
  stage.policy({ ...SPEC, metrics: {}, selector: { matchLabels: { by: 'prometheus' } } }, 'scraped')
  stage.attached('polled', { iops: 3000 })
  stage.claim({ name: 'scraped', labels: { by: 'prometheus' }, iops: 3000, node: 'n1' })
  await stage.clock.advance(DAY)
  stage.start()
  await stage.clock.advance(3 * HOUR)
  const reported = ['tiered', 'scraped'].map((p) => stage.condition('MetricsHealthy', p)?.message)
  expect(reported).toEqual([
    '1 of 1 attached volumes have usage numbers from Gnocchi',
    '1 of 1 attached volumes have usage numbers from Prometheus',
  ])
})

it('reads the whole history of a policy that comes right after another was measured', async () => {
  const stage = polled()
  stage.attached('busy', { iops: 3000 })
  const late = stage.claim({ name: 'late', labels: { by: 'second' }, iops: undefined })
  const serverId = randomUUID()
  stage.cloud.attach(late.id, serverId, '/dev/vdb')
  stage.cloud.pollDisk({ serverId, device: 'vdb', iops: 1 })
  await stage.clock.advance(3 * DAY)
  stage.start()
  await stage.clock.advance(2 * HOUR)
  const before = stage.questions()
  await stage.until(() => stage.questions() > before, HOUR)
  stage.policy({ ...SPEC, selector: { matchLabels: { by: 'second' } } }, 'second')
  expect(await stage.until(() => stage.tier(late) === 'cold', 15 * MINUTE)).toBe(true)
})

it('a Gnocchi that never answers is waited for once, not once per policy', async () => {
  const stage = polled()
  for (const name of ['second', 'third', 'fourth'])
    stage.policy({ ...SPEC, selector: { matchLabels: { by: name } } }, name)
  for (const by of ['second', 'third', 'fourth']) {
    const volume = stage.claim({ name: by, labels: { by }, iops: undefined })
    stage.cloud.attach(volume.id, randomUUID(), '/dev/vdb')
  }
  stage.attached('first', { iops: 1 })
  stage.policy({ selector: { matchLabels: { by: 'prometheus' } } }, 'zz-scraped')
  const scraped = stage.claim({ name: 'scraped', labels: { by: 'prometheus' }, iops: 1 })
  await stage.clock.advance(3 * DAY)
  stage.cloud.addFault({ service: 'gnocchi', action: { kind: 'delay', ms: DAY }, times: 1000 })
  stage.start()
  expect(await stage.until(() => stage.retypes(scraped) > 0, 3 * MINUTE)).toBe(true)
  await stage.clock.advance(MINUTE)
  for (const name of ['tiered', 'second', 'third', 'fourth'])
    expect(stage.condition('MetricsHealthy', name)?.message).toBe('Gnocchi: no answer within 60 s')
})

it('asks once per window for all policies, and history by the day', async () => {
  const stage = polled()
  stage.policy({ ...SPEC, selector: { matchLabels: { team: 'b' } } }, 'second')
  stage.attached('busy', { iops: 3000 })
  const other = stage.claim({ name: 'other', labels: { team: 'b' }, iops: undefined })
  const serverId = randomUUID()
  stage.cloud.attach(other.id, serverId, '/dev/vdb')
  stage.cloud.pollDisk({ serverId, device: 'vdb', iops: 3000 })
  await stage.clock.advance(3 * DAY)
  stage.start()
  await stage.clock.advance(15 * MINUTE)
  // a week of history (the claims' age) is 336 windows, for each policy
  expect(stage.questions()).toBeLessThan(30)
  const before = stage.questions()
  await stage.clock.advance(2 * HOUR)
  expect(stage.questions() - before).toBe(4)
})

it.each(['up', 'down'] as const)(
  'reports at once how the new source does, when a policy is given another one that is %s',
  async (how) => {
    const stage = polled({ ...SPEC, metrics: { source: 'Gnocchi', window: '1h' } })
    const busy = stage.attached('busy', { iops: 3000 })
    await stage.clock.advance(3 * DAY)
    stage.start()
    const health = () => stage.condition('MetricsHealthy')
    expect(await stage.until(() => health()?.status === 'True', HOUR)).toBe(true)
    if (how === 'down') stage.world.prometheus.seams.setFault({ kind: 'down', failure: 'refused' })
    stage.policy({ ...SPEC, metrics: { source: 'Prometheus', window: '1h' } })
    await stage.clock.advance(MINUTE)
    expect(health()).toMatchObject(
      how === 'up'
        ? {
            status: 'False',
            reason: 'CoverageDropped',
            message:
              '0 of 1 attached volumes have usage numbers from Prometheus; demotion is frozen',
          }
        : { status: 'False', reason: 'SourceDown' },
    )
    stage.policy(SPEC)
    await stage.clock.advance(MINUTE)
    expect(health()?.message).toBe('1 of 1 attached volumes have usage numbers from Gnocchi')
    expect(stage.retypes(busy)).toBe(0)
  },
)
