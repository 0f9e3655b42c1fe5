import type { Candidate } from './candidate.ts'
import { initialState } from './rule.ts'
import type { Tier, Wish } from './types.ts'

const DAY = 86_400

/** For tests: three tiers with limits 100 and 10, hot and warm kept for 7 days. */
export const TIERS: readonly Tier[] = ['hot', 'warm', 'cold'].map((name, i) => ({
  name,
  typeId: `id-${name}`,
  typeName: `couchestor-${name}`,
  pricePerGiBMonth: 3 - i,
  limitIops: () => [Infinity, 100, 10][i] ?? 0,
  retentionSeconds: i < 2 ? 7 * DAY : 0,
  headroomPercent: 10,
}))

export const NOW = 100 * DAY

/** For tests: a wish for a tier with numbers that a sentence can be made of. */
export function wishFor(to: number, over: Partial<Wish> = {}): Wish {
  return {
    to,
    other: to,
    lead: 3.1,
    needed: 0.72,
    moveCost: 1.2,
    historyHours: 69,
    meanIops: 4,
    ...over,
  }
}

/** For tests: a claim on warm that may go to cold, or wherever `over.wish` says, unless `over` is in the way. */
export function candidate(over: Partial<Candidate> = {}): Candidate {
  return {
    now: NOW,
    claim: { optedOut: false, bound: true, terminating: false, resizing: 'no', paused: 'no' },
    policy: {
      name: 'tiered',
      mode: 'Auto',
      paused: false,
      stopped: false,
      minHistorySeconds: DAY,
      windowSeconds: 1800,
      maxStalenessSeconds: 5400,
      promoteCooldownSeconds: 3600,
      demoteCooldownSeconds: DAY,
    },
    tiers: TIERS,
    tier: 1,
    sizeGiB: 10,
    observation: { kind: 'Measured', iops: 4, coveragePercent: 100 },
    state: {
      ...initialState(3, NOW - 20 * DAY),
      hours: 69,
      coveredSeconds: 20 * DAY,
      quietSeconds: 20 * DAY,
      lastWindowEnd: NOW - 60,
    },
    wish: wishFor(2),
    volume: {
      status: 'available',
      typeId: 'id-warm',
      typeName: 'couchestor-warm',
      attached: false,
      multiattach: false,
      encrypted: false,
      snapshots: { count: 0 },
    },
    schedule: { open: true },
    attachedSafety: () => ({ safe: false, message: 'not proven safe' }),
    ...over,
  }
}
