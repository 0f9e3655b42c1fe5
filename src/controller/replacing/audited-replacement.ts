import type { Action, Change, Initiator } from '../../audit/change.ts'
import { nameOf } from '../../migration/snapshot-restore/names.ts'
import { entryOfIntent } from '../../migration/snapshot-restore/saved.ts'
import type { ReplaceAct, Saved } from '../../migration/snapshot-restore/saved.ts'
import type { ReplacementRecord } from '../moving/recorded-strategy.ts'

/** What the lines of the audit need of a move beside what is saved; kept in the record, which outlives the object. */
export type ReplacedMove = {
  /** Of the VolumeMigration. */
  readonly name: string
  readonly initiator: Initiator
  /** Tiers. */
  readonly from?: string | undefined
  readonly to: string
}

export function replacedMoveOf({ move }: Pick<ReplacementRecord, 'move'>): ReplacedMove {
  const { name, initiator, spec } = move
  return { name, initiator, from: spec.from, to: spec.to }
}

/** What all lines of a move have in them. */
export function aboutMove({ origin }: Saved, move: ReplacedMove) {
  const { claim, volume } = origin
  return {
    initiator: move.initiator,
    claim,
    migration: { namespace: claim.namespace, name: move.name, uid: origin.moveUid },
    from: { tier: move.from, typeId: volume.typeId },
    to: { tier: move.to, typeId: origin.toTypeId },
  } as const
}

/** The act in `saved.intent`, from what is saved before it: a later leader comes to the same. Throws without one. */
export function changeOfAct(saved: Saved, move: ReplacedMove): Change {
  const { intent, origin } = saved
  const entry = entryOfIntent(saved)
  if (intent === undefined || entry === undefined) throw new Error('an act without an intent')
  const { requestId } = entry
  return {
    ...aboutMove(saved, move),
    id: requestId,
    requestId,
    action: ACTIONS[intent.act],
    target: targetOf(saved, intent, `${origin.claim.namespace}/${origin.claim.name}`),
  }
}

const ACTIONS: Readonly<Record<ReplaceAct['act'], Action>> = {
  createSnapshot: 'create/snapshot',
  cloneVolume: 'create/volume',
  retype: 'update/retype',
  createBackup: 'create/backup',
  restoreBackup: 'create/volume',
  markVolume: 'update/metadata',
  markTakenOver: 'update/metadata',
  deleteBackup: 'delete/backup',
  deleteSnapshot: 'delete/snapshot',
  deleteVolume: 'delete/volume',
  setReclaimPolicy: 'update/reclaim-policy',
  deletePersistentVolume: 'delete',
  releasePersistentVolume: 'update/finalizers',
  createPersistentVolume: 'create',
  deleteVolumeAttachment: 'delete',
}

function targetOf({ origin }: Saved, act: ReplaceAct, claim: string): Change['target'] {
  const ofKubernetes = (resource: string, name: string, id = name) => ({
    typeURI: `data/${resource}`,
    id,
    name,
  })
  const { name } = origin.manifest.metadata
  switch (act.act) {
    case 'createSnapshot':
      return { typeURI: 'storage/snapshot', id: nameOf(origin, act.act), name: claim }
    case 'createBackup':
      return { typeURI: 'storage/backup', id: nameOf(origin, act.act), name: claim }
    case 'cloneVolume':
    case 'restoreBackup':
      return { typeURI: 'storage/volume', id: nameOf(origin, act.act), name: claim }
    case 'deleteSnapshot':
      return { typeURI: 'storage/snapshot', id: act.id, name: claim }
    case 'deleteBackup':
      return { typeURI: 'storage/backup', id: act.id, name: claim }
    case 'retype':
    case 'markVolume':
    case 'markTakenOver':
    case 'deleteVolume':
      return { typeURI: 'storage/volume', id: act.id, name: claim }
    case 'setReclaimPolicy':
    case 'deletePersistentVolume':
    case 'releasePersistentVolume':
      return ofKubernetes('persistentvolumes', name, act.uid)
    case 'createPersistentVolume':
      return ofKubernetes('persistentvolumes', name)
    case 'deleteVolumeAttachment':
      return ofKubernetes('volumeattachments.storage.k8s.io', act.name, act.uid)
  }
}
