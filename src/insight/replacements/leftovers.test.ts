import { describe, expect, it } from 'vitest'
import type { VolumeMigration, VolumeMigrationStatus } from '../../api/volume-migration.ts'
import type { ReplacementRecord } from '../../controller/moving/recorded-strategy.ts'
import { readMigration } from '../../controller/view/read-migration.ts'
import type { MarkedRow } from '../../openstack/cinder-marked.ts'
import { leftoversOf, whyKept } from './leftovers.ts'
import type { Owners } from './owners.ts'

const HERE = new Set(['cluster-1', 'lease-1'])
const MOVE = 'aaaaaaaa-0000-0000-0000-000000000001'
const LATER = 'aaaaaaaa-0000-0000-0000-000000000002'
const COPY = 'bbbbbbbb-0000-0000-0000-000000000001'

const mark = (over: Readonly<Record<string, string>> = {}) => ({
  'couchestor.io/cluster': 'cluster-1',
  'couchestor.io/move': MOVE,
  'couchestor.io/role': 'copy',
  ...over,
})
const row = (over: Partial<MarkedRow> = {}): MarkedRow => ({
  kind: 'volume',
  id: COPY,
  name: `couchestor-copy-cluster-1-${MOVE}`,
  status: 'available',
  sizeGiB: 10,
  createdAt: '2026-01-20T10:00:00.000Z',
  attached: false,
  metadata: mark(),
  ...over,
})
const NOBODY: Owners = {
  records: [],
  unreadable: [],
  inFlight: new Set(),
  moves: [],
  handles: new Set(),
  parked: [],
}
const move = (status: VolumeMigrationStatus, uid = MOVE): VolumeMigration => ({
  apiVersion: 'couchestor.io/v1alpha1',
  kind: 'VolumeMigration',
  metadata: { namespace: 'shop', name: 'm', uid },
  spec: { claim: { name: 'data' }, to: 'cold', policy: 'tiered' },
  status,
})
const record = (uid: string, saved: object = {}) =>
  ({ move: { namespace: 'shop', name: 'm', uid }, saved }) as unknown as ReplacementRecord
const found = (rows: readonly MarkedRow[], owners: Partial<Owners> = {}) =>
  leftoversOf(HERE, rows, { ...NOBODY, ...owners })

describe('a volume that a move made', () => {
  it('is left over when nothing in Kubernetes knows of it', () => {
    expect(found([row()])).toMatchObject([{ id: COPY, moveUid: MOVE, neverUsed: false }])
    expect(found([row({ metadata: mark({ 'couchestor.io/cluster': 'lease-1' }) })])).toHaveLength(1)
  })

  it.each([
    ['another cluster', mark({ 'couchestor.io/cluster': 'cluster-2' })],
    ['nobody, since a key is missing', { 'couchestor.io/cluster': 'cluster-1' }],
    ['nobody, since a key is empty', mark({ 'couchestor.io/role': '' })],
  ])('is never one of ours when it is of %s', (_, metadata) => {
    expect(found([row({ metadata })])).toEqual([])
  })

  it.each([
    ['a PersistentVolume stands for it', { handles: new Set([COPY]) }],
    ['its move has a record', { records: [record(MOVE)] }],
    ['its move is in the ledger', { inFlight: new Set([MOVE]) }],
    ['its move is under way', { moves: [move({ step: 'Copying' })] }],
    ['its move is stuck', { moves: [move({ step: 'Stuck', reason: 'RecordMissing' })] }],
    ['its move waits', { moves: [move({})] }],
    [
      'its move cannot be read',
      {
        moves: [
          readMigration({
            metadata: { namespace: 'shop', name: 'm', uid: MOVE },
            status: { step: 'Succeeded' },
          } as never),
        ],
      },
    ],
    ['a held PersistentVolume has its move', { parked: [`{"origin":{"moveUid":"${MOVE}"}}`] }],
    [
      'its move gave it to a claim',
      {
        moves: [
          move({
            step: 'Succeeded',
            replacement: { record: 'r', formerVolumeId: 'v', copyVolumeId: COPY },
          }),
        ],
      },
    ],
  ] satisfies [string, Partial<Owners>][])('is none when %s', (_, owners) => {
    expect(found([row()], owners)).toEqual([])
    expect(whyKept(row(), { ...NOBODY, ...owners })).toBeDefined()
  })

  it.each([
    ['by its record', { records: [record(LATER, { origin: { volume: { id: COPY } } })] }],
    ['by its ledger entry', { inFlight: new Set([COPY]) }],
    [
      'by its object',
      {
        moves: [
          move({ step: 'Soaking', replacement: { record: 'r', formerVolumeId: COPY } }, LATER),
        ],
      },
    ],
    ['by its held PersistentVolume', { parked: [`{"origin":{"volume":{"id":"${COPY}"}}}`] }],
  ] satisfies [string, Partial<Owners>][])(
    'is none when a later move of the claim has it as its former volume, known %s',
    (_, owners) => {
      expect(found([row()], owners)).toEqual([])
    },
  )

  it('is known never to have been in use only where its move gave the claim its volume back', () => {
    const after = (status: VolumeMigrationStatus) => found([row()], { moves: [move(status)] })[0]
    expect(after({ step: 'Failed', reason: 'ClaimNeeded' })).toMatchObject({
      neverUsed: true,
      move: 'shop/m',
    })
    const marked = row({ metadata: mark({ 'couchestor.io/taken-over': MOVE }) })
    const moves = [move({ step: 'Failed', reason: 'ClaimNeeded' })]
    expect(found([marked], { moves })[0]?.neverUsed).toBe(false)
    expect(after({ step: 'Failed', reason: 'ClaimDeleted' })?.neverUsed).toBe(false)
    expect(after({ step: 'Failed', reason: 'Unexplained' })?.neverUsed).toBe(false)
  })
})

it('volumes come before the snapshots that they were made from', () => {
  const snapshot = row({ kind: 'snapshot', id: 's' })
  expect(found([snapshot, row()]).map((l) => l.kind)).toEqual(['volume', 'snapshot'])
  expect(found([snapshot])[0]?.neverUsed).toBe(true)
})
