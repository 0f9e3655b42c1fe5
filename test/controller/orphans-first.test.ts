import { expect, it } from 'vitest'
import { answer, network } from './answers.ts'
import { HOUR, MINUTE, Stage } from './stage.ts'

const MOVES = '/apis/couchestor.io/v1alpha1/namespaces/tenant/volumemigrations'

/** A move whose object was deleted while Cinder copied, and another one that starts as soon as a person approves it. */
async function orphaned() {
  const stage = new Stage()
  stage.policy({ mode: 'Approve' })
  const strange = stage.claim({ name: 'strange', namespace: 'tenant', sizeGiB: 10 })
  const other = stage.claim({ name: 'other' })
  const net = network()
  const first = stage.start({ gate: net.gate })
  const planned = (claim: string) => stage.ends(claim)[0] === 'Waiting/AwaitingApproval'
  await stage.until(() => planned('strange') && planned('other'), HOUR)
  const approve = (claim: string) => {
    const move = stage.moves(claim)[0]!
    stage.world.api.seed({ ...move, spec: { ...move.spec, approved: true } })
  }
  approve('strange')
  await stage.until(() => stage.cloud.retyping().includes(strange.id), HOUR)
  await stage.remove(`${MOVES}/${stage.moves('strange')[0]!.metadata.name}`)
  const end = (type: string) => {
    stage.cloud.killCopies()
    const row = stage.cloud.volume(strange.id)
    if (row) row.typeId = stage.cloud.volumeType(type).id
    stage.cloud.setStatus(strange.id, 'available')
  }
  const ask = () => approve('other')
  const started = () => stage.retypes(other)
  const isHalted = () => stage.condition('Ready')?.reason === 'Halted'
  return { stage, strange, first, net, end, ask, started, isHalted }
}

it('a new leader starts nothing before it has seen how the moves ended that were deleted', async () => {
  const { stage, first, end, ask, started, isHalted } = await orphaned()
  await first.stop()
  end('couchestor-warm')
  ask()
  stage.start({ identity: 'second' })
  expect(await stage.until(isHalted)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(started()).toBe(0)
})

it('a leader starts nothing from the first read on that shows a type which was never requested', async () => {
  const { stage, strange, net, end, ask, started, isHalted } = await orphaned()
  end('couchestor-warm')
  const reads = net.count(`GET /volumes/${strange.id}`)
  await stage.until(() => net.count(`GET /volumes/${strange.id}`) > reads)
  await stage.clock.advance(100)
  ask()
  expect(await stage.until(isHalted)).toBe(true)
  await stage.clock.advance(HOUR)
  expect(started()).toBe(0)
})

it('one that is unreadable after a read of such a type does not hold up all moves in silence', async () => {
  const { stage, strange, net, end, ask, started, isHalted } = await orphaned()
  end('couchestor-warm')
  const reads = net.count(`GET /volumes/${strange.id}`)
  await stage.until(() => net.count(`GET /volumes/${strange.id}`) > reads)
  await stage.clock.advance(100)
  net.on(`GET /volumes/${strange.id}`, () => answer(500))
  ask()
  await stage.clock.advance(4 * MINUTE)
  expect(started()).toBe(0)
  // the person who has to check the volume must be notified
  expect(await stage.until(isHalted, 10 * MINUTE)).toBe(true)
  expect(stage.condition('Ready')?.message).toContain(strange.id)
  expect(started()).toBe(0)
})

it('one whose volume cannot be read holds up new moves for minutes, and the policy says so', async () => {
  const { stage, strange, first, end, ask, started } = await orphaned()
  await first.stop()
  end('couchestor-cold')
  const net = network()
  net.on(`GET /volumes/${strange.id}`, () => answer(500))
  ask()
  stage.start({ identity: 'second', gate: net.gate })
  await stage.clock.advance(4 * MINUTE)
  expect(started()).toBe(0)
  expect(stage.condition('Ready')).toMatchObject({ status: 'False', reason: 'Starting' })
  expect(stage.condition('Ready')?.message).toContain(strange.id)
  // one object must not keep all others from moving for good
  expect(await stage.until(() => started() === 1, 5 * MINUTE)).toBe(true)
  expect(stage.retypes(strange)).toBe(1)
})

it.each(['couchestor-hot', 'couchestor-cold', 'gone'])(
  'one that rests on %s holds up nothing',
  async (where) => {
    const { stage, strange, first, end, ask, started } = await orphaned()
    await first.stop()
    end('couchestor-hot')
    const net = network()
    if (where === 'gone') net.on(`GET /volumes/${strange.id}`, () => gone())
    else end(where)
    ask()
    stage.start({ identity: 'second', gate: net.gate })
    expect(await stage.until(() => started() === 1, 5 * MINUTE)).toBe(true)
  },
)

function gone() {
  return answer(404, { itemNotFound: { code: 404, message: 'Volume could not be found.' } })
}

it('a leader that is stopped while it looks for the first time ends at once', async () => {
  const { stage, strange, first } = await orphaned()
  await first.stop()
  const net = network()
  net.on(`GET /volumes/${strange.id}`, () => answer(500))
  const second = stage.start({ identity: 'second', gate: net.gate })
  await stage.until(() => net.count(`GET /volumes/${strange.id}`) > 2, MINUTE, 100)
  await second.stop()
  expect(second.end()).toBe('stopped')
})
