import { describe, expect, it } from 'vitest'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import { createStore } from '../../kube/store.ts'
import { ApiError, LostLeaseError } from '../../kube/types.ts'
import type { AuditedKube } from '../deps.ts'
import { Migrations } from './migrations.ts'
import { keyOf, volumeIdOf } from './watches.ts'

const KEY = 'default/m'

function migration(version: number, status: VolumeMigrationStatus = {}): VolumeMigration {
  return {
    apiVersion: 'couchestor.io/v1alpha1',
    kind: 'VolumeMigration',
    metadata: { name: 'm', namespace: 'default', uid: 'uid-m', resourceVersion: String(version) },
    spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered' },
    status,
  }
}

/** The watch's store, and a server that accepts each write with the next version. */
function setUp(office: { epoch: number; leads: boolean } = { epoch: 5, leads: true }) {
  const store = createStore<VolumeMigration>({
    indexes: {
      claim: (m) => [`${m.metadata.namespace}/${m.spec.claim.name}`],
      volumeId: (m) => [volumeIdOf(m)],
    },
    onListenerError: (e) => {
      throw e
    },
  })
  const writes: unknown[] = []
  let version = 100
  const client = {
    patch: (_: unknown, __: string, body: { status: VolumeMigrationStatus }) => {
      writes.push(body)
      return Promise.resolve(migration(++version, body.status))
    },
    get: () => Promise.reject(new ApiError(404, 'NotFound', 'not found')),
  } as unknown as AuditedKube
  const fence = () => {
    if (!office.leads) throw new LostLeaseError('we do not lead')
  }
  const migrations = new Migrations(client, store, {
    term: { epoch: office.epoch, clusterId: 'here' },
    fence,
  })
  const watched = (m: VolumeMigration) => store.set(keyOf(m), m, m.metadata.resourceVersion ?? '')
  return { store, migrations, writes, watched }
}

const FLYING: VolumeMigrationStatus = { step: 'Requested', volumeId: 'volume-1' }

describe('the work list', () => {
  it('shows an own write before the watch does, and then what the watch shows', async () => {
    const { migrations, watched } = setUp()
    watched(migration(1))
    await migrations.save(migration(1), FLYING)
    expect(migrations.inFlight()).toHaveLength(1)
    expect(migrations.ofVolume('volume-1')).toHaveLength(1)
    // an old event that was still on its way takes nothing back
    watched(migration(50))
    expect(migrations.inFlight()).toHaveLength(1)
    watched(migration(200, { step: 'Failed', volumeId: 'volume-1' }))
    expect(migrations.inFlight()).toEqual([])
  })

  it('forgets an own write when the object is deleted', async () => {
    const { migrations, watched, store } = setUp()
    watched(migration(1))
    await migrations.save(migration(1), FLYING)
    store.delete(KEY)
    expect(migrations.get(KEY)).toBeUndefined()
    expect([...migrations.all()]).toEqual([])
  })

  it('finds the moves of a claim whose volume nobody has looked up yet', () => {
    const { migrations, watched } = setUp()
    watched(migration(1))
    expect(migrations.ofVolume('volume-1')).toEqual([])
    expect(
      migrations.ofVolume('volume-1', { namespace: 'default', name: 'data', uid: 'claim-1' }),
    ).toHaveLength(1)
    expect(
      migrations.ofVolume('volume-1', { namespace: 'default', name: 'other', uid: 'claim-1' }),
    ).toEqual([])
  })

  it('gives a claim without a volume no moves of other claims', () => {
    const { migrations, watched } = setUp()
    watched(migration(1))
    const other = { namespace: 'other', name: 'data', uid: 'claim-2' }
    expect(migrations.ofVolume('', other)).toEqual([])
    expect(migrations.ofVolume('')).toEqual([])
  })

  it('writes nothing when nothing has changed', async () => {
    const { migrations, writes } = setUp()
    await migrations.save(migration(1, FLYING), FLYING)
    expect(writes).toEqual([])
  })

  it('saves with the version that was read, so that nobody is written over', async () => {
    const { migrations, writes } = setUp()
    await migrations.save(migration(7), FLYING)
    expect(writes).toEqual([{ metadata: { resourceVersion: '7' }, status: FLYING }])
  })

  it('writes nothing once the lease is lost, and nothing that a later leader holds', async () => {
    const office = { epoch: 5, leads: true }
    const { migrations, writes } = setUp(office)
    const intent = { epoch: 6, clusterId: 'here', objectUid: 'uid-m' } as NonNullable<
      VolumeMigrationStatus['intent']
    >
    await expect(migrations.save(migration(1, { intent }), { ...FLYING, intent })).rejects.toThrow(
      'later leader',
    )
    office.leads = false
    await expect(migrations.save(migration(1), FLYING)).rejects.toThrow(LostLeaseError)
    await expect(migrations.remove(migration(1))).rejects.toThrow(LostLeaseError)
    expect(writes).toEqual([])
  })
})
