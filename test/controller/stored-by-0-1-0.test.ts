import { expect, it } from 'vitest'
import { HOUR, MINUTE, Stage } from './stage.ts'

type Ids = Readonly<
  Record<'uid' | 'cluster' | 'volume' | 'updatedAt' | 'hot' | 'cold' | 'at', string>
>
type Cinder = 'rests on hot' | 'is retyping' | 'rests on cold' | 'failed'

/** A claim on hot whose move to cold was left by 0.1.0 in the step that `status` shows. */
async function left(cinder: Cinder, status: (ids: Ids) => object | undefined) {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  const ids: Ids = {
    uid: '11111111-2222-4333-8444-555555555555',
    cluster: stage.object('/api/v1/namespaces', 'kube-system')?.metadata.uid ?? '',
    volume: volume.id,
    updatedAt: new Date(stage.cloud.volume(volume.id)?.updatedAt ?? 0).toISOString(),
    hot: stage.cloud.volumeType('couchestor-hot').id,
    cold: stage.cloud.volumeType('couchestor-cold').id,
    at: new Date(stage.clock.now() - MINUTE).toISOString(),
  }
  const claim = { name: 'data', uid: stage.pvc('data').metadata.uid }
  const object = { uid: ids.uid, creationTimestamp: ids.at }
  const spec = { claim, from: 'hot', to: 'cold', reason: 'Policy' }
  if (cinder === 'is retyping' || cinder === 'rests on cold') {
    stage.move('old', spec, undefined, object)
    const caller = stage.start({ identity: 'caller' })
    await stage.until(() => stage.cloud.retyping().length > 0, HOUR)
    caller.life.kill()
  }
  if (cinder === 'rests on cold') await stage.until(() => stage.tier(volume) === 'cold')
  if (cinder === 'failed') stage.cloud.setStatus(volume.id, 'error')
  stage.move('old', spec, status(ids), object)
  return { stage, volume }
}

/** The intent of 0.1.0 names neither act nor strategy. */
const began =
  (step: string, reason: string, more: object = {}) =>
  ({ uid, cluster, volume, updatedAt, hot, cold, at }: Ids) => ({
    step,
    reason,
    message: 'left by 0.1.0',
    volumeId: volume,
    sizeGiB: 10,
    startedAt: at,
    intent: {
      attempt: 1,
      requestId: 'req-old',
      clusterId: cluster,
      objectUid: uid,
      epoch: 1,
      at,
      deadline: new Date(Date.parse(at) + 4 * HOUR).toISOString(),
      fromTypeId: hot,
      toTypeId: cold,
      volumeUpdatedAt: updatedAt,
      availabilityZone: 'nova',
      attached: false,
    },
    ...more,
  })

const call = (kind: string, more: object = {}) => ({
  call: { kind, at: '2026-01-20T10:06:30.000Z', ...more },
})

it.each<[string, Cinder, (ids: Ids) => object | undefined, string, number]>([
  ['has no status', 'rests on hot', () => undefined, 'Succeeded/Verified', 1],
  [
    'is Waiting',
    'rests on hot',
    () => ({ step: 'Waiting', reason: 'Planned', message: '' }),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, and the call never left',
    'rests on hot',
    began('Requested', 'IntentSaved'),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, and the call runs',
    'is retyping',
    began('Requested', 'IntentSaved'),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, and the call is over',
    'rests on cold',
    began('Requested', 'IntentSaved'),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, with no answer to a call that runs',
    'is retyping',
    began('Requested', 'OutcomeUnknown', call('Unknown', { message: 'timeout' })),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, with a call that was not sent',
    'rests on hot',
    began('Requested', 'NotSent', call('NotSent', { message: 'no connection' })),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Requested, with a call that Cinder refused',
    'rests on hot',
    began('Requested', 'Rejected', call('Rejected', { httpStatus: 400, message: 'no' })),
    'Failed/Rejected',
    0,
  ],
  [
    'is Retyping',
    'is retyping',
    began('Retyping', 'Accepted', call('Accepted')),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Verifying',
    'rests on cold',
    began('Verifying', 'Verifying', {
      ...call('Accepted'),
      verifiedOnceAt: '2026-01-20T10:06:50.000Z',
    }),
    'Succeeded/Verified',
    1,
  ],
  [
    'is Stuck, and Cinder has ended meanwhile',
    'rests on cold',
    began('Stuck', 'DeadlinePassed', call('Accepted')),
    'Succeeded/Verified',
    1,
  ],
])(
  'a move that 0.1.0 left when it %s is brought to its end',
  async (_, cinder, status, end, retypes) => {
    const { stage, volume } = await left(cinder, status)
    stage.start()
    expect(await stage.until(() => stage.ends('data')[0] === end, 2 * HOUR, 5_000)).toBe(true)
    expect(stage.retypes(volume)).toBe(retypes)
  },
)

it.each(['Succeeded', 'Failed'])('a move that 0.1.0 left %s is not touched', async (step) => {
  const { stage, volume } = await left('rests on hot', (ids) => ({
    ...began(step, step === 'Failed' ? 'Reverted' : 'Verified', call('Accepted'))(ids),
    completedAt: ids.at,
  }))
  const before = stage.moves('data')[0]?.status
  stage.policy({ mode: 'Observe' })
  stage.start()
  await stage.clock.advance(HOUR)
  expect(stage.moves('data')[0]?.status).toEqual(before)
  expect(stage.retypes(volume)).toBe(0)
})

it('a move that 0.1.0 left in an error of Cinder stays Stuck, and is not called about again', async () => {
  const { stage, volume } = await left('failed', began('Retyping', 'Accepted', call('Accepted')))
  stage.start()
  expect(await stage.until(() => stage.ends('data')[0] === 'Stuck/VolumeError', HOUR)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(stage.retypes(volume)).toBe(0)
})
