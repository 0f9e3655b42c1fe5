import { GROUP } from '../../api/names.ts'
import type { Maker, Origin } from './saved.ts'

/** Cinder metadata by which a volume or snapshot is known to be ours. A name alone proves nothing: anyone may give it. */
export const OWNER = {
  cluster: `${GROUP}/cluster`,
  move: `${GROUP}/move`,
  role: `${GROUP}/role`,
} as const

const ROLES = { createSnapshot: 'snapshot', cloneVolume: 'copy' } as const satisfies Record<
  Maker,
  string
>

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

export function isOurs(
  origin: Origin,
  act: Maker,
  { metadata }: { readonly metadata: Readonly<Record<string, string>> },
): boolean {
  return Object.entries(metadataOf(origin, act)).every(([key, value]) => metadata[key] === value)
}
