import { describe, expect, it } from 'vitest'
import { PLAN_FLAGS, runPlan } from '../../src/cli/plan/run-plan.ts'
import type { NamespaceCost, Plan, PlanRow } from '../../src/insight/plan/plan.ts'
import { readCommandLine } from '../../src/cli/flags.ts'
import { WORLD_ORIGINS } from '../../src/sim/world.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import { worldWith } from '../harness.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import { HOUR, Stage } from './stage.ts'

const PRICED = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]
const HOURLY = { metrics: { window: '6h' } }

async function planText(stage: Stage, args: readonly string[] = [], config = '') {
  const reader = readerOn(stage.world, stage.clock, config)
  const terminal = recordingTerminal()
  const { flags } = readCommandLine('plan', args, PLAN_FLAGS, { least: 0, most: 0, usage: '' })
  const signal = new AbortController().signal
  await pumped(stage.clock, runPlan(flags, reader.deps, terminal, signal))
  return { text: terminal.text(), sent: reader.sent }
}

async function plan(stage: Stage, args: readonly string[] = [], config = ''): Promise<Plan> {
  return JSON.parse((await planText(stage, [...args, '-o', 'json'], config)).text) as Plan
}

const row = (p: Plan, claim: string) => p.rows.find((r) => r.claim === claim)
const started = (stage: Stage) => stage.moves().filter((m) => m.status?.startedAt !== undefined)

/** A move of long ago, so that the ramp of a new installation is over. */
function succeeded(stage: Stage, i: number): void {
  const at = new Date(stage.clock.now() - 48 * HOUR).toISOString()
  const status = {
    step: 'Succeeded',
    reason: 'Verified',
    sizeGiB: 1,
    startedAt: at,
    completedAt: at,
  }
  stage.move(`earlier-${i}`, { claim: { name: 'another' }, to: 'cold', reason: 'Policy' }, status)
}

describe('couchestor plan', () => {
  it('only reads: lists, gets, queries and the login', async () => {
    const stage = new Stage()
    stage.policy(HOURLY)
    stage.claim({ name: 'idle' })
    const { sent } = await planText(stage)
    const writes = sent.filter((s) => !s.startsWith('GET '))
    expect(sent.length).toBeGreaterThan(10)
    expect(new Set(writes)).toEqual(new Set(['POST /v3/auth/tokens', 'POST /api/v1/query']))
    expect(stage.moves()).toEqual([])
    expect(stage.object('/apis/couchestor.io/v1alpha1/tieringcheckpoints', 'tiered-0')).toBe(
      undefined,
    )
  })

  it('shows for an open move made by hand what that move saves, not what the policy would do', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED })
    stage.claim({ name: 'idle', sizeGiB: 100 })
    stage.move('by-hand', { claim: { name: 'idle' }, to: 'warm' }, { step: 'Waiting' })
    const p = await plan(stage)
    expect(row(p, 'idle')).toMatchObject({
      action: 'open',
      asked: 'Manual',
      to: 'warm',
      monthlySaving: expect.closeTo(4.5, 9) as number,
    })
    expect(p.policies[0]?.wantedMonthlyCost).toBeCloseTo(8, 9)
  })

  it('says that no move starts while the leader cannot write its audit', async () => {
    const stage = new Stage()
    stage.policy(HOURLY)
    stage.claim({ name: 'idle' })
    const message = 'no move starts while the audit cannot be written: ENOSPC'
    const ready = { type: 'Ready', status: 'False', reason: 'AuditUnavailable', message }
    stage.world.api.seed({
      ...stage.object('/apis/couchestor.io/v1alpha1/storagepolicies', 'tiered')!,
      status: { conditions: [ready] },
    })
    expect((await plan(stage)).notices).toContainEqual(
      expect.stringContaining(`policy tiered: ${message}; see docs/`),
    )
  })

  it('counts a move that waits for quota as open, and not as under way', async () => {
    const stage = new Stage()
    stage.policy(HOURLY)
    stage.claim({ name: 'idle' })
    const status = { step: 'Waiting', reason: 'QuotaExhausted' }
    stage.move('by-hand', { claim: { name: 'idle' }, to: 'warm' }, status)
    const { text } = await planText(stage)
    expect(text).toContain('1 claim, 0 would start now, 0 wait, 1 are open, 0 are held')
  })

  it('says that claims are where they belong only of those that it has judged', async () => {
    const stage = new Stage()
    stage.policy(HOURLY)
    stage.claim({ name: 'busy', iops: 5000 })
    stage.claim({ name: 'unseen', iops: undefined, node: 'node-1' })
    const { text } = await planText(stage)
    expect(text).toContain('1 are where they belong, 1 were not judged.')
  })

  it('lets start no more GiB than limits.maxGiBPerSlot allows', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, limits: { maxGiBPerSlot: 15 }, migration: { maxConcurrent: 10 } })
    for (const i of [1, 2]) stage.claim({ name: `idle-${i}`, sizeGiB: 10 })
    for (let i = 0; i < 10; i++) succeeded(stage, i)
    const p = await plan(stage, [], 'migration:\n  concurrent_migrations: 10\n')
    const open = p.rows.filter((r) => r.claim.startsWith('idle'))
    expect(open.map((r) => r.action).toSorted()).toEqual(['next', 'wait'])
    expect(open.find((r) => r.action === 'wait')?.reason).toBe('SlotLimit')
  })

  it('ranks what would move by what it is worth, before any controller has ever run', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED })
    stage.claim({ name: 'small', sizeGiB: 1 })
    stage.claim({ name: 'large', sizeGiB: 100 })
    stage.claim({ name: 'busy', iops: 5000 })
    const p = await plan(stage)
    expect(row(p, 'large')).toMatchObject({
      action: 'next',
      order: 1,
      from: 'hot',
      to: 'cold',
      monthlySaving: expect.closeTo(8, 9) as number,
    })
    expect(row(p, 'small')).toMatchObject({ action: 'wait', order: 2, reason: 'Ramp' })
    expect(row(p, 'busy')).toMatchObject({ action: 'stay', order: null, reason: 'OnBestTier' })
    expect(p.policies[0]).toMatchObject({
      monthlyCost: expect.closeTo(12.75, 9) as number,
      wantedMonthlyCost: expect.closeTo(12.75 - 8.08, 9) as number,
    })
  })

  it('names first what the controller then moves first, whatever the fleet', async () => {
    for (const seed of [1, 2, 3, 4]) {
      const stage = new Stage()
      stage.policy({ ...HOURLY, tiers: PRICED })
      for (let i = 0; i < 8; i++)
        stage.claim({
          name: `v${i}`,
          sizeGiB: 1 + ((i * 37 * seed) % 50),
          tier: ['hot', 'warm', 'cold'][(i + seed) % 3]!,
          iops: [1, 300, 5000, 40][(i * seed) % 4]!,
        })
      const before = await plan(stage)
      const running = stage.start()
      await stage.until(() => started(stage).length > 0, HOUR)
      const first = started(stage)[0]
      const next = before.rows.find((r) => r.action === 'next')
      expect(`${first?.spec.claim.name} ${first?.spec.to}`, `seed ${seed}`).toBe(
        `${next?.claim} ${next?.to}`,
      )
      await running.stop()
    }
  }, 120_000)

  it('agrees with the controller that runs, from the checkpoints it has saved', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, mode: 'Observe', tiers: PRICED })
    stage.claim({ name: 'idle' })
    stage.claim({ name: 'busy', tier: 'cold', iops: 5000 })
    stage.claim({ name: 'right', tier: 'warm', iops: 300 })
    const running = stage.start()
    await stage.until(() => stage.staying()['Observe'] === 2, HOUR)
    const { sent } = await planText(stage)
    const p = await plan(stage)
    const counts = Object.fromEntries(
      [...Map.groupBy(p.rows, (r: PlanRow) => r.reason)].map(([reason, of]) => [reason, of.length]),
    )
    expect(counts).toEqual(stage.staying())
    expect(p.policies[0]?.monthlyCost.toFixed(2)).toBe(stage.policyStatus().monthlyCost?.now)
    expect(p.policies[0]?.wantedMonthlyCost.toFixed(2)).toBe(
      stage.policyStatus().monthlyCost?.wanted,
    )
    expect(sent.filter((s) => s === 'POST /api/v1/query').length).toBeLessThan(20)
    await running.stop()
  })

  it.each<[string, (stage: Stage) => void, string, Partial<PlanRow>]>([
    [
      'a snapshot',
      (s) => void s.cloud.addSnapshot(s.claim({ name: 'v' }).id),
      '',
      { action: 'held', to: 'cold', reason: 'Snapshots' },
    ],
    [
      'an attachment',
      (s) => void s.claim({ name: 'v', node: 'node-1' }),
      '',
      { action: 'held', to: 'cold', reason: 'Attached' },
    ],
    [
      'the stop switch',
      (s) => void s.claim({ name: 'v' }),
      'migration: { paused: true }',
      { action: 'held', to: 'cold', reason: 'Stopped' },
    ],
    [
      'no usage numbers',
      (s) => {
        s.claim({ name: 'v', node: 'node-1', iops: (t) => (t > 0 ? NaN : 0) })
      },
      '',
      { action: 'stay', to: '', reason: 'NoData' },
    ],
    [
      'no policy',
      (s) => void s.claim({ name: 'v', labels: {} }),
      '',
      { action: 'unmanaged', to: '', reason: 'NoPolicy' },
    ],
    [
      'a person who forces a tier',
      (s) =>
        void s.claim({
          name: 'v',
          iops: 5000,
          annotations: { 'couchestor.io/force-tier': 'warm' },
        }),
      '',
      { action: 'next', to: 'warm', asked: 'Forced' },
    ],
  ])('says what %s does', async (_, set, config, expected) => {
    const stage = new Stage()
    stage.policy(HOURLY)
    set(stage)
    expect(row(await plan(stage, [], config), 'v')).toMatchObject(expected)
  })

  it('lets promotions wait when the budget is spent, and never demotions', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED, budget: { maxMonthlyCost: 2 } })
    stage.claim({ name: 'up', tier: 'cold', sizeGiB: 20, iops: 5000 })
    stage.claim({ name: 'down', tier: 'hot', sizeGiB: 8, iops: 1 })
    const p = await plan(stage)
    expect(row(p, 'up')).toMatchObject({ action: 'wait', to: 'hot', reason: 'BudgetLimit' })
    expect(row(p, 'up')?.message).toContain('1.90 of 2.00')
    expect(row(p, 'down')).toMatchObject({ action: 'next', to: 'cold' })
  })

  it('reports how far from the best it is when room on a tier binds', async () => {
    const stage = new Stage()
    const [hot, ...rest] = PRICED
    const tiers = [{ ...hot, capacity: { maxGiB: 10, headroomPercent: 0 } }, ...rest]
    stage.policy({ ...HOURLY, tiers })
    stage.claim({ name: 'first', tier: 'cold', sizeGiB: 8, iops: 9000 })
    stage.claim({ name: 'second', tier: 'cold', sizeGiB: 8, iops: 5000 })
    const p = await plan(stage)
    expect(row(p, 'second')).toMatchObject({ action: 'wait', reason: 'CapacityLimit' })
    const { capacity } = p.policies[0]!
    expect(capacity!.bound).toBeGreaterThan(0)
    expect(capacity!.bound).toBeLessThanOrEqual(capacity!.cost)
    expect(capacity!.pricePerGiB['hot']).toBeGreaterThan(0)
  })

  it('narrows to a policy and a namespace, and sums up by namespace', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED })
    stage.claim({ name: 'a', namespace: 'shop', sizeGiB: 100 })
    stage.claim({ name: 'b', namespace: 'lab', sizeGiB: 10 })
    const p = await plan(stage, ['-n', 'lab', '--policy', 'tiered'])
    expect(p.rows.map((r) => `${r.claim} ${r.order}`)).toEqual(['b 2'])
    expect(p.policies[0]?.monthlyCost).toBeCloseTo(1.25, 9)
    const { text } = await planText(stage, ['--by', 'namespace', '-o', 'json'])
    const [first] = JSON.parse(text) as NamespaceCost[]
    expect(first).toMatchObject({ namespace: 'shop', claims: 1, sizeGiB: 100, moves: 1 })
    expect(first?.monthlyCost).toBeCloseTo(12.5, 9)
    expect(first?.wantedMonthlyCost).toBeCloseTo(4.5, 9)
    await expect(planText(stage, ['--policy', 'tierd'])).rejects.toThrow('choose one of tiered')
  })

  it('is a table that fits what people ask: what moves, why, and the sums', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED })
    stage.claim({ name: 'idle', sizeGiB: 100 })
    stage.claim({ name: 'busy', iops: 5000 })
    const { text } = await planText(stage)
    expect(text).toMatch(/#\s+ACTION\s+NAMESPACE\s+CLAIM/)
    expect(text).toMatch(/1 {2}next {4}default {4}idle {3}100 {2}hot {3}cold/)
    expect(text).not.toContain('busy')
    expect((await planText(stage, ['--all'])).text).toContain('busy')
    expect(text).toContain('Costs 12.63 a month now, 4.63 after all that is wanted')
    expect(text.split('\n').every((line) => line === line.trimEnd())).toBe(true)
  })

  it('keeps everything where it is while the source is down, and says so', async () => {
    const stage = new Stage()
    stage.policy(HOURLY)
    stage.claim({ name: 'idle' })
    stage.world.prometheus.seams.setFault({ kind: 'down' })
    const p = await plan(stage)
    expect(p.rows.map((r) => r.action)).toEqual(['stay'])
    expect(p.notices.join()).toContain('without usage numbers everything stays')
  })

  it.each([
    ['persistentvolumeclaims', /your account may not list persistentvolumeclaims/],
    ['storagepolicies', /may not list storagepolicies.couchestor.io in the whole cluster/],
  ])('says which rule an account without the right to list %s lacks', async (plural, message) => {
    const clock = createVirtualClock()
    const allow = ({ resource }: { resource: string }) => resource !== plural
    const world = worldWith({ clock, apiServer: { allow } })
    const { deps } = readerOn(world, clock)
    const signal = new AbortController().signal
    await expect(
      pumped(clock, runPlan({ all: 'false' }, deps, recordingTerminal(), signal)),
    ).rejects.toThrow(message)
  })

  it('does not call the page of a proxy a missing right, nor go on without pods for it', async () => {
    const clock = createVirtualClock()
    const world = worldWith({ clock })
    const toKube = world.routes[WORLD_ORIGINS.kube]!
    world.routes[WORLD_ORIGINS.kube] = (request) =>
      request.url.includes('/pods')
        ? Promise.resolve({
            status: 403,
            headers: { 'content-type': 'text/html' },
            body: '<h1>Forbidden</h1>',
          })
        : toKube(request)
    const { deps } = readerOn(world, clock)
    const signal = new AbortController().signal
    const end = pumped(clock, runPlan({ all: 'false' }, deps, recordingTerminal(), signal))
    await expect(end).rejects.toThrow('403')
    await expect(end).rejects.not.toThrow('your account may not')
  })

  it('works without the right to list namespaces, nodes and pods, and says what that hides', async () => {
    const clock = createVirtualClock()
    const extras = new Set(['namespaces', 'nodes', 'pods'])
    const allow = ({ resource }: { resource: string }) => !extras.has(resource)
    const world = worldWith({ clock, apiServer: { allow } })
    const terminal = recordingTerminal()
    const { deps } = readerOn(world, clock)
    const signal = new AbortController().signal
    await pumped(clock, runPlan({ all: 'false' }, deps, terminal, signal))
    expect(terminal.text()).toContain('your role lacks a rule: list pods')
    expect(terminal.text()).toContain('there is no StoragePolicy')
  })
})

describe('quotas in the plan', () => {
  const reads = (sent: readonly string[]) => sent.filter((s) => s.includes('/os-quota-sets/'))

  it('holds every wanted move that does not fit, beyond the first twenty as well, from one read', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED, mode: 'Observe' })
    for (let i = 0; i < 25; i++) stage.claim({ name: `idle-${i}`, sizeGiB: 10 })
    const project = stage.cloud.couchestor.project.id
    stage.cloud.setQuota(project, { 'gigabytes_couchestor-cold': 5 })
    const { text, sent } = await planText(stage, ['-o', 'json'])
    const held = (JSON.parse(text) as Plan).rows.filter((r) => r.reason === 'QuotaTooSmall')
    expect(held).toHaveLength(25)
    expect(held[0]?.message).toContain('quota gigabytes_couchestor-cold is 5')
    expect(reads(sent)).toHaveLength(1)
  })

  it('counts the moves that would start before, and names those first that make room', async () => {
    const stage = new Stage()
    stage.policy({ ...HOURLY, tiers: PRICED, migration: { maxConcurrent: 10 } })
    for (let i = 0; i < 10; i++) succeeded(stage, i)
    for (const name of ['a', 'b']) stage.claim({ name, tier: 'cold', sizeGiB: 20, iops: 5000 })
    stage.claim({ name: 'leaving', tier: 'hot', sizeGiB: 20 })
    const project = stage.cloud.couchestor.project.id
    stage.cloud.setQuota(project, { 'gigabytes_couchestor-hot': 45 })
    const p = await plan(stage, [], 'migration:\n  concurrent_migrations: 10\n')
    expect(row(p, 'leaving')).toMatchObject({ action: 'next', order: 1 })
    expect(row(p, 'a')).toMatchObject({ action: 'next', order: 2 })
    expect(row(p, 'b')).toMatchObject({ action: 'held', reason: 'QuotaExhausted' })
    expect(row(p, 'b')?.message).toContain('5 of 45 left')
  })
})
