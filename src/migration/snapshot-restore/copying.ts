import { restored } from './by-backup.ts'
import { beingCopied, made, tried } from './made.ts'
import type { Reading } from './made.ts'
import { giveBack, quiet, save, twice } from './outcome.ts'
import type { ReplaceOutcome } from './outcome.ts'
import { entryOf, withEntry } from './saved.ts'
import type { JournalEntry } from './saved.ts'
import type { SnapshotSeen, VolumeSeen } from './sight.ts'
import { whyTakenOverUnknown } from './taken-over.ts'
import { whyNoClone } from './verify.ts'

/** What makes the copy worthless; undefined as long as it is as good as the source. */
function whyVoid({ saved, cinder: { source } }: Reading): string | undefined {
  if (source === undefined) return 'Cinder no longer knows the volume'
  if (source.attached || source.status !== 'available')
    return `the volume is "${source.status}" in Cinder, although nobody could attach it through Kubernetes`
  return source.updatedAt === saved.sourceUpdatedAt
    ? undefined
    : 'the volume was changed in Cinder since the copy began'
}

/** Next act towards a verified copy; `whole` = it is there. */
export function copied(seen: Reading): ReplaceOutcome | 'whole' {
  const { saved, cinder } = seen
  const voided = whyVoid(seen)
  if (voided !== undefined) return giveBack(saved, 'CopyVoid', `the copy is void: ${voided}`)
  const unknown = whyTakenOverUnknown(seen)
  if (unknown !== undefined) return giveBack(saved, 'Unverified', unknown)
  const snapshot = made(seen, 'createSnapshot', cinder.snapshots)
  if ('kind' in snapshot) return snapshot
  const clone = made(seen, 'cloneVolume', cinder.copies)
  if ('kind' in clone) return clone
  return saved.origin.via === 'backup'
    ? restored(seen, clone.row, snapshot.row)
    : retyped(seen, clone.row, snapshot.row)
}

function retyped(
  seen: Reading,
  copy: VolumeSeen,
  snapshot: SnapshotSeen,
): ReplaceOutcome | 'whole' {
  const { input, saved } = seen
  const { toTypeId, volume } = saved.origin
  const entry = entryOf(saved, 'retype')
  if (copy.status !== 'available') {
    if (entry?.state === 'Asked') return save(withEntry(saved, { ...entry, state: 'Done' }))
    return beingCopied(input, copy)
  }
  const wrong = whyNoClone(saved, copy, snapshot)
  if (wrong !== undefined)
    return giveBack(saved, 'Unverified', `the copy is not like the volume: ${wrong}`)
  if (copy.typeId === toTypeId) return 'whole'
  if (copy.typeId !== volume.typeId)
    return giveBack(
      saved,
      'Unverified',
      `the copy is on type ${copy.typeId}, which nobody asked for`,
    )
  const act = { act: 'retype', id: copy.id, updatedAt: copy.updatedAt } as const
  switch (entry?.state) {
    case undefined:
    case 'None':
      return tried(seen, entry, { kind: 'act', act })
    case 'Asked':
      return unanswered(seen, entry, copy)
    case 'Done':
    case 'Gone':
      return twice(input, 'reverted', () =>
        giveBack(
          saved,
          'Reverted',
          'Cinder accepted the retype and silently put the old type back',
        ),
      )
  }
}

function unanswered(
  { input, saved }: Reading,
  entry: JournalEntry,
  copy: VolumeSeen,
): ReplaceOutcome {
  const { intent } = saved
  return quiet(input, () =>
    intent?.act === 'retype' && intent.updatedAt === copy.updatedAt
      ? twice(input, 'unchanged', () => save(withEntry(saved, { ...entry, state: 'None' })))
      : giveBack(
          saved,
          'OutcomeUnknown',
          'the answer to the retype was lost; the copy is given up',
        ),
  )
}
