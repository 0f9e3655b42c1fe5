import { describe, expect, it } from 'vitest'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { epochAfter } from './epoch.ts'

function move(epoch?: number): VolumeMigration {
  const intent = { epoch } as NonNullable<NonNullable<VolumeMigration['status']>['intent']>
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'a' },
    spec: { claim: { name: 'a' }, to: 'cold', policy: 'p' },
    ...(epoch === undefined ? {} : { status: { intent } }),
  }
}

describe('the epoch of a new leader', () => {
  it.each([
    ['is that of the Lease when no move carries one', [undefined], 4, 4],
    ['is that of the Lease when it is newer than every move', [1, 3], 4, 4],
    ['outranks the moves of the time before the Lease was deleted', [5, 2], 1, 6],
    ['is never the same as that of an earlier leader', [4], 4, 5],
  ] as const)('%s', (_name, epochs, ofLease, expected) => {
    expect(epochAfter(epochs.map(move), ofLease)).toBe(expected)
  })
})
