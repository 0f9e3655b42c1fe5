import { expect, it } from 'vitest'
import { createRegistry } from '../../src/metrics.ts'
import type { Registry } from '../../src/metrics.ts'
import { HOUR, Stage } from './stage.ts'

const DAY = 24 * HOUR
const TIERS = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]
const SPEC = { tiers: TIERS, metrics: { window: '6h' } }

async function cost(registry: Registry, strategy: string): Promise<number> {
  const metric = await registry.getSingleMetric('couchestor_shadow_cost_total')?.get()
  return metric?.values.find((v) => v.labels['strategy'] === strategy)?.value ?? NaN
}

it('shows what a policy has cost beside what doing nothing would have', async () => {
  const stage = new Stage()
  stage.policy(SPEC)
  const volume = stage.claim({ name: 'idle', sizeGiB: 100 })
  const registry = createRegistry()
  const running = stage.start({ registry })
  await stage.until(() => stage.tier(volume) === 'cold', HOUR)
  expect(stage.condition('Worthwhile')).toMatchObject({ status: 'Unknown', reason: 'TooEarly' })
  await stage.clock.advance(2 * DAY)
  const [policy, stay, hot] = await Promise.all(
    ['policy', 'stay', 'all_hot'].map((s) => cost(registry, s)),
  )
  expect(stay).toBeCloseTo(hot!, 9)
  // two days at 45 of 125, and a move that costs a day of the difference
  expect(policy! / stay!).toBeCloseTo((0.045 * 2 + 0.08) / (0.125 * 2), 1)
  await running.stop()
}, 180_000)

it('goes on counting where the last leader stopped', async () => {
  const stage = new Stage()
  stage.policy(SPEC)
  stage.claim({ name: 'idle', sizeGiB: 100 })
  const before = createRegistry()
  const first = stage.start({ registry: before })
  await stage.clock.advance(2 * DAY)
  await first.stop()
  const after = createRegistry()
  const second = stage.start({ identity: 'second', registry: after })
  await stage.clock.advance(30_000)
  for (const strategy of ['policy', 'stay', 'all_hot'])
    expect(await cost(after, strategy)).toBeCloseTo(await cost(before, strategy), 9)
  await second.stop()
}, 180_000)

it('warns when for a week it would have been cheaper to leave things alone', async () => {
  const stage = new Stage()
  // the load follows each move: quiet while on a fast tier, busy while on a slow one
  let iops = 1
  stage.policy({
    tiers: TIERS,
    metrics: { window: '1h', minHistory: '1h' },
    migration: { cooldownPeriod: '0s' },
  })
  const volume = stage.claim({ name: 'adversary', sizeGiB: 100, iops: () => iops, ageHours: 24 })
  const registry = createRegistry()
  const running = stage.start({ registry })
  const follow = () => {
    iops = stage.tier(volume) === 'hot' ? 1 : 50_000
    return stage.condition('Worthwhile')?.status === 'False'
  }
  expect(await stage.until(follow, 12 * DAY, HOUR / 4)).toBe(true)
  expect(stage.condition('Worthwhile')?.reason).toMatch(/^DearerThan/)
  const errors = await registry.getSingleMetric('couchestor_prediction_error_ratio')?.get()
  const count = errors?.values.find(
    (v) => 'metricName' in v && String(v.metricName).endsWith('_count'),
  )
  expect(count?.value).toBeGreaterThan(0)
  await running.stop()
}, 300_000)
