import { expect, it } from 'vitest'
import { answer, network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

/** A move that Cinder copies for, and a credential that can be switched to another project. */
async function moving() {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  const theirs = stage.cloud.addAppCredential(stage.cloud.other, 'theirs')
  let now = stage.cloud.operator
  const running = stage.start({ credential: () => now })
  await stage.until(() => stage.ends('data')[0]?.startsWith('Retyping') === true, HOUR)
  const switchTo = (whose: 'theirs' | 'ours') => {
    now = whose === 'theirs' ? theirs : stage.cloud.operator
    stage.cloud.expireTokens()
  }
  return { stage, volume, running, switchTo, theirs, ends: () => stage.ends('data')[0] }
}

it('a credential of another project ends no move: it says so, waits, and goes on with the former one', async () => {
  const { stage, volume, switchTo, ends } = await moving()
  const { projectId } = stage.moves('data')[0]?.status?.intent ?? {}
  expect(projectId).toBe(stage.cloud.couchestor.project.id)
  switchTo('theirs')
  await stage.clock.advance(2 * MINUTE)
  expect(ends()).toMatch(/^Retyping/)
  const { message } = stage.moves('data')[0]?.status ?? {}
  expect(message).toContain(`project ${stage.cloud.other.project.id}`)
  expect(message).toContain(`a credential of project ${projectId}`)
  switchTo('ours')
  expect(await stage.until(() => ends() === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
})

it('a new leader with a credential of another project ends none either', async () => {
  const { stage, running, theirs, ends } = await moving()
  await running.stop()
  stage.start({ identity: 'second', credential: () => theirs })
  await stage.clock.advance(5 * MINUTE)
  expect(ends()).toMatch(/^Retyping/)
})

it('past its deadline the move is Stuck, and names the project', async () => {
  const { stage, switchTo, ends } = await moving()
  switchTo('theirs')
  expect(await stage.until(() => ends() === 'Stuck/DeadlinePassed', 2 * HOUR, 10_000)).toBe(true)
  expect(stage.moves('data')[0]?.status?.message).toContain('a credential of project')
})

it('a move that waits for its next try stays as well', async () => {
  const stage = new Stage()
  stage.policy()
  const volume = stage.claim({ name: 'data', sizeGiB: 10 })
  const theirs = stage.cloud.addAppCredential(stage.cloud.other, 'theirs')
  let now = stage.cloud.operator
  const net = network()
  net.on(`POST /volumes/${volume.id}/action`, () => answer(429))
  stage.start({ gate: net.gate, credential: () => now })
  const ends = () => stage.ends('data')[0]
  const isTried = () => stage.moves('data')[0]?.status?.call?.httpStatus === 429
  expect(await stage.until(isTried, HOUR)).toBe(true)
  now = theirs
  stage.cloud.expireTokens()
  net.clear()
  expect(await stage.until(() => ends() === 'Waiting/MissingPermission', HOUR)).toBe(true)
  expect(stage.moves('data')[0]?.status?.message).toContain('a credential of project')
  now = stage.cloud.operator
  stage.cloud.expireTokens()
  expect(await stage.until(() => ends() === 'Succeeded/Verified', HOUR)).toBe(true)
  expect(stage.retypes(volume)).toBe(1)
})

it('an intent that names no project ends as before', async () => {
  const { stage, switchTo, ends } = await moving()
  const [move] = stage.moves('data')
  const { projectId: _unknown, ...intent } = move?.status?.intent ?? {}
  stage.world.api.seed({ ...move, status: { ...move?.status, intent } })
  switchTo('theirs')
  expect(await stage.until(() => ends() === 'Failed/Disappeared', 5 * MINUTE)).toBe(true)
})

it('a copy from a cluster of another project ends, and asks nobody for the credential of that project', async () => {
  const stage = new Stage()
  stage.policy()
  stage.claim({ name: 'data', iops: 3000 })
  const at = new Date(stage.clock.now() - 48 * HOUR).toISOString()
  const claim = { name: 'data', uid: 'uid-of-another-cluster' }
  stage.move(
    'copy',
    { claim, from: 'hot', to: 'cold', reason: 'Policy' },
    {
      step: 'Retyping',
      reason: 'Accepted',
      volumeId: '99999999-2222-4333-8444-555555555555',
      startedAt: at,
      intent: {
        act: 'retype',
        strategy: 'cinder-retype',
        attempt: 1,
        requestId: 'req-copy',
        clusterId: 'another-cluster',
        projectId: stage.cloud.other.project.id,
        objectUid: 'another-object',
        epoch: 1,
        at,
        deadline: new Date(Date.parse(at) + 4 * HOUR).toISOString(),
        fromTypeId: stage.cloud.volumeType('couchestor-hot').id,
        toTypeId: stage.cloud.volumeType('couchestor-cold').id,
        volumeUpdatedAt: at,
        availabilityZone: 'nova',
        attached: false,
      },
    },
  )
  stage.start()
  expect(await stage.until(() => stage.moves('data')[0]?.status?.step === 'Failed', HOUR)).toBe(
    true,
  )
})

it('a deleted move is not taken for ended by a credential of another project', async () => {
  const { stage, volume, switchTo } = await moving()
  await stage.remove(
    `/apis/couchestor.io/v1alpha1/namespaces/default/volumemigrations/${stage.moves('data')[0]?.metadata.name}`,
  )
  stage.cloud.killCopies()
  switchTo('theirs')
  await stage.clock.advance(30 * MINUTE)
  const row = stage.cloud.volume(volume.id)
  if (row) row.typeId = stage.cloud.volumeType('couchestor-warm').id
  stage.cloud.setStatus(volume.id, 'available')
  switchTo('ours')
  // it ended on a type that nothing asked for, and is still known to be ours
  const isHalted = () => stage.condition('Ready')?.reason === 'Halted'
  expect(await stage.until(isHalted, HOUR)).toBe(true)
  expect(stage.condition('Ready')?.message).toContain(volume.id)
})
