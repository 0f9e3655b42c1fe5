import { madeBy, neverMade } from './copying.ts'
import { quiet, save, twice, wait } from './outcome.ts'
import type { ReplaceOutcome, Seen } from './outcome.ts'
import { isBoundTo, isThere, volumeIdOf } from './replace.ts'
import { entryOf, isUnclear, policyOf, withEntry, withoutUnclear } from './saved.ts'
import type { Maker, ReplaceAct } from './saved.ts'
import type { CinderSeen, SnapshotSeen, VolumeSeen } from './sight.ts'

/** What may be deleted: what the move has made, and the volume that the copy stands for now. */
export type Discarded = Maker | 'source'

/** Next act by which all of these go, in that order; undefined when they have gone. */
export function discarded(seen: Seen, what: readonly Discarded[]): ReplaceOutcome | undefined {
  const { input, cinder, unread } = seen
  for (const each of what) {
    if (each !== 'source' && isOver(seen, each)) continue
    if (cinder === undefined) return wait(input, unread)
    const next =
      each === 'source' ? sourceGone({ ...seen, cinder }) : madeGone({ ...seen, cinder }, each)
    if (next !== undefined) return next
  }
  return undefined
}

type Reading = Seen & { readonly cinder: CinderSeen }

function isOver({ saved }: Seen, act: Maker): boolean {
  const state = entryOf(saved, act)?.state
  return state === undefined || state === 'None' || state === 'Gone'
}

function madeGone(seen: Reading, act: Maker): ReplaceOutcome | undefined {
  const { input, saved, cinder } = seen
  const entry = entryOf(saved, act)
  if (entry === undefined) return undefined
  const rows: readonly (SnapshotSeen | VolumeSeen)[] =
    act === 'createSnapshot' ? cinder.snapshots : cinder.copies
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
  return act === 'createSnapshot'
    ? deleted(seen, row, { act: 'deleteSnapshot', id: row.id })
    : volumeDeleted(seen, row.id, row.status, row as VolumeSeen)
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

/** A call that Cinder accepts and does not carry out (a snapshot that is still in use) is repeated, but not at once. */
function deleted(
  seen: Reading,
  { id, status }: { readonly id: string; readonly status: string },
  act: ReplaceAct,
): ReplaceOutcome {
  const { input, saved } = seen
  if (status !== 'available' && status !== 'error')
    return wait(input, `${id} is "${status}" in Cinder; waiting until it can be deleted`)
  const missing = whyNotYet(seen)
  if (missing !== undefined) return wait(input, missing)
  const isRepeated = entryOf(saved, act.act, id) !== undefined
  return twice(
    input,
    'unused',
    () => ({ kind: 'act', act }),
    isRepeated ? input.timing.longestPollMs : input.timing.verifyMs,
  )
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

const HEALTHY: ReadonlySet<string> = new Set([
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
