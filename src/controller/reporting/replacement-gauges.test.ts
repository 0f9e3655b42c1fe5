import { expect, it } from 'vitest'
import { createRegistry } from '../../metrics.ts'
import { ReplacementGauges } from './replacement-gauges.ts'
import type { OpenReplacement } from './replacement-gauges.ts'

const NOW = Date.UTC(2026, 0, 20, 10)
const ago = (seconds: number) => NOW - 1000 * seconds

async function shown(open: readonly OpenReplacement[] | undefined): Promise<string[]> {
  const registry = createRegistry()
  const gauges = new ReplacementGauges(registry)
  if (open !== undefined) gauges.show({ open: () => open, now: () => NOW })
  await registry.metrics()
  const page = await registry.metrics()
  return page.split('\n').filter((line) => /^couchestor_(replacement|claims)_/.test(line))
}

const POLICY = { policy: 'tiered' }

it('the longest stall of each policy and phase shows, and none of what waits on purpose', async () => {
  expect(
    await shown([
      { ...POLICY, phase: 'Copying', progressedAt: ago(20) },
      { ...POLICY, phase: 'Copying', progressedAt: ago(700) },
      { ...POLICY, phase: 'Copying', progressedAt: ago(5) },
      { ...POLICY, phase: 'CleaningUp', progressedAt: ago(3600) },
      { policy: 'other', phase: 'Copying', progressedAt: ago(-5) },
      { ...POLICY, phase: 'Soaking', progressedAt: ago(86_400) },
      { ...POLICY, phase: 'CleaningUp', progressedAt: ago(86_400), keptBySnapshots: true },
    ]),
  ).toEqual([
    'couchestor_replacement_stalled_seconds{policy="tiered",phase="Copying"} 700',
    'couchestor_replacement_stalled_seconds{policy="tiered",phase="CleaningUp"} 3600',
    'couchestor_replacement_stalled_seconds{policy="other",phase="Copying"} 0',
  ])
})

it('the longest gap shows, also of a claim that is Lost while it soaks', async () => {
  expect(
    await shown([
      { ...POLICY, phase: 'Soaking', progressedAt: ago(90), gapSince: ago(90) },
      { ...POLICY, phase: 'Soaking', progressedAt: ago(9), gapSince: ago(1) },
      { ...POLICY, phase: 'Soaking', progressedAt: ago(9) },
    ]),
  ).toEqual(['couchestor_claims_in_gap_seconds 90'])
})

it('without replacements, and on a replica that does not lead, there is no series', async () => {
  expect(await shown([])).toEqual([])
  expect(await shown(undefined)).toEqual([])
})
