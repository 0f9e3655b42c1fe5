import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../test/virtual-clock.ts'
import { silentLog } from '../log.ts'
import { createRegistry } from '../metrics.ts'
import { leaseServer, processClock } from './lease-testing.ts'
import type { Net } from './lease-testing.ts'
import { createElector } from './lease.ts'
import { LostLeaseError } from './types.ts'
import type { Elector } from './types.ts'

function setup() {
  const world = createVirtualClock(Date.UTC(2026, 0, 1, 12))
  const server = leaseServer(world)
  const start = (identity: string, net?: Net) => {
    const clock = processClock(world)
    const metrics = createRegistry()
    const elector = createElector({
      client: server.client(clock, net),
      namespace: 'ns',
      identity,
      clock,
      random: () => 0,
      log: silentLog,
      metrics,
    })
    const stopper = new AbortController()
    const ended = elector.run(stopper.signal)
    let outcome: string | undefined
    void ended.then((o) => (outcome = o))
    return {
      elector,
      clock,
      metrics,
      ended,
      stop: () => stopper.abort(),
      outcome: () => outcome,
    }
  }
  return { world, server, start }
}

/** With a Lease that was released, as every start but the first finds it. */
function released() {
  const s = setup()
  s.server.lease = {
    metadata: { name: 'couchestor-controller', namespace: 'ns', uid: 'u', resourceVersion: '0' },
    spec: { holderIdentity: '', leaseDurationSeconds: 1, leaseTransitions: 4 },
  }
  return s
}

const passes = (elector: Elector, marginMs?: number) => {
  try {
    elector.fence(marginMs)
    return true
  } catch (e) {
    if (e instanceof LostLeaseError) return false
    throw e
  }
}

describe('taking', () => {
  it('a released lease happens at once, as one more term', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.settle()

    expect(a.elector).toMatchObject({ isLeader: true, epoch: 5, leaseUid: 'u' })
    expect(server.lease?.spec).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T12:00:00.000000Z',
      renewTime: '2026-01-01T12:00:00.000000Z',
      leaseTransitions: 5,
    })
    await expect(a.elector.elected()).resolves.toBeUndefined()
    expect(await a.metrics.metrics()).toContain(
      'leader_election_master_status{name="couchestor-controller"} 1',
    )
  })

  it('a lease that does not exist waits, since it may have been deleted under its holder', async () => {
    const { world, server, start } = setup()
    const a = start('a')
    await world.advance(14_999)
    expect(server.lease?.spec?.holderIdentity).toBe('')
    expect(a.elector.isLeader).toBe(false)
    await world.advance(4_000)

    expect(a.elector).toMatchObject({ isLeader: true, epoch: 1, leaseUid: 'uid-0' })
  })

  it.each([
    ['held by another tool', { holderIdentity: 'x', leaseDurationSeconds: 15 }, 15_000],
    ['held for longer', { holderIdentity: 'x', leaseDurationSeconds: 60 }, 60_000],
    ['without any field', {}, 15_000],
    ['emptied by hand', { holderIdentity: '', leaseDurationSeconds: 15 }, 15_000],
  ])('a lease %s waits until it has not changed for its duration', async (_, spec, ms) => {
    const { world, server, start } = released()
    server.lease = { ...server.lease!, spec: { ...spec, renewTime: '1999-01-01T00:00:00.000000Z' } }
    const a = start('a')
    await world.advance(ms - 1)
    expect(a.elector.isLeader).toBe(false)
    await world.advance(2_001)

    expect(a.elector.isLeader).toBe(true)
    expect(a.elector.epoch).toBe(1)
  })

  it('keeps fields that we do not know', async () => {
    const { world, server, start } = released()
    server.edit((l) => ({ ...l, spec: { ...l.spec, strategy: 'OldestEmulationVersion' } }))
    start('a')
    await world.settle()

    expect(server.lease?.spec).toMatchObject({ holderIdentity: 'a', strategy: expect.any(String) })
  })

  it('by two at once is won by one', async () => {
    const { world, start } = released()
    const both = [start('a'), start('b')]
    await world.advance(60_000)

    expect(both.filter((e) => e.elector.isLeader)).toHaveLength(1)
  })

  it('whose answer was lost is detected at the next read', async () => {
    const { world, start } = released()
    let n = 0
    const a = start('a', { fault: () => (n++ === 1 ? 'answer-lost' : 'none') })
    await world.advance(5_000 + 2_000)

    expect(a.elector).toMatchObject({ isLeader: true, epoch: 6 })
  })
})

describe('leading', () => {
  it('renews every two seconds with the same term', async () => {
    const { world, server, start } = released()
    start('a')
    await world.advance(10_000)

    expect(server.writes.map((w) => w.spec?.renewTime?.slice(17))).toEqual(
      ['00', '02', '04', '06', '08', '10'].map((s) => `${s}.000000Z`),
    )
    expect(new Set(server.writes.map((w) => w.spec?.acquireTime)).size).toBe(1)
    expect(server.lease?.spec?.leaseTransitions).toBe(5)
  })

  it('goes on when someone else edits the lease but leaves us the holder', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(5_000)
    server.edit((l) => ({ ...l, metadata: { ...l.metadata, labels: { team: 'x' } } }))
    await world.advance(30_000)

    expect(a.outcome()).toBeUndefined()
    expect(a.elector.epoch).toBe(5)
    expect(server.lease?.metadata.labels).toEqual({ team: 'x' })
  })

  it('makes a deleted lease again, in the same term', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(5_000)
    server.lease = undefined
    const b = start('b')
    await world.advance(30_000)

    expect(a.elector).toMatchObject({ isLeader: true, epoch: 5 })
    expect(b.elector.isLeader).toBe(false)
    expect(server.lease).toMatchObject({ spec: { holderIdentity: 'a', leaseTransitions: 5 } })
  })

  it.each([
    ['is named', { holderIdentity: 'b' }],
    ['has been in between', { holderIdentity: 'a', leaseTransitions: 9 }],
    ['is nobody', { holderIdentity: '' }],
  ])('is lost when the holder %s', async (_, change) => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(5_000)
    server.edit((l) => ({ ...l, spec: { ...l.spec, ...change } }))
    await world.advance(2_000)

    expect(a.outcome()).toBe('lost')
    expect(passes(a.elector)).toBe(false)
    expect(a.elector.healthy()).toBe(false)
    expect(server.lease?.spec).toMatchObject(change)
  })

  it.each(['refused', 'request-lost'] as const)(
    'bears requests that are %s until ten seconds after the last renewal began, not longer',
    async (fault) => {
      const { world, start } = released()
      let broken = false
      const a = start('a', { fault: () => (broken ? fault : 'none') })
      await world.advance(3_000)
      broken = true
      await world.advance(6_000)
      expect(passes(a.elector)).toBe(true)
      broken = false
      await world.advance(4_000)
      expect(passes(a.elector)).toBe(true)
      broken = true
      await world.advance(10_000)

      expect(a.outcome()).toBe('lost')
    },
  )
})

describe('the fence', () => {
  it('keeps the margin that is asked for', async () => {
    const { world, start } = released()
    let broken = false
    const a = start('a', { fault: () => (broken ? 'request-lost' : 'none') })
    await world.settle()
    broken = true
    await world.advance(7_000)

    expect([passes(a.elector, 2_999), passes(a.elector, 3_000)]).toEqual([true, false])
  })

  it('counts from the beginning of the renewal, not from its answer', async () => {
    const { world, start } = released()
    const a = start('a', { travelMs: () => 2_000 })
    await world.advance(8_000)
    expect(a.elector.isLeader).toBe(true)
    // written 4 s to 8 s: six of the ten seconds are left
    expect([passes(a.elector, 5_999), passes(a.elector, 6_000)]).toEqual([true, false])
  })

  it('is closed before we lead', () => {
    const { start } = setup()

    expect(() => start('a').elector.fence()).toThrow(LostLeaseError)
  })

  it('closes when only boot and wall time went on: the machine slept', async () => {
    const { world, start } = released()
    const a = start('a')
    await world.advance(1_000)
    world.suspend(60_000)
    expect(passes(a.elector)).toBe(false)
    await world.advance(2_000)

    expect(a.outcome()).toBe('lost')
  })

  it('closes when the wall clock is set forth, and opens with the next renewal', async () => {
    const { world, start } = released()
    const a = start('a')
    await world.advance(1_000)
    world.jumpWall(3_600_000)
    expect(passes(a.elector)).toBe(false)
    await world.advance(2_000)

    expect(passes(a.elector)).toBe(true)
  })

  it('stays open when the wall clock is set back', async () => {
    const { world, start } = released()
    const a = start('a')
    await world.advance(1_000)
    world.jumpWall(-3_600_000)

    expect(passes(a.elector)).toBe(true)
  })

  it('of a stopped process is closed when it wakes after another took over', async () => {
    const { world, start } = released()
    const a = start('a')
    await world.advance(3_000)
    const b = start('b')
    await world.advance(1_000)
    a.clock.suspend()
    await world.advance(30_000)
    expect([passes(a.elector), passes(b.elector)]).toEqual([false, true])
    expect(b.elector.epoch).toBe(6)
    a.clock.resume()
    expect(passes(a.elector)).toBe(false)
    await world.advance(2_000)

    expect(a.outcome()).toBe('lost')
  })
})

describe('the end', () => {
  it('releases the lease, so that the next one leads within one read', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(3_000)
    const b = start('b')
    await world.advance(1_000)
    a.stop()
    await world.settle()
    expect(await a.ended).toBe('stopped')
    expect(passes(a.elector)).toBe(false)
    expect(server.lease?.spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 })
    await world.advance(2_000)

    expect(b.elector).toMatchObject({ isLeader: true, epoch: 6 })
  })

  it('releases also what someone edited meanwhile', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(3_000)
    server.edit((l) => ({ ...l, metadata: { ...l.metadata, labels: { team: 'x' } } }))
    a.stop()
    await world.settle()

    expect(server.lease?.spec?.holderIdentity).toBe('')
  })

  it('leaves the lease of another alone', async () => {
    const { world, server, start } = released()
    const a = start('a')
    await world.advance(3_000)
    server.edit((l) => ({ ...l, spec: { ...l.spec, holderIdentity: 'b' } }))
    a.stop()
    await world.settle()

    expect(server.lease?.spec?.holderIdentity).toBe('b')
  })

  it('comes in time although the API server is away', async () => {
    const { world, start } = released()
    let broken = false
    const a = start('a', { fault: () => (broken ? 'request-lost' : 'none') })
    await world.advance(3_000)
    broken = true
    a.stop()
    await world.advance(5_000)

    expect(a.outcome()).toBe('stopped')
  })

  it('of one that never led writes nothing', async () => {
    const { world, server, start } = released()
    start('a')
    await world.advance(1_000)
    const b = start('b')
    await world.advance(5_000)
    const writes = server.writes.length
    b.stop()
    await world.settle()

    expect(b.outcome()).toBe('stopped')
    expect(server.writes).toHaveLength(writes)
  })
})

it('is healthy while it renews and while it waits, not when a renewal has long been due', async () => {
  const { world, start } = released()
  const a = start('a')
  const b = start('b')
  await world.advance(20_000)
  expect([a.elector.healthy(), b.elector.healthy()]).toEqual([true, true])
  // a blocked event loop: time passes, timers do not fire
  const monotonic = a.clock.monotonic()
  a.clock.monotonic = () => monotonic + 15_000

  expect(a.elector.healthy()).toBe(false)
})
