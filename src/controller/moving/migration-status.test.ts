import { describe, expect, it } from 'vitest'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { changed, estimateEnd, isBlocked } from './migration-status.ts'
import type { Change } from './migration-status.ts'

const NOW = Date.UTC(2026, 0, 20, 12)
const at = (ms: number) => new Date(NOW + ms).toISOString()

function migration(status: VolumeMigrationStatus = {}): VolumeMigration {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'm', namespace: 'default', generation: 3 },
    spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered' },
    status,
  }
}

function truths(status: VolumeMigrationStatus): Record<string, string> {
  return Object.fromEntries((status.conditions ?? []).map((c) => [c.type, c.status]))
}

describe('the conditions of a migration', () => {
  it.each<[Change, Record<string, string>]>([
    [
      { step: 'Waiting', reason: 'ConcurrencyLimit', message: '' },
      { Validated: 'Unknown', Progressing: 'False', Succeeded: 'Unknown' },
    ],
    [
      { step: 'Waiting', reason: 'Snapshots', message: '' },
      { Validated: 'False', Progressing: 'False', Succeeded: 'Unknown' },
    ],
    [
      { step: 'Retyping', reason: 'Accepted', message: '' },
      { Validated: 'True', Progressing: 'True', Succeeded: 'Unknown' },
    ],
    [
      { step: 'Succeeded', reason: 'Verified', message: '' },
      { Validated: 'True', Progressing: 'False', Succeeded: 'True' },
    ],
    [
      { step: 'Failed', reason: 'Reverted', message: '' },
      { Validated: 'False', Progressing: 'False', Succeeded: 'False' },
    ],
  ])('%o', (change, expected) => {
    expect(truths(changed(migration(), change, NOW))).toEqual(expected)
  })

  it('a wait for its turn keeps the verdict that was reached before', () => {
    const valid = changed(
      migration(),
      { step: 'Requested', reason: 'IntentSaved', message: '' },
      NOW,
    )
    const waits = changed(
      migration(valid),
      { step: 'Waiting', reason: 'NotSent', message: '' },
      NOW,
    )
    expect(truths(waits)['Validated']).toBe('True')
  })

  it('report the generation they were made for, and the time of the last change only', () => {
    const first = changed(migration(), { step: 'Retyping', reason: 'Accepted', message: 'a' }, NOW)
    const later = changed(
      migration(first),
      { step: 'Retyping', reason: 'Adopted', message: 'b' },
      NOW + 5000,
    )
    const progressing = later.conditions?.find((c) => c.type === 'Progressing')
    expect(progressing).toMatchObject({
      observedGeneration: 3,
      message: 'b',
      lastTransitionTime: at(0),
    })
  })
})

describe('the time a migration shows', () => {
  it('runs while it runs and stands still at its end', () => {
    const change: Change = { step: 'Succeeded', reason: 'Verified', message: '' }
    const end = changed(migration({ startedAt: at(-90_000) }), change, NOW)
    expect(end).toMatchObject({ elapsed: '1m30s', completedAt: at(0) })
    const later = changed(migration(end), change, NOW + 60_000)
    expect(later).toMatchObject({ elapsed: '1m30s', completedAt: at(0) })
  })

  it('estimates the end by the median rate of earlier moves to the same tier', () => {
    const done = (minutes: number, to = 'cold') => ({
      ...migration({
        step: 'Succeeded',
        startedAt: at(-minutes * 60_000),
        completedAt: at(0),
        sizeGiB: 10,
      }),
      spec: { ...migration().spec, to },
    })
    const running = migration({ startedAt: at(0), sizeGiB: 20 })
    expect(estimateEnd(running, [])).toBeUndefined()
    expect(estimateEnd(running, [done(1, 'hot')])).toBeUndefined()
    expect(estimateEnd(running, [done(1), done(5), done(60)])).toBe(at(600_000))
  })
})

it('only what a person can do something about counts as blocked', () => {
  expect(isBlocked('Snapshots')).toBe(true)
  expect(isBlocked('QuotaExceeded')).toBe(true)
  expect(isBlocked('Ramp')).toBe(false)
  expect(isBlocked('OutsideSchedule')).toBe(false)
})
