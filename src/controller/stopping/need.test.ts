import { describe, expect, it } from 'vitest'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'
import { needOf, releaseOf } from './need.ts'
import type { Need } from './need.ts'

function move(status: VolumeMigrationStatus): VolumeMigration {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'm', namespace: 'shop', uid: 'u' },
    spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered' },
    status,
  }
}

function replaced(phase: ReplacementRecord['saved']['phase']): ReplacementRecord {
  return { saved: { phase } } as ReplacementRecord
}

describe('a move needs its workload down', () => {
  it.each([
    [move({}), 'Begins'],
    [move({ step: 'Waiting', reason: 'WorkloadStopping' }), 'Begins'],
    [move({ step: 'Waiting', reason: 'Ramp' }), 'Begins'],
    [move({ step: 'Waiting', reason: 'PolicyPaused' }), 'Waits'],
    [move({ step: 'Requested' }), 'Runs'],
    [move({ step: 'Retyping' }), 'Runs'],
    [move({ step: 'Verifying' }), 'Runs'],
    [move({ step: 'Stuck' }), 'Ended'],
    [move({ step: 'Succeeded', reason: 'Verified' }), 'Ended'],
    [move({ step: 'Failed', reason: 'Cancelled' }), 'Cancelled'],
    [undefined, 'Gone'],
  ] as const)('by what its object shows (%#)', (m, need) => {
    expect(needOf(m, undefined)).toBe(need)
  })

  it.each([
    ['Holding', 'Runs'],
    ['Copying', 'Runs'],
    ['Switching', 'Runs'],
    ['GivingBack', 'Runs'],
    ['Soaking', 'Ended'],
    ['CleaningUp', 'Ended'],
    ['Abandoning', 'Ended'],
    ['Failed', 'Ended'],
  ] as const)('by its record in %s, also when its object is gone', (phase, need) => {
    expect(needOf(undefined, replaced(phase))).toBe(need)
  })
})

describe('a stopped workload', () => {
  it.each<readonly [Need, readonly Need[], boolean, ReturnType<typeof releaseOf>]>([
    ['Runs', [], false, undefined],
    ['Ended', ['Runs'], false, undefined],
    ['Ended', ['Begins'], true, undefined],
    ['Ended', ['Begins'], false, 'MoveEnded'],
    ['Ended', ['Waits'], true, 'MoveEnded'],
    ['Gone', [], true, 'MoveGone'],
    ['Cancelled', [], true, 'Cancelled'],
    ['Begins', [], true, undefined],
    ['Begins', [], false, 'MoveWaits'],
    ['Waits', [], true, undefined],
    ['Waits', [], false, 'MoveWaits'],
  ])('of a move that %s, others %j, patient %s: %s', (own, others, isPatient, release) => {
    expect(releaseOf(own, others, isPatient)).toBe(release)
  })
})
