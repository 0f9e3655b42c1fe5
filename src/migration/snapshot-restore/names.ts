import { GROUP } from '../../api/names.ts'
import type { Maker, Origin } from './saved.ts'

/** Cinder metadata by which a volume or snapshot is known to be ours. A name alone proves nothing: anyone may give it. */
export const OWNER = {
  cluster: `${GROUP}/cluster`,
  move: `${GROUP}/move`,
  role: `${GROUP}/role`,
} as const

const ROLES = {
  createSnapshot: 'snapshot',
  cloneVolume: 'copy',
  createBackup: 'backup',
  restoreBackup: 'restored',
} as const satisfies Record<Maker, string>

/** Metadata of a copy: the move by which a claim may have been on it. Nothing in Kubernetes need remember that. */
export const TAKEN_OVER = `${GROUP}/taken-over`

/** Metadata by which Cinder says what backup a volume was restored from. */
export const RESTORED_FROM = 'src_backup_id'

/**
 * Name of what a move makes in Cinder, by which a later leader finds it. Never that of a PersistentVolume: the CSI driver
 * adopts a volume that has the name of the one that it is asked for.
 */
export function nameOf({ clusterId, moveUid }: Origin, act: Maker): string {
  return `couchestor-${ROLES[act]}-${clusterId}-${moveUid}`
}

export function metadataOf({ clusterId, moveUid }: Origin, act: Maker): Record<string, string> {
  return { [OWNER.cluster]: clusterId, [OWNER.move]: moveUid, [OWNER.role]: ROLES[act] }
}

/** Whose it is, of whatever move: undefined unless it has all three of our keys. */
export function ownerOf({
  metadata,
}: {
  readonly metadata: Readonly<Record<string, string>>
}): { readonly clusterId: string; readonly moveUid: string; readonly role: string } | undefined {
  const clusterId = metadata[OWNER.cluster]
  const moveUid = metadata[OWNER.move]
  const role = metadata[OWNER.role]
  return clusterId && moveUid && role ? { clusterId, moveUid, role } : undefined
}

type Marked = { readonly metadata: Readonly<Record<string, string>> }

export function takenOver({ moveUid }: Origin): Record<string, string> {
  return { [TAKEN_OVER]: moveUid }
}

/** A copy that a claim may have been on by this move. A mark of an earlier one came with the metadata of the volume. */
export function isTakenOver({ moveUid }: Pick<Origin, 'moveUid'>, { metadata }: Marked): boolean {
  return metadata[TAKEN_OVER] === moveUid
}

/** It has exactly the metadata that it was to have. */
export function isMarked(origin: Origin, act: Maker, { metadata }: Marked): boolean {
  return Object.entries(metadataOf(origin, act)).every(([key, value]) => metadata[key] === value)
}

export function isOurs(origin: Origin, act: Maker, row: Marked): boolean {
  // until it is marked again, a restored volume has the metadata of the clone that was backed up
  const isLikeClone = act === 'restoreBackup' && isMarked(origin, 'cloneVolume', row)
  return isLikeClone || isMarked(origin, act, row)
}
