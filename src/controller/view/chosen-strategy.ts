import type { PolicyStrategy, Strategy } from '../../api/storage-policy.ts'
import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import { rfc3339 } from '../../time.ts'

export type Choice = {
  readonly strategy: Strategy
  /** Why, in half a sentence, where the policy leaves it open. */
  readonly because?: string
}

/** What is known of a volume when it is asked what it moves by. */
export type Chosen = {
  readonly hasSnapshots: boolean
  /** All moves of the volume; asked of thousands of claims, and needed for few. */
  readonly moves: () => readonly VolumeMigration[]
  /** Volume type that it goes to; left out where only snapshots matter. */
  readonly toTypeId?: string | undefined
}

/**
 * What a volume moves by. `Auto`: by retype, which costs nothing and leaves the volume in its place; by a copy where
 * snapshots keep Cinder from retyping it, or Cinder has refused that for good.
 */
export function chosenStrategy(
  strategy: PolicyStrategy,
  { hasSnapshots, moves: movesOf, toTypeId }: Chosen,
): Choice {
  if (strategy !== 'Auto') return { strategy }
  if (hasSnapshots)
    return {
      strategy: 'snapshot-restore',
      because: 'the volume has snapshots, which block a retype',
    }
  const moves = toTypeId === undefined ? [] : movesOf()
  const refused = refusalOf(moves, 'cinder-retype', toTypeId)
  if (refused === undefined)
    return { strategy: 'cinder-retype', because: 'nothing blocks a retype' }
  // the copy is retyped too: once that is refused as well, asking for a retype is what costs least
  if (refusalOf(moves, 'snapshot-restore', toTypeId) !== undefined)
    return {
      strategy: 'cinder-retype',
      because: `Cinder has refused to retype a copy as well as the volume (${named(refused)})`,
    }
  return {
    strategy: 'snapshot-restore',
    because: `Cinder has refused to retype the volume (${named(refused)})`,
  }
}

/** The latest move there that Cinder refused, by that strategy; undefined unless one ended so. */
function refusalOf(
  moves: readonly VolumeMigration[],
  strategy: Strategy,
  toTypeId: string | undefined,
): VolumeMigration | undefined {
  const end = ({ status }: VolumeMigration) => rfc3339(status?.completedAt ?? '') ?? 0
  return moves
    .filter(({ status }) => status?.intent?.toTypeId === toTypeId)
    .filter((m) => (m.status?.intent?.strategy ?? 'cinder-retype') === strategy)
    .filter((m) => isFinished(m) && REFUSED.has(m.status?.reason ?? ''))
    .toSorted((a, b) => end(b) - end(a))[0]
}

/** Cinder refused the call, or accepted it and put the old type back. */
const REFUSED: ReadonlySet<string> = new Set(['Rejected', 'Reverted'])

function named({ metadata, status }: VolumeMigration): string {
  return `VolumeMigration ${metadata.name} ended as ${status?.reason}`
}
