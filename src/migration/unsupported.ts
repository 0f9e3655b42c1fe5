import type { PolicyStrategy, Strategy as StrategyName } from '../api/storage-policy.ts'
import { rfc3339 } from '../time.ts'
import type { Looked, MachineInput, Outcome } from './strategy.ts'

/** Why a strategy cannot be used; undefined when it is one of `names`, for which there are machines. */
export function unsupported(
  name: StrategyName,
  names: readonly StrategyName[],
): string | undefined {
  if (names.includes(name)) return undefined
  return `this version does not support the strategy ${name}, and uses no other in its place; set ${names.join(' or ')}`
}

/** Of a policy: `Auto` chooses among those that there are machines for. */
export function unsupportedOf(
  name: PolicyStrategy,
  names: readonly StrategyName[],
): string | undefined {
  return name === 'Auto' ? undefined : unsupported(name, names)
}

/**
 * What comes next of a move that was begun by a strategy without a machine here, as another version has left it: hands
 * off. Its step stays, so that a version with the machine goes on from there; past the deadline a person is asked.
 */
export function leftAlone(
  name: StrategyName,
  { status, now, timing }: Pick<MachineInput<Looked>, 'status' | 'now' | 'timing'>,
): Extract<Outcome, { kind: 'wait' | 'goto' }> {
  // what it is stuck at, and what to do, stays in sight
  if (status.step === 'Stuck') return { kind: 'wait', ms: timing.longestPollMs }
  const why = `another version of CoucheStor began this move by ${name}, which this version cannot follow: bring that version back`
  if (now < (rfc3339(status.intent?.deadline ?? '') ?? Infinity))
    return { kind: 'wait', ms: timing.longestPollMs, why }
  const message = `${why}, or check the volume in Cinder (docs/runbooks/stuck.md)`
  return { kind: 'goto', step: 'Stuck', reason: 'DeadlinePassed', message }
}
