import { describe, expect, it } from 'vitest'
import { EXPLAIN_FLAGS, EXPLAIN_WORDS, runExplain } from '../../src/cli/explain/run-explain.ts'
import { readCommandLine } from '../../src/cli/flags.ts'
import { PLAN_FLAGS, runPlan } from '../../src/cli/plan/run-plan.ts'
import type { Plan } from '../../src/insight/plan/plan.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import { HOUR, Stage } from './stage.ts'

const DAY = 24 * HOUR
const PRICED = [
  { name: 'hot', storageClass: 'couchestor-hot', iopsThreshold: 1000, costPerGiBMonth: 0.1 },
  { name: 'cold', storageClass: 'couchestor-cold', iopsThreshold: 0, costPerGiBMonth: 0.02 },
]
const AUTO = { strategy: 'Auto' } as const

function auto(migration: object = AUTO): Stage {
  const stage = new Stage({ csi: true })
  stage.policy({ tiers: PRICED, migration })
  return stage
}

async function rowOf(stage: Stage, claim: string) {
  const terminal = recordingTerminal()
  const { flags } = readCommandLine('plan', ['--all', '-o', 'json'], PLAN_FLAGS, {
    least: 0,
    most: 0,
    usage: '',
  })
  const { deps } = readerOn(stage.world, stage.clock, '')
  await pumped(stage.clock, runPlan(flags, deps, terminal, new AbortController().signal))
  return (JSON.parse(terminal.text()) as Plan).rows.find((r) => r.claim === claim)
}

async function explained(stage: Stage, claim: string): Promise<string> {
  const terminal = recordingTerminal()
  const line = readCommandLine('explain', [`pvc/${claim}`], EXPLAIN_FLAGS, EXPLAIN_WORDS)
  const { deps } = readerOn(stage.world, stage.clock, '')
  await pumped(stage.clock, runExplain(line, deps, terminal, new AbortController().signal))
  return terminal.text()
}

const strategies = (stage: Stage, claim: string) => stage.moves(claim).map((m) => m.spec.strategy)

describe('a policy with strategy Auto', () => {
  it('goes on by a copy where Cinder has put the old type back, and the plan says why', async () => {
    const stage = auto()
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    stage.cloud.planRetype(volume.id, 'revert')
    const { stop } = stage.start()
    expect(await stage.until(() => stage.ends('data')[0] === 'Failed/Reverted', HOUR)).toBe(true)
    const name = stage.moves('data')[0]?.metadata.name ?? ''
    const why = `because Cinder has refused to retype the volume (VolumeMigration ${name} ended as Reverted)`
    const row = await rowOf(stage, 'data')
    expect(row).toMatchObject({
      strategy: 'snapshot-restore',
      reversible: true,
      disruptive: false,
      keptPerDay: expect.closeTo(0.329, 3) as unknown,
    })
    expect(row?.message).toContain(
      `by a copy, ${why}: the former volume is kept and costs 0.329 a day until the soak ends, at most 14 d (4.60)`,
    )
    expect(await explained(stage, 'data')).toContain(`It was chosen ${why}.`)
    const isSoaking = () => stage.ends('data')[1] === 'Soaking/Soaking'
    expect(await stage.until(isSoaking, DAY)).toBe(true)
    expect(strategies(stage, 'data')).toEqual(['cinder-retype', 'snapshot-restore'])
    expect(stage.retypes(volume)).toBe(1)
    await stop()
  })

  it('makes no copy again once the copy could not be retyped either', async () => {
    const stage = auto()
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    stage.cloud.addFault({
      service: 'cinder',
      method: 'POST',
      body: /os-retype/,
      times: Infinity,
      action: {
        kind: 'answer',
        answer: {
          status: 400,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ badRequest: { code: 400, message: 'no such backend' } }),
        },
      },
    })
    stage.start()
    expect(await stage.until(() => stage.ends('data').length === 3, 3 * DAY)).toBe(true)
    expect(stage.ends('data').slice(0, 2)).toEqual(['Failed/Rejected', 'Failed/Rejected'])
    expect(strategies(stage, 'data')).toEqual([
      'cinder-retype',
      'snapshot-restore',
      'cinder-retype',
    ])
    expect(stage.cloud.volumeCount()).toBe(1)
    expect(stage.tier(volume)).toBe('hot')
  })

  it('says which right is missing where a copy would be the way, and touches nothing', async () => {
    const allow = ({ verb, resource }: { verb: string; resource: string }) =>
      !(verb === 'create' && resource === 'persistentvolumes')
    const stage = new Stage({ csi: true, apiServer: { allow } })
    stage.policy({ tiers: PRICED, migration: AUTO })
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    stage.cloud.planRetype(volume.id, 'revert')
    stage.start()
    const waits = () => stage.ends('data')[1] === 'Waiting/MissingPermission'
    expect(await stage.until(waits, DAY)).toBe(true)
    expect(String(stage.moves('data')[1]?.status?.message)).toContain('create persistentvolumes')
    expect(stage.cloud.volumeCount()).toBe(1)
  })

  it('makes no copy that leaves more to pay for than the move is worth, and says so', async () => {
    const stage = auto()
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    stage.cloud.addSnapshot(volume.id, 'yearly', stage.clock.now() - 60 * DAY)
    stage.start()
    await stage.clock.advance(2 * HOUR)
    expect(stage.moves('data')).toEqual([])
    expect(stage.staying()).toEqual({ CopyTooExpensive: 1 })
    const sentence =
      'it would move by a copy, because the volume has snapshots, which block a retype, and that is not worth it: the former volume is kept and costs 0.329 a day until its snapshots are gone, 19.75 if that takes 60 d 2 h, and the move is worth 8.00 a month; delete the snapshots, or name migration.strategy: snapshot-restore'
    expect(await rowOf(stage, 'data')).toMatchObject({
      action: 'held',
      reason: 'CopyTooExpensive',
      message: sentence,
    })
    expect(await explained(stage, 'data')).toContain(sentence)
  })

  it('copies all the same where the policy names that way', async () => {
    const stage = auto({ strategy: 'snapshot-restore' })
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    stage.cloud.addSnapshot(volume.id, 'yearly', stage.clock.now() - 60 * DAY)
    stage.start()
    expect(await stage.until(() => stage.ends('data')[0] === 'Soaking/Soaking', HOUR)).toBe(true)
  })
})

describe('a planned move is disruptive', () => {
  it.each([
    ['yes', 'a retype of a detached volume', {}, false],
    ['no', 'a live retype', { attached: 'Allow' }, true],
    ['yes', 'a retype for which a workload is stopped', { workloads: 'Restart' }, true],
    ['no', 'a copy', { strategy: 'snapshot-restore' }, false],
    [
      'yes',
      'a copy for which a workload is stopped',
      { strategy: 'snapshot-restore', workloads: 'Restart' },
      true,
    ],
  ])('%s: %s', async (answer, _, migration, isAttached) => {
    const stage = auto({ attached: 'Never', ...migration })
    const volume = stage.claim({ name: 'data', sizeGiB: 100 })
    if (isAttached) stage.cloud.attach(volume.id, 'server-1')
    expect((await rowOf(stage, 'data'))?.disruptive).toBe(answer === 'yes')
    const text = answer === 'yes' ? 'It is disruptive: ' : 'It is not disruptive: '
    expect(await explained(stage, 'data')).toContain(text)
  })
})

it('what a former volume costs is in the plan for a copy made by hand, before and in its soak', async () => {
  const stage = auto({})
  stage.claim({ name: 'data', sizeGiB: 100 })
  stage.move('by-hand', { claim: { name: 'data' }, to: 'cold', strategy: 'snapshot-restore' })
  const keptPerDay = expect.closeTo(0.329, 3) as unknown
  expect(await rowOf(stage, 'data')).toMatchObject({ migration: 'by-hand', keptPerDay })
  stage.start()
  const isSoaking = () => stage.ends('data')[0] === 'Soaking/Soaking'
  expect(await stage.until(isSoaking, HOUR)).toBe(true)
  expect(await rowOf(stage, 'data')).toMatchObject({ migration: 'by-hand', keptPerDay })
})
