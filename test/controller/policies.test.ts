import { expect, it } from 'vitest'
import { answer } from './answer.ts'
import { HOUR, MINUTE, POLICY, Stage } from './stage.ts'

it.each<[string, object, RegExp]>([
  [
    'a tier whose volume type Cinder does not have',
    {
      tiers: [
        ...POLICY.tiers.slice(0, 2),
        { name: 'cold', cinderVolumeType: 'no-such-type', iopsThreshold: 0 },
      ],
    },
    /tiers\[2\]\.cinderVolumeType.*no-such-type/,
  ],
  [
    'prices for some tiers only',
    { tiers: POLICY.tiers.map((t, i) => (i === 0 ? { ...t, costPerGiBMonth: 3 } : t)) },
    /costPerGiBMonth/,
  ],
  [
    'a schedule that is none',
    { migration: { schedule: '61 * * * *' } },
    /migration\.schedule.*61 \* \* \* \*/,
  ],
  [
    'a time zone that is none',
    { migration: { schedule: '0 3 * * *', timeZone: 'Mars/Base' } },
    /timeZone.*Mars\/Base/,
  ],
])(
  'a policy with %s is reported with field and value, and the others work on',
  async (_, spec, problem) => {
    const stage = new Stage()
    stage.policy({ ...spec, selector: { matchLabels: { app: 'broken' } } }, 'broken')
    stage.policy()
    const spared = stage.claim({ name: 'spared', labels: { app: 'broken' } })
    const idle = stage.claim({ name: 'idle' })
    const { controller } = stage.start()
    expect(await stage.until(() => stage.tier(idle) === 'cold')).toBe(true)
    await stage.clock.advance(HOUR)
    const ready = stage.condition('Ready', 'broken')
    expect(ready?.status).toBe('False')
    expect(ready?.message).toMatch(problem)
    expect(stage.retypes(spared)).toBe(0)
    expect(controller.healthy().ok).toBe(true)

    stage.policy({ selector: { matchLabels: { app: 'broken' } } }, 'broken')
    expect(await stage.until(() => stage.tier(spared) === 'cold', HOUR)).toBe(true)
  },
)

it('an idle minute costs at most five API requests besides the lease', async () => {
  const stage = new Stage()
  stage.policy()
  for (let i = 0; i < 30; i++) stage.claim({ name: `busy-${i}`, iops: 3000 })
  stage.start()
  await stage.clock.advance(2 * HOUR + 3 * MINUTE)
  const { requests } = stage.world.api
  for (let minute = 0; minute < 60; minute++) {
    const before = requests.length
    await stage.clock.advance(MINUTE)
    const made = requests.slice(before).filter((r) => r.resource !== 'leases')
    // watches are renewed together every few minutes
    const asked = made.filter((r) => r.verb !== 'watch')
    expect(asked.map((r) => `${r.verb} ${r.resource}`).slice(5)).toEqual([])
    expect(made.length).toBeLessThanOrEqual(5 + 9)
  }
})

it('the claim and the policy show what is so', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle', sizeGiB: 5 })
  stage.claim({ name: 'busy', sizeGiB: 7, iops: 3000 })
  stage.start()
  await stage.until(() => stage.annotation('idle', 'tier') === 'cold')
  await stage.clock.advance(MINUTE)
  expect(stage.annotation('idle', 'matched-policy')).toBe('tiered')
  expect(Date.parse(stage.annotation('idle', 'last-migration') ?? '')).toBeGreaterThan(0)
  expect(stage.annotation('busy', 'tier')).toBe('hot')
  expect(stage.annotation('busy', 'last-migration')).toBeUndefined()
  expect(stage.policyStatus()).toMatchObject({
    managedClaims: 2,
    moving: 0,
    tiers: [
      { name: 'hot', volumes: 1, gib: 7 },
      { name: 'warm', volumes: 0, gib: 0 },
      { name: 'cold', volumes: 1, gib: 5 },
    ],
  })
  expect(stage.condition('Ready')?.status).toBe('True')
})

it('a controller that is asked to stop saves the running step, gives the lease back and ends', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'idle', sizeGiB: 20 })
  const first = stage.start()
  await stage.until(() => stage.cloud.retyping().length > 0)
  expect(await first.stop()).toBe('stopped')

  const since = stage.clock.now()
  const second = stage.start({ identity: 'second' })
  expect(await stage.until(() => second.controller.ready().why === 'leading', MINUTE, 100)).toBe(
    true,
  )
  expect(stage.clock.now() - since).toBeLessThan(10_000)
  expect(await stage.until(() => stage.ends('idle')[0] === 'Succeeded/Verified', 20 * MINUTE)).toBe(
    true,
  )
  expect(stage.retypes(volume)).toBe(1)
})

it('a policy whose history is still being read is not called Ready, whatever else the role lacks', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'idle' })
  const old = stage.clock.now() - 24 * HOUR
  const isOld = (url: string, body = '') =>
    url.startsWith('http://prometheus.sim') &&
    Number(new URLSearchParams(body).get('time')) * 1000 < old
  stage.start({
    gate: ({ url, body }, send) => {
      if (url.includes('/api/v1/nodes')) return Promise.resolve(answer(403, 'no rule for nodes'))
      return isOld(url, String(body)) ? new Promise(() => {}) : send()
    },
  })
  await stage.clock.advance(60_000)
  expect(stage.condition('Ready')).toMatchObject({ status: 'Unknown', reason: 'CatchingUp' })
  expect(stage.condition('Ready')?.message).toContain('the role lacks')
})

it('a move that was planned by a policy which is gone makes way for the one that has its claims now', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Approve' })
  const volume = stage.claim({ name: 'idle' })
  stage.start()
  expect(await stage.until(() => stage.ends('idle')[0] === 'Waiting/AwaitingApproval')).toBe(true)
  await stage.remove('/apis/couchestor.io/v1alpha1/storagepolicies/tiered')
  await stage.clock.advance(5 * MINUTE)
  expect(stage.ends('idle')).toEqual(['Waiting/PolicyNotFound'])
  stage.policy({}, 'renamed')
  expect(await stage.until(() => stage.tier(volume) === 'cold', HOUR)).toBe(true)
  await stage.clock.advance(MINUTE)
  expect(stage.ends('idle')).toEqual(['Failed/NoLongerWanted', 'Succeeded/Verified'])
})

it('a policy that is deleted and applied again keeps its approved moves', async () => {
  const stage = new Stage()
  stage.policy({ mode: 'Approve', migration: { schedule: '0 12 * * *' } })
  const volume = stage.claim({ name: 'idle' })
  stage.start()
  expect(await stage.until(() => stage.moves('idle').length > 0)).toBe(true)
  const [move] = stage.moves('idle')
  stage.world.api.seed({ ...move!, spec: { ...move!.spec, approved: true } })
  await stage.clock.advance(MINUTE)
  await stage.remove('/apis/couchestor.io/v1alpha1/storagepolicies/tiered')
  await stage.clock.advance(MINUTE)
  stage.policy({ mode: 'Approve', migration: { schedule: '0 12 * * *' } })
  expect(await stage.until(() => stage.tier(volume) === 'cold', 3 * HOUR)).toBe(true)
  await stage.clock.advance(MINUTE)
  expect(stage.ends('idle')).toEqual(['Succeeded/Verified'])
})
