import { isFinished, isManual } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { Answer } from '../../migration/unsent.ts'
import type { Ledger } from './ledger.ts'
import { goesBefore } from '../view/migrations.ts'
import type { Migrations } from '../view/migrations.ts'
import { whyUnreadable } from '../view/read-migration.ts'
import type { Target } from '../view/targets.ts'
import { keyOf } from '../view/watches.ts'

type Known = { readonly migrations: Migrations; readonly ledger: Ledger }

/** One move at a time per volume; undefined when it is this one's turn. */
export function goesFirst(
  m: VolumeMigration,
  { volume, claim }: Target,
  { migrations, ledger }: Known,
): Answer | undefined {
  const others = migrations
    .ofVolume(volume.handle, claim)
    .filter((o) => o.metadata.uid !== m.metadata.uid)
  const unreadable = others.find((o) => !isFinished(o) && whyUnreadable(o) !== undefined)
  if (unreadable !== undefined)
    return inFlight(
      `VolumeMigration ${keyOf(unreadable)} of the same volume may still run in Cinder and cannot be read (${whyUnreadable(unreadable)}): correct it, or delete it`,
    )
  const unsaved = others.find((o) => isFinished(o) && migrations.unsaved(keyOf(o)) !== undefined)
  // the next leader would still follow it, and take the end of this one for its own
  if (unsaved !== undefined)
    return inFlight(
      `VolumeMigration ${keyOf(unsaved)} of the same volume has ended, and the API server has not taken that yet`,
    )
  const before = others.find((o) => !isFinished(o) && goesBefore(o, m))
  if (before !== undefined)
    return first(m, `VolumeMigration ${keyOf(before)} of the same volume goes first`)
  // nobody follows the call of a move that was deleted, and it may be on its way to Cinder yet
  const deleted = ledger.entries().find((e) => e.volumeId === volume.handle)
  if (deleted === undefined) return undefined
  return inFlight(
    `VolumeMigration ${deleted.namespace}/${deleted.migration} of the same volume may still run in Cinder; waiting until Cinder shows twice that it does not`,
  )
}

/** What a person asked for waits its turn; what the policy wants is wanted again later. */
function first(m: VolumeMigration, message: string): Answer {
  return isManual(m) ? inFlight(message) : { over: true, reason: 'Superseded', message }
}

function inFlight(message: string): Answer {
  return { over: false, reason: 'InFlight', message }
}
