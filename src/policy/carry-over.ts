import type { VolumeState } from './types.ts'

/** A state made with other tiers, prices, limits or constants. */
export type Earlier = {
  readonly state: VolumeState
  /** Hash of what it was made with. */
  readonly rule: string
  /** Ids of the volume types of its tiers; undefined = not recorded. */
  readonly types: readonly string[] | undefined
}

/**
 * The state whose history was read again, with what of the earlier one stays true: moves, cooldowns, the brake and the
 * time that was measured depend on no price and no threshold, and quiet time only on the limits of the tiers. `until`:
 * end of the history that was read, seconds.
 */
export function carriedOver(
  read: VolumeState,
  { state, rule, types }: Earlier,
  now: { readonly rule: string; readonly types: readonly string[] },
  until: number,
): VolumeState {
  const index = (tier: number) => indexNow(tier, types, now.types)
  const movedAt = Math.max(read.movedAt, state.movedAt)
  const since = movedAt > 0 ? Math.max(0, until - movedAt) : Infinity
  const exceeded = read.quietSeconds < read.coveredSeconds
  const quietHolds = !exceeded && quietHash(rule) === quietHash(now.rule)
  return {
    ...read,
    tier: read.tier < 0 ? index(state.tier) : read.tier,
    previousTier: state.previousTier < 0 ? -1 : index(state.previousTier),
    movedAt,
    coveredSeconds: Math.max(read.coveredSeconds, state.coveredSeconds),
    quietSeconds: Math.max(Math.min(read.quietSeconds, since), quietHolds ? state.quietSeconds : 0),
    measuredAt: Math.max(read.measuredAt, state.measuredAt),
    firstSeenAt: Math.min(read.firstSeenAt, state.firstSeenAt),
    lastExceededAt: Math.max(read.lastExceededAt, quietHolds ? state.lastExceededAt : 0, movedAt),
  }
}

/**
 * What happened after `now` (seconds) happened by a clock that was wrong, at the latest now: a move of the future would
 * rest its volume until then. Nor has more time been measured, or been quiet, than has passed.
 */
export function asKnownAt(state: VolumeState, now: number): VolumeState {
  const movedAt = Math.min(state.movedAt, now)
  const lastExceededAt = Math.min(state.lastExceededAt, now)
  const firstSeenAt = Math.min(state.firstSeenAt, now)
  const quietSince = Math.max(movedAt, lastExceededAt, firstSeenAt)
  return {
    ...state,
    movedAt,
    lastExceededAt,
    firstSeenAt,
    measuredAt: Math.min(state.measuredAt, now),
    coveredSeconds: Math.min(state.coveredSeconds, now - firstSeenAt),
    quietSeconds: Math.min(state.quietSeconds, now - quietSince),
  }
}

/** The half of a rule's hash that quiet time depends on. */
function quietHash(rule: string): string {
  return rule.slice(0, 8)
}

/** -1 when the tier is gone. A state that does not say which types it had is taken to have had as many as there are. */
export function indexNow(
  tier: number,
  types: readonly string[] | undefined,
  now: readonly string[],
): number {
  if (tier < 0) return -1
  if (types === undefined) return tier < now.length ? tier : -1
  const id = types[tier]
  return id === undefined ? -1 : now.indexOf(id)
}
