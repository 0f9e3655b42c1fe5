import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { QuotaLine } from '../../openstack/types.ts'
import { Quotas } from './quotas.ts'
import type { Inventory } from './inventory.ts'

/** A quota set that a test sets by hand, and how often it was read. */
function setUp() {
  const clock = createVirtualClock(0)
  const state = {
    reads: 0,
    lines: new Map<string, QuotaLine>([['gigabytes_cold', { limit: 30, inUse: 0, reserved: 0 }]]),
    types: [{ id: 'id-cold', name: 'cold' }],
    moves: [] as VolumeMigration[],
    gate: Promise.resolve(),
  }
  const volumes = {
    getQuota: async () => {
      state.reads++
      const lines = new Map(state.lines)
      await state.gate
      return lines
    },
  }
  const inventory = {
    get types() {
      return state.types
    },
    optional: (_: string, read: () => unknown) => read(),
    readTypes: () => Promise.resolve(),
  } as unknown as Inventory
  const quotas = new Quotas({ clock, volumes } as never, inventory, {
    inFlight: () => state.moves,
  })
  return { clock, state, quotas, room: () => roomOf(quotas) }
}

function roomOf(quotas: Quotas): number | undefined {
  const [line] = quotas.of('id-cold')
  return line && line.limit - line.inUse - line.reserved
}

function move(uid: string, status: object = {}): VolumeMigration {
  return {
    metadata: { uid, name: uid },
    spec: { policy: 'p', claim: { name: uid }, to: 'cold' },
    status: { step: 'Requested', sizeGiB: 10, intent: { toTypeId: 'id-cold' }, ...status },
  } as unknown as VolumeMigration
}

it('one read serves all who ask within its age', async () => {
  const { quotas, state, clock } = setUp()
  await Promise.all([quotas.read(5_000), quotas.read(5_000)])
  await clock.advance(5_000)
  await quotas.read(5_000)
  expect(state.reads).toBe(1)
  await clock.advance(1)
  await quotas.read(5_000)
  expect(state.reads).toBe(2)
})

it('a move takes its room from its intent on, and is not counted a second time once Cinder counts it', async () => {
  const { quotas, state, room } = setUp()
  await quotas.read(5_000)
  expect(room()).toBe(30)
  const one = move('one')
  state.moves = [one]
  expect(room()).toBe(20)
  state.lines.set('gigabytes_cold', { limit: 30, inUse: 0, reserved: 10 })
  quotas.called(one, { kind: 'Accepted' })
  // what was read before the call does not have it
  expect(room()).toBe(20)
  await quotas.read(5_000)
  expect(state.reads).toBe(2)
  expect(room()).toBe(20)
})

it('a read that was under way while Cinder accepted a move does not count for it', async () => {
  const { quotas, state, room } = setUp()
  const gate = Promise.withResolvers<void>()
  state.gate = gate.promise
  const reading = quotas.read(5_000)
  const one = move('one')
  state.moves = [one]
  quotas.called(one, { kind: 'Accepted' })
  gate.resolve()
  await reading
  expect(room()).toBe(20)
  await quotas.read(5_000)
  expect(state.reads).toBe(2)
})

it('a move that an earlier leader has sent is in the read', async () => {
  const { quotas, state, room } = setUp()
  state.moves = [
    move('running', { step: 'Retyping' }),
    move('answered', { call: { kind: 'Accepted' } }),
  ]
  await quotas.read(5_000)
  expect(room()).toBe(30)
  state.moves = [move('nobody-knows', { call: { kind: 'Unknown' } })]
  expect(room()).toBe(20)
})

it('the end of a move makes the last read void', async () => {
  const { quotas, state } = setUp()
  await quotas.read(5_000)
  quotas.ended(move('one'))
  await quotas.read(5_000)
  expect(state.reads).toBe(2)
})

it('a type that was renamed is found by its id', async () => {
  const { quotas, state, room } = setUp()
  await quotas.read(5_000)
  state.types = [{ id: 'id-cold', name: 'archive' }]
  state.lines = new Map([['gigabytes_archive', { limit: 7, inUse: 0, reserved: 0 }]])
  quotas.ended(move('one'))
  await quotas.read(5_000)
  expect(room()).toBe(7)
})
