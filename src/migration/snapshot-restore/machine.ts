import { CINDER_DRIVER } from '../../api/names.ts'
import { FOREIGN_INTENT, isForeign } from '../foreign.ts'
import { copied } from './copying.ts'
import { markedTakenOver } from './taken-over.ts'
import { discarded, HEALTHY, settled } from './discard.ts'
import type { Discarded } from './discard.ts'
import { OWN_FINALIZER } from './manifest.ts'
import { giveBack, perform, save, twice, wait } from './outcome.ts'
import type { ReplaceInput, ReplaceOutcome, Seen } from './outcome.ts'
import { isBoundTo, isThere, removed, replaceBy, shapeOf } from './replace.ts'
import { copyMaker, entryOf, MAKERS, policyOf } from './saved.ts'
import type { EndReason, Phase, Saved } from './saved.ts'
import type { PersistentVolumeSeen } from './sight.ts'

/**
 * The machine that gives a claim another volume: hold, snapshot, clone, retype of the clone (or a volume from a backup of
 * it), verification, replacement of the PersistentVolume, soak, clean-up; and the way back from each of them. It acts by
 * what is there and not by what it remembers, so that any leader goes on from any point; of the calls to Cinder that make
 * something it repeats only those that provably never arrived.
 */
export function nextReplaceStep(input: ReplaceInput): ReplaceOutcome {
  const { saved, sight } = input
  if (saved.phase === 'Succeeded' || saved.phase === 'Failed') return { kind: 'rest' }
  const { clusterId, moveUid } = saved.origin
  if (isForeign({ clusterId, objectUid: moveUid }, input.clusterId, input.objectUid))
    return ended(saved, 'Failed', 'ForeignIntent', FOREIGN_INTENT)
  if (sight === undefined) return { kind: 'look' }
  const { kube, cinder } = sight
  if (kube.kind === 'Unreadable') return wait(input, kube.why)
  const seen: Seen =
    cinder.kind === 'Seen'
      ? { input, saved, kube, cinder, unread: '' }
      : { input, saved, kube, cinder: undefined, unread: cinder.why }
  const noted = policyNoted(seen)
  if (noted !== undefined) return noted
  if (kube.claim === undefined && saved.phase !== 'Abandoning')
    return twice(input, 'claimGone', () => abandoned(seen))
  return HANDLERS[saved.phase](seen)
}

const HANDLERS: Readonly<Record<Phase, (seen: Seen) => ReplaceOutcome>> = {
  Holding: holding,
  Copying: copying,
  Switching: switching,
  Soaking: soaking,
  GivingBack: givingBack,
  CleaningUp: cleaningUp,
  Abandoning: abandoning,
  Succeeded: () => ({ kind: 'rest' }),
  Failed: () => ({ kind: 'rest' }),
}

function holding(seen: Seen): ReplaceOutcome {
  const { input, saved, cinder, unread } = seen
  const undone = whyUndone(seen)
  if (undone !== undefined) return giveBack(saved, ...undone)
  if (isChanged(seen))
    return giveBack(
      saved,
      'CopyVoid',
      'the PersistentVolume was changed after it was saved; nothing was replaced',
    )
  const next = replaceBy(seen, 'held')
  if (next !== undefined) return next
  if (!isBoundTo(seen, 'held')) return boundLater(seen)
  if (cinder === undefined) return wait(input, unread)
  const { source } = cinder
  if (source === undefined || source.attached || source.status !== 'available')
    return giveBack(saved, 'CopyVoid', `the volume is "${source?.status ?? 'gone'}" in Cinder`)
  return twice(input, 'detached', () =>
    save({ ...saved, phase: 'Copying', sourceUpdatedAt: source.updatedAt }),
  )
}

function copying(seen: Seen): ReplaceOutcome {
  const { input, saved, cinder, unread } = seen
  const undone = whyUndone(seen)
  if (undone !== undefined) return giveBack(saved, ...undone)
  if (!isThere(seen, 'held'))
    return giveBack(saved, 'HeldVolumeGone', 'the held PersistentVolume was deleted meanwhile')
  if (cinder === undefined) return wait(input, unread)
  const next = copied({ ...seen, cinder })
  if (next !== 'whole') return next
  return (
    markedTakenOver({ ...seen, cinder }) ??
    twice(input, 'verified', () => save({ ...saved, phase: 'Switching' }))
  )
}

function unwantedBy({ wish }: ReplaceInput): readonly [EndReason, string] | undefined {
  if (wish === 'cancel') return ['Cancelled', 'a person cancelled the move']
  if (wish !== 'yield') return undefined
  return ['WorkloadFoughtBack', 'something else scales the workload that was stopped for the move']
}

/** What is replaced comes back as it was saved: a later change of it would be lost. */
function isChanged(seen: Seen): boolean {
  const { saved, kube } = seen
  if (!isThere(seen, 'original')) return false
  const pv = kube.pv!
  return pv.changed === true || (!isTouched(seen, pv) && pv.policy !== policyOf(saved))
}

/** The move has set its reclaim policy, or is about to, or has made it. */
function isTouched({ saved }: Seen, { finalizers }: PersistentVolumeSeen): boolean {
  return (
    finalizers.includes(OWN_FINALIZER) || entryOf(saved, 'setReclaimPolicy', 'Retain') !== undefined
  )
}

/** What somebody has made of the reclaim policy since it was restored. */
function policyNoted({ saved, kube: { pv } }: Seen): ReplaceOutcome | undefined {
  if (pv === undefined || pv.uid !== saved.restored || pv.policy === policyOf(saved))
    return undefined
  return save({ ...saved, policy: pv.policy === 'Delete' ? 'Delete' : 'Retain' })
}

/** Why a copy that is not finished is given up. */
function whyUndone({ input, saved, kube }: Seen): readonly [EndReason, string] | undefined {
  const unwanted = unwantedBy(input)
  if (unwanted !== undefined) return unwanted
  if (kube.pods > 0) return ['ClaimNeeded', `pods need the claim (${kube.pods})`]
  return input.now >= saved.deadline
    ? ['DeadlinePassed', 'the copy was not finished by its deadline']
    : undefined
}

function switching(seen: Seen): ReplaceOutcome {
  const { input, saved, kube } = seen
  if (isThere(seen, 'copy')) return switched(seen)
  const created = entryOf(saved, 'createPersistentVolume', 'copy')
  // from then on the copy may be attached and written to
  const isOpen = created === undefined || created.state === 'None'
  if (!isOpen) return replaceBy(seen, 'copy') ?? boundLater(seen)
  const unwanted = unwantedBy(input)
  if (unwanted !== undefined) return giveBack(saved, ...unwanted)
  if (created !== undefined && created.attempts >= input.timing.mostAttempts)
    return giveBack(saved, 'Rejected', 'the API server refuses the PersistentVolume of the copy')
  const { cinder, unread } = seen
  if (cinder === undefined)
    return kube.pv === undefined || kube.pods > 0
      ? giveBack(saved, 'CopyVoid', `the copy cannot be verified: ${unread}`)
      : wait(input, unread)
  const complete = copied({ ...seen, cinder })
  if (complete !== 'whole') {
    if (complete.kind === 'save' && complete.saved.phase === 'GivingBack') return complete
    return giveBack(saved, 'Unverified', 'the copy is not complete any more')
  }
  return replaceBy(seen, 'copy') ?? boundLater(seen)
}

function switched(seen: Seen): ReplaceOutcome {
  const { input, saved } = seen
  const next = replaceBy(seen, 'copy')
  if (next !== undefined) return next
  if (!isBoundTo(seen, 'copy')) return boundLater(seen)
  const soak = { since: input.now, mountedMs: 0 }
  return twice(input, 'bound', () => save({ ...saved, phase: 'Soaking', keeps: 'copy', soak }))
}

function boundLater({ input }: Seen): ReplaceOutcome {
  return wait(
    input,
    'the claim becomes Bound at the next resync of the PersistentVolume controller',
  )
}

function soaking(seen: Seen): ReplaceOutcome {
  const { input, saved, kube } = seen
  const back = input.wish === 'rollback' ? wayBack(seen) : { kind: 'keep' as const, why: undefined }
  if (back.kind !== 'keep') return back
  const next = replaceBy(seen, 'copy')
  if (next !== undefined) return next
  if (!isBoundTo(seen, 'copy')) return boundLater(seen)
  // for days people go by what they see of it
  const restored = policyRestored(seen, kube.pv!)
  if (restored !== undefined) return restored
  const { since, mountedMs, mountedSince } = saved.soak ?? { since: input.now, mountedMs: 0 }
  const isMounted = kube.attachments.some((a) => a.attacher === CINDER_DRIVER)
  const ran = mountedSince === undefined ? 0 : Math.max(0, input.now - mountedSince)
  const { timing } = input
  const left = Math.min(
    timing.maxSoakMs - (input.now - since),
    // who cannot go back may still want to read the former volume
    mountedSince === undefined || back.why !== undefined
      ? Infinity
      : timing.mountedMs - mountedMs - ran,
  )
  if (left <= 0) return save({ ...saved, phase: 'CleaningUp' })
  // the next leader cannot know for how long it has been mounted beyond what is saved
  if (isMounted && ran >= SOAK_SAVED_MS)
    return save({ ...saved, soak: { since, mountedMs: mountedMs + ran, mountedSince: input.now } })
  if (isMounted === (mountedSince !== undefined)) {
    const ms = Math.min(timing.soakPollMs, left)
    return {
      kind: 'wait',
      ms,
      why:
        back.why ??
        'both volumes are kept for a while, and `couchestor rollback` brings the former one back',
    }
  }
  return save({
    ...saved,
    soak: isMounted
      ? { since, mountedMs, mountedSince: input.now }
      : { since, mountedMs: mountedMs + ran },
  })
}

/** A change of the leader takes no more than that off the time for which a copy was mounted. */
const SOAK_SAVED_MS = 3_600_000

/** Kubernetes shrinks no claim, and a volume that is smaller than its claim would end in the middle of a file system. */
function whyTooSmall({ saved: { origin }, kube: { claim } }: Seen): string | undefined {
  const { id, sizeGiB } = origin.volume
  const size = claim?.sizeGiB ?? 0
  return size > sizeGiB
    ? `the claim cannot be rolled back: it was grown to ${size} GiB, and its former volume ${id} has ${sizeGiB} GiB; nothing was touched, and both volumes are kept as long as a soak may take: copy what you need from the former one in Cinder`
    : undefined
}

/** A rollback gives up a volume that works: only for one that does too. `keep`: there is none any more. */
function wayBack(seen: Seen): ReplaceOutcome | { readonly kind: 'keep'; readonly why: string } {
  const { input, saved, cinder, unread } = seen
  const { id } = saved.origin.volume
  if (cinder === undefined) return wait(input, unread)
  const { source } = cinder
  if (source === undefined)
    return {
      kind: 'keep',
      why: `cannot be rolled back: Cinder does not know the former volume ${id}; the claim keeps the copy`,
    }
  const tooSmall = whyTooSmall(seen)
  if (tooSmall !== undefined) return { kind: 'keep', why: tooSmall }
  if (!HEALTHY.has(source.status))
    return wait(
      input,
      `the former volume ${id} is "${source.status}" in Cinder; the claim keeps the copy until it is available`,
    )
  // a late call must not change the reclaim policy of what is about to be deleted
  return settled(seen, () =>
    giveBack(saved, 'RolledBack', 'a person wanted the former volume back'),
  )
}

function givingBack(seen: Seen): ReplaceOutcome {
  const { saved, kube } = seen
  const isBack = saved.reason === 'RolledBack'
  // a call of before has switched after all, and the copy may be in use
  if (!isBack && kube.pv !== undefined && shapeOf(saved, kube.pv) === 'copy') {
    const { keeps: _keeps, reason: _reason, message: _message, ...rest } = saved
    return save({ ...rest, phase: 'Switching' })
  }
  const next = replaceBy(seen, 'original')
  if (next !== undefined) return next
  return isBoundTo(seen, 'original') ? save({ ...saved, phase: 'CleaningUp' }) : boundLater(seen)
}

function cleaningUp(seen: Seen): ReplaceOutcome {
  const { saved, kube } = seen
  const keeps = saved.keeps ?? 'original'
  const repaired = replaceBy(seen, keeps)
  if (repaired !== undefined) return repaired
  if (!isBoundTo(seen, keeps)) return boundLater(seen)
  return settled(seen, () => {
    const pv = kube.pv!
    return (
      policyRestored(seen, pv) ??
      discarded(seen, superseded(saved, keeps)) ??
      finalizerRemoved(seen, pv) ??
      (keeps === 'copy'
        ? ended(saved, 'Succeeded', 'Verified', 'the claim has its new volume')
        : ended(saved, 'Failed', saved.reason ?? 'CopyVoid', saved.message ?? ''))
    )
  })
}

/** Each may depend on what it was made from, and no volume goes before its snapshots. */
const LATEST_FIRST = MAKERS.toReversed()

function superseded({ origin }: Saved, keeps: 'original' | 'copy'): readonly Discarded[] {
  if (keeps === 'original') return LATEST_FIRST
  return [...LATEST_FIRST.filter((made) => made !== copyMaker(origin)), 'source']
}

/** Undefined when the PersistentVolume has the reclaim policy that it had. */
function policyRestored(seen: Seen, pv: PersistentVolumeSeen): ReplaceOutcome | undefined {
  const { saved } = seen
  if (!isTouched(seen, pv) || saved.restored === pv.uid) return undefined
  const policy = policyOf(saved)
  return pv.policy === policy
    ? settled(seen, () => save({ ...saved, restored: pv.uid }))
    : perform(seen, { act: 'setReclaimPolicy', uid: pv.uid, policy })
}

function finalizerRemoved(seen: Seen, pv: PersistentVolumeSeen): ReplaceOutcome | undefined {
  const { uid, resourceVersion, finalizers } = pv
  if (!finalizers.includes(OWN_FINALIZER)) return undefined
  const keep = finalizers.filter((f) => f !== OWN_FINALIZER)
  const act = 'releasePersistentVolume'
  return perform(seen, { act, uid, resourceVersion, finalizers, keep })
}

function abandoned({ saved, kube }: Seen): ReplaceOutcome {
  // the copy counts as the data from the moment that it could be written to
  const isCopy = kube.pv !== undefined && shapeOf(saved, kube.pv) === 'copy'
  const keeps = saved.keeps ?? (isCopy ? 'copy' : 'original')
  const message = 'the claim was deleted; its reclaim policy was applied to every copy'
  return save({ ...saved, phase: 'Abandoning', keeps, reason: 'ClaimDeleted', message })
}

function abandoning(seen: Seen): ReplaceOutcome {
  return settled(seen, () =>
    policyOf(seen.saved) === 'Delete' ? allDeleted(seen) : allRetained(seen),
  )
}

function over({ saved }: Seen): ReplaceOutcome {
  return ended(saved, 'Failed', 'ClaimDeleted', saved.message ?? '')
}

/** The data stays where an administrator finds it: in a PersistentVolume that is Released. */
function allRetained(seen: Seen): ReplaceOutcome {
  const { saved, kube } = seen
  const keeps = saved.keeps ?? 'original'
  const temporary = superseded(saved, keeps).filter((what) => what !== 'source')
  return (
    replaceBy(seen, keeps) ??
    policyRestored(seen, kube.pv!) ??
    discarded(seen, temporary) ??
    finalizerRemoved(seen, kube.pv!) ??
    over(seen)
  )
}

/** The CSI driver deletes the volume of a PersistentVolume that is there to stay; all others are deleted in Cinder. */
function allDeleted(seen: Seen): ReplaceOutcome {
  const { saved, kube } = seen
  const keeps = saved.keeps ?? 'original'
  const { pv } = kube
  if (pv !== undefined && !isThere(seen, keeps)) return removed(seen, pv)
  if (pv === undefined) return discarded(seen, [...LATEST_FIRST, 'source']) ?? over(seen)
  const handedOver = () => policyRestored(seen, pv) ?? finalizerRemoved(seen, pv)
  const others = () => discarded(seen, superseded(saved, keeps))
  // no volume goes before its snapshots, and the snapshot is one of the source
  return (keeps === 'copy' ? (handedOver() ?? others()) : (others() ?? handedOver())) ?? over(seen)
}

function ended(
  saved: Saved,
  phase: 'Succeeded' | 'Failed',
  reason: EndReason,
  message: string,
): ReplaceOutcome {
  return save({ ...saved, phase, reason, message })
}
