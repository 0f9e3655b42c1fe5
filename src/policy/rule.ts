import { POLICY_DEFAULTS } from '../api/policy-schema.ts'
import { intervalCosts, moveCost, premiumPerHour } from './cost.ts'
import type { RuleConstants, Tier, VolumeState, Wish } from './types.ts'

const { rho, muHours, moveCostPerGiB, halfLifeHours } = POLICY_DEFAULTS.decision

/**
 * The rule "discounted lead with doubt": for every tier the discounted cost the volume would have had there; it moves
 * when another tier leads the current one by enough: by a share of the price of a move, and by more than chance may
 * have brought about. docs/reference-decisions.md explains it with an example.
 */
export const DEFAULT_CONSTANTS: RuleConstants = {
  rho,
  muHours,
  moveCostPerGiB,
  halfLifeHours,
  up0: 0.15,
  upPerDay: 0.25,
  down0: 0.2,
  downPerDay: 0.1,
  gamma: 0.15,
  rhoGamma: 0.2,
  doubtUp: 0.2,
  doubtDown: 0.6,
  brakeFactor: 2,
  brakeHours: 168,
  saturationShare: 0.95,
  saturationFactor: 5 / 3,
}

/** The rule as it was published, without doubt: the baseline `lead` of backtests. */
export const LEAD_CONSTANTS: RuleConstants = {
  ...DEFAULT_CONSTANTS,
  down0: 0.3,
  rhoGamma: 0,
  doubtUp: 0,
  doubtDown: 0,
}

/** The rho at which `down0` and `downPerDay` hold as they are. */
const USUAL_RHO = 20

/** What the rule needs of a tier. */
export type RuleTier = Pick<Tier, 'pricePerGiBMonth' | 'limitIops'>

const SECONDS_PER_HOUR = 3600

/** The memory of a volume nothing is known of. `firstSeenAt` in seconds since the epoch. */
export function initialState(tierCount: number, firstSeenAt: number): VolumeState {
  return {
    cost: new Array<number>(tierCount).fill(0),
    spread: new Array<number>(pairCount(tierCount)).fill(0),
    hours: 0,
    demandHours: 0,
    previousTier: -1,
    movedAt: 0,
    tier: -1,
    coveredSeconds: 0,
    quietSeconds: 0,
    lastWindowEnd: 0,
    measuredAt: 0,
    lastExceededAt: 0,
    firstSeenAt,
  }
}

/** Number of pairs of tiers, the length of `spread`. */
export function pairCount(tierCount: number): number {
  return (tierCount * (tierCount - 1)) / 2
}

/** Where `spread` keeps the pair of two different tiers. */
function pairIndex(a: number, b: number, tierCount: number): number {
  const i = Math.min(a, b)
  return (i * (2 * tierCount - i - 1)) / 2 + Math.max(a, b) - i - 1
}

/**
 * The state after one measured window. `tier` is the index the volume was on, -1 = none of them; `demand` is what
 * was wanted, saturation already accounted for (demand.ts); `windowEnd` in seconds. A window that is not newer than
 * the last, a demand that is no number from 0 up, and a size that is not positive change nothing: call this for
 * measured windows only, so that a gap adds nothing. `hasNumbers`: the source had some, and it is no zero
 * of a detached volume.
 */
export function observe(
  state: VolumeState,
  tier: number,
  demand: number,
  sizeGiB: number,
  tiers: readonly RuleTier[],
  constants: RuleConstants,
  intervalHours: number,
  windowEnd: number,
  hasNumbers = false,
): VolumeState {
  if (!isUsable(demand, sizeGiB, intervalHours) || windowEnd <= state.lastWindowEnd) return state
  if (state.cost.length !== tiers.length) return state
  const fade = 0.5 ** (intervalHours / constants.halfLifeHours)
  const added = intervalCosts(tiers, demand, sizeGiB, intervalHours, constants)
  const below = tiers[tier + 1]
  const exceeded = tier >= 0 && below !== undefined && demand > below.limitIops(sizeGiB)
  return {
    ...state,
    cost: state.cost.map((cost, j) => fade * cost + (added[j] ?? 0)),
    spread: widened(state.spread, added, fade),
    hours: fade * state.hours + intervalHours,
    demandHours: fade * state.demandHours + demand * intervalHours,
    tier,
    coveredSeconds: state.coveredSeconds + intervalHours * SECONDS_PER_HOUR,
    quietSeconds: exceeded ? 0 : state.quietSeconds + intervalHours * SECONDS_PER_HOUR,
    lastWindowEnd: windowEnd,
    measuredAt: hasNumbers ? windowEnd : state.measuredAt,
    lastExceededAt: exceeded ? windowEnd : state.lastExceededAt,
  }
}

function widened(
  spread: readonly number[],
  added: readonly number[],
  fade: number,
): readonly number[] {
  const next: number[] = []
  for (let i = 0; i < added.length; i++)
    for (let j = i + 1; j < added.length; j++) {
      const difference = (added[i] ?? 0) - (added[j] ?? 0)
      next.push(fade * (spread[next.length] ?? 0) + difference * difference)
    }
  return next
}

/** No volume does more; a larger number is a mistake of the source. I/O operations per second. */
const MOST_IOPS = 1e9
const MOST_GIB = 1e9

/** A number from 0 to what any volume could do. */
export function isPlausibleDemand(iops: number): boolean {
  return iops >= 0 && iops <= MOST_IOPS
}

function isPlausibleSize(sizeGiB: number): boolean {
  return sizeGiB > 0 && sizeGiB <= MOST_GIB
}

function isUsable(demand: number, sizeGiB: number, intervalHours: number): boolean {
  return isPlausibleDemand(demand) && isPlausibleSize(sizeGiB) && intervalHours > 0
}

/**
 * What the rule wants for a volume on `tier` after its last window, before any guard. Of two equally good tiers the
 * slower wins. Without history, without a price premium, or with numbers that cannot be right it wants nothing.
 */
export function decide(
  state: VolumeState,
  tier: number,
  sizeGiB: number,
  medianSizeGiB: number,
  tiers: readonly RuleTier[],
  constants: RuleConstants,
): Wish {
  const idle = wantNothing(state, tier, sizeGiB, tiers, constants)
  const here = state.cost[tier]
  if (here === undefined || !canDecide(state, sizeGiB, tiers)) return idle
  const needed = (to: number) =>
    neededMoves(state, tier, to, sizeGiB, medianSizeGiB, constants) * idle.moveCost +
    doubt(tier, to, constants) * uncertainty(state, tier, to)
  const lead = (to: number) => here - (state.cost[to] ?? Infinity)
  // the cheapest of all others, and of those that lead by enough; the slower one of two that cost the same
  let other = -1
  let to = -1
  for (let j = tiers.length - 1; j >= 0; j--) {
    if (j === tier) continue
    if (costOn(state, j) < costOn(state, other)) other = j
    if (costOn(state, j) < costOn(state, to) && lead(j) >= needed(j)) to = j
  }
  if (to >= 0) other = to
  if (other < 0) return idle
  return { ...idle, to: to >= 0 ? to : tier, other, lead: lead(other), needed: needed(other) }
}

/** Costs are compared, not leads: a difference may round two of them to the same. */
function costOn(state: VolumeState, tier: number): number {
  return state.cost[tier] ?? Infinity
}

function wantNothing(
  state: VolumeState,
  tier: number,
  sizeGiB: number,
  tiers: readonly RuleTier[],
  constants: RuleConstants,
): Wish {
  return {
    to: tier,
    other: -1,
    lead: 0,
    needed: 0,
    moveCost: isPlausibleSize(sizeGiB) ? moveCost(tiers, sizeGiB, constants) : 0,
    historyHours: state.hours,
    meanIops: state.hours > 0 ? state.demandHours / state.hours : 0,
  }
}

function canDecide(state: VolumeState, sizeGiB: number, tiers: readonly RuleTier[]): boolean {
  return (
    state.hours > 0 &&
    state.cost.length === tiers.length &&
    state.cost.every(Number.isFinite) &&
    isPlausibleSize(sizeGiB) &&
    premiumPerHour(tiers, sizeGiB) > 0
  )
}

/** The lead that a move from one tier to the other needs, in moves, before doubt: more with more history. */
function neededMoves(
  state: VolumeState,
  from: number,
  to: number,
  sizeGiB: number,
  medianSizeGiB: number,
  constants: RuleConstants,
): number {
  if (to > from)
    return (
      (constants.down0 + (constants.downPerDay * state.hours) / 24) *
      caution(sizeGiB, medianSizeGiB, constants)
    )
  const factor = constants.up0 + (constants.upPerDay * state.hours) / 24
  const sinceMove = (state.lastWindowEnd - state.movedAt) / SECONDS_PER_HOUR
  const brake = to === state.previousTier && sinceMove < constants.brakeHours
  return brake ? Math.max(factor, constants.brakeFactor) : factor
}

function doubt(from: number, to: number, { doubtUp, doubtDown }: RuleConstants): number {
  return to > from ? doubtDown : doubtUp
}

/**
 * How far the lead of one tier over the other may be chance: the standard error of a sum of independent differences.
 * A calm volume has hardly any, one that bursts now and then has much.
 */
function uncertainty(state: VolumeState, a: number, b: number): number {
  return Math.sqrt(state.spread[pairIndex(a, b, state.cost.length)] ?? 0)
}

/**
 * A wrong demotion costs in proportion to the size and to what throttling is worth: large volumes, and users who
 * mind throttling much, must show more.
 */
function caution(sizeGiB: number, medianSizeGiB: number, constants: RuleConstants): number {
  const { gamma, rho, rhoGamma } = constants
  const factor = (sizeGiB / medianSizeGiB) ** gamma * (rho / USUAL_RHO) ** rhoGamma
  return Number.isFinite(factor) ? Math.min(4, Math.max(0.5, factor)) : 1
}

/** The state after a verified move away from `fromTier` (-1 = an unmanaged type), at `atSeconds`. */
export function moved(
  state: VolumeState,
  fromTier: number,
  atSeconds: number,
  toTier = -1,
): VolumeState {
  return {
    ...state,
    tier: toTier,
    previousTier: fromTier,
    movedAt: atSeconds,
    lastExceededAt: atSeconds,
    quietSeconds: 0,
  }
}

/** Median of the sizes that are positive numbers; the mean of the middle two for an even count, 0 for none. */
export function medianSizeGiB(sizes: readonly number[]): number {
  const sorted = sizes.filter((s) => s > 0 && Number.isFinite(s)).toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0
  if (sorted.length % 2 === 1) return upper
  return ((sorted[sorted.length / 2 - 1] ?? 0) + upper) / 2
}
