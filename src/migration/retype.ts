import type { Intent, Step } from '../api/volume-migration.ts'
import type { MachineInput, Outcome, VolumeSight } from './types.ts'

/**
 * The machine that moves one volume by Cinder's `os-retype`. Pure: what is saved and what one look at Cinder showed
 * go in, what to do next comes out. It never trusts a 202, repeats only what provably never started,
 * and past the deadline it keeps its hands off.
 */
export function nextRetypeStep(input: MachineInput): Outcome {
  return HANDLERS[input.status.step ?? 'Waiting'](input)
}

type Handlers = { readonly [S in Step]: (input: MachineInput) => Outcome }

const HANDLERS: Handlers = {
  Waiting: () => ({ kind: 'start', why: 'nothing has been sent yet' }),
  Requested: requested,
  Retyping: retyping,
  Verifying: verifying,
  Stuck: retyping,
  Succeeded: () => ({ kind: 'rest' }),
  Failed: () => ({ kind: 'rest' }),
}

/** Cinder's two resting states; anything else means that something is going on. */
const RESTING = new Set(['available', 'in-use'])

type Seen = Extract<VolumeSight, { kind: 'Seen' }>
type Place = 'new' | 'old' | 'elsewhere'

function placeOf(input: MachineInput, seen: Seen): Place {
  if (seen.typeId === input.status.intent?.toTypeId) return 'new'
  return seen.typeId === input.status.intent?.fromTypeId ? 'old' : 'elsewhere'
}

/** The intent is saved; the call may or may not have been made. */
function requested(input: MachineInput): Outcome {
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  if (seen.status === 'retyping') return adopt(input)
  if (placeOf(input, seen) !== 'old') return retyping(input)
  const call = input.status.call?.kind
  // `retyping` is set before the 202 is sent, so an idle volume after a 202 means it is over already
  if (call === 'Accepted') return retyping(input)
  if (call === 'NotSent') return repeatOrGiveUp(input, 'the call could not be sent')
  if (input.now < input.quietUntil)
    return {
      kind: 'wait',
      ms: input.quietUntil - input.now,
      why: 'the answer to the call is unknown; waiting until no call can still be on its way',
    }
  if (seen.updatedAt === input.status.intent?.volumeUpdatedAt)
    return repeatOrGiveUp(input, 'Cinder shows that the call never reached the volume')
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'OutcomeUnknown',
    message:
      'the answer to the retype call was lost and the volume has been changed since, but is on its old type: ' +
      'the retype was reverted, or never ran. Nothing is repeated; look at the volume in Cinder',
  }
}

function adopt(input: MachineInput): Outcome {
  const adopted = input.status.call === undefined
  return {
    kind: 'goto',
    step: 'Retyping',
    reason: adopted ? 'Adopted' : 'Accepted',
    message: adopted ? 'found the retype running in Cinder and follows it' : 'Cinder is retyping',
  }
}

function repeatOrGiveUp(input: MachineInput, why: string): Outcome {
  const { intent } = input.status
  if (intent === undefined) return { kind: 'start', why }
  if (isForeign(intent, input.clusterId, input.objectUid))
    return { kind: 'goto', step: 'Failed', reason: 'ForeignIntent', message: FOREIGN_INTENT }
  if (input.now >= Date.parse(intent.deadline))
    return {
      kind: 'goto',
      step: 'Failed',
      reason: 'StaleIntent',
      message: `${why}; too late to repeat it`,
    }
  if (intent.attempt >= input.timing.mostAttempts)
    return {
      kind: 'goto',
      step: 'Failed',
      reason: 'AttemptsExhausted',
      message: `${why}; gave up after ${intent.attempt} attempts`,
    }
  return { kind: 'start', why }
}

export const FOREIGN_INTENT =
  'this object was restored from a backup or copied from another cluster; its retype is not repeated. ' +
  'Delete it, and let the policy decide anew'

/** True when the intent was saved for another cluster or in another object. */
export function isForeign(intent: Intent, clusterId: string, objectUid: string): boolean {
  return intent.clusterId !== clusterId || intent.objectUid !== objectUid
}

/** The call was accepted, or is so as far as anybody can tell. */
function retyping(input: MachineInput): Outcome {
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  const place = placeOf(input, seen)
  if (seen.status.startsWith('error')) return broken(input, seen)
  if (place === 'elsewhere' && RESTING.has(seen.status)) return unexplained(input, seen)
  if (!RESTING.has(seen.status)) return busy(input, seen)
  return firstLook(input, place)
}

function firstLook(input: MachineInput, place: Place): Outcome {
  return {
    kind: 'goto',
    step: 'Verifying',
    reason: place === 'new' ? 'Verifying' : 'VerifyingRevert',
    message:
      place === 'new'
        ? 'Cinder shows the new type; looking a second time'
        : 'Cinder shows the old type again; looking a second time',
    seenAt: input.now,
  }
}

/** Cinder shows a finished volume for a moment in mid-move, so one look is not enough. */
function verifying(input: MachineInput): Outcome {
  const seen = sightOrOutcome(input)
  if (seen.kind !== 'Seen') return seen
  if (seen.status.startsWith('error')) return broken(input, seen)
  // a look that disagrees makes the first one void
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
  const due = Date.parse(input.status.verifiedOnceAt) + input.timing.verifyMs
  if (input.now < due)
    return { kind: 'wait', ms: due - input.now, why: 'verifying with a second look' }
  return place === 'new' ? succeeded(input, seen) : reverted()
}

function succeeded(input: MachineInput, seen: Seen): Outcome {
  const zone = input.status.intent?.availabilityZone
  const moved = zone !== undefined && zone !== '' && seen.availabilityZone !== zone
  return {
    kind: 'goto',
    step: 'Succeeded',
    reason: moved ? 'VerifiedInOtherZone' : 'Verified',
    message: moved
      ? `the volume is on its new type, but its availability zone changed from ${zone} to ${seen.availabilityZone}; ` +
        "the PersistentVolume's node affinity still names the old one"
      : 'two looks show the new type and a resting volume',
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

function broken(input: MachineInput, seen: Seen): Outcome {
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

function unexplained(input: MachineInput, seen: Seen): Outcome {
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Unexplained',
    message:
      `the volume ended with status "${seen.status}" and type ${seen.typeId}, which is neither expected end ` +
      `(${input.status.intent?.fromTypeId} or ${input.status.intent?.toTypeId}). Hands off: look at the volume in Cinder`,
  }
}

function busy(input: MachineInput, seen: Seen): Outcome {
  const { intent, step } = input.status
  if (step === 'Stuck') return { kind: 'wait', ms: input.timing.longestPollMs }
  if (intent !== undefined && input.now >= Date.parse(intent.deadline))
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
function pollMs(input: MachineInput): number {
  const started = Date.parse(input.status.intent?.at ?? '')
  const ran = Number.isNaN(started) ? 0 : input.now - started
  return Math.min(input.timing.longestPollMs, Math.max(input.timing.firstPollMs, ran / 10))
}

function sightOrOutcome(input: MachineInput): Seen | Outcome {
  const { sight } = input
  if (sight.kind === 'Seen') return sight
  if (sight.kind === 'Unreadable') return { kind: 'wait', ms: pollMs(input), why: sight.why }
  return {
    kind: 'goto',
    step: 'Failed',
    reason: 'Disappeared',
    message: 'Cinder no longer knows the volume (404)',
  }
}

/** Smallest rate at which a copy may run before it counts as stuck. */
const SLOWEST_COPY_MIB_PER_SECOND = 20

/** Time a retype of that size may take, in ms: the larger of the policy's and twice a slow copy. */
export function deadlineMs(sizeGiB: number, retypeTimeoutMs: number): number {
  return Math.max(retypeTimeoutMs, ((2 * sizeGiB * 1024) / SLOWEST_COPY_MIB_PER_SECOND) * 1000)
}
