import type { ReplaceAct, Saved } from './saved.ts'

/**
 * The claim is without a volume, or a Pod waits for it, until that act is done. It waits for nothing that is about keeping
 * records: a full disk must not keep data from its owner.
 */
export function givesBack(
  { phase, reason }: Pick<Saved, 'phase' | 'reason'>,
  act: ReplaceAct,
): boolean {
  switch (act.act) {
    case 'createPersistentVolume':
      return true
    case 'releasePersistentVolume':
      // of one that is being deleted
      return act.keep.length === 0
    case 'setReclaimPolicy':
    case 'deletePersistentVolume':
    case 'deleteVolumeAttachment':
      return phase === 'GivingBack' && reason !== 'RolledBack'
    case 'createSnapshot':
    case 'cloneVolume':
    case 'retype':
    case 'createBackup':
    case 'restoreBackup':
    case 'markVolume':
    case 'markTakenOver':
    case 'deleteBackup':
    case 'deleteSnapshot':
    case 'deleteVolume':
      return false
  }
}
