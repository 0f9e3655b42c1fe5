import { isOurs, nameOf } from './names.ts'
import { giveBack, quiet, save, twice } from './outcome.ts'
import type { ReplaceOutcome, Seen } from './outcome.ts'
import { entryOf, withEntry } from './saved.ts'
import type { JournalEntry, Maker, ReplaceAnswer, Saved } from './saved.ts'
import type { CinderSeen, SnapshotSeen, VolumeSeen } from './sight.ts'

type Reading = Seen & { readonly cinder: CinderSeen }

/** Of what was made in Cinder: found by its id, or by its name before that is known; ours by its metadata in any case. */
export function madeBy<Row extends SnapshotSeen | VolumeSeen>(
  saved: Saved,
  act: Maker,
  rows: readonly Row[],
): readonly Row[] {
  const id = entryOf(saved, act)?.id
  const { origin } = saved
  return rows.filter(
    (row) =>
      isOurs(origin, act, row) &&
      (id === undefined ? row.name === nameOf(origin, act) : row.id === id),
  )
}

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
  const snapshot = made(seen, 'createSnapshot', cinder.snapshots)
  if ('kind' in snapshot) return snapshot
  const copy = made(seen, 'cloneVolume', cinder.copies)
  if ('kind' in copy) return copy
  return retyped(seen, copy.row, snapshot.row)
}

type Made<Row> = { readonly row: Row }

/** What `act` has made, once it is usable. */
function made<Row extends SnapshotSeen | VolumeSeen>(
  seen: Reading,
  act: Maker,
  rows: readonly Row[],
): Made<Row> | ReplaceOutcome {
  const { input, saved } = seen
  const entry = entryOf(saved, act)
  if (entry === undefined || entry.state === 'None')
    return tried(seen, entry, { kind: 'act', act: { act } })
  const [row, ...others] = madeBy(saved, act, rows)
  if (others.length > 0)
    return giveBack(saved, 'Unverified', `Cinder shows ${others.length + 1} of ${entry.name}`)
  if (row === undefined) return missing(seen, entry)
  if (entry.state !== 'Done') return save(withEntry(saved, { ...entry, state: 'Done', id: row.id }))
  if (row.status.startsWith('error'))
    return giveBack(saved, 'VolumeError', `${row.name} ended with status "${row.status}"`)
  const isUsable =
    row.status === 'available' || (act === 'cloneVolume' && row.status === 'retyping')
  return isUsable ? { row } : beingCopied(input, row)
}

function beingCopied(
  { timing }: Seen['input'],
  { name, status }: SnapshotSeen | VolumeSeen,
): ReplaceOutcome {
  return { kind: 'wait', ms: timing.pollMs, why: `${name} is "${status}"`, isCopied: true }
}

/** Nothing is there of what was made, or was perhaps made. */
function missing({ input, saved }: Seen, entry: JournalEntry): ReplaceOutcome {
  switch (entry.state) {
    case 'Asked':
      return neverMade({ input, saved }, entry)
    case 'Gone':
      return giveBack(saved, 'Disappeared', `${entry.name} was deleted meanwhile`)
    case 'Done':
    case 'None':
      return twice(input, 'absent', () => save(withEntry(saved, { ...entry, state: 'Gone' })))
  }
}

/** What was asked for is not there: after the quiet time, and by two reads, the call never arrived. */
export function neverMade(
  { input, saved }: Pick<Seen, 'input' | 'saved'>,
  entry: JournalEntry,
): ReplaceOutcome {
  return quiet(input, () =>
    twice(input, 'neverMade', () => save(withEntry(saved, { ...entry, state: 'None' }))),
  )
}

/** A call that provably made nothing, or was not made yet. Cinder's own refusal is its last word. */
function tried(
  { input, saved }: Seen,
  entry: JournalEntry | undefined,
  again: ReplaceOutcome,
): ReplaceOutcome {
  if (entry === undefined) return again
  const { intent, answer } = saved
  if (intent?.act === entry.act && answer?.kind === 'Rejected' && !isRateLimited(answer))
    return giveBack(
      saved,
      answer.quota === true ? 'QuotaExceeded' : 'Rejected',
      `Cinder refused ${entry.act} (${answer.httpStatus}): ${answer.message}`,
    )
  if (entry.attempts >= input.timing.mostAttempts)
    return giveBack(
      saved,
      'AttemptsExhausted',
      `${entry.act} did not reach Cinder; gave up after ${entry.attempts} attempts`,
    )
  const asked =
    intent?.act === entry.act && answer?.kind === 'Rejected' ? (answer.retryAfterMs ?? 0) : 0
  return twice(input, 'again', () => again, Math.max(input.timing.verifyMs, asked))
}

/** Cinder's own limiter answers with the status of a quota. */
function isRateLimited({ httpStatus, quota }: ReplaceAnswer & { kind: 'Rejected' }): boolean {
  return httpStatus === 429 || (httpStatus === 413 && quota !== true)
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
  const wrong = whyUnlike(saved, copy, snapshot)
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

function unanswered({ input, saved }: Seen, entry: JournalEntry, copy: VolumeSeen): ReplaceOutcome {
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

/** In what the copy differs that must not differ. */
function whyUnlike(
  { origin: { volume } }: Saved,
  copy: VolumeSeen,
  snapshot: SnapshotSeen,
): string | undefined {
  if (copy.sizeGiB !== volume.sizeGiB) return `${copy.sizeGiB} GiB instead of ${volume.sizeGiB}`
  if (copy.availabilityZone !== volume.availabilityZone)
    return `availability zone ${copy.availabilityZone} instead of ${volume.availabilityZone}`
  if (copy.bootable !== volume.bootable) return 'bootable'
  if (copy.encrypted !== volume.encrypted) return 'encrypted'
  if (copy.attached) return 'attached'
  return copy.snapshotId === snapshot.id && snapshot.volumeId === volume.id
    ? undefined
    : `made from snapshot ${copy.snapshotId ?? '(none)'} instead of ${snapshot.id}`
}
