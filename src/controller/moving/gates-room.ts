import { stated } from '../../blockers/blocker.ts'
import type { AdmissionInput, Move } from './admission.ts'

/** Policy of a move whose object is gone: it counts for every policy that has its tiers. */
export const OF_NO_POLICY = ''

const DAY = 24 * 3_600_000

/** Outside a slot, and without a schedule, any 24 hours are one. */
export const slotLimit = stated(
  { SlotLimit: 'limits.maxGiBPerSlot is used up for this slot.' },
  ({ ended, inFlight, limits, move, now }: AdmissionInput) => {
    if (limits.maxGiBPerSlot === undefined) return undefined
    const slot = limits.schedule?.open ? limits.schedule : undefined
    const since = slot?.slotStartedAt ?? now - DAY
    const started = [...inFlight, ...ended.filter((e) => !e.isStuck)].filter(
      (m) => m.policy === move.policy && (m.startedAt ?? 0) >= since,
    )
    const used = sumGiB(started)
    if (used === undefined || move.sizeGiB === undefined)
      return { reason: 'SlotLimit', message: sizeUnknown(move, started, 'limits.maxGiBPerSlot') }
    if (used + move.sizeGiB <= limits.maxGiBPerSlot) return undefined
    return {
      reason: 'SlotLimit',
      message: `${used} of ${limits.maxGiBPerSlot} GiB of ${slot ? 'this slot' : 'the last 24 hours'} are used; the volume has ${move.sizeGiB} GiB`,
    }
  },
)

/** Both tiers hold the volume while it is copied: it counts on the new one at once, on the old one until its end. */
export const capacity = stated(
  { CapacityLimit: 'The target tier has no room left (capacity.maxGiB less headroomPercent).' },
  (input: AdmissionInput) => {
    const { limits, move } = input
    if (limits.targetRoomGiB === undefined) return undefined
    const unknown = notCounted(limits, `the room on tier ${move.to}`)
    if (unknown !== undefined) return { reason: 'CapacityLimit', message: unknown }
    const moves = uncounted(input).filter((m) => m.to === move.to)
    const arriving = sumGiB(moves)
    if (arriving === undefined || move.sizeGiB === undefined)
      return { reason: 'CapacityLimit', message: sizeUnknown(move, moves, `tier ${move.to}`) }
    const room = limits.targetRoomGiB - arriving
    if (move.sizeGiB <= room) return undefined
    return {
      reason: 'CapacityLimit',
      message: `tier ${move.to} has room for ${Math.max(0, Math.floor(room))} GiB; the volume has ${move.sizeGiB} GiB`,
    }
  },
)

/** A pool that runs full fails the writes of everyone on it: what only saves money waits before that. */
export const poolLow = stated(
  {
    PoolLow:
      'A move down would leave less free in the pools of its tier than tiers.<name>.min_capacity_gb in config.yaml asks for, or how much is free is not known.',
  },
  (input: AdmissionInput) => {
    const { limits, move } = input
    if (limits.pool === undefined) return undefined
    const { minGiB, free } = limits.pool
    const wants = `tiers.${move.to}.min_capacity_gb in config.yaml wants ${minGiB} GiB to stay free`
    if ('unknown' in free)
      return {
        reason: 'PoolLow',
        message: `${wants}, but ${free.unknown}; the move waits until it is known`,
      }
    const arriving = arrivingIn(input, free)
    const coming = sumGiB(arriving)
    if (coming === undefined || move.sizeGiB === undefined)
      return {
        reason: 'PoolLow',
        message: sizeUnknown(move, arriving, `the pool of tier ${move.to}`),
      }
    if (free.freeGiB - coming - move.sizeGiB >= minGiB) return undefined
    return {
      reason: 'PoolLow',
      message: `${wants}; the best pool has ${Math.floor(free.freeGiB)} GiB, ${coming} GiB are on their way there, and the volume has ${move.sizeGiB} GiB`,
    }
  },
)

/** Moves that the pools may not show yet, into any type that has its volumes there: tiers and policies may share a pool. */
function arrivingIn(
  { inFlight, ended, move }: AdmissionInput,
  { shownAt, typeIds }: { readonly shownAt: number; readonly typeIds: ReadonlySet<string> },
): readonly Move[] {
  const since = ended.filter((e) => e.ended === 'Succeeded' && e.endedAt >= shownAt)
  return [...inFlight, ...since].filter(
    (m) => m.to === move.to || (m.toTypeId !== undefined && typeIds.has(m.toTypeId)),
  )
}

/** What makes the fleet cheaper is never held back, and what a demotion will save is not spent before its end. */
export const budget = stated(
  { BudgetLimit: 'The move would exceed budget.maxMonthlyCost.' },
  (input: AdmissionInput) => {
    const { limits, move } = input
    if (limits.budget === undefined) return undefined
    const { maxMonthlyCost, monthlyCost, pricePerGiBMonth } = limits.budget
    const price = (tier: string) => pricePerGiBMonth.get(tier) ?? 0
    const isDearer = (m: Move) => price(m.to) > price(m.from)
    if (!isDearer(move)) return undefined
    const unknown = notCounted(limits, 'what the volumes cost')
    if (unknown !== undefined) return { reason: 'BudgetLimit', message: unknown }
    const extraCost = (m: Move) => (price(m.to) - price(m.from)) * (m.sizeGiB ?? 0)
    const isOurs = (m: Move) => m.policy === move.policy || m.policy === OF_NO_POLICY
    const coming = uncounted(input).filter((m) => isOurs(m) && isDearer(m))
    if (sumGiB([move, ...coming]) === undefined)
      return { reason: 'BudgetLimit', message: sizeUnknown(move, coming, 'budget.maxMonthlyCost') }
    const more = extraCost(move)
    if (more === 0) return undefined
    const committed = coming.reduce((sum, m) => sum + extraCost(m), monthlyCost)
    if (committed + more <= maxMonthlyCost) return undefined
    return {
      reason: 'BudgetLimit',
      message: `${move.to} costs ${more.toFixed(2)} a month more; ${committed.toFixed(2)} of ${maxMonthlyCost.toFixed(2)} (budget.maxMonthlyCost) are used`,
    }
  },
)

/** Moves whose volume is not yet counted on its new tier. */
function uncounted({ inFlight, ended, limits }: AdmissionInput): readonly Move[] {
  const since = limits.countedAt ?? 0
  const arrived = ended.filter((e) => e.ended === 'Succeeded' && e.endedAt >= since)
  return [...inFlight, ...arrived].filter((m) => m.isCounted !== true)
}

/** undefined when one of them is not known. */
function sumGiB(moves: readonly Move[]): number | undefined {
  return moves.reduce<number | undefined>(
    (sum, m) => (sum === undefined || m.sizeGiB === undefined ? undefined : sum + m.sizeGiB),
    0,
  )
}

function sizeUnknown(move: Move, others: readonly Move[], limit: string): string {
  const other = others.find((m) => m.sizeGiB === undefined)
  const whose =
    move.sizeGiB === undefined || other === undefined
      ? 'the volume'
      : `volume ${other.volumeId ?? 'of another move'}`
  return `the size of ${whose} is not known, so ${limit} cannot be counted; the move starts when Cinder shows it`
}

function notCounted(
  { countedAt, staleMinutes }: AdmissionInput['limits'],
  what: string,
): string | undefined {
  if (countedAt === undefined)
    return `${what} has not been counted since the controller started; it is with the next pass over all claims`
  if (staleMinutes === undefined) return undefined
  return `${what} is not known: the volumes in Cinder could not be listed for ${staleMinutes} min; the move starts when they are`
}
