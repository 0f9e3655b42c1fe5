import { madeBy, neverMade } from './made.ts'
import type { Reading, Row } from './made.ts'
import { quiet, save, twice, wait } from './outcome.ts'
import type { ReplaceInput, ReplaceOutcome, Seen } from './outcome.ts'
import { isBoundTo, isThere, volumeIdOf } from './replace.ts'
import { isOurs, nameOf, OWNER } from './names.ts'
import { entryOf, isUnclear, MAKERS, policyOf, withEntry, withoutUnclear } from './saved.ts'
import type { JournalEntry, Maker, ReplaceAct, Saved } from './saved.ts'
import type { CinderSeen, VolumeSeen } from './sight.ts'
import { whyMayBeNewest } from './taken-over.ts'

/** What may be deleted: what the move has made, and the volume that the copy stands for now. */
export type Discarded = Maker | 'source'

/** Next act by which all of these go, in that order; undefined when they have gone. */
export function discarded(seen: Seen, what: readonly Discarded[]): ReplaceOutcome | undefined {
  const { input, saved, cinder, unread } = seen
  const used = cinder && whyMayBeNewest({ ...seen, cinder })
  if (used !== undefined) return { ...wait(input, used), ms: input.timing.longestPollMs }
  if (MAKERS.some((act) => entryOf(saved, act) !== undefined)) {
    if (cinder === undefined) return wait(input, unread)
    const stray = straysGone({ ...seen, cinder })
    if (stray !== undefined) return stray
  }
  for (const each of what) {
    if (each !== 'source' && isOver(seen, each)) continue
    if (cinder === undefined) return wait(input, unread)
    const next =
      each === 'source' ? sourceGone({ ...seen, cinder }) : madeGone({ ...seen, cinder }, each)
    if (next !== undefined) return next
  }
  return undefined
}

function isOver({ saved }: Seen, act: Maker): boolean {
  const state = entryOf(saved, act)?.state
  return state === undefined || state === 'None' || state === 'Gone'
}

/**
 * What a leader made that was suspended between its last check and the call, and woke after another one had made it again.
 * Nothing goes by it. It is named in the journal before it is deleted.
 */
function straysGone(seen: Reading): ReplaceOutcome | undefined {
  const { input, saved, cinder } = seen
  // a clone may depend on its snapshot
  for (const act of MAKERS.toReversed()) {
    const main = entryOf(saved, act)
    if (main === undefined) continue
    const rows = rowsOf(cinder, act).filter((row) => isOf(saved, act, row))
    const gone = saved.journal.find(
      (e) => e.act === act && isStray(e) && !rows.some((row) => row.id === e.id),
    )
    if (gone !== undefined)
      return twice(input, 'absent', () => save(withEntry(saved, { ...gone, state: 'Gone' })))
    // without its id it is not known which one the move goes by
    const row = main.state === 'Asked' ? undefined : rows.find((r) => r.id !== main.id)
    if (row === undefined) continue
    if (!saved.journal.some((e) => isStray(e) && e.id === row.id))
      return save(withEntry(saved, { ...main, state: 'Done', attempts: 0, of: row.id, id: row.id }))
    return strayDeleted(row, removed(seen, act, row))
  }
  return undefined
}

/** What is in the way may be there to stay: its users can keep it. */
function strayDeleted({ id }: Row, next: ReplaceOutcome): ReplaceOutcome {
  if (next.kind !== 'wait' || next.confirm !== undefined) return next
  const why = `${id} was made twice for this move, and the second one is not needed: ${next.why}; to keep it, remove its metadata ${OWNER.move}`
  return { ...next, why }
}

function isStray({ act, of, state }: JournalEntry): boolean {
  return MAKERS.some((m) => m === act) && of !== undefined && state === 'Done'
}

function rowsOf({ snapshots, backups = [], copies }: CinderSeen, act: Maker): readonly Row[] {
  switch (act) {
    case 'createSnapshot':
      return snapshots
    case 'createBackup':
      return backups
    case 'cloneVolume':
    case 'restoreBackup':
      return copies
  }
}

/** Made by that act. A restored volume may have the metadata of the clone: its name, or the journal, says which it is. */
function isOf({ origin, journal }: Saved, act: Maker, row: Row): boolean {
  const other = ALIKE[act]
  const isOther =
    other !== undefined &&
    (row.name === nameOf(origin, other) || journal.some((e) => e.act === other && e.id === row.id))
  return !isOther && isOurs(origin, act, row)
}

const ALIKE: Readonly<Partial<Record<Maker, Maker>>> = {
  cloneVolume: 'restoreBackup',
  restoreBackup: 'cloneVolume',
}

function madeGone(seen: Reading, act: Maker): ReplaceOutcome | undefined {
  const { input, saved, cinder } = seen
  const entry = entryOf(saved, act)
  if (entry === undefined) return undefined
  const rows = rowsOf(cinder, act)
  const [row] = madeBy(saved, act, rows)
  if (row === undefined) {
    if (entry.state === 'Asked') return neverMade(seen, entry)
    if (rows.some((r) => r.id === entry.id))
      return wait(
        input,
        `${entry.name} does not have our metadata any more; it is left alone: delete it, or put the metadata back`,
      )
    return twice(input, 'absent', () => save(withEntry(saved, { ...entry, state: 'Gone' })))
  }
  if (entry.state === 'Asked')
    return save(withEntry(saved, { ...entry, state: 'Done', id: row.id }))
  return removed(seen, act, row)
}

/** Next act by which that goes. */
function removed(seen: Reading, act: Maker, row: Row): ReplaceOutcome {
  switch (act) {
    case 'createSnapshot':
      return deleted(seen, row, { act: 'deleteSnapshot', id: row.id })
    case 'createBackup':
      return deleted(seen, row, { act: 'deleteBackup', id: row.id })
    case 'cloneVolume':
    case 'restoreBackup':
      return volumeDeleted(seen, row.id, row.status, row as VolumeSeen)
  }
}

function sourceGone(seen: Reading): ReplaceOutcome | undefined {
  const { source } = seen.cinder
  return source === undefined ? undefined : volumeDeleted(seen, source.id, source.status, source)
}

function volumeDeleted(
  seen: Reading,
  id: string,
  status: string,
  volume: VolumeSeen,
): ReplaceOutcome {
  const { input, kube, cinder } = seen
  const snapshots = cinder.snapshots.filter((s) => s.volumeId === id)
  if (snapshots.length > 0)
    return {
      kind: 'wait',
      ms: input.timing.longestPollMs,
      why: `volume ${id} is kept as long as it has snapshots (${snapshots.length}, one is ${snapshots[0]?.name || snapshots[0]?.id})`,
      isKept: true,
    }
  if (kube.otherHandles === undefined) return { kind: 'look' }
  if (kube.pv?.handle === id || kube.otherHandles.includes(id))
    return wait(input, `a PersistentVolume stands for volume ${id}; it is not deleted`)
  if (volume.attached) return wait(input, `volume ${id} is attached; it is not deleted`)
  return deleted(seen, { id, status }, { act: 'deleteVolume', id })
}

/** In all others Cinder refuses. A backup that never ends keeps what it is made of, until an administrator resets it. */
const DELETABLE: ReadonlySet<string> = new Set(['available', 'error', 'error_restoring'])

/** While cinder-backup works. */
const BUSY: ReadonlySet<string> = new Set(['creating', 'restoring', 'backing-up'])

/** A call that Cinder accepts and does not carry out (a snapshot that is still in use) is repeated, but not at once. */
function deleted(
  seen: Reading,
  { id, status }: { readonly id: string; readonly status: string },
  act: ReplaceAct,
): ReplaceOutcome {
  const { input, saved } = seen
  if (!DELETABLE.has(status)) {
    const next = wait(input, `${id} is "${status}" in Cinder; waiting until it can be deleted`)
    // what was begun in time may end in time
    const isCopied = saved.origin.via === 'backup' && BUSY.has(status)
    return isCopied && input.now < saved.deadline ? { ...next, isCopied } : next
  }
  const missing = whyNotYet(seen)
  if (missing !== undefined) return wait(input, missing)
  const attempts = entryOf(saved, act.act, id)?.attempts ?? 0
  const next = twice(input, 'unused', () => ({ kind: 'act', act }), pauseMs(input, attempts))
  const refused = attempts > 0 ? whyThere(saved, act, attempts) : undefined
  return next.kind === 'wait' && refused !== undefined
    ? { ...next, why: `${id} is still there: ${refused}` }
    : next
}

const LONGEST_PAUSE_MS = 3_600_000

/** What a storage keeps for as long as a copy depends on it, it may keep for months. */
function pauseMs({ timing }: ReplaceInput, attempts: number): number {
  if (attempts === 0) return timing.verifyMs
  return Math.min(timing.longestPollMs * 2 ** Math.min(attempts - 1, 10), LONGEST_PAUSE_MS)
}

function whyThere(saved: Saved, { act }: ReplaceAct, attempts: number): string | undefined {
  const { intent, answer } = saved
  if (intent?.act !== act) return undefined
  if (answer?.kind === 'Rejected')
    return `Cinder refused to delete it (${answer.httpStatus}): ${answer.message}`
  return answer?.kind === 'Accepted'
    ? `Cinder accepted its deletion (attempt ${attempts}) and put it back, as it does while the storage needs it for a copy; tried again with growing pauses`
    : undefined
}

/** Why nothing may be deleted now. Of a claim that is gone its reclaim policy says whether anything is kept. */
function whyNotYet(seen: Reading): string | undefined {
  const { saved, kube, cinder } = seen
  const { keeps = 'original' } = saved
  const isKept = kube.claim !== undefined || policyOf(saved) === 'Retain'
  if (!isKept) return undefined
  const isInPlace = kube.claim === undefined ? isThere(seen, keeps) : isBoundTo(seen, keeps)
  if (!isInPlace) return 'the claim is not bound to the volume that it keeps'
  const kept = volumeIdOf(saved, keeps)
  const volume = [cinder.source, ...cinder.copies].find((v) => v?.id === kept)
  return volume === undefined || !HEALTHY.has(volume.status)
    ? `the volume that the claim keeps is "${volume?.status ?? 'unknown'}" in Cinder; nothing is deleted meanwhile`
    : undefined
}

/** What a volume is in Cinder that can be used, or is. */
export const HEALTHY: ReadonlySet<string> = new Set([
  'available',
  'reserved',
  'attaching',
  'in-use',
  'detaching',
])

/** Not before every call of which nothing is known has arrived or never will; that is waited for once. */
export function settled({ input, saved }: Seen, then: () => ReplaceOutcome): ReplaceOutcome {
  return isUnclear(saved) ? quiet(input, () => save(withoutUnclear(saved))) : then()
}
