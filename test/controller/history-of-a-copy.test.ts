import { describe, expect, it } from 'vitest'
import { EXPLAIN_FLAGS, EXPLAIN_WORDS, runExplain } from '../../src/cli/explain/run-explain.ts'
import { readCommandLine } from '../../src/cli/flags.ts'
import type { TieringCheckpoint } from '../../src/api/tiering-checkpoint.ts'
import type { Explanation } from '../../src/insight/explain/explanation.ts'
import { unpackStates } from '../../src/policy/state.ts'
import type { VolumeState } from '../../src/policy/types.ts'
import { pumped, readerOn, recordingTerminal } from '../reader.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const GROUP = '/apis/couchestor.io/v1alpha1'
const SPEC = { migration: { strategy: 'snapshot-restore', cooldownPeriod: '24h' } }
const SHORT_SOAK = 'migration: {soak_max_age: 10m}'

/** An idle volume that is known for four days, and is moved down by a copy. */
function idle() {
  const stage = new Stage({ csi: true })
  stage.policy(SPEC)
  const volume = stage.claim({ name: 'data' })
  const handle = () => {
    const pv = stage.object('/api/v1/persistentvolumes', volume.pv)
    const { csi } = (pv?.['spec'] ?? {}) as { csi?: { volumeHandle?: string } }
    return csi?.volumeHandle ?? ''
  }
  const step = () => stage.moves('data')[0]?.status?.step
  return { stage, volume, handle, step }
}

/** The agent shows the copy from now on, as idle as its former volume. */
function scraped(stage: Stage, id: string): void {
  const from = stage.clock.now() / 1000
  for (const [name, factor] of [
    ['reads_completed', 0.5],
    ['writes_completed', 0.5],
    ['read_bytes', 2048],
    ['written_bytes', 2048],
  ] as const)
    stage.world.prometheus.seams.addSeries(
      `couchestor_volume_${name}_total`,
      { volume_id: id, node: 'node-1', device: 'vdb' },
      {
        intervalSeconds: 60,
        fromSeconds: from,
        value: (t) => (t - from) * factor,
        monotonic: true,
      },
    )
}

async function explained(stage: Stage): Promise<Explanation> {
  const terminal = recordingTerminal()
  const line = readCommandLine('explain', ['pvc/data', '-o', 'json'], EXPLAIN_FLAGS, EXPLAIN_WORDS)
  const { deps } = readerOn(stage.world, stage.clock, '')
  await pumped(stage.clock, runExplain(line, deps, terminal, new AbortController().signal))
  return JSON.parse(terminal.text()) as Explanation
}

/** Windows with numbers that the claim has, by what its guard saw. */
async function windows(stage: Stage): Promise<number> {
  const { guards } = await explained(stage)
  return Number(/^(\d+) of /.exec(guards.find((g) => g.guard === 'young')?.message ?? '')?.[1])
}

async function switched(stage: Stage, step: () => string | undefined, handle: () => string) {
  expect(await stage.until(() => step() === 'Soaking', HOUR)).toBe(true)
  scraped(stage, handle())
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
}

describe('a claim that got a copy', () => {
  it('goes on with the usage of its former volume, and cools down', async () => {
    const { stage, step, handle } = idle()
    stage.start({ configYaml: SHORT_SOAK })
    await switched(stage, step, handle)
    await stage.clock.advance(90 * MINUTE)
    const { reason, guards } = await explained(stage)
    expect(reason).toBe('OnBestTier')
    expect(await windows(stage)).toBeGreaterThan(190)
    expect(guards.find((g) => g.guard === 'cooling down')?.message).toMatch(/last move|ended/)
    expect(stage.events('data')).not.toContain('TierChangedOutside')
    expect(stage.events('data')).not.toContain('NoData')
  })

  it('knows of the move when its VolumeMigration is gone', async () => {
    const { stage, step, handle } = idle()
    stage.start({ configYaml: SHORT_SOAK })
    await switched(stage, step, handle)
    await stage.clock.advance(HOUR)
    const [move] = stage.moves('data')
    await stage.remove(`${GROUP}/namespaces/default/volumemigrations/${move?.metadata.name}`)
    await stage.clock.advance(HOUR)
    expect(await windows(stage)).toBeGreaterThan(190)
    const { guards } = await explained(stage)
    expect(guards.find((g) => g.guard === 'cooling down')?.message).not.toBe('never moved')
  })

  it.each([['rolled back'], ['given its volume back before']])(
    'has all of its usage when it is %s',
    async (how) => {
      const { stage, volume, step, handle } = idle()
      stage.start()
      const isLate = how === 'rolled back'
      const at = isLate ? 'Soaking' : 'Copying'
      expect(await stage.until(() => step() === at, HOUR, 100)).toBe(true)
      const move = stage.moves('data')[0]!
      const wish = isLate ? { rollback: true } : { cancel: true }
      stage.world.api.seed({ ...move, spec: { ...move.spec, ...wish } })
      expect(await stage.until(() => step() === 'Failed', HOUR)).toBe(true)
      expect(handle()).toBe(volume.id)
      await stage.clock.advance(90 * MINUTE)
      expect(await windows(stage)).toBeGreaterThan(190)
      const { reason } = await explained(stage)
      expect(reason).toBe('BackingOff')
    },
  )

  it('is still in the checkpoints while nobody is bound to its volume, for the next leader', async () => {
    const { stage, volume, step, handle } = idle()
    stage.claim({ name: 'other', iops: 5000 })
    stage.start({ configYaml: SHORT_SOAK })
    const copy = () => stage.cloud.volumes().find((v) => 'couchestor.io/move' in v.metadata)
    expect(await stage.until(() => copy() !== undefined, HOUR, 100)).toBe(true)
    stage.cloud.planRetype(copy()!.id, 'stuck')
    await stage.clock.advance(2 * HOUR)
    expect(step()).toBe('Copying')
    expect(handle()).toMatch(/^parked-/)
    expect(saved(stage).get(volume.id)?.coveredSeconds).toBeGreaterThan(3 * 24 * 3600)
  })
})

/** What the engine has saved, by volume id. */
function saved(stage: Stage): ReadonlyMap<string, VolumeState> {
  const shard = stage.object(`${GROUP}/tieringcheckpoints`, 'tiered-0')
  const { spec } = shard as unknown as TieringCheckpoint
  const unpacked = unpackStates(spec.data, 1800)
  return unpacked.ok ? unpacked.states : new Map()
}
