import { expect, it } from 'vitest'
import { propose } from './proposals.ts'
import type { QuotaRow } from './quota-report.ts'

const row = (over: Partial<QuotaRow>): QuotaRow => ({
  key: 'gigabytes_cold',
  tiers: ['cold'],
  type: 'cold',
  typeId: 'id-cold',
  limit: 400,
  inUse: 200,
  reserved: 20,
  headroom: 180,
  wanted: 300,
  leaving: 0,
  ...over,
})

it('a limit is raised by what the plan lacks', () => {
  const { proposals } = propose([row({})], 'dynamic', 'p1')
  expect(proposals).toEqual([
    {
      key: 'gigabytes_cold',
      limit: 520,
      text: 'raise gigabytes_cold by 120 to finish the plan: 300 come and 0 leave, and 180 of 400 are free',
      command: 'openstack quota set --volume-type cold --gigabytes 520 p1',
    },
  ])
})

it.each<[string, Partial<QuotaRow>, number | undefined]>([
  ['what leaves makes room', { leaving: 100 }, 420],
  ['all fits', { wanted: 180 }, undefined],
  ['what leaves makes room for all', { leaving: 120 }, undefined],
  ['more is used than the limit allows', { inUse: 500, headroom: -120 }, 820],
  ['nothing is wanted there, however full it is', { wanted: 0, headroom: -5 }, undefined],
  ['it is unlimited', { limit: null, headroom: null }, undefined],
])('and by no more: %s', (_, over, limit) => {
  expect(propose([row(over)], 'dynamic', 'p1').proposals[0]?.limit).toBe(limit)
})

it('more is used than the limit allows, and none is free', () => {
  const { proposals } = propose([row({ inUse: 500, headroom: -120 })], 'dynamic', 'p1')
  expect(proposals[0]?.text).toMatch(/and 0 of 400 are free \(520 are taken\)$/)
})

it('volumes are counted by their own quota', () => {
  const volumes = row({
    key: 'volumes_cold',
    limit: 10,
    inUse: 9,
    reserved: 1,
    headroom: 0,
    wanted: 3,
  })
  expect(propose([volumes], 'dynamic', 'p1').proposals[0]?.command).toBe(
    'openstack quota set --volume-type cold --volumes 13 p1',
  )
})

it('with a quota per type a tier without a limit is named, with what it needs', () => {
  const { warnings } = propose([row({ limit: null, headroom: null })], 'dynamic', 'p1')
  expect(warnings).toEqual([expect.stringMatching(/gigabytes_cold is unlimited.* it needs 520$/)])
})

it('with one quota for all storage limits of types are to be lifted, and missing ones are right', () => {
  const { proposals, warnings } = propose(
    [row({}), row({ key: 'gigabytes_hot', type: 'hot', limit: null, headroom: null })],
    'fixed',
    'p1',
  )
  expect(proposals.map((p) => p.command)).toEqual([
    'openstack quota set --volume-type cold --gigabytes -1 p1',
  ])
  expect(warnings).toEqual([])
})
