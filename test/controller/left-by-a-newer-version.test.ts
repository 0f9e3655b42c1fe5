import { expect, it } from 'vitest'
import { createLog } from '../../src/log.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** A move in that step by a strategy that this version has no machine for, as a newer version has left it. */
function left(step: string, reason: string) {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  const at = new Date(stage.clock.now() - MINUTE).toISOString()
  const uid = '11111111-2222-4333-8444-555555555555'
  const claim = { name: 'data', uid: stage.pvc('data').metadata.uid }
  const spec = { claim, from: 'hot', to: 'cold', strategy: 'cinder-transfer' }
  const status = {
    step,
    reason,
    message: 'left by a newer version',
    volumeId: volume.id,
    sizeGiB: 10,
    startedAt: at,
    intent: {
      act: 'createSnapshot',
      strategy: 'cinder-transfer',
      attempt: 1,
      requestId: 'req-new',
      clusterId: stage.object('/api/v1/namespaces', 'kube-system')?.metadata.uid ?? '',
      objectUid: uid,
      epoch: 1,
      at,
      deadline: new Date(Date.parse(at) + 30 * MINUTE).toISOString(),
      fromTypeId: stage.cloud.volumeType('couchestor-hot').id,
      toTypeId: stage.cloud.volumeType('couchestor-cold').id,
      volumeUpdatedAt: new Date(stage.cloud.volume(volume.id)?.updatedAt ?? 0).toISOString(),
      availabilityZone: 'nova',
      attached: false,
    },
  }
  stage.move('new', spec, status, { uid, creationTimestamp: at })
  return { stage, volume }
}

function started(stage: Stage): string[] {
  const lines: string[] = []
  stage.start({ log: createLog('warn', { write: (line) => void lines.push(line) }) })
  return lines
}

it.each([
  ['Requested', 'IntentSaved'],
  ['Verifying', 'Verifying'],
])(
  'a move that is %s by a strategy of a newer version stays as it is, and says what it waits for',
  async (step, reason) => {
    const { stage, volume } = left(step, reason)
    const lines = started(stage)
    await stage.clock.advance(10 * MINUTE)
    expect(stage.ends('data')).toEqual([`${step}/${reason}`])
    const { message, intent } = stage.moves('data')[0]?.status ?? {}
    expect(message).toContain('cinder-transfer')
    expect(message).toContain('bring that version back')
    expect(intent).toMatchObject({ act: 'createSnapshot', strategy: 'cinder-transfer' })
    expect(stage.retypes(volume)).toBe(0)
    expect(lines.filter((l) => l.includes('cinder-transfer'))).toEqual([])
  },
)

it('a move by a strategy of a newer version is Stuck at its deadline, and others take its place', async () => {
  const { stage, volume } = left('Requested', 'IntentSaved')
  const other = stage.claim({ name: 'other', sizeGiB: 1 })
  started(stage)
  const isStuck = () => stage.ends('data')[0] === 'Stuck/DeadlinePassed'
  expect(await stage.until(isStuck, HOUR, MINUTE)).toBe(true)
  expect(stage.moves('data')[0]?.status?.message).toContain('bring that version back')
  expect(await stage.until(() => stage.tier(other) === 'cold', HOUR, MINUTE)).toBe(true)
  expect(stage.ends('data')).toEqual(['Stuck/DeadlinePassed'])
  expect(stage.moves('data')[0]?.status?.message).toContain('bring that version back')
  expect(stage.retypes(volume)).toBe(0)
})
