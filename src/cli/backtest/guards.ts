import type { HistoryFacts } from '../../policy/guards-history.ts'
import { coolingDown, retention, young } from '../../policy/guards-history.ts'
import type { RuleFacts } from './types.ts'

/** What holds a wish back in a replay, as the same guards hold it back live. `k` counts intervals from 1. */
export interface Guards {
  observe(observed: number, k: number, tier: number): void
  blocks(from: number, to: number, k: number): boolean
  moved(k: number): void
}

export type GuardsFactory = (facts: RuleFacts) => Guards

export type GuardSettings = {
  readonly minHistorySeconds: number
  readonly promoteCooldownSeconds: number
  readonly demoteCooldownSeconds: number
  /** By tier, fastest first. */
  readonly retentionSeconds: readonly number[]
  /** Is the schedule open at this time (seconds since the start of the replay)? */
  readonly isOpen: (atSeconds: number) => boolean
}

/** The guards of a policy that has none set. */
export const NO_GUARDS: GuardSettings = {
  minHistorySeconds: 0,
  promoteCooldownSeconds: 0,
  demoteCooldownSeconds: 0,
  retentionSeconds: [],
  isOpen: () => true,
}

/** The guards that check history and time. Those that ask Kubernetes or Cinder have no history to replay. */
export function guardsOf(settings: GuardSettings): GuardsFactory {
  return ({ setting, load, limits }) => {
    const windowSeconds = setting.intervalHours * 3600
    const tiers = setting.tiers.map((tier, j) => ({
      ...tier,
      retentionSeconds: settings.retentionSeconds[j] ?? 0,
    }))
    const policy = { ...settings, windowSeconds }
    let coveredSeconds = 0
    let quietSeconds = 0
    let lastMoveEnd: number | undefined
    return {
      observe(observed, _k, tier) {
        coveredSeconds += windowSeconds
        quietSeconds = observed > (limits[tier + 1] ?? Infinity) ? 0 : quietSeconds + windowSeconds
      },
      blocks(from, to, k) {
        const facts: HistoryFacts = {
          now: k * windowSeconds,
          policy,
          tiers,
          tier: from,
          sizeGiB: load.sizeGiB,
          state: { coveredSeconds, quietSeconds },
          ...(lastMoveEnd === undefined ? {} : { lastMoveEnd }),
        }
        const want = { to }
        return (
          young(facts, want) !== undefined ||
          retention(facts, want) !== undefined ||
          coolingDown(facts, want) !== undefined ||
          !settings.isOpen(facts.now)
        )
      },
      moved(k) {
        lastMoveEnd = k * windowSeconds
        quietSeconds = 0
      },
    }
  }
}

/** One guard at a time, to show what each costs; only those that are set. */
export function singleGuards(
  settings: GuardSettings,
): readonly { readonly name: string; readonly settings: GuardSettings }[] {
  const { minHistorySeconds, promoteCooldownSeconds, demoteCooldownSeconds } = settings
  const { retentionSeconds, isOpen } = settings
  const all = [
    { name: 'minimum history', on: minHistorySeconds > 0, only: { minHistorySeconds } },
    {
      name: 'cooldown',
      on: promoteCooldownSeconds > 0 || demoteCooldownSeconds > 0,
      only: { promoteCooldownSeconds, demoteCooldownSeconds },
    },
    { name: 'retention', on: retentionSeconds.some((s) => s > 0), only: { retentionSeconds } },
    { name: 'schedule', on: isOpen !== NO_GUARDS.isOpen, only: { isOpen } },
  ]
  return all
    .filter((g) => g.on)
    .map((g) => ({ name: g.name, settings: { ...NO_GUARDS, ...g.only } }))
}
