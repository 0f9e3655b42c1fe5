import { lastWindowEnd } from '../../activity/window.ts'
import type { ActivitySource } from '../../activity/types.ts'

/** What the source says of one volume in the newest complete window. */
export type UsageNow = {
  /** The source by its own name, such as prometheus/agent or gnocchi. */
  readonly source: string
  /** RFC 3339. */
  readonly windowEnd: string
  readonly windowSeconds: number
  /** Mean over the window; null = no numbers, and `why` says why. */
  readonly operationsPerSecond: number | null
  readonly bytesPerSecond: number | null
  readonly coveragePercent: number | null
  readonly why: string
}

export type UsageQuery = {
  readonly volumeId: string
  readonly windowSeconds: number
  /** Seconds since the epoch. */
  readonly now: number
  readonly signal: AbortSignal
}

/** Asks for the newest window. Never throws. */
export async function readUsage(
  source: ActivitySource,
  { volumeId, windowSeconds, now, signal }: UsageQuery,
): Promise<UsageNow> {
  const endSeconds = lastWindowEnd(now, windowSeconds, source.lagSeconds)
  const answer = await source.window({ endSeconds, windowSeconds, signal })
  const activity = answer.kind === 'Answer' ? answer.volumes.get(volumeId) : undefined
  const missing = answer.kind === 'Answer' ? answer.missing?.get(volumeId) : answer.why
  return {
    source: source.name,
    windowEnd: new Date(endSeconds * 1000).toISOString(),
    windowSeconds,
    operationsPerSecond: activity?.operationsPerSecond ?? null,
    bytesPerSecond: activity?.bytesPerSecond ?? null,
    coveragePercent: activity?.coveragePercent ?? null,
    why: activity === undefined ? (missing ?? 'it has no numbers of this volume') : '',
  }
}
