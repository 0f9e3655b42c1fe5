import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { silentLog } from '../../log.ts'
import { createRegistry } from '../../metrics.ts'
import type { CinderSnapshot, QuotaLine } from '../../openstack/types.ts'
import type { Inventory, VolumeRow } from '../view/inventory.ts'
import type { Quotas } from '../view/quotas.ts'
import { QuotaDriftReporter, quotaDriftGauge } from './quota-drift-reporter.ts'

const MINUTE = 60_000

/** A project with a volume of 10 GiB on type cold, and a snapshot of it. */
function setUp() {
  const clock = createVirtualClock(0)
  const row = { id: 'v', status: 'available', sizeGiB: 10, typeId: 'id-cold' }
  const there = new Map([['v', row]])
  let rows = new Map(there)
  const snapshots: Partial<CinderSnapshot>[] = [{ id: 's', volumeId: 'v', sizeGiB: 10 }]
  const line = (inUse: number): QuotaLine => ({ limit: -1, inUse, reserved: 0 })
  const state = {
    lines: new Map([
      ['volumes', line(1)],
      ['gigabytes', line(20)],
      ['snapshots', line(1)],
      ['volumes_cold', line(1)],
      ['gigabytes_cold', line(20)],
      ['snapshots_cold', line(1)],
    ]),
    moves: [] as unknown[],
    fails: false,
    known: true,
    /** What others do while the volumes are listed. */
    meanwhile: () => {},
  }
  const inventory = {
    types: [{ id: 'id-cold', name: 'cold' }],
    snapshots,
    sweepVolumes: () => {
      rows = new Map(there)
      state.meanwhile()
      return Promise.resolve()
    },
    ids: () => rows.keys(),
    row: (id: string) => rows.get(id) as unknown as VolumeRow,
  } as unknown as Inventory
  const quotas = {
    get known() {
      return state.known
    },
    get lines() {
      return new Map(state.lines)
    },
    read: () => (state.fails ? Promise.reject(new Error('away')) : Promise.resolve()),
  } as unknown as Quotas
  const registry = createRegistry()
  const said: string[] = []
  const log = {
    ...silentLog,
    warn: (fields: object) => void said.push(JSON.stringify(fields)),
    info: (fields: object) => void said.push(`over ${JSON.stringify(fields)}`),
  }
  const reporter = new QuotaDriftReporter({
    deps: { clock, log, volumes: { projectId: () => Promise.resolve('p1') } } as never,
    inventory,
    migrations: { inFlight: () => state.moves as never },
    quotas,
    metrics: { quotaDrift: quotaDriftGauge(registry) },
  })
  /** Sweeps every five minutes. */
  const sweeps = async (n: number) => {
    for (let i = 0; i < n; i++) {
      // the runner of the tasks reports what it throws
      await reporter.check(new AbortController().signal).catch(() => {})
      await clock.advance(5 * MINUTE)
    }
  }
  const shown = async () => {
    const page = await registry.metrics()
    return page.split('\n').filter((l) => l.startsWith('couchestor_quota_drift{'))
  }
  const set = (key: string, inUse: number) => void state.lines.set(key, line(inUse))
  /** Another volume of 10 GiB, which Cinder counts at once. */
  const create = (id: string) => {
    there.set(id, { ...row, id })
    const volumes = there.size
    for (const suffix of ['', '_cold']) {
      set(`volumes${suffix}`, volumes)
      set(`gigabytes${suffix}`, 10 * volumes + 10)
    }
  }
  return { row, state, snapshots, create, sweeps, shown, set, said }
}

it('nothing is said of quotas that agree with what there is', async () => {
  const { sweeps, shown, said } = setUp()
  await sweeps(5)
  expect(await shown()).toEqual([])
  expect(said).toEqual([])
})

it('a difference that stays for more than ten minutes is reported once, with the command that corrects it', async () => {
  const { sweeps, shown, set, said } = setUp()
  set('gigabytes_cold', 50)
  await sweeps(3)
  expect(await shown()).toEqual([])
  await sweeps(3)
  expect(await shown()).toEqual(['couchestor_quota_drift{key="gigabytes_cold"} 30'])
  expect(said).toHaveLength(1)
  expect(said[0]).toContain('cinder-manage quota sync --project-id p1')
  set('gigabytes_cold', 20)
  await sweeps(1)
  expect(await shown()).toEqual([])
  expect(said[1]).toContain('over')
})

it('a cloud that does not count snapshots as gigabytes has no drift', async () => {
  const { sweeps, shown, set } = setUp()
  set('gigabytes', 10)
  set('gigabytes_cold', 10)
  await sweeps(5)
  expect(await shown()).toEqual([])
})

it.each<[string, (s: ReturnType<typeof setUp>, on: boolean) => void]>([
  ['a move runs', ({ state }, on) => (state.moves = on ? [{}] : [])],
  ['a volume is being deleted', ({ row }, on) => (row.status = on ? 'deleting' : 'available')],
  ['the quotas cannot be read', ({ state }, on) => (state.fails = on)],
  ['the difference changes', ({ set }, on) => set('gigabytes_cold', on ? 60 : 50)],
])('the ten minutes begin again when %s', async (_, disturb) => {
  const all = setUp()
  const { sweeps, shown, set } = all
  set('gigabytes_cold', 50)
  await sweeps(2)
  disturb(all, true)
  await sweeps(1)
  disturb(all, false)
  await sweeps(3)
  expect(await shown()).toEqual([])
  await sweeps(1)
  expect(await shown()).toHaveLength(1)
})

it('a volume that was made after the last sweep is no drift, however seldom volumes are listed', async () => {
  const { create, sweeps, shown } = setUp()
  create('w')
  await sweeps(5)
  expect(await shown()).toEqual([])
})

it('a project in which something is made during each look has no drift by that', async () => {
  const { create, state, sweeps, shown } = setUp()
  let made = 0
  state.meanwhile = () => create(`w${made++}`)
  await sweeps(5)
  expect(await shown()).toEqual([])
})

it('a snapshot whose size Cinder does not show says nothing about gigabytes, and all about the rest', async () => {
  const { snapshots, set, sweeps, shown } = setUp()
  snapshots.push({ id: 't', volumeId: 'v' })
  for (const suffix of ['', '_cold']) {
    set(`gigabytes${suffix}`, 30)
    set(`snapshots${suffix}`, 2)
  }
  await sweeps(5)
  expect(await shown()).toEqual([])
  set('snapshots_cold', 3)
  await sweeps(5)
  expect(await shown()).toEqual(['couchestor_quota_drift{key="snapshots_cold"} 1'])
})

it('a transfer that nobody accepts hides no drift', async () => {
  const { row, set, sweeps, shown } = setUp()
  row.status = 'awaiting-transfer'
  set('volumes', 2)
  await sweeps(5)
  expect(await shown()).toEqual(['couchestor_quota_drift{key="volumes"} 1'])
})

it('a credential that may not read quotas any more shows none as having lost count', async () => {
  const { state, set, sweeps, shown, said } = setUp()
  set('volumes', 2)
  await sweeps(5)
  expect(await shown()).toHaveLength(1)
  state.known = false
  await sweeps(1)
  expect(await shown()).toEqual([])
  // it has not become right by that
  expect(said).toHaveLength(1)
})
