import { ANNOTATION } from '../../api/names.ts'
import { stated } from '../../blockers/blocker.ts'
import type { AdmissionInput, EndedMove, Move } from './admission.ts'
import { thrashing } from './thrashing.ts'

export const halted = stated(
  {
    Halted:
      'An earlier move ended in a way that nothing explains; all moves of policies halt until a person has checked it.',
  },
  ({ ended }: AdmissionInput) => {
    const message = haltOf(ended)
    return message === undefined ? undefined : { reason: 'Halted', message }
  },
)

/** Why all moves of policies halt, and how to go on. */
export function haltOf(ended: readonly EndedMove[]): string | undefined {
  const strange = ended.find((e) => e.ended === 'Unexplained')
  if (strange === undefined) return undefined
  const { from, to, namespace, volumeId, gone } = strange
  const what = `a move from ${from} to ${to} in namespace ${namespace} ended in a way nothing explains`
  return gone === undefined
    ? `${what}; check it, then delete that VolumeMigration to go on`
    : `${what}, and its VolumeMigration is gone; check volume ${volumeId} in Cinder, ` +
        `then annotate a StoragePolicy with ${ANNOTATION.explained}=${gone} to go on`
}

const FAILURES_TO_OPEN = 3
const BREAKER_OPEN_MS = 6 * 3_600_000

/** Three failures in a row between two tiers: the cause is not the volume. One try after six hours. */
export function breakerOpenUntil(
  ended: readonly EndedMove[],
  policy: string,
  from: string,
  to: string,
): number | undefined {
  const pair = ended
    .filter((e) => e.policy === policy && e.from === from && e.to === to && e.ended !== 'Other')
    .sort((a, b) => b.endedAt - a.endedAt)
  const latest = pair.slice(0, FAILURES_TO_OPEN)
  if (latest.length < FAILURES_TO_OPEN || latest.some((e) => e.ended === 'Succeeded'))
    return undefined
  return latest[0]!.endedAt + BREAKER_OPEN_MS
}

/** After the pause one move shows whether the cause is gone; the others wait for how it ends. */
export const breaker = stated(
  { BreakerOpen: 'Moves between these two tiers failed again and again; the pair is held back.' },
  ({ ended, inFlight, move, now }: AdmissionInput) => {
    const { policy, from, to } = move
    const until = breakerOpenUntil(ended, policy, from, to)
    if (until === undefined) return undefined
    const failed = `the last ${FAILURES_TO_OPEN} moves from ${from} to ${to} failed`
    if (now < until)
      return {
        reason: 'BreakerOpen',
        message: `${failed}; held back until ${new Date(until).toISOString()}`,
      }
    // one that is stuck has failed already, and may stay so for weeks
    const isProbe = (m: Move) => !m.isStuck && m.policy === policy && m.from === from && m.to === to
    if (!inFlight.some(isProbe)) return undefined
    return {
      reason: 'BreakerOpen',
      message: `${failed}; one move runs now to see whether the cause is gone, the others wait for its end`,
    }
  },
)

export const thrash = stated(
  {
    ThrashBreaker:
      'Too many volumes of the policy were moved and moved back within a day; its moves are held back.',
  },
  ({ ended, move, limits, now }: AdmissionInput) => {
    const held = thrashing(ended, move.policy, limits.volumes, now)
    if (held === undefined) return undefined
    return {
      reason: 'ThrashBreaker',
      message: `${held.reversals} of ${limits.volumes} volumes were moved and moved back within a day; held back until ${new Date(held.until).toISOString()}`,
    }
  },
)
