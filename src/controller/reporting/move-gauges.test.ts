import { expect, it } from 'vitest'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { createRegistry } from '../../metrics.ts'
import { MoveGauges } from './move-gauges.ts'

const START = Date.UTC(2026, 0, 20, 10)
const MINUTE = 60_000
const at = (minutes: number) => new Date(START + minutes * MINUTE).toISOString()

function move(status: VolumeMigrationStatus): VolumeMigration {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'move', namespace: 'default' },
    spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered' },
    status,
  }
}

async function shown(all: readonly VolumeMigration[], minutes = 0): Promise<string[]> {
  const registry = createRegistry()
  const gauges = new MoveGauges(registry)
  gauges.show({
    unreadable: () => 0,
    all: () => all,
    now: () => START + minutes * MINUTE,
    tiers: () => new Map([['tiered', new Set(['cold'])]]),
  })
  const page = await registry.metrics()
  return page.split('\n').filter((line) => line.startsWith('couchestor_migrations_'))
}

it('counts what runs by step and what waits by reason; what is over counts nowhere', async () => {
  const lines = await shown([
    move({ step: 'Retyping' }),
    move({ step: 'Stuck' }),
    move({ step: 'Waiting', reason: 'Snapshots' }),
    move({}),
    move({ step: 'Succeeded' }),
    move({ step: 'Failed' }),
  ])
  expect(lines).toEqual([
    'couchestor_migrations_in_flight{policy="tiered",strategy="cinder-retype",step="Retyping"} 1',
    'couchestor_migrations_in_flight{policy="tiered",strategy="cinder-retype",step="Stuck"} 1',
    'couchestor_migrations_unreadable 0',
    'couchestor_migrations_waiting{policy="tiered",reason="Snapshots"} 1',
    'couchestor_migrations_waiting{policy="tiered",reason="Planned"} 1',
    'couchestor_migrations_late{policy="tiered"} 0',
  ])
})

it('shows the same at each scrape', async () => {
  const registry = createRegistry()
  new MoveGauges(registry).show({
    unreadable: () => 0,
    all: () => [move({ step: 'Retyping' })],
    now: () => START,
    tiers: () => new Map(),
  })
  expect(await registry.metrics()).toBe(await registry.metrics())
})

it.each([
  ['after thrice its estimate and ten minutes', 41, { estimatedEnd: at(10) }, 1],
  ['not within thrice its estimate and ten minutes', 39, { estimatedEnd: at(10) }, 0],
  ['not as long as nothing shows how long it should take', 10_000, {}, 0],
])('a move is late %s', async (_, minutes, status, late) => {
  const running = move({ step: 'Retyping', startedAt: at(0), ...status })
  expect(await shown([running], minutes)).toContain(
    `couchestor_migrations_late{policy="tiered"} ${late}`,
  )
})
