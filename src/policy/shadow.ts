import { intervalCosts, moveCost } from './cost.ts'
import type { PricedTier } from './cost.ts'
import type { RuleConstants } from './types.ts'

/** Money that was spent, and that would have been spent with everything on the fastest tier, or left where it was. */
export type ShadowCosts = {
  readonly policy: number
  readonly allHot: number
  readonly stay: number
}

/** What a move was expected to save per hour, and what it has saved since. */
export type Promised = {
  readonly from: number
  readonly perHour: number
  readonly saved: number
  readonly hours: number
}

/** Costs of one day (UTC, days since the epoch). */
export type ShadowDay = ShadowCosts & { readonly day: number }

/** What a policy would have cost had it done something simpler. Small: only volumes that were moved have a record. */
export type Shadow = {
  readonly total: ShadowCosts
  /** The newest last. */
  readonly days: readonly ShadowDay[]
  /** Seconds; windows up to here are counted. */
  readonly windowEnd: number
  /** Tier by volume id where a volume was before its first move. */
  readonly origins: ReadonlyMap<string, number>
  readonly promised: ReadonlyMap<string, Promised>
}

export const NO_SHADOW: Shadow = {
  total: { policy: 0, allHot: 0, stay: 0 },
  days: [],
  windowEnd: 0,
  origins: new Map(),
  promised: new Map(),
}

/** One volume in one window: the tier it is on, and what it asked for. */
export type ShadowSample = {
  readonly id: string
  readonly tier: number
  readonly demand: number
  readonly sizeGiB: number
}

/** (saved - promised) / |promised| of one move. */
export type PredictionError = number

const DAY = 86_400
/** A week to judge by, today, and one to spare. */
const MOST_DAYS = 9
const JUDGED_DAYS = 7
/** A promise is kept or broken after this. */
const PROMISE_HOURS = 168
/** Beyond it the oldest moves are forgotten: those volumes count as if they had always been where they are. */
const MOST_ORIGINS = 2500

/** Adds one window (`windowEnd` in seconds). A window that is counted already changes nothing. */
export function shadowWindow(
  shadow: Shadow,
  samples: readonly ShadowSample[],
  tiers: readonly PricedTier[],
  constants: RuleConstants,
  windowHours: number,
  windowEnd: number,
): { readonly shadow: Shadow; readonly errors: readonly PredictionError[] } {
  if (windowEnd <= shadow.windowEnd) return { shadow, errors: [] }
  const promised = new Map(shadow.promised)
  const errors: PredictionError[] = []
  let added = NO_SHADOW.total
  for (const { id, tier, demand, sizeGiB } of samples) {
    const costs = intervalCosts(tiers, demand, sizeGiB, windowHours, constants)
    const here = costs[tier]
    if (here === undefined) continue
    const origin = costs[shadow.origins.get(id) ?? tier] ?? here
    added = plus(added, { policy: here, allHot: costs[0] ?? here, stay: origin })
    const promise = promised.get(id)
    if (promise === undefined) continue
    const saved = promise.saved + (costs[promise.from] ?? here) - here
    const hours = promise.hours + windowHours
    if (hours < PROMISE_HOURS) promised.set(id, { ...promise, saved, hours })
    else {
      errors.push(errorOf({ ...promise, saved, hours }))
      promised.delete(id)
    }
  }
  return { shadow: { ...counted(shadow, added, windowEnd), promised }, errors }
}

export type ShadowMove = {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly sizeGiB: number
  /** What the history promised to save, money per hour. */
  readonly perHour: number
  /** Seconds. */
  readonly at: number
}

/** Adds the price of a move, and what it promised. A promise that is still open is judged by what it has saved so far. */
export function shadowMove(
  shadow: Shadow,
  move: ShadowMove,
  tiers: readonly PricedTier[],
  constants: RuleConstants,
): { readonly shadow: Shadow; readonly errors: readonly PredictionError[] } {
  const before = shadow.promised.get(move.id)
  const promised = new Map(shadow.promised)
  promised.delete(move.id)
  if (move.perHour !== 0)
    promised.set(move.id, { from: move.from, perHour: move.perHour, saved: 0, hours: 0 })
  const price = { policy: moveCost(tiers, move.sizeGiB, constants), allHot: 0, stay: 0 }
  const next = counted(shadow, price, move.at)
  return {
    shadow: {
      ...next,
      windowEnd: shadow.windowEnd,
      origins: originsAfter(shadow.origins, move),
      promised,
    },
    errors: before === undefined || before.hours === 0 ? [] : [errorOf(before)],
  }
}

function originsAfter(
  origins: ReadonlyMap<string, number>,
  { id, from, to }: ShadowMove,
): ReadonlyMap<string, number> {
  const next = new Map(origins)
  const origin = origins.get(id) ?? from
  next.delete(id)
  if (origin >= 0 && origin !== to) next.set(id, origin)
  for (const oldest of next.keys()) {
    if (next.size <= MOST_ORIGINS) break
    next.delete(oldest)
  }
  return next
}

function errorOf({ perHour, saved, hours }: Promised): PredictionError {
  return (saved / hours - perHour) / Math.abs(perHour)
}

function counted(shadow: Shadow, added: ShadowCosts, at: number): Shadow {
  const day = Math.floor((at - 1) / DAY)
  const last = shadow.days.at(-1)
  const days =
    last !== undefined && last.day >= day
      ? [...shadow.days.slice(0, -1), { day: last.day, ...plus(last, added) }]
      : [...shadow.days, { day, ...added }].slice(-MOST_DAYS)
  return { ...shadow, total: plus(shadow.total, added), days, windowEnd: at }
}

function plus(a: ShadowCosts, b: ShadowCosts): ShadowCosts {
  return { policy: a.policy + b.policy, allHot: a.allHot + b.allHot, stay: a.stay + b.stay }
}

export type Week = ShadowCosts & {
  /** Whole days that are counted, at most 7. */
  readonly days: number
}

/** The last seven whole days before the newest window's. */
export function lastWeek({ days }: Shadow): Week {
  const today = days.at(-1)?.day ?? 0
  const whole = days.filter((d) => d.day < today && d.day >= today - JUDGED_DAYS)
  return { ...whole.reduce<ShadowCosts>(plus, NO_SHADOW.total), days: whole.length }
}

/** Differences below a hundredth are noise. */
const CLEARLY = 1.01

/** What would have been cheaper over a whole week; undefined = nothing, or the week is not over yet. */
export function lostTo(week: Week): 'allHot' | 'stay' | undefined {
  if (week.days < JUDGED_DAYS) return undefined
  const [cheaper, cost] =
    week.allHot < week.stay ? (['allHot', week.allHot] as const) : (['stay', week.stay] as const)
  return week.policy > cost * CLEARLY ? cheaper : undefined
}

/** For a checkpoint. */
export function packShadow(shadow: Shadow): string {
  const plain = { ...shadow, origins: [...shadow.origins], promised: [...shadow.promised] }
  return Buffer.from(JSON.stringify(plain)).toString('base64')
}

/** undefined = damaged, or of another format: counting starts again. */
export function unpackShadow(data: string): Shadow | undefined {
  try {
    const plain = JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as Record<
      string,
      unknown
    >
    const shadow = {
      ...(plain as unknown as Shadow),
      origins: new Map(plain['origins'] as [string, number][]),
      promised: new Map(plain['promised'] as [string, Promised][]),
    }
    const { policy, allHot, stay } = shadow.total
    const numbers = [policy, allHot, stay, shadow.windowEnd]
    return numbers.every(Number.isFinite) && Array.isArray(shadow.days) ? shadow : undefined
  } catch {
    return undefined
  }
}
