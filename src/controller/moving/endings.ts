import { isFinished } from '../../api/volume-migration.ts'
import type { VolumeMigration } from '../../api/volume-migration.ts'
import type { QueueResult } from '../../kube/types.ts'
import type { ControllerDeps } from '../deps.ts'
import type { Halts } from './halts.ts'
import type { Ledger } from './ledger.ts'
import type { Migrations } from '../view/migrations.ts'
import type { MoveTimes } from '../view/move-times.ts'
import type { ObservedSaves } from './observed-saves.ts'
import { keyOf } from '../view/watches.ts'

const DONE: QueueResult = { kind: 'done' }

export type EndingsParts = {
  readonly deps: ControllerDeps
  readonly migrations: Migrations
  readonly ledger: Ledger
  readonly halts: Halts
  readonly observed: ObservedSaves
  readonly times: MoveTimes
}

/** What is left to do for a move that has ended: its end is saved, the ledger is left, the object goes after days. */
export class Endings {
  readonly #parts: EndingsParts

  constructor(parts: EndingsParts) {
    this.#parts = parts
  }

  /** Over in Cinder, but the API server did not take it: it counts no more, and is saved when it can be. */
  async save(m: VolumeMigration): Promise<QueueResult> {
    const { observed, migrations, deps } = this.#parts
    await this.#leaveLedger(m)
    await observed.save(m, m.status ?? {})
    const waits = migrations.unsaved(keyOf(m)) !== undefined
    return { kind: 'requeue', afterMs: waits ? deps.timing.recheckMs : 0 }
  }

  async retire(m: VolumeMigration): Promise<QueueResult> {
    const { deps, migrations, halts } = this.#parts
    await this.#leaveLedger(m)
    // it halts all moves until a person has checked, and confirms that by deleting it
    if (m.status?.reason === 'Unexplained')
      return (await halts.record(m)) ? DONE : { kind: 'requeue', afterMs: deps.timing.recheckMs }
    if (this.#isOld(m)) await migrations.remove(m)
    return DONE
  }

  /** Finished moves whose objects are not kept any longer. */
  old(): readonly VolumeMigration[] {
    return [...this.#parts.migrations.all()].filter((m) => isFinished(m) && this.#isOld(m))
  }

  #isOld({ status }: VolumeMigration): boolean {
    const { deps, times } = this.#parts
    if (status?.reason === 'Unexplained') return false
    return times.past(status?.completedAt) + deps.timing.keepMs <= deps.clock.now()
  }

  /** Unless another move of the volume has its entry there by now. */
  async #leaveLedger(m: VolumeMigration): Promise<void> {
    const { migrations, ledger } = this.#parts
    const volumeId = m.status?.volumeId
    if (volumeId === undefined) return
    if (migrations.inFlight().some((o) => o.status?.volumeId === volumeId)) return
    await ledger.remove(volumeId)
  }
}
