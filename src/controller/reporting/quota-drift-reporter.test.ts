import { expect, it } from 'vitest'
import { createVirtualClock } from '../../../test/virtual-clock.ts'
import { silentLog } from '../../log.ts'
import { createRegistry } from '../../metrics.ts'
import type { QuotaLine } from '../../openstack/types.ts'
import type { Inventory, VolumeRow } from '../view/inventory.ts'
import type { Quotas } from '../view/quotas.ts'
import { QuotaDriftReporter, quotaDriftGauge } from './quota-drift-reporter.ts'

const MINUTE = 60_000

/** A project with a volume of 10 GiB on type cold, and a snapshot of it. */
function setUp() {
  const clock = createVirtualClock(0)
  const row = { id: 'v', status: 'available', sizeGiB: 10, typeId: 'id-cold' }
  const rows = new Map([['v', row]])
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
  }
  const inventory = {
    types: [{ id: 'id-cold', name: 'cold' }],
    snapshots: [{ id: 's', volumeId: 'v', sizeGiB: 10 }],
    ids: () => rows.keys(),
    row: (id: string) => rows.get(id) as unknown as VolumeRow,
  } as unknown as Inventory
  const quotas = {
    known: true,
    get lines() {
      return state.lines
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
      await reporter.check().catch(() => {})
      await clock.advance(5 * MINUTE)
    }
  }
  const shown = async () => {
    const page = await registry.metrics()
    return page.split('\n').filter((l) => l.startsWith('couchestor_quota_drift{'))
  }
  const set = (key: string, inUse: number) => void state.lines.set(key, line(inUse))
  return { row, state, sweeps, shown, set, said }
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
