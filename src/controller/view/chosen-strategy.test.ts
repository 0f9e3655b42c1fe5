import { expect, it } from 'vitest'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { chosenStrategy } from './chosen-strategy.ts'

function ended(reason: string, over: object = {}): VolumeMigration {
  const at = '2026-01-20T10:00:00.000Z'
  const intent = { toTypeId: 'cold', strategy: 'cinder-retype', ...over }
  return {
    metadata: { name: `m-${reason}` },
    status: { step: 'Failed', reason, completedAt: at, intent },
  } as unknown as VolumeMigration
}

const chosen = (moves: readonly VolumeMigration[], hasSnapshots = false) =>
  chosenStrategy('Auto', { hasSnapshots, moves: () => moves, toTypeId: 'cold' })

it('a volume goes by retype unless something speaks against that', () => {
  expect(chosen([])).toEqual({ strategy: 'cinder-retype', because: 'nothing blocks a retype' })
  expect(chosen([], true).strategy).toBe('snapshot-restore')
})

it.each(['Rejected', 'Reverted'])('a retype that ended as %s is not tried again', (reason) => {
  expect(chosen([ended(reason)])).toEqual({
    strategy: 'snapshot-restore',
    because: `Cinder has refused to retype the volume (VolumeMigration m-${reason} ended as ${reason})`,
  })
})

it.each<[string, VolumeMigration]>([
  ['failed for another reason', ended('AttemptsExhausted')],
  ['was to another type', ended('Rejected', { toTypeId: 'warm' })],
])('a retype that %s says nothing', (_, move) => {
  expect(chosen([move]).strategy).toBe('cinder-retype')
})

it('a copy that was refused as well is not made again', () => {
  const copy = ended('Rejected', { strategy: 'snapshot-restore' })
  expect(chosen([ended('Rejected'), copy])).toMatchObject({
    strategy: 'cinder-retype',
    because: expect.stringContaining('a copy as well as the volume') as unknown,
  })
})

it('nothing is chosen where the policy has chosen', () => {
  const of = { hasSnapshots: true, moves: () => [ended('Rejected')], toTypeId: 'cold' }
  expect(chosenStrategy('cinder-retype', of)).toEqual({ strategy: 'cinder-retype' })
})
