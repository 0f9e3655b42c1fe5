import { describe, expect, it } from 'vitest'
import { readCommandLine } from '../../src/cli/flags.ts'
import type { Explanation } from '../../src/insight/explain/explanation.ts'
import { EXPLAIN_FLAGS, runExplain } from '../../src/cli/explain/run-explain.ts'
import { GUARDS } from '../../src/policy/guards.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import { HOUR, Stage } from './stage.ts'

const TIERS = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.125 },
  { name: 'warm', storageClass: 'couchestor-warm', iopsThreshold: 100, costPerGiBMonth: 0.08 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.045 },
]
const SPEC = { tiers: TIERS, metrics: { window: '6h' } }

async function text(stage: Stage, args: readonly string[]) {
  const reader = readerOn(stage.world, stage.clock)
  const terminal = recordingTerminal()
  const line = readCommandLine('explain', args, EXPLAIN_FLAGS, { least: 1, most: 1, usage: '' })
  const signal = new AbortController().signal
  await pumped(stage.clock, runExplain(line, reader.deps, terminal, signal))
  const writes = reader.sent.filter((s) => !s.startsWith('GET '))
  expect(new Set(writes)).toEqual(new Set(['POST /v3/auth/tokens', 'POST /api/v1/query']))
  return terminal.text()
}

async function explained(stage: Stage, claim: string): Promise<Explanation> {
  return JSON.parse(await text(stage, [`pvc/${claim}`, '-o', 'json'])) as Explanation
}

describe('couchestor explain', () => {
  it('reports in one sentence that an idle volume moves, what it saves, and when that has paid', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'idle', sizeGiB: 100 })
    const e = await explained(stage, 'idle')
    expect(e.sentence).toBe(
      'idle (100 GiB) moves from hot to cold: it needs about 1 operation per second, saves 8.00 a month there, and has paid for the move in 1 d.',
    )
    expect(e).toMatchObject({ tier: 'hot', wants: 'cold', reason: '' })
  })

  it('says of a busy volume why it is where it belongs, and what would change that', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'busy', sizeGiB: 100, iops: 5000 })
    const e = await explained(stage, 'busy')
    expect(e.sentence).toMatch(
      /^busy \(100 GiB\) is where it belongs, on hot: it needs about 5000 operations per second; warm would save 4.50 a month, but the throttling there would be worth 128\./,
    )
    expect(e.wouldChange.join()).toMatch(
      /at or below 1000 operations per second for .+ more: the rule would want (warm|cold)/,
    )
  })

  it('keeps its word: after the time it names, and not before, the controller wants that tier', async () => {
    const stage = new Stage()
    let quietFrom = Infinity
    stage.policy({ ...SPEC, mode: 'Observe', metrics: { window: '1h' } })
    stage.claim({
      name: 'v',
      sizeGiB: 100,
      ageHours: 24,
      iops: (t) => (t < quietFrom ? 5000 : 900),
    })
    const e = await explained(stage, 'v')
    const reported = /per second for (.+) more/.exec(e.wouldChange[0] ?? '')?.[1] ?? ''
    const units: Record<string, number> = { d: 24, h: 1 }
    const hours = [...reported.matchAll(/(\d+) (d|h)/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ''] ?? NaN),
      0,
    )
    expect(hours).toBeGreaterThan(1)
    quietFrom = Math.floor(stage.clock.now() / HOUR) * 3600
    await stage.clock.advance((hours - 2) * HOUR)
    expect((await explained(stage, 'v')).wants).toBe('')
    await stage.clock.advance(4 * HOUR)
    expect((await explained(stage, 'v')).wants).not.toBe('')
  })

  it('asks every guard in order and marks the one that holds', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    const volume = stage.claim({ name: 'v', sizeGiB: 100 })
    stage.cloud.addSnapshot(volume.id)
    const e = await explained(stage, 'v')
    expect(e.guards.map((g) => g.guard)).toEqual([...GUARDS.map((g) => g.name), 'Cinder', 'limits'])
    expect(e.guards.filter((g) => g.answer === 'hold').map((g) => g.reason)).toEqual(['Snapshots'])
    expect(e.sentence).toContain('would be better off on cold')
    expect(e.sentence).toContain('snapshot')
    expect(e.guards.find((g) => g.guard === 'young')?.message).toMatch(/^\d+ of 4 windows/)
    expect(e.guards.find((g) => g.guard === 'cooling down')?.message).toBe('never moved')
  })

  it('reports what Cinder has against the move, as it will be asked right before the call', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'v', sizeGiB: 100 })
    stage.cloud.setQuota(stage.cloud.couchestor.project.id, { 'gigabytes_couchestor-cold': 50 })
    const e = await explained(stage, 'v')
    const held = e.guards.filter((g) => g.answer === 'hold')
    expect(held).toEqual([expect.objectContaining({ guard: 'Cinder', reason: 'QuotaTooSmall' })])
  })

  it('gives the costs of each tier, and all of them add up', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'busy', sizeGiB: 100, iops: 5000 })
    const { costs } = await explained(stage, 'busy')
    expect(costs.map((c) => c.tier)).toEqual(['hot', 'warm', 'cold'])
    expect(costs.map((c) => c.storage)).toEqual([12.5, 8, 4.5])
    expect(costs[0]?.throttling).toBeCloseTo(0, 6)
    // a fifth served: 0.8 of the premium of 8 a month, 20 times as bad
    expect(costs[1]?.throttling).toBeCloseTo(0.8 * 8 * 20, 1)
  })

  it('reports the moves there were, and the one that is under way', async () => {
    const stage = new Stage()
    stage.policy({ ...SPEC, mode: 'Approve' })
    const volume = stage.claim({ name: 'v', sizeGiB: 100 })
    stage.move(
      'earlier',
      { claim: { name: 'v' }, from: 'warm', to: 'hot', volume: { id: volume.id } },
      { step: 'Succeeded', reason: 'Verified', completedAt: '2026-01-10T00:00:00Z' },
    )
    stage.move('now', {
      claim: { name: 'v' },
      from: 'hot',
      to: 'cold',
      reason: 'Policy',
      volume: { id: volume.id },
    })
    const e = await explained(stage, 'v')
    expect(e.lastMoves.map((m) => `${m.from} ${m.to} ${m.step}`)).toEqual(['warm hot Succeeded'])
    expect(e.openMove).toMatchObject({ name: 'now', step: 'Waiting' })
    expect(e.reason).toBe('InFlight')
  })

  it('draws the usage with its gaps', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'v', iops: (t) => (Math.floor(t / 43_200) % 2 === 0 ? 2000 : 10) })
    const page = await text(stage, ['v', '--days', '3'])
    expect(page).toContain('Operations per second:')
    expect(page).toMatch(/2000 │.*█/)
    expect(page).toContain('warm 1000')
    expect(page).toContain('01-19')
  })

  it('explains a claim that nothing manages', async () => {
    const stage = new Stage()
    stage.policy(SPEC)
    stage.claim({ name: 'v', labels: {} })
    expect((await explained(stage, 'v')).sentence).toBe(
      'Nothing is decided about it: no policy names or selects the claim.',
    )
  })

  it.each([
    ['pvc/nobody', 'there is no claim default/nobody: give its namespace with -n'],
    ['pod/v', '"pod/v" is not a claim: write pvc/NAME'],
  ])('says of %s what to do', async (word, message) => {
    const stage = new Stage()
    stage.policy(SPEC)
    await expect(text(stage, [word])).rejects.toThrow(message)
  })
})
