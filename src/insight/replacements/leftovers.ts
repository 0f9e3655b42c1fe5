import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { MigrationStatusReason } from '../../api/reasons.ts'
import { whyUnreadable } from '../../controller/view/read-migration.ts'
import { isTakenOver, ownerOf } from '../../migration/snapshot-restore/names.ts'
import type { MarkedRow } from '../../openstack/cinder-marked.ts'
import type { Owners } from './owners.ts'

/** What a move of this cluster made in Cinder, and nothing in Kubernetes knows of any more. */
export type Leftover = MarkedRow & {
  readonly moveUid: string
  /** `namespace/name` of the move, where its VolumeMigration is still there. */
  readonly move?: string
  /**
   * Whether it never was the volume of a claim. Otherwise that is not known: a copy that took over keeps its metadata, and
   * a person may have deleted its PersistentVolume to keep the data.
   */
  readonly neverUsed: boolean
}

/** Whether the row has all our metadata, and that of this cluster. */
export function isOfCluster(ids: ReadonlySet<string>, row: Pick<MarkedRow, 'metadata'>): boolean {
  const owner = ownerOf(row)
  return owner !== undefined && ids.has(owner.clusterId)
}

/** Rows that belong to nothing, volumes first. `rows` must have been read before `owners`: a record precedes what it makes. */
export function leftoversOf(
  ids: ReadonlySet<string>,
  rows: readonly MarkedRow[],
  owners: Owners,
): readonly Leftover[] {
  return rows
    .filter((row) => isOfCluster(ids, row) && whyKept(row, owners) === undefined)
    .map((row): Leftover => {
      const moveUid = ownerOf(row)?.moveUid ?? ''
      const move = moveOf(moveUid, owners)
      const name = move && nameOf(move)
      return {
        ...row,
        moveUid,
        ...(name === undefined ? {} : { move: name }),
        neverUsed:
          row.kind !== 'volume' ||
          (!isTakenOver({ moveUid }, row) && move !== undefined && keptOriginal(move)),
      }
    })
    .toSorted((a, b) => order(a) - order(b))
}

/**
 * What a row made by a move of this cluster belongs to; undefined = to nothing. That may be another move than the one that
 * made it: a copy that took over is what the next move of its claim begins with, and has no PersistentVolume meanwhile.
 */
export function whyKept(
  row: Pick<MarkedRow, 'id' | 'metadata'>,
  owners: Owners,
): string | undefined {
  const moveUid = ownerOf(row)?.moveUid ?? ''
  const isNamedIn = (text: string) => text.includes(row.id) || text.includes(moveUid)
  if (owners.handles.has(row.id)) return 'a PersistentVolume stands for it'
  if (owners.inFlight.has(moveUid) || owners.inFlight.has(row.id)) return 'a move is in flight'
  if (owners.parked.some(isNamedIn)) return 'a held PersistentVolume belongs to its move'
  const record = owners.records.find((r) => isNamedIn(JSON.stringify(r)))
  if (record !== undefined)
    return `the record of move ${record.move.namespace}/${record.move.name} names it`
  const open = owners.moves.find((m) => isOpen(m) && isNamedIn(JSON.stringify(m)))
  if (open !== undefined) return `VolumeMigration ${nameOf(open)} is not finished`
  const { step, replacement } = moveOf(moveUid, owners)?.status ?? {}
  return step === 'Succeeded' && replacement?.copyVolumeId === row.id
    ? 'it became the volume of a claim'
    : undefined
}

function isOpen(m: VolumeMigration): boolean {
  return !isFinished(m) || whyUnreadable(m) !== undefined
}

function moveOf(uid: string, { moves }: Owners): VolumeMigration | undefined {
  return moves.find((m) => m.metadata.uid === uid)
}

function nameOf({ metadata }: VolumeMigration): string {
  return `${metadata.namespace}/${metadata.name}`
}

/** Ends that are reached only once the claim is on its former volume. */
const GIVEN_BACK: ReadonlySet<string> = new Set<MigrationStatusReason>([
  'ClaimNeeded',
  'Cancelled',
  'RolledBack',
  'CopyVoid',
  'VolumeError',
  'Reverted',
  'Rejected',
  'QuotaExceeded',
  'OutcomeUnknown',
  'AttemptsExhausted',
  'DeadlinePassed',
  'Disappeared',
  'Unverified',
  'HeldVolumeGone',
])

function keptOriginal({ status }: VolumeMigration): boolean {
  return status?.step === 'Failed' && GIVEN_BACK.has(status.reason ?? '')
}

/** A copy may depend on the snapshot that it was made from. */
function order({ kind }: Leftover): number {
  return ['volume', 'backup', 'snapshot'].indexOf(kind)
}
