import { isOurs, nameOf } from './names.ts'
import { giveBack, quiet, save, twice } from './outcome.ts'
import type { ReplaceOutcome, Seen } from './outcome.ts'
import { copyMaker, entryOf, isMaker, withEntry } from './saved.ts'
import type { JournalEntry, Maker, ReplaceAnswer, Saved } from './saved.ts'
import type { BackupSeen, CinderSeen, SnapshotSeen, VolumeSeen } from './sight.ts'

export type Reading = Seen & { readonly cinder: CinderSeen }
/** What a move may have made. */
export type Row = SnapshotSeen | VolumeSeen | BackupSeen

/** Of what was made in Cinder: found by its id, or by its name before that is known; ours by its metadata in any case. */
export function madeBy<R extends Row>(saved: Saved, act: Maker, rows: readonly R[]): readonly R[] {
  const id = entryOf(saved, act)?.id
  const { origin } = saved
  return rows.filter(
    (row) =>
      isOurs(origin, act, row) &&
      (id === undefined ? row.name === nameOf(origin, act) : row.id === id),
  )
}

type Made<R> = { readonly row: R }

/** What `act` has made, once it is usable. */
export function made<R extends Row>(
  seen: Reading,
  act: Maker,
  rows: readonly R[],
): Made<R> | ReplaceOutcome {
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
    return giveBack(
      saved,
      'VolumeError',
      `${row.name} ended with status "${row.status}"${becauseOf(row)}`,
    )
  const isUsable = row.status === 'available' || row.status === USED_AS[workOn(saved, act) ?? '']
  return isUsable ? { row } : beingCopied(input, row, entry)
}

/** Statuses while what comes next is made of it. */
const USED_AS: Readonly<Record<string, string>> = {
  retype: 'retyping',
  createBackup: 'backing-up',
  restoreBackup: 'restoring',
}

/** What is made of that next, and shows in its status. */
function workOn({ origin }: Saved, act: Maker): string | undefined {
  if (act === 'cloneVolume') return copyMaker(origin) === 'cloneVolume' ? 'retype' : 'createBackup'
  return act === 'createBackup' ? 'restoreBackup' : undefined
}

function becauseOf(row: Row): string {
  return 'failReason' in row ? `: ${row.failReason}` : ''
}

/** What takes hours. */
const LONG: Readonly<Partial<Record<Maker, string>>> = {
  createBackup: 'backing up the copy',
  restoreBackup: 'restoring the backup to its new volume type',
}

export function beingCopied(
  { timing }: Seen['input'],
  { name, status }: Row,
  entry?: JournalEntry,
): ReplaceOutcome {
  const long = entry !== undefined && isMaker(entry.act) ? LONG[entry.act] : undefined
  const since = long === undefined ? '' : `${long}: since ${entry?.at}, `
  return { kind: 'wait', ms: timing.pollMs, why: `${since}${name} is "${status}"`, isCopied: true }
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
export function tried(
  { input, saved }: Seen,
  entry: JournalEntry | undefined,
  again: ReplaceOutcome,
): ReplaceOutcome {
  if (entry === undefined) return again
  const { intent, answer } = saved
  const refusal = intent?.act === entry.act && answer?.kind === 'Rejected' ? answer : undefined
  if (refusal !== undefined && isRateLimited(refusal))
    return twice(input, 'again', () => again, limiterPauseMs(refusal, entry.attempts))
  if (refusal !== undefined)
    return giveBack(
      saved,
      refusal.quota === true ? 'QuotaExceeded' : 'Rejected',
      `Cinder refused ${entry.act} (${refusal.httpStatus}): ${refusal.message}`,
    )
  if (entry.attempts >= input.timing.mostAttempts)
    return giveBack(
      saved,
      'AttemptsExhausted',
      `${entry.act} did not reach Cinder; gave up after ${entry.attempts} attempts`,
    )
  return twice(input, 'again', () => again, input.timing.verifyMs)
}

type Refusal = ReplaceAnswer & { readonly kind: 'Rejected' }

/** Cinder's own limiter answers with the status of a quota. */
function isRateLimited({ httpStatus, quota }: Refusal): boolean {
  return httpStatus === 429 || (httpStatus === 413 && quota !== true)
}

const FIRST_LIMITER_PAUSE_MS = 30_000
const LONGEST_LIMITER_PAUSE_MS = 300_000

/** What it asks for, but not at once where it asks for nothing. Until the deadline: nothing is wrong with the move. */
function limiterPauseMs({ retryAfterMs = 0 }: Refusal, attempts: number): number {
  const pauseMs = FIRST_LIMITER_PAUSE_MS * 2 ** Math.min(attempts - 1, 10)
  return Math.max(retryAfterMs, Math.min(pauseMs, LONGEST_LIMITER_PAUSE_MS))
}
