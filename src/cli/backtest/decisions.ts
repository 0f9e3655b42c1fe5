import type { Load, Move, Setting } from './types.ts'

/** The moves as NDJSON, one per line, volumes one after the other by name; `at` in seconds since the start of the replay. */
export function decisionsOf(
  setting: Setting,
  fleet: readonly { readonly load: Load; readonly moves: readonly Move[] }[],
): string {
  const name = (tier: number) => setting.tiers[tier]?.name
  const byName = fleet.toSorted((a, b) => (a.load.id < b.load.id ? -1 : 1))
  const lines = byName.flatMap(({ load, moves }) =>
    moves.map((move) =>
      JSON.stringify({
        volume: load.id,
        at: Math.round(move.after * setting.intervalHours * 3600),
        from: name(move.from),
        to: name(move.to),
      }),
    ),
  )
  return lines.map((line) => `${line}\n`).join('')
}
