import { expect, it } from 'vitest'
import { createVirtualClock } from '../virtual-clock.ts'
import type { Retype } from './monitor.ts'
import { QuotaWatch } from './quota-watch.ts'
import type { Universe } from './universe.ts'

const MINUTE = 60_000

/** A type whose quota has room for so many GiB, and volumes of 10 GiB. */
function setUp(room: number) {
  const clock = createVirtualClock(0)
  const state = { room }
  const seams = {
    couchestor: { project: { id: 'p1' } },
    volume: () => ({ sizeGiB: 10 }),
    volumeType: (name: string) => ({ id: name.replace('couchestor-', ''), name }),
    quota: (_: string, key: string) =>
      key.startsWith('volumes')
        ? { limit: -1, inUse: 0, reserved: 0 }
        : { limit: 100, inUse: 100 - state.room, reserved: 0 },
  }
  const types = { of: (tier: string) => seams.volumeType(`couchestor-${tier}`) }
  const universe = { clock, types, world: { cloud: { seams } }, episodes: new Set() }
  const watch = new QuotaWatch()
  const call = { volumeId: 'v', toType: 'cold' } as Retype
  return {
    state,
    pass: async (minutes: number) => {
      for (let i = 0; i < minutes; i++) {
        watch.tick(universe as unknown as Universe)
        await clock.advance(MINUTE)
      }
    },
    arrives: () => {
      const why = watch.overrun(universe as unknown as Universe, call)
      watch.received(universe as unknown as Universe, call)
      return why
    },
  }
}

it('a call into a quota that has had no room for long is an overrun', async () => {
  const { pass, arrives } = setUp(9)
  await pass(10)
  expect(arrives()).toContain('no room for it for long')
})

it('one whose room others have taken just now is not', async () => {
  const { pass, arrives, state } = setUp(10)
  await pass(3)
  state.room = 0
  await pass(1)
  expect(arrives()).toBeUndefined()
  await pass(6)
  expect(arrives()).toContain('no room')
})

it('the second of two calls into room for one is an overrun, however soon it comes', async () => {
  const { pass, arrives, state } = setUp(15)
  await pass(3)
  expect(arrives()).toBeUndefined()
  state.room = 5
  expect(arrives()).toContain('5 GiB')
})
