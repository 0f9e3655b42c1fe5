import type { Goto } from '../strategy.ts'
import type { VolumeSight } from './machine.ts'
import type { State } from './world.fixture.ts'

type Ending = Pick<Goto, 'step' | 'reason'>

/** Ends by which one's own retype has never run. */
const NEVER_RAN: ReadonlySet<string> = new Set(['Rejected', 'AttemptsExhausted', 'StaleIntent'])

/** What speaks against that step as the volume is now. */
export function lieOf(at: State, { step, reason }: Goto): string | undefined {
  const { cinder: volume, flying } = at
  if (step === 'Stuck') return stuckLie(at, reason)
  if (step !== 'Succeeded' && step !== 'Failed' && step !== 'Waiting') return undefined
  if (reason === 'Disappeared') return volume.there ? 'the volume is there' : undefined
  if (step === 'Succeeded') return isAt(volume, 'new') ? undefined : 'it is not on its new type'
  // it halts all moves, so that a person checks
  if (reason === 'Unexplained') return volume.type === 'third' ? undefined : 'nobody interfered'
  if (flying.length > 0) return 'a call is on its way'
  if (!volume.there) return undefined
  if (volume.status === 'retyping') return 'Cinder copies'
  if (reason === 'Reverted' && !isAt(volume, 'old')) return 'it is not on its old type'
  if (NEVER_RAN.has(reason) && isAt(volume, 'new')) return 'it is on its new type'
  return endLie(at, { step, reason })
}

function stuckLie({ cinder, late }: State, reason: Goto['reason']): string | undefined {
  if (reason === 'VolumeError') return cinder.status === 'error' ? undefined : 'nothing is broken'
  return late ? undefined : 'there is time left'
}

function endLie(at: State, ending: Ending): string | undefined {
  return silent(at, ending) ?? misread(at.status.call, ending) ?? hasty(at, ending.step)
}

/** What is wrong with the volume, or was not even asked, and the end does not say. */
function silent({ status, cinder, late }: State, { step, reason }: Ending): string | undefined {
  if (step !== 'Failed') return undefined
  if (status.step === 'Waiting') return 'nothing was asked of Cinder'
  if (cinder.status === 'error' && !NEVER_RAN.has(reason)) return 'it is broken'
  // past the deadline nothing is tried again, busy or not
  const isFinal = reason === 'Rejected' && !late
  return isFinal && cinder.status === 'backing-up' ? 'it is only busy' : undefined
}

/** What speaks against it by the answer to the call. */
function misread(call: State['status']['call'], { step, reason }: Ending): string | undefined {
  const { kind, httpStatus = 0, quota = false } = call ?? {}
  if (reason === 'Rejected' && kind !== 'Rejected') return 'nothing was refused'
  if (reason === 'Rejected' && LIMITS.has(httpStatus)) return 'a limiter says nothing against it'
  // the pause before the next call hangs on it
  if (step === 'Waiting' && quota !== (reason === 'QuotaExceeded'))
    return 'that is not what was said'
  return undefined
}

/** Answers that say nothing about the volume. */
const LIMITS: ReadonlySet<number> = new Set([413, 429])

/** Why the call is not to be repeated. */
function hasty({ status, cinder, late }: State, step: Goto['step']): string | undefined {
  const { kind, httpStatus = 0 } = status.call ?? {}
  if (step !== 'Waiting') return undefined
  if (kind === 'Rejected')
    return !LIMITS.has(httpStatus) && cinder.status === 'available' ? 'it is refused' : undefined
  return late ? 'it is too late to repeat it' : undefined
}

/** What speaks against waiting on. */
export function waitingLie(
  { step }: State['status'],
  seen: VolumeSight | undefined,
): string | undefined {
  const isRunning = step === 'Retyping' || step === 'Verifying'
  return isRunning && seen?.kind === 'Seen' && seen.status === 'error' ? 'it is broken' : undefined
}

function isAt({ status, type }: State['cinder'], wanted: State['cinder']['type']): boolean {
  return status === 'available' && type === wanted
}
