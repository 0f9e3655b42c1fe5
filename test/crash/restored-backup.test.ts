import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from '../controller/stage.ts'

/** A claim that wants nothing, with an old move of its own brought back by a restore. */
function restored(status: (ids: Ids) => object, reason: 'Policy' | 'Forced' | 'Manual' = 'Policy') {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', iops: 3000 })
  const ids: Ids = {
    uid: '11111111-2222-4333-8444-555555555555',
    cluster: stage.object('/api/v1/namespaces', 'kube-system')?.metadata.uid ?? '',
    volumeId: volume.id,
    updatedAt: updatedAt(stage, volume.id),
    hot: stage.cloud.volumeType('couchestor-hot').id,
    cold: stage.cloud.volumeType('couchestor-cold').id,
    long: new Date(stage.clock.now() - 72 * HOUR).toISOString(),
  }
  const claim = { name: 'data', uid: stage.pvc('data').metadata.uid }
  stage.move('old', { claim, from: 'hot', to: 'cold', reason }, status(ids), { uid: ids.uid })
  return { stage, volume }
}

type Ids = Readonly<
  Record<'uid' | 'cluster' | 'volumeId' | 'updatedAt' | 'hot' | 'cold' | 'long', string>
>

function intentOf(ids: Ids, more: object = {}) {
  return {
    attempt: 1,
    requestId: 'req-old',
    clusterId: ids.cluster,
    objectUid: ids.uid,
    epoch: 1,
    at: ids.long,
    deadline: new Date(Date.parse(ids.long) + HOUR).toISOString(),
    fromTypeId: ids.hot,
    toTypeId: ids.cold,
    volumeUpdatedAt: ids.updatedAt,
    availabilityZone: 'nova',
    attached: false,
    ...more,
  }
}

/** As the Cinder client gives it. */
function updatedAt(stage: Stage, id: string): string {
  return new Date(stage.cloud.volume(id)?.updatedAt ?? 0).toISOString()
}

function requested(ids: Ids, intent: object = {}, call?: object) {
  return {
    step: 'Requested',
    reason: 'IntentSaved',
    message: '',
    volumeId: ids.volumeId,
    startedAt: ids.long,
    intent: intentOf(ids, intent),
    ...(call === undefined ? {} : { call }),
  }
}

const FAR = '2030-01-01T00:00:00.000Z'

describe('a restored backup', () => {
  it.each<[string, (ids: Ids) => object, string]>([
    ['whose intent is older than its deadline', (ids) => requested(ids), 'Failed/StaleIntent'],
    [
      'of another cluster',
      (ids) => requested(ids, { clusterId: 'another', deadline: FAR }),
      'Failed/ForeignIntent',
    ],
    [
      'whose objects got new uids',
      (ids) => requested(ids, { objectUid: 'another', deadline: FAR }),
      'Failed/ForeignIntent',
    ],
    [
      'of a volume that has changed since',
      (ids) => requested(ids, { deadline: FAR, volumeUpdatedAt: '2020-01-01T00:00:00.000Z' }),
      'Failed/OutcomeUnknown',
    ],
    [
      'whose call was accepted long ago and undone since',
      (ids) => requested(ids, {}, { kind: 'Accepted', at: ids.long, httpStatus: 202 }),
      'Failed/Reverted',
    ],
    [
      'whose call had not been sent',
      (ids) => requested(ids, {}, { kind: 'NotSent', at: ids.long }),
      'Failed/StaleIntent',
    ],
    [
      'of another cluster, whose call had not been sent',
      (ids) =>
        requested(ids, { clusterId: 'another', deadline: FAR }, { kind: 'NotSent', at: ids.long }),
      'Failed/ForeignIntent',
    ],
    [
      'of a move that waited for its turn',
      (ids) => ({ step: 'Waiting', reason: 'ConcurrencyLimit', message: '', expiresAt: ids.long }),
      'Failed/Expired',
    ],
    [
      'of a move that waited and never got an answer',
      () => ({ step: 'Waiting', reason: 'Planned', message: '' }),
      'Failed/NoLongerWanted',
    ],
  ])('%s is reported, and nothing is replayed', async (_, status, end) => {
    const { stage, volume } = restored(status)
    stage.start()
    await stage.until(() => stage.ends('data')[0]?.startsWith('Failed') === true, 5 * MINUTE)
    await stage.clock.advance(10 * MINUTE)

    expect(stage.ends('data')).toEqual([end])
    expect(stage.moves('data')[0]?.status?.message).toMatch(/\w{4}/)
    expect(stage.retypes(volume)).toBe(0)
    expect(stage.tier(volume)).toBe('hot')
  })

  it.each<[string, object]>([
    ['another cluster', { clusterId: 'another' }],
    ['objects that got new uids', { objectUid: 'another' }],
  ])('of %s, whose volume is on a third type by now, halts nobody', async (_, more) => {
    const { stage } = restored((ids) => ({
      ...requested(ids, { deadline: FAR, ...more }),
      step: 'Retyping',
      reason: 'Accepted',
      intent: intentOf(ids, { deadline: FAR, ...more, fromTypeId: 'type-of-then' }),
    }))
    stage.start()
    await stage.until(() => stage.ends('data')[0]?.startsWith('Failed') === true, 5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Failed/ForeignIntent'])
    await stage.clock.advance(MINUTE)
    expect(stage.condition('Ready')?.reason).not.toBe('Halted')
  })

  it.each<[string, (ids: Ids) => object]>([
    [
      'whose answers were never saved',
      (ids) =>
        requested(ids, { clusterId: 'another', volumeUpdatedAt: '2020-01-01T00:00:00.000Z' }),
    ],
    [
      'that were running',
      (ids) => ({
        ...requested(ids, { objectUid: 'another', deadline: FAR }),
        step: 'Retyping',
        reason: 'Accepted',
      }),
    ],
    [
      'that were refused',
      (ids) =>
        requested(
          ids,
          { clusterId: 'another' },
          { kind: 'Rejected', at: ids.long, httpStatus: 400 },
        ),
    ],
  ])('of three moves of another cluster %s holds back no move of this one', async (_, status) => {
    const { stage } = restored(status)
    for (const name of ['b', 'c']) {
      const volume = stage.claim({ name, iops: 3000 })
      const { spec, status: old } = stage.moves('data')[0]!
      const uid = `11111111-2222-4333-8444-55555555555${name}`
      const claim = { name, uid: stage.pvc(name).metadata.uid }
      stage.move(`old-${name}`, { ...spec, claim }, { ...old, volumeId: volume.id }, { uid })
    }
    stage.start()
    const all = () => ['data', 'b', 'c'].flatMap((name) => stage.ends(name))
    await stage.until(() => all().every((end) => end.startsWith('Failed')), 5 * MINUTE)
    expect(all()).toEqual(Array.from({ length: 3 }, () => 'Failed/ForeignIntent'))
    await stage.clock.advance(MINUTE)
    expect(stage.condition('Ready')?.reason).not.toBe('BreakerOpen')
  })

  it('of a cluster with a higher count of leaders, in the middle of a term, keeps nobody from moving', async () => {
    const stage = new Stage()
    stage.policy()
    const busy = stage.claim({ name: 'data', iops: 3000 })
    const running = stage.start()
    await stage.clock.advance(MINUTE)
    const long = new Date(stage.clock.now() - 72 * HOUR).toISOString()
    const [hot, cold] = ['hot', 'cold'].map((t) => stage.cloud.volumeType(`couchestor-${t}`).id)
    const ids: Ids = {
      uid: '11111111-2222-4333-8444-555555555555',
      cluster: 'another',
      volumeId: busy.id,
      updatedAt: updatedAt(stage, busy.id),
      hot: hot!,
      cold: cold!,
      long,
    }
    const spec = { claim: { name: 'data' }, to: 'cold' }
    stage.move('old', spec, requested(ids, { epoch: 999, deadline: FAR }), { uid: ids.uid })
    const idle = stage.claim({ name: 'idle' })
    expect(await stage.until(() => stage.tier(idle) === 'cold', 10 * MINUTE)).toBe(true)
    expect(stage.ends('data')).toEqual(['Failed/ForeignIntent'])
    expect(running.end()).toBeUndefined()
    expect(stage.retypes(busy)).toBe(0)
  })

  it('of a manual move that had been sent from another cluster is not sent again when it waits', async () => {
    const { stage, volume } = restored(
      (ids) => ({
        step: 'Waiting',
        reason: 'NotSent',
        message: '',
        volumeId: ids.volumeId,
        intent: intentOf(ids, { clusterId: 'another', deadline: FAR }),
      }),
      'Manual',
    )
    stage.start()
    await stage.until(() => stage.ends('data')[0]?.startsWith('Failed') === true, 5 * MINUTE)
    expect(stage.ends('data')).toEqual(['Failed/ForeignIntent'])
    expect(stage.retypes(volume)).toBe(0)
  })

  it('of the ledger is cleaned up once Cinder shows that nothing runs', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 3000 })
    stage.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'TieringCheckpoint',
      metadata: { name: 'moves-in-flight' },
      spec: {
        policy: 'moves-in-flight',
        shard: 0,
        rule: 'none',
        windowEnd: '1970-01-01T00:00:00Z',
        volumes: 0,
        data: '',
        inFlight: [
          {
            namespace: 'gone',
            migration: 'old',
            volumeId: volume.id,
            fromTypeId: 'a',
            toTypeId: 'b',
            at: '2025-01-01T00:00:00Z',
          },
        ],
      },
    })
    stage.start()
    expect(await stage.until(() => stage.ledger().length === 0)).toBe(true)
    expect(stage.retypes(volume)).toBe(0)
  })

  it('of a checkpoint from a time when the tiers were others is not used: history is read again', async () => {
    const stage = new Stage()
    stage.policy()
    const volume = stage.claim({ name: 'data', iops: 1 })
    stage.world.api.seed({
      apiVersion: 'couchestor.io/v1alpha1',
      kind: 'TieringCheckpoint',
      metadata: { name: 'tiered-0' },
      spec: {
        policy: 'tiered',
        shard: 0,
        rule: 'of other tiers',
        windowEnd: '2026-01-20T10:00:00Z',
        volumes: 1,
        data: 'AAAA',
      },
    })
    stage.start()
    expect(await stage.until(() => stage.tier(volume) === 'cold')).toBe(true)
    expect(stage.retypes(volume)).toBe(1)
  })
})
