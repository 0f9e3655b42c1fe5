import { describe, expect, it } from 'vitest'
import { HOUR, Stage } from './stage.ts'

const TIERS = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]
const SPEC = { tiers: TIERS, metrics: { window: '6h' }, migration: { cooldownPeriod: '0s' } }

describe('a budget', () => {
  it('lets demotions pay for promotions, and never lets the fleet cost more than it says', async () => {
    const stage = new Stage()
    // 3 x 0.9 on cold, 2 x 2.5 on hot; each promotion costs 1.6 more, each demotion saves 1.6
    stage.policy({ ...SPEC, budget: { maxMonthlyCost: 8 } })
    const up = [1, 2, 3].map((i) =>
      stage.claim({ name: `up${i}`, tier: 'cold', sizeGiB: 20, iops: 5000 }),
    )
    const down = [1, 2].map((i) =>
      stage.claim({ name: `down${i}`, tier: 'hot', sizeGiB: 20, iops: 1 }),
    )
    const cost = () =>
      [...up, ...down].reduce(
        (sum, v) => sum + 20 * (TIERS.find((t) => t.name === stage.tier(v))?.costPerGiBMonth ?? 0),
        0,
      )
    const running = stage.start()
    let most = 0
    const settled = () => {
      most = Math.max(most, cost())
      return (
        down.every((v) => stage.tier(v) === 'cold') &&
        up.filter((v) => stage.tier(v) === 'hot').length === 2
      )
    }
    expect(await stage.until(settled, 20 * HOUR, 10_000)).toBe(true)
    await stage.until(() => (settled(), false), 8 * HOUR, 10_000)
    expect(most).toBeLessThanOrEqual(8)
    expect(up.filter((v) => stage.tier(v) === 'hot')).toHaveLength(2)
    expect(stage.condition('WithinBudget')).toMatchObject({ status: 'True' })
    await running.stop()
  }, 180_000)

  it('that is smaller than the cost is reported, and still lets the fleet get cheaper', async () => {
    const stage = new Stage()
    stage.policy({ ...SPEC, budget: { maxMonthlyCost: 1 } })
    const busy = stage.claim({ name: 'busy', tier: 'cold', sizeGiB: 20, iops: 5000 })
    const idle = stage.claim({ name: 'idle', tier: 'hot', sizeGiB: 20, iops: 1 })
    const running = stage.start()
    await stage.until(() => stage.condition('WithinBudget')?.status === 'False', HOUR)
    expect(stage.condition('WithinBudget')?.reason).toBe('OverBudget')
    expect(await stage.until(() => stage.tier(idle) === 'cold', 8 * HOUR)).toBe(true)
    expect(stage.tier(busy)).toBe('cold')
    await running.stop()
  })
})

it('a budget counts a volume that has grown since Cinder was last listed by what Kubernetes shows', async () => {
  const stage = new Stage()
  stage.policy({ ...SPEC, budget: { maxMonthlyCost: 30 } })
  const there = stage.claim({ name: 'there', tier: 'hot', sizeGiB: 20, iops: 5000 })
  const busy = stage.claim({ name: 'busy', tier: 'cold', sizeGiB: 20, iops: 5000 })
  const object = stage.object('/api/v1/persistentvolumes', there.pv)!
  const spec = object['spec'] as object
  stage.world.api.seed({ ...object, spec: { ...spec, capacity: { storage: '400Gi' } } })
  stage.start()
  await stage.clock.advance(10 * 60_000)
  stage.move('by-hand', { claim: { name: 'busy' }, to: 'hot' })
  await stage.clock.advance(HOUR)
  expect(stage.ends('busy')).toContain('Waiting/BudgetLimit')
  expect(stage.retypes(busy)).toBe(0)
})

describe('capacity of a tier', () => {
  it('is never exceeded, also by moves that end between two counts', async () => {
    const stage = new Stage()
    const [hot, ...rest] = TIERS
    const capacity = { maxGiB: 50, headroomPercent: 10 }
    stage.policy({ ...SPEC, tiers: [{ ...hot, capacity }, ...rest] })
    const volumes = [1, 2, 3, 4].map((i) =>
      stage.claim({ name: `v${i}`, tier: 'cold', sizeGiB: 20, iops: 5000 }),
    )
    const onHot = () => volumes.filter((v) => stage.tier(v) === 'hot').length
    const running = stage.start()
    expect(await stage.until(() => onHot() === 2, 4 * HOUR, 10_000)).toBe(true)
    expect(await stage.until(() => onHot() > 2, 14 * HOUR, 10_000)).toBe(false)
    await running.stop()
  }, 180_000)
})
