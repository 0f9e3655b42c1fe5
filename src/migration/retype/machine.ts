import type { ReplacementStep, Step } from '../../api/volume-migration.ts'
import { rfc3339 } from '../../time.ts'
import { FOREIGN_INTENT, isForeign } from '../foreign.ts'
import { isRetryable } from '../retryable.ts'
import type { Confirmation, MachineInput, Outcome } from '../strategy.ts'
import { readAnswer, waiting } from './answer.ts'

/** What one read of Cinder showed. */
export type VolumeSight =
  | {
      readonly kind: 'Seen'
      readonly status: string
      readonly typeId: string
      readonly updatedAt: string
      readonly availabilityZone: string
      readonly attached: boolean
      readonly sizeGiB: number
    }
  | { readonly kind: 'Absent' }
  | { readonly kind: 'Unreadable'; readonly why: string }

type Input = MachineInput<VolumeSight>

/**
 * The machine that moves one volume by Cinder's `os-retype`. It never trusts a 202, repeats only what provably never
 * started, and past the deadline it keeps its hands off.
 */
export function nextRetypeStep(input: Input): Outcome {
  const step = input.status.step ?? 'Waiting'
  // hands off what another machine has begun
  if (!isOfRetype(step)) return { kind: 'wait', ms: input.timing.longestPollMs }
  const next = HANDLERS[step](input)
  const { intent } = input.status
  const hasFailed = next.kind === 'goto' && next.step === 'Failed' && next.reason !== 'Disappeared'
  if (!hasFailed || intent === undefined) return next
  // a copy of an old object: what became of its move says nothing about the tiers of today
  return isForeign(intent, input.clusterId, input.objectUid) ? foreign() : next
}

function foreign(): Outcome {
  return { kind: 'goto', step: 'Failed', reason: 'ForeignIntent', message: FOREIGN_INTENT }
}

type RetypeStep = Exclude<Step, ReplacementStep>
type Handlers = { readonly [S in RetypeStep]: (input: Input) => Outcome }

const HANDLERS: Handlers = {
  Waiting: () => ({ kind: 'act', act: 'retype' }),
  Requested: requested,
  Retyping: retyping,
  Verifying: verifying,
  Stuck: retyping,
  Succeeded: () => ({ kind: 'rest' }),
  Failed: () => ({ kind: 'rest' }),
}

function isOfRetype(step: Step): step is RetypeStep {
  return step in HANDLERS
}

/** Cinder's two resting states; anything else means that something is going on. */
const RESTING = new Set(['available', 'in-use'])

type Seen = Extract<VolumeSight, { kind: 'Seen' }>
type Place = 'new' | 'old' | 'elsewhere'

function placeOf(input: Input, seen: Seen): Place {
  if (seen.typeId === input.status.intent?.toTypeId) return 'new'
  return seen.typeId === input.status.intent?.fromTypeId ? 'old' : 'elsewhere'
}

/** The intent is saved; the call may or may not have been made. */
function requested(input: Input): Outcome {
  const read = input.sight === undefined ? readAnswer(input.status) : undefined
  if (read !== undefined) return read
  const call = input.status.call?.kind
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  if (call === 'Rejected') return refused(input, seen)
  // what Cinder shows then is somebody else's doing, and preflight deals with that
  if (call === 'NotSent') return repeatOrGiveUp(input, 'the call could not be sent')
  if (seen.status === 'retyping') return adopt(input)
  if (placeOf(input, seen) !== 'old') return retyping(input)
  // `retyping` is set before the 202 is sent, so an idle volume after a 202 means it is over already
  if (call === 'Accepted') return retyping(input)
  if (input.now < input.quietUntil)
    return {
      kind: 'wait',
      ms: input.quietUntil - input.now,
      why: 'the answer to the call is unknown; waiting until no call can still be on its way',
    }
  // regardless of the cause: an administrator has to know
  if (seen.status.startsWith('error')) return broken(input, seen)
  if (seen.updatedAt === input.status.intent?.volumeUpdatedAt)
    return twice(input, 'unchanged', 'reading the volume again before the call is repeated', () =>
      repeatOrGiveUp(input, 'Cinder shows that the call never reached the volume'),
    )
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'OutcomeUnknown',
    message:
      'the answer to the retype call was lost and the volume has been changed since, but is on its old type: ' +
      'the retype was reverted, or never ran. Nothing is repeated; check the volume in Cinder',
  }
}

/** Cinder refused, so nothing of ours runs. Most refusals are about the state of the volume, which the text does not show. */
function refused(input: Input, seen: Seen): Outcome {
  if (!RESTING.has(seen.status))
    return waiting('NotSent', `Cinder refused the retype: the volume is "${seen.status}"`)
  return rejected(input)
}

function rejected({ status }: Input): Outcome {
  const { httpStatus, message } = status.call ?? {}
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Rejected',
    message: `Cinder refused the retype (${httpStatus}): ${message}`,
  }
}

/** `then` after a second read, at least `verifyMs` after the first one of an unbroken row that agree. */
function twice(
  { confirming, timing }: Input,
  what: Confirmation,
  why: string,
  then: () => Outcome,
): Outcome {
  const ms = confirming?.what === what ? confirming.ms : 0
  if (ms >= timing.verifyMs) return then()
  return { kind: 'wait', ms: timing.verifyMs - ms, why, confirm: what }
}

function adopt(input: Input): Outcome {
  const adopted = input.status.call === undefined
  return {
    kind: 'goto',
    step: 'Retyping',
    reason: adopted ? 'Adopted' : 'Accepted',
    message: adopted ? 'found the retype running in Cinder and follows it' : 'Cinder is retyping',
  }
}

function repeatOrGiveUp(input: Input, why: string): Outcome {
  const { intent } = input.status
  if (intent === undefined) return waiting('NotSent', why)
  if (isForeign(intent, input.clusterId, input.objectUid)) return foreign()
  if (isLate(input)) return tooLate(why)
  // a server that is not there now says nothing against the call
  if (isRetryable(input.status.call ?? {})) return waiting('NotSent', why)
  if (intent.attempt >= input.timing.mostAttempts)
    return {
      kind: 'goto',
      step: 'Failed',
      reason: 'AttemptsExhausted',
      message: `${why}; gave up after ${intent.attempt} attempts`,
    }
  return waiting('NotSent', why)
}

function tooLate(why: string): Outcome {
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'StaleIntent',
    message: `${why}; too late to repeat it`,
  }
}

function isLate({ status, now }: Input): boolean {
  return status.intent !== undefined && now >= (rfc3339(status.intent.deadline) ?? Infinity)
}

/** The call was accepted, or is so as far as is known. */
function retyping(input: Input): Outcome {
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  const place = placeOf(input, seen)
  if (seen.status.startsWith('error')) return broken(input, seen)
  if (place === 'elsewhere' && RESTING.has(seen.status)) return unexplained(input, seen)
  if (!RESTING.has(seen.status)) return busy(input, seen)
  return firstLook(input, place)
}

function firstLook(input: Input, place: Place): Outcome {
  return {
    kind: 'goto',
    step: 'Verifying',
    reason: place === 'new' ? 'Verifying' : 'VerifyingRevert',
    message:
      place === 'new'
        ? 'Cinder shows the new type; reading it a second time'
        : 'Cinder shows the old type again; reading it a second time',
    seenAt: input.now,
    confirm: 'verifying',
  }
}

/** Cinder shows a finished volume for a moment in mid-move, so one read is not enough. */
function verifying(input: Input): Outcome {
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  if (seen.status.startsWith('error')) return broken(input, seen)
  // a read that disagrees makes the first one void
  if (!RESTING.has(seen.status))
    return {
      kind: 'goto',
      step: 'Retyping',
      reason: 'Accepted',
      message: `Cinder shows "${seen.status}" again; it is not over yet`,
    }
  const place = placeOf(input, seen)
  if (place === 'elsewhere') return unexplained(input, seen)
  const sameAsFirst = (input.status.reason === 'Verifying') === (place === 'new')
  if (!sameAsFirst || input.status.verifiedOnceAt === undefined) return firstLook(input, place)
  return twice(input, 'verifying', 'verifying with a second read', () =>
    place === 'new' ? succeeded(input, seen) : reverted(),
  )
}

function succeeded(input: Input, seen: Seen): Outcome {
  const zone = input.status.intent?.availabilityZone
  const moved = zone !== undefined && zone !== '' && seen.availabilityZone !== zone
  return {
    kind: 'goto',
    step: 'Succeeded',
    reason: moved ? 'VerifiedInOtherZone' : 'Verified',
    message: moved
      ? `the volume is on its new type, but its availability zone changed from ${zone} to ${seen.availabilityZone}; ` +
        "the PersistentVolume's node affinity still names the old one"
      : 'two reads show the new type, and the volume is usable',
  }
}

function reverted(): Outcome {
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Reverted',
    message:
      'Cinder accepted the retype and then silently put the old type back. The data is where it was. ' +
      "Usual causes: no backend of the new type has room, a snapshot was made, or Nova may not swap the volume; see cinder-volume's log",
  }
}

function broken(input: Input, seen: Seen): Outcome {
  if (input.status.step === 'Stuck') return { kind: 'wait', ms: input.timing.longestPollMs }
  return {
    kind: 'goto',
    step: 'Stuck',
    reason: 'VolumeError',
    message:
      `the volume ended with status "${seen.status}". CoucheStor keeps its hands off: ` +
      'an administrator must repair it in Cinder (docs/runbooks/stuck.md)',
  }
}

function unexplained(input: Input, seen: Seen): Outcome {
  const { intent } = input.status
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Unexplained',
    message:
      `the volume ended with status "${seen.status}" and type ${seen.typeId}, which is neither expected end ` +
      `(${intent?.fromTypeId} or ${intent?.toTypeId}). CoucheStor does nothing more: check the volume in Cinder`,
  }
}

function busy(input: Input, seen: Seen): Outcome {
  const { intent, step } = input.status
  if (step === 'Stuck') return { kind: 'wait', ms: input.timing.longestPollMs }
  if (intent !== undefined && isLate(input))
    return {
      kind: 'goto',
      step: 'Stuck',
      reason: 'DeadlinePassed',
      message:
        `the volume is still "${seen.status}" after its deadline ${intent.deadline}. CoucheStor keeps its hands off: ` +
        'an administrator must check cinder-volume and repair the volume (docs/runbooks/stuck.md)',
    }
  return { kind: 'wait', ms: pollMs(input), why: `Cinder shows "${seen.status}"` }
}

/** A tenth of the time it has run: soon at first, patient later. */
function pollMs(input: Input): number {
  const started = rfc3339(input.status.intent?.at ?? '')
  const ran = started === undefined ? 0 : input.now - started
  return Math.min(input.timing.longestPollMs, Math.max(input.timing.firstPollMs, ran / 10))
}

function sightOrOutcome(input: Input): Seen | Outcome {
  const { sight } = input
  if (sight === undefined) return { kind: 'look' }
  if (sight.kind === 'Seen') return sight
  if (sight.kind === 'Unreadable') return unreadable(input, sight.why)
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Disappeared',
    message: 'Cinder no longer knows the volume (two reads answered 404)',
  }
}

function unreadable(input: Input, why: string): Outcome {
  const { step, call, intent } = input.status
  // what it is stuck at, and what to do, stays in sight
  if (step === 'Stuck') return { kind: 'wait', ms: input.timing.longestPollMs }
  if (!isLate(input)) return { kind: 'wait', ms: pollMs(input), why }
  if (step === 'Requested' && call?.kind === 'NotSent') return tooLate(why)
  if (step === 'Requested' && call?.kind === 'Rejected') return rejected(input)
  return {
    kind: 'goto',
    step: 'Stuck',
    reason: 'DeadlinePassed',
    message:
      `the volume could not be read until the deadline ${intent?.deadline}: ${why}. CoucheStor keeps its hands off: ` +
      'make it readable again, or check the volume in Cinder (docs/runbooks/stuck.md)',
  }
}

/** Smallest rate at which a copy may run before it counts as stuck. */
const SLOWEST_COPY_MIB_PER_SECOND = 20

/** Time a retype of that size may take, in ms: the larger of the policy's and twice a slow copy. */
export function deadlineMs(sizeGiB: number, retypeTimeoutMs: number): number {
  return Math.max(retypeTimeoutMs, ((2 * sizeGiB * 1024) / SLOWEST_COPY_MIB_PER_SECOND) * 1000)
}
