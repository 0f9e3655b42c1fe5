import type { Scale } from '../../api/workload-objects.ts'
import { has, isMarked, perform, restored, save, twice, wait } from './outcome.ts'
import type { Seen, WorkloadInput, WorkloadOutcome } from './outcome.ts'
import { shown } from './plan.ts'
import { entryOf, withEntry } from './saved.ts'
import type { StopEntry, StopReason, StopRecord } from './saved.ts'

/**
 * What comes next of a workload that is stopped for a move, after every read and every answer. It is stopped at most once,
 * nothing that somebody else has set is overwritten, and it is restored as soon as the move does not need it.
 */
export function nextWorkloadStep(input: WorkloadInput): WorkloadOutcome {
  const { saved, sight } = input
  if (saved.phase === 'Restored') return { kind: 'rest' }
  if (sight === undefined) return { kind: 'look' }
  if (sight.kind === 'Unreadable') return flagged(input, wait(input, sight.why))
  const { workload, pods, refusals } = sight
  // one that is being deleted cannot be kept from it
  if (workload === undefined || workload.uid !== saved.workload.uid || workload.terminating)
    return gone(input)
  return flagged(input, next({ input, saved, workload, pods, refusals }))
}

function next(seen: Seen): WorkloadOutcome {
  switch (seen.saved.phase) {
    case 'Stopping':
      return stopping(seen)
    case 'Stopped':
      return stopped(seen)
    case 'Restoring':
      return restoring(seen)
    case 'FoughtBack':
      return isMarked(seen) ? perform(seen, 'unmark') : { kind: 'rest' }
    case 'Restored':
      return { kind: 'rest' }
  }
}

/** Why the workload is not needed down any more; undefined as long as it is. */
function releasedBy({ release, now, saved }: WorkloadInput): StopReason | undefined {
  return release ?? (now >= saved.deadline ? 'DeadlinePassed' : undefined)
}

/** A wait in which a workload stays down that should be up says so; the second read of one that is up is none. */
function flagged(input: WorkloadInput, outcome: WorkloadOutcome): WorkloadOutcome {
  if (outcome.kind !== 'wait' || outcome.confirm === 'restored') return outcome
  const { saved } = input
  const isUnasked = (entryOf(saved, 'stop')?.state ?? 'None') === 'None'
  const isLeft = saved.phase === 'FoughtBack' || isUnasked
  const isReleased = saved.phase === 'Restoring' || releasedBy(input) !== undefined
  return isReleased && !isLeft ? { ...outcome, overdue: true } : outcome
}

function gone(input: WorkloadInput): WorkloadOutcome {
  const { saved } = input
  if (saved.phase === 'FoughtBack') return { kind: 'rest' }
  const message = `${shown(saved.workload)} was deleted; there is nothing to restore`
  return twice(input, 'gone', `${message}; reading a second time`, () =>
    restored(saved, 'WorkloadGone', message),
  )
}

function stopping(seen: Seen): WorkloadOutcome {
  const { saved } = seen
  const entry = entryOf(saved, 'stop')
  if (entry === undefined || entry.state === 'None') return notStopped(seen, entry)
  return isMarked(seen)
    ? arrived(seen, withEntry(saved, { ...entry, state: 'Done' }))
    : notArrived(seen, entry)
}

/** No call was made, or it provably changed nothing. */
function notStopped(seen: Seen, entry: StopEntry | undefined): WorkloadOutcome {
  const { input, saved, workload, refusals } = seen
  const never = (message: string) => restored(saved, 'NeverStopped', message)
  const at = shown(saved.workload)
  const released = releasedBy(input)
  if (released !== undefined)
    return never(`${at} was not stopped: the move does not need it any more (${released})`)
  if (!has(seen, saved.before))
    return never(
      `${at} was not stopped: it has ${scaleText(workload.scale)} and no longer ${scaleText(saved.before)}`,
    )
  const [first] = refusals
  if (first !== undefined) return never(`${at} was not stopped: ${first.message}`)
  if (entry !== undefined && entry.attempts >= input.timing.mostAttempts)
    return never(
      `${at} was not stopped: gave up after ${entry.attempts} attempts${refusalText(saved)}`,
    )
  return perform(seen, 'stop')
}

/** The call may have been made, and the workload does not have our mark. */
function notArrived(seen: Seen, entry: StopEntry): WorkloadOutcome {
  const { input, saved, workload } = seen
  if (entry.state === 'Done')
    return foughtBack(seen, `the annotation by which it is known was removed`)
  if (workload.resourceVersion === saved.intent?.resourceVersion) {
    const ms = input.quietUntil - input.now
    if (ms <= 0) return save(withEntry(saved, { ...entry, state: 'None' }))
    const why = 'the answer to the stop is unknown; waiting until it cannot be on its way any more'
    return { kind: 'wait', ms, why }
  }
  // in another version the call is refused, now and later; whether it was carried out before, nobody knows
  if (has(seen, saved.after) && !has(seen, saved.before))
    return foughtBack(seen, 'somebody else has set that')
  return restored(
    saved,
    'NeverStopped',
    `${shown(saved.workload)} has ${scaleText(workload.scale)} and is not stopped; the answer to the call was lost, and it is not repeated`,
  )
}

function arrived(seen: Seen, saved: StopRecord): WorkloadOutcome {
  const { input, pods } = seen
  if (!has(seen, saved.after)) return foughtBack(seen)
  const released = releasedBy(input)
  if (released !== undefined) return save({ ...saved, phase: 'Restoring', reason: released })
  if (pods.length === 0) return save({ ...saved, phase: 'Stopped' })
  return wait(input, `waiting until ${listed(pods)} ${pods.length === 1 ? 'is' : 'are'} gone`)
}

function stopped(seen: Seen): WorkloadOutcome {
  const { input, saved } = seen
  if (!isMarked(seen) || !has(seen, saved.after)) return foughtBack(seen)
  const released = releasedBy(input)
  if (released !== undefined) return save({ ...saved, phase: 'Restoring', reason: released })
  return wait(input, `${shown(saved.workload)} is stopped until its volumes have moved`)
}

function restoring(seen: Seen): WorkloadOutcome {
  const { input, saved, workload } = seen
  const entry = entryOf(saved, 'restore')
  if (isMarked(seen)) return has(seen, saved.after) ? perform(seen, 'restore') : foughtBack(seen)
  // taken over without a change, or scaled by somebody before we did
  const isAsked = entry?.state === 'Asked' || entry?.state === 'Done'
  if (!isAsked || (has(seen, saved.after) && entry.state !== 'Done')) return foughtBack(seen)
  const message = has(seen, saved.before)
    ? `${shown(saved.workload)} is back to ${scaleText(saved.before)}`
    : `${shown(saved.workload)} was restored to ${scaleText(saved.before)}, and has been scaled to ${scaleText(workload.scale)} since`
  return twice(input, 'restored', `${message}; reading a second time`, () =>
    restored(saved, saved.reason ?? 'MoveEnded', message),
  )
}

function foughtBack(seen: Seen, why?: string): WorkloadOutcome {
  const { saved, workload } = seen
  const message = `${shown(saved.workload)} was stopped (${scaleText(saved.after)} instead of ${scaleText(saved.before)}) and now has ${scaleText(workload.scale)}: ${why ?? (isMarked(seen) ? 'somebody else has set that' : 'the annotation by which it is known was removed')}. It is left as it is; suspend what sets its replicas, or leave spec.replicas out of Git`
  return save({ ...saved, phase: 'FoughtBack', reason: 'WorkloadFoughtBack', message })
}

function refusalText({ answer }: StopRecord): string {
  return answer === undefined || answer.kind === 'Accepted' ? '' : `: ${answer.message}`
}

const MOST_LISTED = 3

function listed(names: readonly string[]): string {
  const shownNames = names.slice(0, MOST_LISTED).join(', ')
  const more = names.length - MOST_LISTED
  const pods = names.length === 1 ? 'Pod' : 'Pods'
  return more > 0 ? `${pods} ${shownNames} and ${more} more` : `${pods} ${shownNames}`
}

/** `3 replicas`, `2 replicas from ordinal 1` */
export function scaleText({ replicas, start = 0 }: Scale): string {
  const count = `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`
  return start === 0 ? count : `${count} from ordinal ${start}`
}
