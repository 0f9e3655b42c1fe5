import { tried } from './made.ts'
import type { Reading } from './made.ts'
import { isOurs, isTakenOver, TAKEN_OVER } from './names.ts'
import { twice } from './outcome.ts'
import type { ReplaceOutcome } from './outcome.ts'
import { copyIdOf, entryOf } from './saved.ts'
import type { Saved } from './saved.ts'
import type { VolumeSeen } from './sight.ts'

/**
 * Next act by which the verified copy says in Cinder that the claim may have been on it; undefined when it does. A cluster
 * that is put back from a backup forgets everything else that could say so. The journal has in which version the copy was
 * marked: each attachment makes that another one.
 */
export function markedTakenOver(seen: Reading): ReplaceOutcome | undefined {
  const { input, saved, cinder } = seen
  const copy = cinder.copies.find((v) => v.id === copyIdOf(saved))
  if (copy === undefined || isTakenOver(saved.origin, copy)) return undefined
  const { id, updatedAt } = copy
  const next: ReplaceOutcome = { kind: 'act', act: { act: 'markTakenOver', id, updatedAt } }
  const entry = entryOf(saved, 'markTakenOver', updatedAt)
  return entry === undefined ? twice(input, 'verified', () => next) : tried(seen, entry, next)
}

/** The mark is there, and this record did not set it, or the copy was changed since: a later record of this move had it. */
function isUnknown(saved: Saved, copy: VolumeSeen): boolean {
  const { origin } = saved
  if (!isOurs(origin, 'cloneVolume', copy) && !isOurs(origin, 'restoreBackup', copy)) return false
  if (!isTakenOver(origin, copy)) return false
  // Cinder may put a deletion back, which is a change too
  if (entryOf(saved, 'deleteVolume', copy.id) !== undefined) return false
  const { state = 'None' } = entryOf(saved, 'markTakenOver', copy.updatedAt) ?? {}
  return state === 'None'
}

/** Why no second copy is made: there is one of this move that the journal does not name. */
export function whyTakenOverUnknown({ saved, cinder }: Reading): string | undefined {
  const copy = cinder.copies.find((v) => v.id !== copyIdOf(saved) && isUnknown(saved, v))
  return copy && `volume ${copy.id} is a copy of this move that has been taken over already`
}

/** Why nothing is deleted: the newest data may be on a copy that the claim never had by what is saved. */
export function whyMayBeNewest({ saved, cinder }: Reading): string | undefined {
  // the claim has it, or had it by this record, and a person has given up what was written to it
  const isKnown = saved.keeps === 'copy' || saved.reason === 'RolledBack'
  const copy = cinder.copies.find(
    (v) => isUnknown(saved, v) && !(isKnown && v.id === copyIdOf(saved)),
  )
  return (
    copy &&
    `copy ${copy.id} has been taken over (metadata ${TAKEN_OVER}), although the claim never had it by this record (a cluster put back from a backup?): it may have newer data and is left alone; compare it, then delete it yourself`
  )
}
