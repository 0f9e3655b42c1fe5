import { expect, it } from 'vitest'
import { sleep } from '../../src/clock.ts'
import { bindStrategy } from '../../src/controller/moving/adapter.ts'
import type { RegisteredStrategy } from '../../src/controller/moving/registered.ts'
import { STRATEGIES } from '../../src/controller/strategies.ts'
import { answer, network } from '../controller/answers.ts'
import { HOUR, MINUTE, Stage } from '../controller/stage.ts'
import { ToyAdapter } from './toy/adapter.ts'
import type { Shelf } from './toy/adapter.ts'
import { TOY } from './toy/machine.ts'

/** The one line that registers it. */
const withToy = (shelf: Shelf): readonly RegisteredStrategy[] => [
  ...STRATEGIES,
  { name: TOY.name, bind: (ports) => bindStrategy(TOY, new ToyAdapter(ports, shelf)) },
]

const POLICY_PATH = '/apis/couchestor.io/v1alpha1/storagepolicies/tiered'

function staged() {
  const stage = new Stage()
  stage.policy({ migration: { strategy: 'snapshot-restore' } })
  const volume = stage.claim({ name: 'data', sizeGiB: 1 })
  return { stage, volume }
}

it('a strategy of two acts performs both, in turn, each with an intent of its own', async () => {
  const { stage, volume } = staged()
  const made: string[] = []
  const strategies = withToy({ made, passes: () => Promise.resolve() })
  stage.start({ strategies })
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(made).toHaveLength(1)
  expect(stage.retypes(volume)).toBe(1)
  expect(stage.moves('data')[0]?.status?.intent).toMatchObject({
    act: 'retype',
    strategy: 'snapshot-restore',
  })
})

it('what the first act makes is named by the saved object before it is there', async () => {
  const { stage } = staged()
  const saved: unknown[] = []
  const passes: Shelf['passes'] = (at) => {
    const [move] = stage.moves('data')
    const { step, intent } = move?.status ?? {}
    if (at === 'before')
      saved.push({ step, act: intent?.act, isOwn: intent?.objectUid === move?.metadata.uid })
    return Promise.resolve()
  }
  stage.start({ strategies: withToy({ made: [], passes }) })
  expect(await stage.until(() => saved.length > 0, HOUR)).toBe(true)
  expect(saved).toEqual([{ step: 'Requested', act: 'createSnapshot', isOwn: true }])
})

it.each(['before', 'after'] as const)(
  'a leader that dies %s the effect of the first act leaves a move that the next one ends, with each act done once',
  async (moment) => {
    const { stage, volume } = staged()
    const made: string[] = []
    const shelf = (passes: Shelf['passes']) => withToy({ made, passes })
    const first = stage.start({
      identity: 'first',
      strategies: shelf(async (at) => {
        if (at !== moment) return
        first.life.kill()
        await new Promise(() => {})
      }),
    })
    expect(await stage.until(() => first.life.dead, HOUR)).toBe(true)
    stage.start({ identity: 'second', strategies: shelf(() => Promise.resolve()) })
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(stage.tier(volume)).toBe('cold')
    expect(made).toHaveLength(1)
    expect(stage.retypes(volume)).toBe(1)
  },
)

it('the second act belongs to a move that began, whatever the policy says by then', async () => {
  const { stage, volume } = staged()
  const made: string[] = []
  const passes: Shelf['passes'] = (at) => {
    if (at === 'after') stage.policy({ migration: { strategy: 'cinder-retype' } })
    return Promise.resolve()
  }
  stage.start({ strategies: withToy({ made, passes }) })
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(stage.moves('data')[0]?.status?.intent?.strategy).toBe('snapshot-restore')
  expect(stage.retypes(volume)).toBe(1)
})

it.each<[string, (stage: Stage) => unknown]>([
  [
    'forbids copies',
    (stage) =>
      stage.policy({
        migration: { strategy: 'snapshot-restore', cinderOptions: { allowHostCopy: false } },
      }),
  ],
  ['is deleted', (stage) => stage.remove(POLICY_PATH)],
])(
  'the second act goes by what the policy said at the start, also when it %s',
  async (_, change) => {
    const { stage, volume } = staged()
    const made: string[] = []
    const passes: Shelf['passes'] = async (at) => {
      if (at === 'after') await change(stage)
    }
    stage.start({ strategies: withToy({ made, passes }) })
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
    expect(made).toHaveLength(1)
    expect(stage.cloud.retypesOf(volume.id)).toMatchObject([
      { body: { 'os-retype': { migration_policy: 'on-demand' } } },
    ])
  },
)

it('a move is announced once, however many acts it has, and however often the first is tried', async () => {
  const { stage } = staged()
  const net = network()
  net.on('POST /action', (_, nth) => (nth < 3 ? answer(429) : undefined))
  const made: string[] = []
  stage.start({ strategies: withToy({ made, passes: () => Promise.resolve() }), gate: net.gate })
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(net.count('POST /action')).toBe(3)
  expect(stage.events('data').filter((reason) => reason === 'MigrationStarted')).toHaveLength(1)
})

it('a move whose strategy the policy changes while Cinder is asked begins by the new one, as a whole', async () => {
  const stage = new Stage()
  stage.policy({ migration: { strategy: 'snapshot-restore' } })
  const volume = stage.claim({ name: 'data', sizeGiB: 1, iops: 3000 })
  const made: string[] = []
  const slow = Promise.withResolvers<void>()
  let held = false
  stage.start({
    strategies: withToy({ made, passes: () => Promise.resolve() }),
    gate: async (request, send) => {
      if (request.url.includes('os-quota-sets')) {
        held = true
        await slow.promise
      }
      return send()
    },
  })
  await stage.clock.advance(MINUTE)
  stage.world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'by-hand', namespace: 'default', generation: 1 },
    spec: { policy: 'tiered', claim: { name: 'data' }, to: 'cold' },
  })
  expect(await stage.until(() => held)).toBe(true)
  stage.policy({ migration: { strategy: 'cinder-retype' } })
  await stage.clock.advance(5_000)
  slow.resolve()
  await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', 10 * MINUTE)
  expect(stage.ends('data')).toEqual(['Succeeded/Verified'])
  expect(stage.moves('data')[0]?.status?.intent).toMatchObject({
    act: 'retype',
    strategy: 'cinder-retype',
  })
  expect(made).toEqual([])
  expect(stage.retypes(volume)).toBe(1)
})

it('an act whose adapter fails without an answer is not repeated while its call may be on its way', async () => {
  const { stage, volume } = staged()
  const made: string[] = []
  let fails = true
  const passes: Shelf['passes'] = async (at) => {
    if (at !== 'before' || !fails) return
    fails = false
    await sleep(stage.clock, 25_000)
    void sleep(stage.clock, 10_000).then(() =>
      made.push(stage.moves('data')[0]?.metadata.uid ?? ''),
    )
    throw new Error('the answer cannot be read')
  }
  stage.start({ strategies: withToy({ made, passes }) })
  expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(made).toHaveLength(1)
  expect(stage.retypes(volume)).toBe(1)
})
