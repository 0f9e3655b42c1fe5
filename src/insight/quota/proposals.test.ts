import { describe, expect, it } from 'vitest'
import type { Flow } from './in-turn.ts'
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

describe('types that free each other', () => {
  const full = (name: string, over: Partial<QuotaRow> = {}) =>
    row({
      key: `gigabytes_${name}`,
      type: name,
      typeId: name,
      tiers: [name],
      limit: 100,
      inUse: 100,
      reserved: 0,
      headroom: 0,
      wanted: 30,
      leaving: 30,
      ...over,
    })
  const flow = (from: string, to: string, sizeGiB: number) => ({ from, to, sizeGiB })
  const limits = (rows: readonly QuotaRow[], flows: readonly Flow[]) =>
    propose(rows, 'dynamic', 'p1', flows).proposals.map((p) => [p.key, p.limit])

  it('two full types need room for one move, though as much leaves them as comes', () => {
    const flows = [flow('hot', 'cold', 20), flow('hot', 'cold', 10)]
    const back = [flow('cold', 'hot', 10), flow('cold', 'hot', 20)]
    const rows = [full('hot'), full('cold')]
    expect(limits(rows, [...flows, ...back])).toEqual([['gigabytes_cold', 120]])
    const { text } = propose(rows, 'dynamic', 'p1', [...flows, ...back]).proposals[0]!
    expect(text).toContain('30 come and 30 leave')
    expect(text).toContain('wait for each other')
  })

  it('a way round through a type with room needs nothing more', () => {
    const flows = [flow('hot', 'warm', 30), flow('warm', 'cold', 30)]
    const warm = full('warm')
    const cold = full('cold', { inUse: 0, headroom: 100, leaving: 0 })
    expect(limits([full('hot', { wanted: 0 }), warm, cold], flows)).toEqual([])
  })

  it('the number of volumes counts in the same way', () => {
    const volumes = (name: string) =>
      full(name, { key: `volumes_${name}`, limit: 5, inUse: 5, wanted: 1, leaving: 1 })
    const flows = [flow('hot', 'cold', 10), flow('cold', 'hot', 10)]
    expect(limits([volumes('hot'), volumes('cold')], flows)).toEqual([['volumes_cold', 6]])
  })
})

it('a command is what the shell of an administrator takes it for', () => {
  const { command } = propose([row({ type: "ssd $(id) it's" })], 'dynamic', 'p1').proposals[0]!
  expect(command).toBe(`openstack quota set --volume-type 'ssd $(id) it'\\''s' --gigabytes 520 p1`)
})
