import { describe, expect, it } from 'vitest'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { holdsPlace, mayGiveWay } from './places.ts'

const move = (
  status: VolumeMigration['status'],
  spec: Partial<VolumeMigration['spec']> = {},
): VolumeMigration => ({
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'VolumeMigration',
  metadata: { name: 'm', namespace: 'default' },
  spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered', reason: 'Policy', ...spec },
  ...(status === undefined ? {} : { status }),
})
const waits = (reason: string, spec: Partial<VolumeMigration['spec']> = {}) =>
  move({ step: 'Waiting', reason }, spec)

describe('a move holds one of the places of its policy', () => {
  it.each([
    ['just made', move(undefined)],
    ['running', move({ step: 'Retyping' })],
    ['next in turn', waits('ConcurrencyLimit')],
    ['waiting for a person', waits('AwaitingApproval')],
    ['manual and running', move({ step: 'Retyping' }, { reason: 'Manual' })],
  ])('when it is %s', (_, m) => {
    expect(holdsPlace(m, false)).toBe(true)
  })

  it.each([
    ['stuck', move({ step: 'Stuck', reason: 'DeadlinePassed' })],
    ['waiting for a pod', waits('PodPending')],
    ['waiting for its namespace', waits('NamespaceLimit')],
    ['blocked by a snapshot', waits('Snapshots')],
    ['not bound', waits('Unbound')],
    ['manual and waiting', waits('ConcurrencyLimit', { reason: 'Manual' })],
    ['cancelled', waits('ConcurrencyLimit', { cancel: true })],
    ['unreadable in Cinder', waits('CinderDown')],
  ])('but not when it is %s', (_, m) => {
    expect(holdsPlace(m, false)).toBe(false)
  })

  it('and not less for saying that Cinder is down while it is down for all', () => {
    expect(holdsPlace(waits('CinderDown'), true)).toBe(true)
  })
})

describe('a move gives way to others', () => {
  it('when it was planned by the policy and waits for something else than its turn', () => {
    expect(mayGiveWay(waits('PodPending'))).toBe(true)
  })

  it.each([
    ['it is next in turn', waits('Ramp')],
    ['it has not been read yet', move(undefined)],
    ['a person asked for it', waits('PodPending', { reason: 'Manual' })],
    ['a person forced it', waits('PodPending', { reason: 'Forced' })],
    ['a person approved it', waits('PodPending', { approved: true })],
    ['it runs', move({ step: 'Retyping' })],
  ])('but not when %s', (_, m) => {
    expect(mayGiveWay(m)).toBe(false)
  })
})
