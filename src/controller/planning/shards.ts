import type { TieringCheckpoint } from '../../api/tiering-checkpoint.ts'
import { indexNow } from '../../policy/carry-over.ts'
import type { Earlier } from '../../policy/carry-over.ts'
import { unpackStates } from '../../policy/state.ts'

/** A volume's state, and the end (seconds) of the last window that its shard had. */
export type Found = Earlier & { readonly end: number }

/**
 * The newest state of each volume, whatever the order of the shards: a volume that has changed its shard is in two of them
 * when a save was cut short, or when an old one could not be removed. `rule`: the present one.
 */
export function newestOf(
  shards: readonly TieringCheckpoint[],
  rule: string,
  windowSeconds: number,
  onUnusable: (name: string, reason: string) => void,
): ReadonlyMap<string, Found> {
  const newest = new Map<string, Found>()
  for (const { metadata, spec } of shards) {
    const unpacked = unpackStates(spec.data, windowSeconds)
    const end = Date.parse(spec.windowEnd) / 1000
    if (!unpacked.ok || Number.isNaN(end)) {
      onUnusable(metadata.name, unpacked.ok ? 'windowEnd is no time' : unpacked.reason)
      continue
    }
    for (const [id, state] of unpacked.states) {
      const found = { state, end, rule: unpacked.ruleHash, types: spec.tiers }
      const known = newest.get(id)
      newest.set(id, known === undefined ? found : merged(known, found, rule))
    }
  }
  return newest
}

/** The newer of the two, and the later of their moves, which no later numbers can undo. */
function merged(a: Found, b: Found, rule: string): Found {
  const [winner, other] = isNewer(b, a, rule) ? [b, a] : [a, b]
  const { state } = winner
  const { movedAt, previousTier } = other.state
  if (movedAt <= state.movedAt) return winner
  const since = Math.max(0, state.lastWindowEnd - movedAt)
  return {
    ...winner,
    state: {
      ...state,
      movedAt,
      previousTier: indexNow(previousTier, other.types, winner.types ?? other.types ?? []),
      quietSeconds: Math.min(state.quietSeconds, since),
    },
  }
}

function isNewer(a: Found, b: Found, rule: string): boolean {
  const order =
    a.end - b.end ||
    Number(a.rule === rule) - Number(b.rule === rule) ||
    a.state.lastWindowEnd - b.state.lastWindowEnd ||
    a.state.movedAt - b.state.movedAt
  return order > 0
}
