import type { AuditedCopies } from '../../controller/deps.ts'
import { isOfCluster, whyKept } from '../../insight/replacements/leftovers.ts'
import type { Leftover } from '../../insight/replacements/leftovers.ts'
import { readOwners } from '../../insight/replacements/owners.ts'
import type { KubeClient } from '../../kube/types.ts'
import { ownerOf } from '../../migration/snapshot-restore/names.ts'
import { isAttached } from '../../openstack/attached.ts'
import type { CinderBackup } from '../../openstack/cinder-backups.ts'
import type { CopySnapshot, CopyVolume } from '../../openstack/cinder-copies.ts'

export type DeletionDeps = {
  readonly kube: Pick<KubeClient, 'get' | 'list'>
  readonly copies: Pick<
    AuditedCopies,
    | 'getVolume'
    | 'getSnapshot'
    | 'getBackup'
    | 'snapshotsOf'
    | 'deleteVolume'
    | 'deleteSnapshot'
    | 'deleteBackup'
  >
  readonly uuid: () => string
  /** The user as the API server knows them. */
  readonly who: string
}

/** What became of one; `text` goes on after its name. */
export type Deleted = { readonly done: boolean; readonly text: string }

/** Deletes it, in one call, if what is read now still says that nothing knows or uses it. */
export async function deleteLeftover(
  one: Leftover,
  clusterIds: ReadonlySet<string>,
  deps: DeletionDeps,
): Promise<Deleted> {
  const row = await rowOf(one, deps)
  if (row === undefined) return { done: true, text: 'is gone already' }
  const kept = whyNotOurs(one, row, clusterIds) ?? (await whyUsed(row, deps))
  if (kept !== undefined) return { done: false, text: `is kept: ${kept}` }
  // last of all: a move may have begun meanwhile, and its record precedes what it does
  const owners = await readOwners(deps.kube)
  if (owners.unreadable.length > 0)
    return { done: false, text: 'is kept: a record has become unreadable' }
  const owner = whyKept(row, owners)
  if (owner !== undefined) return { done: false, text: `is kept: ${owner}` }
  return call(one, deps)
}

type Row = CopyVolume | CopySnapshot | CinderBackup

function rowOf({ kind, id }: Leftover, { copies }: DeletionDeps): Promise<Row | undefined> {
  switch (kind) {
    case 'volume':
      return copies.getVolume(id)
    case 'snapshot':
      return copies.getSnapshot(id)
    case 'backup':
      return copies.getBackup(id)
  }
}

function whyNotOurs(one: Leftover, row: Row, clusterIds: ReadonlySet<string>): string | undefined {
  return isOfCluster(clusterIds, row) && ownerOf(row)?.moveUid === one.moveUid
    ? undefined
    : 'its metadata is not ours any more'
}

const AT_REST: ReadonlySet<string> = new Set(['available', 'error', 'error_restoring'])

async function whyUsed(row: Row, { copies }: DeletionDeps): Promise<string | undefined> {
  if ('attachments' in row && isAttached(row)) return 'it is attached'
  if (!AT_REST.has(row.status)) return `it is "${row.status}" in Cinder`
  if (!('attachments' in row)) return undefined
  const { length } = await copies.snapshotsOf(row.id)
  return length === 0 ? undefined : `it has snapshots (${length})`
}

const DELETES = {
  volume: 'deleteVolume',
  snapshot: 'deleteSnapshot',
  backup: 'deleteBackup',
} as const satisfies Record<Leftover['kind'], string>

async function call(
  { kind, id, name }: Leftover,
  { copies, uuid, who }: DeletionDeps,
): Promise<Deleted> {
  const requestId = `req-${uuid()}`
  const change = {
    id: requestId,
    requestId,
    action: `delete/${kind}`,
    initiator: { kind: 'person', name: who },
    target: { typeURI: `storage/${kind}`, id, name },
  } as const
  const request = { id, requestId }
  const answer = await copies[DELETES[kind]](request, change)
  switch (answer.kind) {
    case 'Accepted':
      return { done: true, text: 'is being deleted' }
    case 'Rejected':
      return {
        done: false,
        text: `is kept: Cinder refuses (${answer.httpStatus}): ${answer.message}`,
      }
    case 'NotSent':
      return { done: false, text: `is kept: nothing was sent: ${answer.message}` }
    case 'Unknown':
      return { done: false, text: `may be deleted or not: ${answer.message}; run it again` }
  }
}
