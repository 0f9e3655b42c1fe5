import { beforeEach, expect, it } from 'vitest'
import type { World } from '../../src/sim/world.ts'
import { CONFIG, doctorOn } from '../doctor/doctor-on.ts'
import { worldWith } from '../harness.ts'
import { createVirtualClock } from '../virtual-clock.ts'
import type { VirtualClock } from '../virtual-clock.ts'
import { claimObject, MOVE, moveObject, recordObject, savedOf, SOAKING } from './stand.ts'

let clock: VirtualClock
let world: World
let here: string
let forbidden: (verb: string, resource: string) => boolean

beforeEach(() => {
  clock = createVirtualClock(Date.parse('2026-01-20T10:00:00Z'))
  forbidden = () => false
  world = worldWith({
    clock,
    apiServer: { allow: ({ verb, resource }) => !forbidden(verb, resource) },
  })
  world.api.seed({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  here = String(
    world.api.objects('/api/v1/namespaces').find((n) => n.metadata['name'] === 'kube-system')
      ?.metadata['uid'],
  )
})

const found = async () => {
  const { diagnosis } = await doctorOn(world, clock, { configYaml: CONFIG })
  const lines = diagnosis.findings.filter((f) => f.group === 'replacements')
  const passed = diagnosis.passed.filter((f) => f.group === 'replacements')
  return { codes: lines.map((f) => f.code), text: JSON.stringify([...lines, ...passed]) }
}
const leaveBehind = () =>
  world.cloud.seams.addVolume({
    sizeGiB: 10,
    metadata: {
      'couchestor.io/cluster': here,
      'couchestor.io/move': MOVE,
      'couchestor.io/role': 'copy',
    },
  }).id

it('finds nothing where no move has left anything', async () => {
  const { codes, text } = await found()
  expect(codes).toEqual([])
  expect(text).toContain('0 replacements under way, nothing left behind')
})

it('names a volume that nothing knows of, and none of a move under way', async () => {
  const id = leaveBehind()
  expect((await found()).text).toContain(id)
  world.api.seed(recordObject(savedOf(here, { phase: 'Copying' })))
  expect((await found()).codes).toEqual([])
})

it('names a claim that is Lost for longer than a gap takes', async () => {
  const lost = { ...claimObject(), status: { phase: 'Lost' } }
  const { journal } = savedOf(here)
  const at = new Date(clock.now() - 30_000).toISOString()
  const young = journal.map((e) => ({ ...e, at }))
  world.api.seed(lost, recordObject(savedOf(here, { phase: 'Switching', journal: young })))
  expect((await found()).codes).toEqual([])
  await clock.advance(40_000)
  expect((await found()).codes).toEqual(['ClaimLost'])
})

it('names a record that cannot be read, and calls nothing left behind meanwhile', async () => {
  leaveBehind()
  world.api.seed(recordObject({ ...savedOf(here), journal: 'x' } as never, 'other'))
  const { codes, text } = await found()
  expect(codes).toEqual(['RecordUnreadable'])
  expect(text).toContain('replacement-other')
})

it('names a move that has lost its record once, and a former volume that is gone', async () => {
  world.api.seed(moveObject({ ...SOAKING, step: 'Stuck', reason: 'RecordMissing' }))
  expect((await found()).codes).toEqual(['RecordMissing'])
  world.api.seed(moveObject(SOAKING), recordObject(savedOf(here)))
  expect((await found()).codes).toEqual(['FormerVolumeGone'])
})

it('says what it could not check', async () => {
  forbidden = (_, resource) => resource === 'tieringcheckpoints'
  const { codes, text } = await found()
  expect(codes).toEqual(['NotChecked'])
  expect(text).toContain('tieringcheckpoints')
})
