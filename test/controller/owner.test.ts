import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, POLICY, Stage } from './stage.ts'

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const OTHERS = { app: 'other' }

/** A busy volume on its best tier, which only a person would move. */
async function busy(options: { spec?: object; claim?: object; before?: (s: Stage) => void } = {}) {
  const stage = new Stage()
  stage.policy(options.spec)
  options.before?.(stage)
  const volume = stage.claim({ name: 'data', iops: 3000, ...options.claim })
  stage.start()
  await stage.clock.advance(MINUTE)
  return { stage, volume }
}

/** The status that a move made by hand has after a while. */
async function tried(
  stage: Stage,
  spec: { policy?: string; strategy?: string | undefined } = {},
): Promise<string[]> {
  const { strategy, ...rest } = { strategy: 'cinder-retype', ...spec }
  const named = strategy === undefined ? {} : { strategy }
  stage.world.api.seed({
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'by-hand', namespace: 'default', generation: 1 },
    spec: { policy: 'tiered', claim: { name: 'data' }, to: 'cold', ...named, ...rest },
  })
  await stage.clock.advance(5 * MINUTE)
  return stage.ends('data')
}

async function remove(stage: Stage, url: string): Promise<void> {
  const signal = new AbortController().signal
  await stage.world.api.handle({ method: 'DELETE', url, headers: {}, body: '', signal })
}

describe("a move made by hand respects the owner's word", () => {
  it.each<[string, Record<string, string>, string]>([
    ['paused', { 'couchestor.io/paused': 'true' }, 'Waiting/Paused'],
    ['paused for demotion', { 'couchestor.io/paused': 'demotion' }, 'Waiting/Paused'],
    ['paused in words nobody can read', { 'couchestor.io/paused': 'soon' }, 'Waiting/Paused'],
    ['opted out', { 'couchestor.io/policy': 'none' }, 'Waiting/OptedOut'],
    [
      'given to a policy that is not there',
      { 'couchestor.io/policy': 'x' },
      'Waiting/PolicyNotFound',
    ],
  ])('when the claim is %s', async (_, annotations, end) => {
    const { stage, volume } = await busy({ claim: { annotations } })
    expect(await tried(stage)).toEqual([end])
    expect(stage.retypes(volume)).toBe(0)
    stage.annotate('data', { 'couchestor.io/paused': undefined, 'couchestor.io/policy': undefined })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 5 * MINUTE)).toBe(true)
  })

  it('which is about one direction only, when it says so', async () => {
    const annotations = { 'couchestor.io/paused': 'promotion' }
    const { stage, volume } = await busy({ claim: { annotations } })
    await tried(stage)
    expect(stage.tier(volume)).toBe('cold')
  })

  it('which is about both directions for a volume on a type that is no tier', async () => {
    const annotations = { 'couchestor.io/paused': 'promotion' }
    const { stage, volume } = await busy({ claim: { annotations } })
    const row = stage.cloud.volume(volume.id)
    if (row) row.typeId = stage.cloud.volumeType('__DEFAULT__').id
    expect(await tried(stage)).toEqual(['Waiting/Paused'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('also when it is given while Cinder is still being asked', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    const slow = Promise.withResolvers<void>()
    let held = false
    stage.start({
      gate: async (request, send) => {
        if (request.url.includes('os-quota-sets')) {
          held = true
          await slow.promise
        }
        return send()
      },
    })
    await stage.clock.advance(MINUTE)
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    await stage.until(() => held)
    stage.annotate('data', { 'couchestor.io/paused': 'true' })
    await stage.clock.advance(5_000)
    slow.resolve()
    await stage.clock.advance(5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Waiting/Paused'])
    expect(stage.retypes(volume)).toBe(0)
  })
})

describe('a move made by hand respects the policy', () => {
  it.each<[string, object]>([
    ['only observes', { mode: 'Observe' }],
    ['is paused', { paused: true }],
    ['moves by itself', {}],
  ])('that manages the claim and %s, whatever policy it names', async (_, spec) => {
    const { stage, volume } = await busy({
      spec,
      before: (s) => s.policy({ selector: { matchLabels: OTHERS } }, 'another'),
    })
    expect(await tried(stage, { policy: 'another' })).toEqual(['Waiting/PolicyConflict'])
    expect(stage.moves('data')[0]?.status?.message).toContain('spec.policy: tiered')
    expect(stage.retypes(volume)).toBe(0)
  })

  it('that covers other namespaces only', async () => {
    const { stage, volume } = await busy({
      spec: { selector: undefined, namespaceSelector: { matchLabels: { team: 'a' } } },
    })
    expect(await tried(stage)).toEqual(['Waiting/PolicyConflict'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('and may take a claim that nobody manages to its tiers', async () => {
    const { stage, volume } = await busy({ claim: { labels: {} } })
    await tried(stage)
    expect(stage.tier(volume)).toBe('cold')
  })

  it('that asks for approval, also when the object says that another policy planned it', async () => {
    const { stage, volume } = await busy({
      spec: { mode: 'Approve' },
      claim: { iops: 1 },
      before: (s) => s.policy({ selector: { matchLabels: OTHERS } }, 'another'),
    })
    await stage.until(() => stage.moves('data').length > 0, HOUR)
    for (const m of stage.moves('data'))
      await remove(
        stage,
        `/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations/${m.metadata.name}`,
      )
    stage.move('forged', {
      claim: { name: 'data' },
      to: 'cold',
      policy: 'another',
      reason: 'Policy',
    })
    await stage.clock.advance(5 * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
  })
})

describe('what a move names', () => {
  it.each([
    ['the move', {}, { strategy: 'cinder-transfer' }],
    ['the policy', { migration: { strategy: 'cinder-transfer' } }, { strategy: undefined }],
  ])(
    'is never replaced by something else: a strategy of %s that there is no machine for',
    async (_, spec, move) => {
      const { stage, volume } = await busy({ spec })
      expect(await tried(stage, move)).toEqual(['Failed/StrategyUnsupported'])
      expect(stage.retypes(volume)).toBe(0)
    },
  )

  it('is not there any more when it is a policy that is being deleted', async () => {
    const { stage, volume } = await busy()
    const policies = '/apis/couchestor.io/v1alpha1/storagepolicies'
    const policy = stage.object(policies, 'tiered')!
    const deletionTimestamp = new Date(stage.clock.now()).toISOString()
    stage.world.api.seed({
      ...policy,
      metadata: {
        ...policy.metadata,
        generation: 2,
        deletionTimestamp,
        finalizers: ['foregroundDeletion'],
      },
    })
    expect(await tried(stage)).toEqual(['Waiting/PolicyNotFound'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('may have been created in the same breath: claim, tier and move', async () => {
    const { stage } = await busy()
    const [hot, warm, cold] = POLICY.tiers
    stage.policy({ tiers: [hot, warm, { ...cold, name: 'frozen' }] })
    const volume = stage.claim({ name: 'fresh', iops: 3000, ageHours: 0 })
    stage.move('by-hand', { claim: { name: 'fresh' }, to: 'frozen' })
    await stage.until(() => stage.ends('fresh')[0] === 'Succeeded/Verified', 5 * MINUTE)
    expect(stage.ends('fresh')).toEqual(['Succeeded/Verified'])
    expect(stage.retypes(volume)).toBe(1)
  })
})

describe('the name of a volume in a move is never an address', () => {
  it.each<[string, (stage: Stage) => void]>([
    [
      'a claim without a volume',
      (stage) =>
        stage.world.api.seed({
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { name: 'bait', namespace: 'attacker' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            storageClassName: 'couchestor-hot',
            resources: { requests: { storage: '1Gi' } },
          },
          status: { phase: 'Pending' },
        }),
    ],
    [
      'a claim of another volume that is paused',
      (stage) =>
        void stage.claim({
          name: 'bait',
          namespace: 'attacker',
          annotations: { 'couchestor.io/paused': 'true' },
          labels: {},
        }),
    ],
  ])('and %s keeps nobody else from moving', async (_, bait) => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'idle' })
    stage.world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'attacker' } })
    bait(stage)
    stage.move(
      'block',
      { claim: { name: 'bait' }, to: 'cold', volume: { id: volume.id, pv: volume.pv } },
      undefined,
      { namespace: 'attacker' },
    )
    stage.start()
    expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR)).toBe(true)
  })

  it('and a claim of the same name in another namespace is another claim', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'idle' })
    stage.claim({
      name: 'idle',
      namespace: 'attacker',
      annotations: { 'couchestor.io/paused': 'true' },
    })
    stage.move('block', { claim: { name: 'idle' }, to: 'warm' }, undefined, {
      namespace: 'attacker',
    })
    stage.start()
    expect(await stage.until(() => stage.tier(volume) === 'cold', 2 * HOUR)).toBe(true)
  })
})

describe('a move made by hand is about the claim that was there', () => {
  /** Deletes the claim and creates one of the same name with another volume. */
  async function recreated(stage: Stage) {
    await remove(stage, `${CLAIMS}/data`)
    await remove(stage, '/api/v1/persistentvolumes/pvc-default-data')
    await stage.clock.advance(2_000)
    return stage.claim({ name: 'data', iops: 3000, ageHours: 0 })
  }

  it('and does not follow its name to another claim made later', async () => {
    const { stage, volume } = await busy()
    stage.cloud.addSnapshot(volume.id)
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    await stage.until(() => stage.ends('data')[0] === 'Waiting/Snapshots')
    const later = await recreated(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Failed/ClaimMismatch'])
    expect(stage.retypes(later) + stage.retypes(volume)).toBe(0)
  })

  it('also when it waited for a volume until then', async () => {
    const { stage } = await busy()
    const claim = stage.pvc('data')
    stage.world.api.seed({ ...claim, status: { phase: 'Pending' } })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    await stage.until(() => stage.ends('data')[0] === 'Waiting/Unbound')
    const later = await recreated(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Failed/ClaimMismatch'])
    expect(stage.retypes(later)).toBe(0)
  })

  it('also when no controller ran in between', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    const later = await recreated(stage)
    stage.start()
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual(['Failed/ClaimMismatch'])
    expect(stage.retypes(later) + stage.retypes(volume)).toBe(0)
  })

  it('and finds one that was created a moment before it', async () => {
    const { stage } = await busy()
    const volume = stage.claim({ name: 'fresh', iops: 3000, ageHours: 0 })
    stage.move('by-hand', { claim: { name: 'fresh' }, to: 'cold' })
    expect(await stage.until(() => stage.tier(volume) === 'cold', 5 * MINUTE)).toBe(true)
  })
})

describe('what is being deleted is not moved', () => {
  const deletionTimestamp = new Date(Date.UTC(2026, 0, 20, 10)).toISOString()

  it.each<[string, (stage: Stage) => void]>([
    [
      'the move itself',
      (stage) =>
        stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' }, undefined, {
          deletionTimestamp,
          finalizers: ['example.com/keep'],
        }),
    ],
    [
      'the claim',
      (stage) => {
        const claim = stage.pvc('data')
        const metadata = { ...claim.metadata, deletionTimestamp, finalizers: ['kubernetes.io/pvc'] }
        stage.world.api.seed({ ...claim, metadata })
        stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
      },
    ],
    [
      'its namespace',
      (stage) => {
        const namespace = stage.object('/api/v1/namespaces', 'default')!
        const metadata = { ...namespace.metadata, deletionTimestamp }
        stage.world.api.seed({ ...namespace, metadata, status: { phase: 'Terminating' } })
        stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
      },
    ],
  ])('%s', async (_, act) => {
    const { stage, volume } = await busy()
    act(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.ends('data')[0]).toMatch(/^(Failed\/Cancelled|Waiting\/Terminating)$/)
  })

  it('but a move that runs already is followed to its end', async () => {
    const { stage, volume } = await busy({ claim: { sizeGiB: 100 } })
    stage.move('by-hand', { claim: { name: 'data' }, to: 'cold' })
    await stage.until(() => stage.cloud.retyping().length > 0)
    const m = stage.moves('data')[0]!
    const metadata = { ...m.metadata, deletionTimestamp, finalizers: ['example.com/keep'] }
    stage.world.api.seed({ ...m, metadata })
    expect(await stage.until(() => stage.ends('data')[0] === 'Succeeded/Verified')).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
    expect(await stage.until(() => stage.ledger().length === 0)).toBe(true)
  })
})
