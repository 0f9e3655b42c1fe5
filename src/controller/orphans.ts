import { messageOf } from '../errors.ts'
import type { ControllerDeps } from './deps.ts'
import type { Inventory } from './inventory.ts'
import type { Ledger } from './ledger.ts'
import type { Migrations } from './migrations.ts'

/** Moves that run although their VolumeMigration is gone: watched until they rest, and counted until then. */
export class Orphans {
  readonly #parts: {
    readonly deps: ControllerDeps
    readonly ledger: Ledger
    readonly migrations: Migrations
    readonly inventory: Inventory
  }

  constructor(parts: {
    deps: ControllerDeps
    ledger: Ledger
    migrations: Migrations
    inventory: Inventory
  }) {
    this.#parts = parts
  }

  async check(): Promise<void> {
    const { deps, ledger, migrations, inventory } = this.#parts
    const flying = new Set(migrations.inFlight().map((m) => m.status?.volumeId))
    for (const entry of ledger.entries()) {
      if (flying.has(entry.volumeId)) continue
      try {
        const volume = await inventory.look(entry.volumeId)
        const status = volume?.status ?? 'gone'
        deps.log.warn({ ...entry, status }, 'a move is in flight whose VolumeMigration was deleted')
        if (status === 'available' || status === 'in-use' || status === 'gone')
          await ledger.remove(entry.volumeId)
      } catch (e) {
        deps.log.warn(
          { volumeID: entry.volumeId, err: messageOf(e) },
          'cannot look at a move in flight',
        )
      }
    }
  }
}
